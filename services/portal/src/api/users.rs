//! Users and their passwords.

use api_types::access::{NewPassword, NewUser, User, UserFilter, UserPatch};
use api_types::common::{ErrorBody, ListQuery, Page};
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, Json, Path, Query};

use super::origin::Client;
use super::{Shared, Who};
use crate::app::users;

/// Users. Sorts: `name`, `created_at`; `q` finds names and addresses.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "access",
    params(UserFilter, ListQuery),
    responses(
        (status = 200, description = "A page of users", body = Page<User>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:read")))
)]
pub async fn list_users(
    State(state): Shared,
    Query(filter): Query<UserFilter>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Page<User>>> {
    Ok(Json(users::list(&state, &filter, &query).await?))
}

/// Makes a user; roles are given by bindings.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "access",
    params(("Idempotency-Key" = Option<String>, Header, description = "A call repeated with it is done once")),
    request_body = NewUser,
    responses(
        (status = 201, description = "The user", body = User),
        (status = 409, description = "`user_exists`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:write")))
)]
pub async fn create_user(
    State(state): Shared,
    Who(identity): Who,
    IdempotencyKey(key): IdempotencyKey,
    Json(new): Json<NewUser>,
) -> ApiResult<(StatusCode, Json<User>)> {
    let user = users::create(&state, &identity.caller.subject, key.as_deref(), &new).await?;
    Ok((StatusCode::CREATED, Json(user)))
}

/// One user.
#[utoipa::path(
    get, path = "/api/v1/users/{user}", tag = "access",
    params(("user" = String, Path, description = "Name of the user")),
    responses(
        (status = 200, description = "The user", body = User),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:read")))
)]
pub async fn get_user(State(state): Shared, Path(name): Path<String>) -> ApiResult<Json<User>> {
    Ok(Json(users::get(&state, &name).await?))
}

/// Changes a user; disabling one ends their sessions.
#[utoipa::path(
    patch, path = "/api/v1/users/{user}", tag = "access",
    params(("user" = String, Path, description = "Name of the user")),
    request_body = UserPatch,
    responses(
        (status = 200, description = "The user", body = User),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`last_platform_admin`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:write")))
)]
pub async fn update_user(
    State(state): Shared,
    Path(name): Path<String>,
    Json(patch): Json<UserPatch>,
) -> ApiResult<Json<User>> {
    Ok(Json(users::update(&state, &name, &patch).await?))
}

/// Removes a user with their roles, sessions and API tokens.
#[utoipa::path(
    delete, path = "/api/v1/users/{user}", tag = "access",
    params(("user" = String, Path, description = "Name of the user")),
    responses(
        (status = 204, description = "Gone"),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`last_platform_admin`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:write")))
)]
pub async fn delete_user(State(state): Shared, Path(name): Path<String>) -> ApiResult<StatusCode> {
    users::delete(&state, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a password: one's own with the current one, another's with `user:write`.
///
/// Ends the user's other sessions.
#[utoipa::path(
    post, path = "/api/v1/users/{user}/password", tag = "access",
    params(("user" = String, Path, description = "Name of the user")),
    request_body = NewPassword,
    responses(
        (status = 204, description = "Set"),
        (status = 403, description = "`wrong_password`, `forbidden`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
        (status = 429, description = "`too_many_attempts`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn set_user_password(
    State(state): Shared,
    Who(identity): Who,
    client: Client,
    Path(name): Path<String>,
    Json(new): Json<NewPassword>,
) -> ApiResult<StatusCode> {
    users::set_password(&state, &identity, client.address, &name, &new).await?;
    Ok(StatusCode::NO_CONTENT)
}
