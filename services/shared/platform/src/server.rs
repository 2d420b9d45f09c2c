//! The HTTP server of a service: request ids, logs, limits, health, graceful stop.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::{HeaderName, HeaderValue, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::error::ApiError;

/// The header that carries a request's id from service to service.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The largest body that is read: a kubeconfig or a spec with its config files.
const BODY_LIMIT_BYTES: usize = 4 * 1024 * 1024;
/// How long a stop waits for requests under way.
const GRACE: Duration = Duration::from_secs(10);
/// How long a handler may take until its answer begins; longer than whatever it may wait for by itself.
const LONGEST: Duration = Duration::from_secs(60);

tokio::task_local! {
    static CURRENT_REQUEST_ID: String;
}

/// The id of the request that this code runs for; empty outside of one.
#[must_use]
pub fn request_id() -> String {
    CURRENT_REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Runs work under a request's id: for a task of its own, which doesn't take the id along by itself.
pub async fn in_request<F: Future>(id: String, work: F) -> F::Output {
    CURRENT_REQUEST_ID.scope(id, work).await
}

/// A service that answers.
#[derive(Debug)]
pub struct Running {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    /// `http://address`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until it stopped.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server task panicked");
        }
    }
}

/// Says what a service still waits for before it can work.
pub trait Ready: Clone + Send + Sync + 'static {
    /// Empty when ready.
    fn waits_for(&self) -> impl Future<Output = Vec<String>> + Send;
}

/// Binds, adds what every service has around `router`, and serves until `shutdown`.
pub async fn start(
    name: &'static str,
    address: SocketAddr,
    router: Router,
    ready: impl Ready,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("{name}: listening on {address}"))?;
    let address = listener.local_addr().context("reading the bound address")?;
    crate::telemetry::metrics();
    let router = router
        .merge(health(ready))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES));
    let router = router
        .layer(from_fn(bound))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(observe));
    tracing::info!(service = name, %address, "listening");
    let stop = shutdown.clone();
    let task = tokio::spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = axum::serve(listener, service).with_graceful_shutdown(shutdown.cancelled_owned());
        tokio::select! {
            outcome = server.into_future() => {
                if let Err(error) = outcome {
                    tracing::error!(service = name, %error, "the server failed");
                }
            }
            () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => {
                tracing::info!(service = name, "stopped with requests under way");
            }
        }
    });
    Ok(Running { address, task })
}

fn health<R: Ready>(ready: R) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/metrics", get(async || crate::telemetry::metrics().render()))
        .route("/readyz", get(readyz::<R>))
        .with_state(ready)
}

async fn readyz<R: Ready>(State(ready): State<R>) -> Response {
    let waits_for = ready.waits_for().await;
    if waits_for.is_empty() {
        "ok".into_response()
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("waiting for: {}", waits_for.join(", ")),
        )
            .into_response()
    }
}

/// Gives up on a handler that hangs, as on a database that took a question and fell silent.
async fn bound(request: Request, next: Next) -> Response {
    tokio::time::timeout(LONGEST, next.run(request))
        .await
        .unwrap_or_else(|_| {
            let seconds = LONGEST.as_secs();
            ApiError::unavailable(
                "timed_out",
                format!("this took longer than {seconds} s; look whether it was done before you try again"),
            )
            .into_response()
        })
}

/// Gives each request its id, one log line and its figures.
async fn observe(request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_graphic()))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", request_id = %id);
    let started = Instant::now();
    let mut response = CURRENT_REQUEST_ID
        .scope(id.clone(), next.run(request).instrument(span.clone()))
        .await;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    metrics::histogram!(
        "longshore_http_request_seconds", "method" => method.to_string(), "route" => route, "status" => status.to_string()
    )
    .record(elapsed.as_secs_f64());
    span.in_scope(|| {
        tracing::debug!(%method, %path, status, duration_ms = elapsed.as_millis() as u64, "answered");
    });
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn panicked(reason: Box<dyn std::any::Any + Send + 'static>) -> Response {
    let text = reason
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| reason.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no message".to_owned());
    ApiError::internal(format!("a handler panicked: {text}")).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_handler_that_hangs_is_given_up() {
        let router = Router::new()
            .route("/hangs", get(std::future::pending::<()>))
            .route("/answers", get(async || "ok"))
            .layer(from_fn(bound));
        for (path, status) in [
            ("/answers", StatusCode::OK),
            ("/hangs", StatusCode::SERVICE_UNAVAILABLE),
        ] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{path}");
        }
    }
}
