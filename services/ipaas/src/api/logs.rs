//! Logs: a piece as text, or live over a WebSocket.

use api_types::common::ErrorBody;
use api_types::logs::LogQuery;
use axum::body::Body;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use platform::ApiResult;
use platform::extract::{Path, Query};

use crate::api::log_socket;
use crate::api::paths::PodPath;
use crate::app::logs::pod;
use crate::state::AppState;

/// The log of a container.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}/log",
    tag = "pods",
    params(PodPath, LogQuery),
    responses(
        (status = 200, description = "Lines as the container wrote them", body = String, content_type = "text/plain"),
        (status = 400, description = "`invalid_query`, `invalid_cursor`, `container_required`: the pod has several, `details.containers` names them", body = ErrorBody),
        (status = 404, description = "`not_found`; `log_not_there`: the container has not started, or has no earlier run", body = ErrorBody),
        (status = 503, description = "`cluster_unreachable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("pod:logs")))
)]
pub async fn get_pod_log(
    State(state): State<AppState>,
    Path(path): Path<PodPath>,
    Query(query): Query<LogQuery>,
) -> ApiResult<Response> {
    let name = path.pod.clone();
    let (container, lines) = pod::read(&state, &path.into(), &query).await?;
    let name = query.download.then(|| format!("{name}-{container}"));
    Ok(text(Body::from_stream(lines), name.as_deref()))
}

/// A log as text; with a name a file to keep.
pub fn text(body: Body, name: Option<&str>) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let file = name.map(|name| format!("attachment; filename=\"{name}.log\""));
    if let Some(file) = file.and_then(|file| HeaderValue::from_str(&file).ok()) {
        headers.insert(CONTENT_DISPOSITION, file);
    }
    response
}

/// The log of a container as it is written: a WebSocket of JSON text frames, each a `LogFrame`.
///
/// Lines come in batches, in order; a line longer than 64 KiB comes in pieces. After a cut it goes on with `cursor` of the
/// last frame, without loss or repeat. `end` is the last frame.
#[utoipa::path(
    get, path = "/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}/log/stream",
    tag = "pods",
    params(PodPath, LogQuery),
    responses(
        (status = 101, description = "A WebSocket of `LogFrame`s"),
        (status = 400, description = "`invalid_query`, `invalid_cursor`, `container_required`", body = ErrorBody),
        (status = 404, description = "`not_found`, `log_not_there`", body = ErrorBody),
        (status = 503, description = "`cluster_unreachable`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("pod:logs")))
)]
pub async fn stream_pod_log(
    State(state): State<AppState>,
    Path(path): Path<PodPath>,
    Query(query): Query<LogQuery>,
    upgrade: WebSocketUpgrade,
) -> ApiResult<Response> {
    let log = pod::follow(&state, &path.into(), &query).await?;
    let shutdown = state.foundation.shutdown.clone();
    Ok(upgrade.on_upgrade(move |socket| log_socket::serve(socket, log, shutdown)))
}
