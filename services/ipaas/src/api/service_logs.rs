//! The log of a whole service: a piece, a file, or live over a WebSocket.

use std::convert::Infallible;

use api_types::common::ErrorBody;
use api_types::logs::{ServiceLog, ServiceLogQuery};
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use platform::ApiResult;
use platform::extract::{Json, Path, Query};

use crate::api::log_socket;
use crate::api::logs::text;
use crate::api::paths::ServicePath;
use crate::app::logs::{follow, piece};
use crate::app::names::ServiceKey;
use crate::state::AppState;

impl From<ServicePath> for ServiceKey {
    fn from(path: ServicePath) -> Self {
        Self::new(&path.project, &path.environment, &path.service)
    }
}

/// The log of all pods of a service on every cluster, merged in time.
///
/// The 50 newest pods are read; `left_out` names the rest, `gaps` the clusters that don't answer.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/log", tag = "pods",
    params(ServicePath, ServiceLogQuery),
    responses(
        (status = 200, description = "Lines in order of time; text as a file with `download`", body = ServiceLog),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("pod:logs")))
)]
pub async fn get_service_log(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
    Query(query): Query<ServiceLogQuery>,
) -> ApiResult<Response> {
    let name = path.service.clone();
    if query.download {
        let lines = piece::download(&state, path.into(), &query).await?;
        let body = Body::from_stream(lines.map(Ok::<_, Infallible>));
        return Ok(text(body, Some(&name)));
    }
    Ok(Json(piece::read(&state, path.into(), &query).await?).into_response())
}

/// The log of all pods of a service as it is written: a WebSocket of JSON text frames, each a `ServiceLogFrame`.
///
/// What was written comes first, merged in time; then lines as they come. Pods that are new join, pods that end say so.
/// After a cut it goes on with `cursor` of the last frame, without loss or repeat.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/services/{service}/log/stream", tag = "pods",
    params(ServicePath, ServiceLogQuery),
    responses(
        (status = 101, description = "A WebSocket of `ServiceLogFrame`s"),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("pod:logs")))
)]
pub async fn stream_service_log(
    State(state): State<AppState>,
    Path(path): Path<ServicePath>,
    Query(query): Query<ServiceLogQuery>,
    upgrade: WebSocketUpgrade,
) -> ApiResult<Response> {
    let stream = follow::follow(&state, path.into(), &query).await?;
    let shutdown = state.foundation.shutdown.clone();
    Ok(upgrade.on_upgrade(move |socket| log_socket::serve(socket, stream, shutdown)))
}
