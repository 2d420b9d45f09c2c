//! Roles given to users.

use api_types::access::{Binding, NewBinding, Role, RoleDescription};
use api_types::common::{BindingId, ErrorBody, Page};
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, Json, Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Shared, Who};
use crate::app::{bindings, grants};
use crate::db::bindings::Filter;

/// What the list is narrowed to.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct BindingQuery {
    /// Name of a user.
    pub user: Option<String>,
    pub role: Option<Role>,
    pub project: Option<String>,
    pub environment: Option<String>,
    /// Only what holds everywhere.
    pub everywhere: bool,
    /// A part of the user's name.
    pub q: Option<String>,
    /// Items a page, 1 to 500; 50 when absent.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// Who has which role where.
#[utoipa::path(
    get, path = "/api/v1/bindings", tag = "access",
    params(BindingQuery),
    responses(
        (status = 200, description = "A page of bindings", body = Page<Binding>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:read")))
)]
pub async fn list_bindings(
    State(state): Shared,
    Query(query): Query<BindingQuery>,
) -> ApiResult<Json<Page<Binding>>> {
    let filter = Filter {
        user: query.user,
        role: query.role,
        project: query.project,
        environment: query.environment,
        everywhere: query.everywhere,
        text: query.q,
    };
    Ok(Json(
        bindings::list(&state, filter, query.limit, query.cursor.as_deref()).await?,
    ))
}

/// One binding.
#[utoipa::path(
    get, path = "/api/v1/bindings/{binding}", tag = "access",
    params(("binding" = BindingId, Path, description = "Id of the binding")),
    responses(
        (status = 200, description = "The binding", body = Binding),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:read")))
)]
pub async fn get_binding(State(state): Shared, Path(id): Path<BindingId>) -> ApiResult<Json<Binding>> {
    Ok(Json(bindings::get(&state, id).await?))
}

/// Every role, from all to little, and what it may do where it is held.
#[utoipa::path(
    get, path = "/api/v1/roles", tag = "access",
    responses((status = 200, description = "The roles", body = Page<RoleDescription>)),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn list_roles() -> Json<Page<RoleDescription>> {
    Json(Page::whole(grants::roles()))
}

/// Gives a user a role: everywhere, in a project, or in one environment of it.
#[utoipa::path(
    post, path = "/api/v1/bindings", tag = "access",
    params(("Idempotency-Key" = Option<String>, Header, description = "A call repeated with it is done once")),
    request_body = NewBinding,
    responses(
        (status = 201, description = "The binding", body = Binding),
        (status = 409, description = "`binding_exists`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:write")))
)]
pub async fn create_binding(
    State(state): Shared,
    Who(identity): Who,
    IdempotencyKey(key): IdempotencyKey,
    Json(new): Json<NewBinding>,
) -> ApiResult<(StatusCode, Json<Binding>)> {
    let binding = bindings::create(&state, &identity, key.as_deref(), &new).await?;
    Ok((StatusCode::CREATED, Json(binding)))
}

/// Takes a role away.
#[utoipa::path(
    delete, path = "/api/v1/bindings/{binding}", tag = "access",
    params(("binding" = BindingId, Path, description = "Id of the binding")),
    responses(
        (status = 204, description = "Gone"),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`last_platform_admin`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("user:write")))
)]
pub async fn delete_binding(State(state): Shared, Path(id): Path<BindingId>) -> ApiResult<StatusCode> {
    bindings::delete(&state, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
