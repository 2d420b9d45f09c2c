//! Environments of a project.

use api_types::common::{ErrorBody, ListQuery, Page};
use api_types::projects::{Environment, EnvironmentPatch, NewEnvironment};
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, IfMatch, Json, Path, Query};

use crate::app;
use crate::paths::{EnvironmentPath, ProjectPath};
use crate::state::AppState;

/// The environments of a project that the caller may see. Sorts: `name`, `-updated_at`.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments", tag = "projects",
    params(ProjectPath, ListQuery),
    responses(
        (status = 200, description = "A page of environments", body = Page<Environment>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`, `invalid_query`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn list_environments(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ProjectPath>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Environment>>> {
    Ok(Json(
        app::environments::list(&state, &caller, &path.project, &list).await?,
    ))
}

/// Creates an environment: the namespace `{project}-{environment}` on a set of clusters.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments", tag = "projects",
    params(ProjectPath, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call harmless")),
    request_body = NewEnvironment,
    responses(
        (status = 201, description = "The environment", body = Environment),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`environment_exists`, `namespace_taken`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:write")))
)]
pub async fn create_environment(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ProjectPath>,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<NewEnvironment>,
) -> ApiResult<(StatusCode, Json<Environment>)> {
    let environment = app::environments::create(&state, &caller, &path.project, key.as_deref(), body).await?;
    Ok((StatusCode::CREATED, Json(environment)))
}

/// One environment.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}", tag = "projects",
    params(EnvironmentPath),
    responses(
        (status = 200, description = "The environment", body = Environment),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:read")))
)]
pub async fn get_environment(
    State(state): State<AppState>,
    Path(path): Path<EnvironmentPath>,
) -> ApiResult<Json<Environment>> {
    Ok(Json(
        app::environments::get(&state, &path.project, &path.environment).await?,
    ))
}

/// Changes the clusters that an environment spans. Replicas on clusters that are no longer among them move.
#[utoipa::path(
    patch, path = "/api/v1/projects/{project}/environments/{environment}", tag = "projects",
    params(EnvironmentPath, ("If-Match" = String, Header, description = "The version that was read")),
    request_body = EnvironmentPatch,
    responses(
        (status = 200, description = "The environment", body = Environment),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`version_conflict`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
        (status = 428, description = "`precondition_required`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:write")))
)]
pub async fn update_environment(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<EnvironmentPath>,
    IfMatch(version): IfMatch,
    Json(body): Json<EnvironmentPatch>,
) -> ApiResult<Json<Environment>> {
    let environment =
        app::environments::update(&state, &caller, &path.project, &path.environment, version, body).await?;
    Ok(Json(environment))
}

/// Removes an environment without services. Its namespaces stay on the clusters.
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}/environments/{environment}", tag = "projects",
    params(EnvironmentPath),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`environment_in_use`: it has services", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("project:write")))
)]
pub async fn delete_environment(
    State(state): State<AppState>,
    Path(path): Path<EnvironmentPath>,
) -> ApiResult<StatusCode> {
    app::environments::delete(&state, &path.project, &path.environment).await?;
    Ok(StatusCode::NO_CONTENT)
}
