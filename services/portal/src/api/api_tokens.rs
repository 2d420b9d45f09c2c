//! API tokens of machines.

use api_types::access::{ApiToken, ApiTokenCreated, NewApiToken};
use api_types::common::{ErrorBody, ListQuery, Page, TokenId};
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, Json, Path, Query};

use super::{Shared, Who};
use crate::app::tokens;

/// One's own API tokens, newest first.
#[utoipa::path(
    get, path = "/api/v1/api-tokens", tag = "access",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of API tokens", body = Page<ApiToken>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn list_api_tokens(
    State(state): Shared,
    Who(identity): Who,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Page<ApiToken>>> {
    Ok(Json(tokens::list(&state, &identity, None, &query).await?))
}

/// A user's API tokens, newest first.
#[utoipa::path(
    get, path = "/api/v1/users/{user}/api-tokens", tag = "access",
    params(("user" = String, Path, description = "Name of the user"), ListQuery),
    responses(
        (status = 200, description = "A page of API tokens", body = Page<ApiToken>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:read")))
)]
pub async fn list_api_tokens_of_user(
    State(state): Shared,
    Who(identity): Who,
    Path(name): Path<String>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Page<ApiToken>>> {
    Ok(Json(tokens::list(&state, &identity, Some(&name), &query).await?))
}

/// Makes an API token with one's own roles, or a narrower one. Its secret is shown this once.
#[utoipa::path(
    post, path = "/api/v1/api-tokens", tag = "access",
    params(("Idempotency-Key" = Option<String>, Header, description = "A call repeated with it is done once")),
    request_body = NewApiToken,
    responses(
        (status = 201, description = "The API token and its secret", body = ApiTokenCreated),
        (status = 403, description = "`session_required`: an API token can't make API tokens", body = ErrorBody),
        (status = 409, description = "`too_many_api_tokens`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn create_api_token(
    State(state): Shared,
    Who(identity): Who,
    IdempotencyKey(key): IdempotencyKey,
    Json(new): Json<NewApiToken>,
) -> ApiResult<(StatusCode, Json<ApiTokenCreated>)> {
    let created = tokens::create(&state, &identity, key.as_deref(), &new).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Revokes an API token, at once: one's own, or anybody's with `user:write`.
#[utoipa::path(
    delete, path = "/api/v1/api-tokens/{token}", tag = "access",
    params(("token" = TokenId, Path, description = "Id of the API token")),
    responses(
        (status = 204, description = "Revoked"),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn delete_api_token(
    State(state): Shared,
    Who(identity): Who,
    Path(id): Path<TokenId>,
) -> ApiResult<StatusCode> {
    tokens::delete(&state, &identity, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
