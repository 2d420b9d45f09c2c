//! Emptying a cluster, taking it back, and moving back what left it.

use api_types::clusters::Cluster;
use api_types::common::ErrorBody;
use api_types::evacuations::{EvacuationPlan, NewEvacuation, PlanOptions};
use api_types::failbacks::{FailbackPlan, NewFailback};
use api_types::operations::OperationAccepted;
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{Json, Path, Query};

use crate::app;
use crate::paths::ClusterPath;
use crate::state::AppState;

type Accepted = (StatusCode, Json<OperationAccepted>);

/// What an evacuation of the cluster would do now: where each service's replicas go, and what fits nowhere.
#[utoipa::path(
    get, path = "/api/v1/clusters/{cluster}/evacuation", tag = "clusters",
    params(ClusterPath, PlanOptions),
    responses(
        (status = 200, description = "The plan; nothing is stored", body = EvacuationPlan),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn plan_evacuation(
    State(state): State<AppState>,
    Path(path): Path<ClusterPath>,
    Query(options): Query<PlanOptions>,
) -> ApiResult<Json<EvacuationPlan>> {
    Ok(Json(
        app::evacuations::plan(&state, &path.cluster, options).await?,
    ))
}

/// Evacuates a cluster: what it holds is placed on the others, and stays here until it is ready there. The cluster gets
/// no replicas until it is taken back. Ordering it again gives the same operation.
#[utoipa::path(
    post, path = "/api/v1/clusters/{cluster}/evacuation", tag = "clusters",
    params(ClusterPath),
    request_body = NewEvacuation,
    responses(
        (status = 202, description = "The operation that evacuates it", body = OperationAccepted),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`evacuation_incomplete`: details.services names what fits nowhere else; `cluster_removing`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn evacuate_cluster(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ClusterPath>,
    Json(body): Json<NewEvacuation>,
) -> ApiResult<Accepted> {
    let accepted = app::evacuations::begin(&state, &caller, &path.cluster, body).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// Takes a cluster back into use. What moved stays where it is; one that isn't evacuated stays as it is.
#[utoipa::path(
    delete, path = "/api/v1/clusters/{cluster}/evacuation", tag = "clusters",
    params(ClusterPath),
    responses(
        (status = 200, description = "The cluster", body = Cluster),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`cluster_removing`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn end_evacuation(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ClusterPath>,
) -> ApiResult<Json<Cluster>> {
    Ok(Json(app::evacuations::end(&state, &caller, &path.cluster).await?))
}

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
) -> ApiResult<Accepted> {
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
