//! What is closed after repeated failures to sign in.

use api_types::access::SignInLock;
use api_types::common::{ErrorBody, ListQuery, LockId, Page};
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{Json, Path, Query};

use super::Shared;
use crate::app::limiter;

/// Names and addresses that are closed now, newest first. `q` finds names and addresses.
#[utoipa::path(
    get, path = "/api/v1/sign-in-locks", tag = "access",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of locks", body = Page<SignInLock>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:read")))
)]
pub async fn list_sign_in_locks(
    State(state): Shared,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Page<SignInLock>>> {
    Ok(Json(limiter::list(&state, &query).await?))
}

/// Opens what is closed, at once.
#[utoipa::path(
    delete, path = "/api/v1/sign-in-locks/{lock}", tag = "access",
    params(("lock" = LockId, Path, description = "Id of the lock")),
    responses(
        (status = 204, description = "Lifted"),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:write")))
)]
pub async fn lift_sign_in_lock(State(state): Shared, Path(id): Path<LockId>) -> ApiResult<StatusCode> {
    limiter::lift(&state, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
