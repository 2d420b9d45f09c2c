//! The agents inside the clusters, and the history of the clusters' states.

use api_types::clusters::{ClusterAgentInstallation, ClusterStateChange, Heartbeat, NewClusterAgent};
use api_types::common::{ErrorBody, ListQuery, Page};
use auth::{CLUSTER_TOKEN_HEADER, Caller};
use axum::extract::State;
use http::{HeaderMap, StatusCode};
use platform::ApiResult;
use platform::extract::{Json, Path, Query};

use crate::app;
use crate::paths::ClusterPath;
use crate::state::AppState;

/// Issues a token for the cluster's agent, the second witness of whether it is alive, and tells what to apply to the
/// cluster. Tokens issued before are no longer good.
#[utoipa::path(
    post, path = "/api/v1/clusters/{cluster}/agent", tag = "clusters",
    params(ClusterPath),
    request_body = NewClusterAgent,
    responses(
        (status = 201, description = "The token, told this once, and the manifest", body = ClusterAgentInstallation),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`cluster_removing`", body = ErrorBody),
        (status = 422, description = "`invalid_spec`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn install_cluster_agent(
    State(state): State<AppState>,
    caller: Caller,
    Path(path): Path<ClusterPath>,
    Json(body): Json<NewClusterAgent>,
) -> ApiResult<(StatusCode, Json<ClusterAgentInstallation>)> {
    let installation = app::cluster_agents::install(&state, &caller, &path.cluster, body).await?;
    Ok((StatusCode::CREATED, Json(installation)))
}

/// Takes the token of the cluster's agent away. The cluster has one witness then; one without an agent stays as it is.
#[utoipa::path(
    delete, path = "/api/v1/clusters/{cluster}/agent", tag = "clusters",
    params(ClusterPath),
    responses(
        (status = 204, description = "It has none any more"),
        (status = 404, description = "`not_found`", body = ErrorBody),
        (status = 409, description = "`cluster_removing`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:write")))
)]
pub async fn remove_cluster_agent(
    State(state): State<AppState>,
    Path(path): Path<ClusterPath>,
) -> ApiResult<StatusCode> {
    app::cluster_agents::remove(&state, &path.cluster).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the cluster's agent says, with its token as the bearer. It says that the API server lives only by how old the
/// renewal of its Lease is.
#[utoipa::path(
    post, path = "/api/v1/clusters/{cluster}/heartbeat", tag = "clusters",
    params(ClusterPath),
    request_body = Heartbeat,
    responses(
        (status = 204, description = "It was heard"),
        (status = 401, description = "`agent_token_invalid`, `not_signed_in`", body = ErrorBody),
        (status = 422, description = "`invalid_body`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster-token")))
)]
pub async fn report_heartbeat(
    State(state): State<AppState>,
    Path(path): Path<ClusterPath>,
    headers: HeaderMap,
    Json(body): Json<Heartbeat>,
) -> ApiResult<StatusCode> {
    let token = headers
        .get(CLUSTER_TOKEN_HEADER)
        .and_then(|value| value.to_str().ok());
    app::cluster_agents::hear(&state, &path.cluster, token, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What became of the cluster: its states with reasons and times, newest first.
#[utoipa::path(
    get, path = "/api/v1/clusters/{cluster}/history", tag = "clusters",
    params(ClusterPath, ListQuery),
    responses(
        (status = 200, description = "A page of changes", body = Page<ClusterStateChange>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:read")))
)]
pub async fn list_cluster_history(
    State(state): State<AppState>,
    Path(path): Path<ClusterPath>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<ClusterStateChange>>> {
    Ok(Json(
        app::cluster_agents::history(&state, &path.cluster, &list).await?,
    ))
}
