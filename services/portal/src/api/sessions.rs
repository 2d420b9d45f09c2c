//! Sessions of browsers, one's own and others'.

use api_types::access::SessionSummary;
use api_types::common::{ErrorBody, ListQuery, Page, SessionId};
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{Json, Path, Query};

use super::{Shared, Who};
use crate::app::sessions;

/// One's own sessions, newest first.
#[utoipa::path(
    get, path = "/api/v1/sessions", tag = "session",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of sessions", body = Page<SessionSummary>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn list_sessions(
    State(state): Shared,
    Who(identity): Who,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Page<SessionSummary>>> {
    Ok(Json(sessions::list(&state, &identity, None, &query).await?))
}

/// Ends every session of one's own but this one.
#[utoipa::path(
    delete, path = "/api/v1/sessions", tag = "session",
    responses((status = 204, description = "Ended")),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn delete_other_sessions(State(state): Shared, Who(identity): Who) -> ApiResult<StatusCode> {
    sessions::end_others(&state, &identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a session: one's own, or anybody's with `user:write`.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{session}", tag = "session",
    params(("session" = SessionId, Path, description = "Id of the session")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn end_session(
    State(state): Shared,
    Who(identity): Who,
    Path(id): Path<SessionId>,
) -> ApiResult<StatusCode> {
    sessions::end(&state, &identity, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A user's sessions, newest first.
#[utoipa::path(
    get, path = "/api/v1/users/{user}/sessions", tag = "session",
    params(("user" = String, Path, description = "Name of the user"), ListQuery),
    responses(
        (status = 200, description = "A page of sessions", body = Page<SessionSummary>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:read")))
)]
pub async fn list_sessions_of_user(
    State(state): Shared,
    Who(identity): Who,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Page<SessionSummary>>> {
    Ok(Json(
        sessions::list(&state, &identity, Some(&name), &query).await?,
    ))
}

/// Ends every session of a user.
#[utoipa::path(
    delete, path = "/api/v1/users/{user}/sessions", tag = "session",
    params(("user" = String, Path, description = "Name of the user")),
    responses(
        (status = 204, description = "Ended"),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:write")))
)]
pub async fn end_sessions_of_user(State(state): Shared, Path(name): Path<String>) -> ApiResult<StatusCode> {
    sessions::end_all(&state, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
