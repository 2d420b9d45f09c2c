//! Roles within one environment, given and taken by those who own no more of the project.

use api_types::access::{Binding, Grant, MemberCandidate, NewBinding, NewEnvironmentMember};
use api_types::common::{BindingId, ErrorBody, ListQuery, Page};
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, Json, Path, Query};

use super::members::CandidateQuery;
use super::{Shared, Who};
use crate::app::members::Place;
use crate::app::{bindings, members};
use crate::db::bindings::Filter;

/// Who has a role in an environment alone. Who has one in the whole project is a member of the project.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/members", tag = "access",
    params(
        ("project" = String, Path, description = "Name of the project"),
        ("environment" = String, Path, description = "Name of the environment"),
        ListQuery,
    ),
    responses(
        (status = 200, description = "A page of bindings", body = Page<Binding>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn list_environment_members(
    State(state): Shared,
    Path((project, environment)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Page<Binding>>> {
    let filter = Filter {
        project: Some(project),
        environment: Some(environment),
        text: query.q,
        ..Filter::default()
    };
    Ok(Json(
        bindings::list(&state, filter, query.limit, query.cursor.as_deref()).await?,
    ))
}

/// One member's role in an environment.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/members/{binding}", tag = "access",
    params(
        ("project" = String, Path, description = "Name of the project"),
        ("environment" = String, Path, description = "Name of the environment"),
        ("binding" = BindingId, Path, description = "Id of the binding"),
    ),
    responses(
        (status = 200, description = "The binding", body = Binding),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn get_environment_member(
    State(state): Shared,
    Path((project, environment, id)): Path<(String, String, BindingId)>,
) -> ApiResult<Json<Binding>> {
    Ok(Json(
        members::get(&state, part(&project, &environment), id).await?,
    ))
}

/// Gives a user a role in the environment: at most what the caller holds there.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments/{environment}/members", tag = "access",
    params(
        ("project" = String, Path, description = "Name of the project"),
        ("environment" = String, Path, description = "Name of the environment"),
        ("Idempotency-Key" = Option<String>, Header, description = "A call repeated with it is done once"),
    ),
    request_body = NewEnvironmentMember,
    responses(
        (status = 201, description = "The binding", body = Binding),
        (status = 403, description = "`forbidden`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`binding_exists`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("member:write")))
)]
pub async fn create_environment_member(
    State(state): Shared,
    Who(identity): Who,
    Path((project, environment)): Path<(String, String)>,
    IdempotencyKey(key): IdempotencyKey,
    Json(new): Json<NewEnvironmentMember>,
) -> ApiResult<(StatusCode, Json<Binding>)> {
    let new = NewBinding {
        user: new.user,
        grant: Grant {
            role: new.role,
            project: Some(project),
            environment: Some(environment),
        },
    };
    let operation = "create_environment_member";
    let binding = members::create(&state, &identity, key.as_deref(), operation, &new).await?;
    Ok((StatusCode::CREATED, Json(binding)))
}

/// Takes a role in the environment away.
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}/environments/{environment}/members/{binding}", tag = "access",
    params(
        ("project" = String, Path, description = "Name of the project"),
        ("environment" = String, Path, description = "Name of the environment"),
        ("binding" = BindingId, Path, description = "Id of the binding"),
    ),
    responses(
        (status = 204, description = "Gone"),
        (status = 403, description = "`forbidden`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("member:write")))
)]
pub async fn delete_environment_member(
    State(state): Shared,
    Who(identity): Who,
    Path((project, environment, id)): Path<(String, String, BindingId)>,
) -> ApiResult<StatusCode> {
    members::delete(&state, &identity, part(&project, &environment), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who could be given a role here: enabled users by the beginning of their name, at most 10.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/member-candidates", tag = "access",
    params(
        ("project" = String, Path, description = "Name of the project"),
        ("environment" = String, Path, description = "Name of the environment"),
        CandidateQuery,
    ),
    responses(
        (status = 200, description = "Some users, by name", body = Page<MemberCandidate>),
        (status = 400, description = "`invalid_query`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("member:write")))
)]
pub async fn list_environment_member_candidates(
    State(state): Shared,
    Path(_place): Path<(String, String)>,
    Query(query): Query<CandidateQuery>,
) -> ApiResult<Json<Page<MemberCandidate>>> {
    Ok(Json(Page::whole(members::candidates(&state, &query.q).await?)))
}

fn part<'a>(project: &'a str, environment: &'a str) -> Place<'a> {
    Place {
        project,
        environment: Some(environment),
    }
}
