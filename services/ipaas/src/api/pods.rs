//! Pods: lists from the index, one pod live.

use api_types::common::{ErrorBody, ListQuery, Page};
use api_types::pods::{Pod, PodDetail, PodFilter};
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{Json, Path, Query};

use crate::api::paths::{PodPath, ServicePath};
use crate::app::pods;
use crate::state::AppState;

/// Pods of every cluster.
///
/// Answered from the index whatever the clusters do: a cluster that doesn't answer is named in `gaps`,
/// and its pods are shown as they were, stale. Sorts: `name`, `created_at`, `restarts`, `status`,
/// `cluster`, `node`. `q` finds names, addresses, nodes, images and services.
#[utoipa::path(
    get, path = "/api/v1/pods", tag = "pods",
    params(PodFilter, ListQuery),
    responses(
        (status = 200, description = "A page of pods", body = Page<Pod>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("pod:read")))
)]
pub async fn list_pods(
    State(state): State<AppState>,
    caller: Caller,
    Query(filter): Query<PodFilter>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Pod>>> {
    Ok(Json(pods::list(&state, &caller, filter, &list)?))
}

/// Pods of one service on every cluster.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/pods", tag = "pods",
    params(ServicePath, ListQuery),
    responses(
        (status = 200, description = "A page of pods", body = Page<Pod>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("pod:read")))
)]
pub async fn list_service_pods(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Pod>>> {
    Ok(Json(pods::list_of_service(
        &state,
        path.project,
        path.environment,
        path.service,
        &list,
    )?))
}

/// One pod, asked of its cluster now.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}", tag = "pods",
    params(PodPath),
    responses(
        (status = 200, description = "The pod with its containers", body = PodDetail),
        (status = 404, description = "`not_found`: no such pod in this environment", body = ErrorBody),
        (status = 503, description = "`cluster_unreachable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("pod:read")))
)]
pub async fn get_pod(State(state): State<AppState>, Path(path): Path<PodPath>) -> ApiResult<Json<PodDetail>> {
    Ok(Json(pods::get(&state, &path.into()).await?))
}

/// Destroys one instance; its Deployment makes another.
#[utoipa::path(
    delete, path = "/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}", tag = "pods",
    params(PodPath),
    responses(
        (status = 204, description = "It was told to stop"),
        (status = 404, description = "`not_found`: no such pod in this environment", body = ErrorBody),
        (status = 503, description = "`cluster_unreachable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("pod:delete")))
)]
pub async fn delete_pod(State(state): State<AppState>, Path(path): Path<PodPath>) -> ApiResult<StatusCode> {
    pods::delete(&state, &path.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}
