//! Roles within one project, given and taken by its owners.

use api_types::access::{Binding, Grant, MemberCandidate, NewBinding, NewMember};
use api_types::common::{BindingId, ErrorBody, ListQuery, Page};
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, Json, Path, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Shared, Who};
use crate::app::members::Place;
use crate::app::{bindings, members};
use crate::db::bindings::Filter;

/// Who has a role in a project or in one of its environments. Who has one everywhere is not named here.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/members", tag = "access",
    params(("project" = String, Path, description = "Name of the project"), ListQuery),
    responses(
        (status = 200, description = "A page of bindings", body = Page<Binding>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn list_members(
    State(state): Shared,
    Path(project): Path<String>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Page<Binding>>> {
    let filter = Filter {
        project: Some(project),
        text: query.q,
        ..Filter::default()
    };
    Ok(Json(
        bindings::list(&state, filter, query.limit, query.cursor.as_deref()).await?,
    ))
}

/// One member's role.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/members/{binding}", tag = "access",
    params(
        ("project" = String, Path, description = "Name of the project"),
        ("binding" = BindingId, Path, description = "Id of the binding"),
    ),
    responses(
        (status = 200, description = "The binding", body = Binding),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn get_member(
    State(state): Shared,
    Path((project, id)): Path<(String, BindingId)>,
) -> ApiResult<Json<Binding>> {
    Ok(Json(members::get(&state, whole(&project), id).await?))
}

/// Gives a user a role in the project, or in one environment of it: at most what the caller holds there.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/members", tag = "access",
    params(
        ("project" = String, Path, description = "Name of the project"),
        ("Idempotency-Key" = Option<String>, Header, description = "A call repeated with it is done once"),
    ),
    request_body = NewMember,
    responses(
        (status = 201, description = "The binding", body = Binding),
        (status = 403, description = "`forbidden`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`binding_exists`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("member:write")))
)]
pub async fn create_member(
    State(state): Shared,
    Who(identity): Who,
    Path(project): Path<String>,
    IdempotencyKey(key): IdempotencyKey,
    Json(new): Json<NewMember>,
) -> ApiResult<(StatusCode, Json<Binding>)> {
    let new = NewBinding {
        user: new.user,
        grant: Grant {
            role: new.role,
            project: Some(project),
            environment: new.environment,
        },
    };
    let binding = members::create(&state, &identity, key.as_deref(), "create_member", &new).await?;
    Ok((StatusCode::CREATED, Json(binding)))
}

/// Takes a role in the project away. Its last owner stays: a project that nobody owns is for a platform admin to make.
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}/members/{binding}", tag = "access",
    params(
        ("project" = String, Path, description = "Name of the project"),
        ("binding" = BindingId, Path, description = "Id of the binding"),
    ),
    responses(
        (status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`last_project_owner`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("member:write")))
)]
pub async fn delete_member(
    State(state): Shared,
    Who(identity): Who,
    Path((project, id)): Path<(String, BindingId)>,
) -> ApiResult<StatusCode> {
    members::delete(&state, &identity, whole(&project), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn whole(project: &str) -> Place<'_> {
    Place {
        project,
        environment: None,
    }
}

/// What a look for somebody begins with.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CandidateQuery {
    /// How the name, or the name that is shown, begins: at least 2 characters.
    #[param(min_length = 2)]
    pub q: String,
}

/// Who could be given a role here: enabled users by the beginning of their name, at most 10.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/member-candidates", tag = "access",
    params(("project" = String, Path, description = "Name of the project"), CandidateQuery),
    responses(
        (status = 200, description = "Some users, by name", body = Page<MemberCandidate>),
        (status = 400, description = "`invalid_query`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("member:write")))
)]
pub async fn list_member_candidates(
    State(state): Shared,
    Path(_project): Path<String>,
    Query(query): Query<CandidateQuery>,
) -> ApiResult<Json<Page<MemberCandidate>>> {
    Ok(Json(Page::whole(members::candidates(&state, &query.q).await?)))
}
