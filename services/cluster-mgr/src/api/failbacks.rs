//! Moving back what left a cluster.

use api_types::clusters::Cluster;
use api_types::common::ErrorBody;
use api_types::failbacks::{FailbackPlan, NewFailback};
use api_types::operations::OperationAccepted;
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{Json, Path};

use crate::app;
use crate::paths::ClusterPath;
use crate::state::AppState;

/// What left the cluster by evacuations and would move back now.
#[utoipa::path(
    get, path = "/api/v1/clusters/{cluster}/failback", tag = "clusters",
    params(ClusterPath),
    responses(
        (status = 200, description = "The plan; nothing is stored", body = FailbackPlan),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn plan_failback(
    State(state): State<AppState>,
    Path(path): Path<ClusterPath>,
) -> ApiResult<Json<FailbackPlan>> {
    Ok(Json(app::failbacks::plan(&state, &path.cluster).await?))
}

/// Moves back what left the cluster, a share at a time: the next when all of the last is ready. Each replica stays where
/// it is until it is ready here. Ordering it again gives the same operation.
#[utoipa::path(
    post, path = "/api/v1/clusters/{cluster}/failback", tag = "clusters",
    params(ClusterPath),
    request_body = NewFailback,
    responses(
        (status = 202, description = "The operation that moves it", body = OperationAccepted),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`cluster_evacuating`, `cluster_not_ready`, `nothing_to_return`, `cluster_removing`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn fail_back_cluster(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ClusterPath>,
    Json(body): Json<NewFailback>,
) -> ApiResult<(StatusCode, Json<OperationAccepted>)> {
    let accepted = app::failbacks::begin(&state, &caller, &path.cluster, body).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// Stops moving back. What has moved stays; what is away stays away.
#[utoipa::path(
    delete, path = "/api/v1/clusters/{cluster}/failback", tag = "clusters",
    params(ClusterPath),
    responses(
        (status = 200, description = "The cluster", body = Cluster),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`cluster_removing`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn stop_failback(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ClusterPath>,
) -> ApiResult<Json<Cluster>> {
    Ok(Json(app::failbacks::end(&state, &caller, &path.cluster).await?))
}
