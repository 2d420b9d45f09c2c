//! Clusters: register, look at, change, remove.

use api_types::clusters::{Cluster, ClusterPatch, ClusterRemoval, ConnectionCheck, Kubeconfig, NewCluster};
use api_types::common::{ErrorBody, ListQuery, Page};
use api_types::operations::OperationAccepted;
use auth::Caller;
use axum::extract::State;
use http::StatusCode;
use platform::ApiResult;
use platform::extract::{IdempotencyKey, IfMatch, Json, Path, Query};

use crate::app;
use crate::paths::ClusterPath;
use crate::state::AppState;

/// The clusters, with what was last seen of each.
///
/// Sorts: `name`, `region`, `-updated_at`. `q` finds names, regions and zones.
#[utoipa::path(
    get, path = "/api/v1/clusters", tag = "clusters",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of clusters", body = Page<Cluster>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:read")))
)]
pub async fn list_clusters(
    State(state): State<AppState>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Cluster>>> {
    Ok(Json(app::clusters::list(&state, &list).await?))
}

/// Registers a cluster. Its kubeconfig is tried before anything is kept.
#[utoipa::path(
    post, path = "/api/v1/clusters", tag = "clusters",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated call harmless")),
    request_body = NewCluster,
    responses(
        (status = 201, description = "The cluster", body = Cluster),
        (status = 409, description = "`cluster_exists`, `cluster_registered_twice`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`, `kubeconfig_invalid`, `kubeconfig_unsupported`, `kubeconfig_rejected`, `rights_missing`, `cluster_unreachable`", body = ErrorBody),
        (status = 503, description = "`service_unavailable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn create_cluster(
    State(state): State<AppState>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    Json(body): Json<NewCluster>,
) -> ApiResult<(StatusCode, Json<Cluster>)> {
    let cluster = app::register::register(&state, &caller, key.as_deref(), body).await?;
    Ok((StatusCode::CREATED, Json(cluster)))
}

/// Tries a kubeconfig and tells what it reaches. Nothing is kept.
#[utoipa::path(
    post, path = "/api/v1/clusters/check", tag = "clusters",
    request_body = Kubeconfig,
    responses(
        (status = 200, description = "What it reaches", body = ConnectionCheck),
        (status = 422, description = "`kubeconfig_invalid`, `kubeconfig_unsupported`, `kubeconfig_rejected`, `rights_missing`, `cluster_unreachable`", body = ErrorBody),
        (status = 503, description = "`service_unavailable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn check_cluster_kubeconfig(
    State(state): State<AppState>,
    Json(body): Json<Kubeconfig>,
) -> ApiResult<Json<ConnectionCheck>> {
    Ok(Json(app::register::check(&state, &body).await?))
}

/// One cluster.
#[utoipa::path(
    get, path = "/api/v1/clusters/{cluster}", tag = "clusters",
    params(ClusterPath),
    responses(
        (status = 200, description = "The cluster", body = Cluster),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:read")))
)]
pub async fn get_cluster(
    State(state): State<AppState>,
    Path(path): Path<ClusterPath>,
) -> ApiResult<Json<Cluster>> {
    Ok(Json(app::clusters::get(&state, &path.cluster).await?))
}

/// Changes labels, region and zone, or cordons a cluster so that it gets no new replicas.
#[utoipa::path(
    patch, path = "/api/v1/clusters/{cluster}", tag = "clusters",
    params(ClusterPath, ("If-Match" = String, Header, description = "The version that was read")),
    request_body = ClusterPatch,
    responses(
        (status = 200, description = "The cluster", body = Cluster),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`version_conflict`, `cluster_removing`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
        (status = 428, description = "`precondition_required`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn update_cluster(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ClusterPath>,
    IfMatch(version): IfMatch,
    Json(body): Json<ClusterPatch>,
) -> ApiResult<Json<Cluster>> {
    Ok(Json(
        app::clusters::update(&state, &caller, &path.cluster, version, body).await?,
    ))
}

/// Removes a cluster: what Longshore put there goes first, then the connection.
#[utoipa::path(
    delete, path = "/api/v1/clusters/{cluster}", tag = "clusters",
    params(ClusterPath, ClusterRemoval),
    responses(
        (status = 202, description = "The operation that removes it", body = OperationAccepted),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`cluster_in_use`: details.services names them", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn delete_cluster(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ClusterPath>,
    Query(removal): Query<ClusterRemoval>,
) -> ApiResult<(StatusCode, Json<OperationAccepted>)> {
    let accepted = app::clusters::remove(&state, &caller, &path.cluster, removal).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// Replaces the kubeconfig of a cluster by another one of the same cluster. It is tried first.
#[utoipa::path(
    put, path = "/api/v1/clusters/{cluster}/kubeconfig", tag = "clusters",
    params(ClusterPath),
    request_body = Kubeconfig,
    responses(
        (status = 200, description = "What it reaches", body = ConnectionCheck),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`other_cluster`, `cluster_removing`, `cluster_registered_twice`", body = ErrorBody),
        (status = 422, description = "`kubeconfig_invalid`, `kubeconfig_unsupported`, `kubeconfig_rejected`, `rights_missing`, `cluster_unreachable`", body = ErrorBody),
        (status = 503, description = "`service_unavailable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn replace_cluster_kubeconfig(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ClusterPath>,
    Json(body): Json<Kubeconfig>,
) -> ApiResult<Json<ConnectionCheck>> {
    Ok(Json(
        app::register::replace_kubeconfig(&state, &caller, &path.cluster, body).await?,
    ))
}
