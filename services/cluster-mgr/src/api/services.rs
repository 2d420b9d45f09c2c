//! Services.

use api_types::common::{ErrorBody, ListQuery, Page};
use api_types::placement::{NewPreview, PlacementPreview};
use api_types::services::{
    Assignment, NewService, Service, ServiceAccepted, ServiceDeletion, ServiceFilter, ServicePatch,
};
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, IfMatch, Json, Path, Query};

use crate::app;
use crate::paths::{EnvironmentPath, ServicePath};
use crate::state::AppState;

/// Services of every project that the caller may see.
///
/// Sorts: `name`, `-updated_at`, `state` (worst first), `project`. `q` finds names, projects,
/// environments and images.
#[utoipa::path(
    get, path = "/api/v1/services", tag = "services",
    params(ServiceFilter, ListQuery),
    responses(
        (status = 200, description = "A page of services", body = Page<Service>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn list_services(
    State(state): State<AppState>,
    caller: Caller,
    Query(filter): Query<ServiceFilter>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Service>>> {
    Ok(Json(app::services::list(&state, &caller, &filter, &list).await?))
}

/// The services of an environment.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services", tag = "services",
    params(EnvironmentPath, ListQuery),
    responses(
        (status = 200, description = "A page of services", body = Page<Service>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`, `invalid_query`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn list_environment_services(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<EnvironmentPath>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Service>>> {
    Ok(Json(
        app::services::list_of_environment(&state, &caller, &path, &list).await?,
    ))
}

/// Creates a service and brings it to run.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments/{environment}/services", tag = "services",
    params(EnvironmentPath, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call harmless")),
    request_body = NewService,
    responses(
        (status = 202, description = "The service, and the operation that creates it", body = ServiceAccepted),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`service_exists`, `service_deleting`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`, `quota_exceeded`, `does_not_fit`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:write")))
)]
pub async fn create_service(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<EnvironmentPath>,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<NewService>,
) -> ApiResult<(StatusCode, Json<ServiceAccepted>)> {
    let accepted = app::create::create(&state, &caller, &path, key.as_deref(), body).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// Where replicas would go. Nothing is stored.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/environments/{environment}/services/preview", tag = "services",
    params(EnvironmentPath),
    request_body = NewPreview,
    responses(
        (status = 200, description = "The plan, with its reasons", body = PlacementPreview),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`, `does_not_fit`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn preview_placement(
    State(state): State<AppState>,
    Path(path): Path<EnvironmentPath>,
    Json(body): Json<NewPreview>,
) -> ApiResult<Json<PlacementPreview>> {
    Ok(Json(app::preview::preview(&state, &path, &body).await?))
}

/// One service.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}", tag = "services",
    params(ServicePath),
    responses(
        (status = 200, description = "The service", body = Service),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn get_service(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
) -> ApiResult<Json<Service>> {
    Ok(Json(app::services::get(&state, &path).await?))
}

/// Scales a service, places it otherwise, or describes it.
#[utoipa::path(
    patch, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}", tag = "services",
    params(ServicePath, ("If-Match" = String, Header, description = "The version that was read")),
    request_body = ServicePatch,
    responses(
        (status = 202, description = "The service, and the operation when replicas or placement change", body = ServiceAccepted),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`version_conflict`, `service_deleting`, `autoscaled`: a policy sets the replicas", body = ErrorBody),
        (status = 422, description = "`invalid_spec`, `quota_exceeded`", body = ErrorBody),
        (status = 428, description = "`precondition_required`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:write")))
)]
pub async fn update_service(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ServicePath>,
    IfMatch(version): IfMatch,
    Json(body): Json<ServicePatch>,
) -> ApiResult<(StatusCode, Json<ServiceAccepted>)> {
    let accepted = app::services::update(&state, &caller, &path, version, body).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// Deletes a service with everything of it on every cluster, also on one that is away now and returns. Its data stays
/// unless the call says otherwise.
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}", tag = "services",
    params(ServicePath, ServiceDeletion),
    responses(
        (status = 202, description = "The service, and the operation that deletes it", body = ServiceAccepted),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:delete")))
)]
pub async fn delete_service(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ServicePath>,
    Query(deletion): Query<ServiceDeletion>,
) -> ApiResult<(StatusCode, Json<ServiceAccepted>)> {
    let accepted = app::services::delete(&state, &caller, &path, deletion).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// How many replicas each cluster holds, why, and what is seen there.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/assignments", tag = "services",
    params(ServicePath),
    responses(
        (status = 200, description = "Every assignment", body = Page<Assignment>),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("service:read")))
)]
pub async fn list_assignments(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
) -> ApiResult<Json<Page<Assignment>>> {
    Ok(Json(app::assignments::list(&state, &path).await?))
}
