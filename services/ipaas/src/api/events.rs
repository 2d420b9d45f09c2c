//! Events, read from the clusters when someone looks.

use api_types::common::{ErrorBody, ListQuery, Page};
use api_types::pods::Event;
use axum::extract::State;
use platform::ApiResult;
use platform::extract::{Json, Path, Query};

use crate::api::paths::{PodPath, ServicePath};
use crate::app::events;
use crate::app::names::ServiceKey;
use crate::state::AppState;

/// Events of one pod, newest first.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}/events",
    tag = "pods",
    params(PodPath, ListQuery),
    responses(
        (status = 200, description = "A page of events", body = Page<Event>),
        (status = 404, description = "`not_found`: no such pod in this environment", body = ErrorBody),
        (status = 503, description = "`cluster_unreachable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("pod:read")))
)]
pub async fn list_pod_events(
    State(state): State<AppState>,
    Path(path): Path<PodPath>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Event>>> {
    Ok(Json(events::of_pod(&state, &path.into(), &list).await?))
}

/// Events of a service on every cluster, newest first: of its Deployment, its ReplicaSets and its pods.
///
/// The clusters are asked side by side; one that doesn't answer in time is named in `gaps`.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/events", tag = "pods",
    params(ServicePath, ListQuery),
    responses(
        (status = 200, description = "A page of events", body = Page<Event>),
        (status = 400, description = "`invalid_cursor`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("pod:read")))
)]
pub async fn list_service_events(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Event>>> {
    let key = ServiceKey::new(&path.project, &path.environment, &path.service);
    Ok(Json(events::of_service(&state, &key, &list).await?))
}
