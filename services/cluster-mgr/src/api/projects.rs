//! Projects.

use api_types::common::{ErrorBody, ListQuery, Page};
use api_types::projects::{NewProject, Project, ProjectPatch, Quota};
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, IfMatch, Json, Path, Query};

use crate::app;
use crate::paths::ProjectPath;
use crate::state::AppState;

/// The projects that the caller may see. Sorts: `name`, `-updated_at`. `q` finds names.
#[utoipa::path(
    get, path = "/api/v1/projects", tag = "projects",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of projects", body = Page<Project>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn list_projects(
    State(state): State<AppState>,
    caller: Caller,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Project>>> {
    Ok(Json(app::projects::list(&state, &caller, &list).await?))
}

/// Creates a project.
#[utoipa::path(
    post, path = "/api/v1/projects", tag = "projects",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call harmless")),
    request_body = NewProject,
    responses(
        (status = 201, description = "The project", body = Project),
        (status = 409, description = "`project_exists`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:write")))
)]
pub async fn create_project(
    State(state): State<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<NewProject>,
) -> ApiResult<(StatusCode, Json<Project>)> {
    let project = app::projects::create(&state, &caller, key.as_deref(), body).await?;
    Ok((StatusCode::CREATED, Json(project)))
}

/// One project.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}", tag = "projects",
    params(ProjectPath),
    responses(
        (status = 200, description = "The project", body = Project),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn get_project(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ProjectPath>,
) -> ApiResult<Json<Project>> {
    Ok(Json(app::projects::get(&state, &caller, &path.project).await?))
}

/// Changes what a project is called and how it is described.
#[utoipa::path(
    patch, path = "/api/v1/projects/{project}", tag = "projects",
    params(ProjectPath, ("If-Match" = String, Header, description = "The version that was read")),
    request_body = ProjectPatch,
    responses(
        (status = 200, description = "The project", body = Project),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`version_conflict`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
        (status = 428, description = "`precondition_required`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:write")))
)]
pub async fn update_project(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ProjectPath>,
    IfMatch(version): IfMatch,
    Json(body): Json<ProjectPatch>,
) -> ApiResult<Json<Project>> {
    Ok(Json(
        app::projects::update(&state, &caller, &path.project, version, body).await?,
    ))
}

/// Sets what the services of a project may ask for together. What they ask for already stays, also above it.
#[utoipa::path(
    put, path = "/api/v1/projects/{project}/quota", tag = "projects",
    params(ProjectPath, ("If-Match" = String, Header, description = "The project's version that was read")),
    request_body = Quota,
    responses(
        (status = 200, description = "The project", body = Project),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`version_conflict`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
        (status = 428, description = "`precondition_required`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("quota:write")))
)]
pub async fn put_quota(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ProjectPath>,
    IfMatch(version): IfMatch,
    Json(quota): Json<Quota>,
) -> ApiResult<Json<Project>> {
    Ok(Json(
        app::quotas::put(&state, &caller, &path.project, version, quota).await?,
    ))
}

/// Removes a project without services, with its environments.
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}", tag = "projects",
    params(ProjectPath),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`project_in_use`: it has services", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:write")))
)]
pub async fn delete_project(
    State(state): State<AppState>,
    Path(path): Path<ProjectPath>,
) -> ApiResult<StatusCode> {
    app::projects::delete(&state, &path.project).await?;
    Ok(StatusCode::NO_CONTENT)
}
