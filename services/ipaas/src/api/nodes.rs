//! Nodes of a cluster, from the index.

use api_types::clusters::Node;
use api_types::common::{ErrorBody, ListQuery, Page};
use axum::extract::State;
use platform::ApiResult;
use platform::extract::{Json, Path, Query};

use crate::api::paths::ClusterPath;
use crate::app::nodes;
use crate::state::AppState;

/// Nodes of a cluster, with what their pods ask for and use.
#[utoipa::path(
    get, path = "/api/v1/clusters/{cluster}/nodes", tag = "clusters",
    params(ClusterPath, ListQuery),
    responses(
        (status = 200, description = "A page of nodes", body = Page<Node>),
        (status = 400, description = "`invalid_cursor`, `invalid_sort`", body = ErrorBody),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("cluster:read")))
)]
pub async fn list_nodes(
    State(state): State<AppState>,
    Path(path): Path<ClusterPath>,
    Query(list): Query<ListQuery>,
) -> ApiResult<Json<Page<Node>>> {
    Ok(Json(nodes::list(&state, &path.cluster, &list)?))
}
