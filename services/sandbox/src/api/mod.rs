//! The HTTP side of an API server: who asks, what for, and the answer.

pub mod auth;
pub mod body;
pub mod discovery;
pub mod errors;
pub mod lists;
pub mod logs;
pub mod metrics;
pub mod openapi;
pub mod path;
mod protobuf;
pub mod query;
pub mod resources;
pub mod reviews;
pub mod streams;
pub mod subresources;
pub mod tables;
pub mod tokens;
pub mod watch;

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::faults::{self, Manner};
use auth::{Attributes, User};
use body::{Body, Format};
use errors::{ApiError, ApiResult};
use path::Target;
use query::Query;

/// Largest body the real server takes.
const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// One client's connection.
#[derive(Clone)]
pub struct Connection {
    pub cluster: Arc<Cluster>,
    /// Who the client certificate names.
    pub user: Option<User>,
    /// Ends with the server.
    pub token: CancellationToken,
    /// Ends the connection in the middle of whatever it does.
    pub broken: CancellationToken,
}

/// A request, taken apart.
pub struct Call {
    pub cluster: Arc<Cluster>,
    pub user: User,
    pub method: Method,
    pub path: String,
    pub query: Query,
    pub headers: http::HeaderMap,
    pub format: Format,
    pub token: CancellationToken,
}

impl Call {
    /// The name under which this caller's writes are recorded.
    pub fn manager(&self) -> String {
        if let Some(manager) = self.query.get("fieldManager")
            && !manager.is_empty()
        {
            return manager.to_owned();
        }
        let agent = self
            .headers
            .get(http::header::USER_AGENT)
            .and_then(|agent| agent.to_str().ok());
        let agent = agent
            .and_then(|agent| agent.split('/').next())
            .filter(|agent| !agent.is_empty());
        agent.unwrap_or("unknown").chars().take(128).collect()
    }

    pub fn authorize(&self, attributes: &Attributes<'_>) -> ApiResult<()> {
        if auth::is_allowed(&self.cluster, &self.user, attributes) {
            Ok(())
        } else {
            Err(auth::forbidden(&self.user, attributes))
        }
    }
}

/// Answers a request; every failure becomes a `Status`.
pub async fn handle(connection: Connection, request: Request<Incoming>) -> Response<Body> {
    let audit = uuid::Uuid::new_v4().to_string();
    let effect = effect(&connection, &request);
    if effect.cut == Some(Manner::Close) {
        connection.broken.cancel();
    }
    if effect.cut.is_some() {
        // Nothing comes back. When the fault is over, the client has to begin anew.
        wait_until_through(&connection, &request).await;
        connection.broken.cancel();
        std::future::pending::<()>().await;
    }
    if !effect.delay.is_zero() {
        tokio::time::sleep(effect.delay).await;
    }
    let broken = connection.broken.clone();
    let answered = match effect.retry_after {
        Some(_) => Err(ApiError::too_many_requests()),
        None => answer(connection, request).await,
    };
    let mut response = match answered {
        Ok(response) => response,
        Err(error) => failure(&error),
    };
    if let Some(seconds) = effect.retry_after {
        let after = http::HeaderValue::from(seconds);
        response.headers_mut().insert(http::header::RETRY_AFTER, after);
    }
    if let Ok(audit) = audit.parse() {
        response.headers_mut().insert("audit-id", audit);
    }
    response.headers_mut().insert(
        http::header::CACHE_CONTROL,
        http::HeaderValue::from_static("no-cache, private"),
    );
    match effect.breaks_after {
        Some(after) => faults::break_off(response, after, broken),
        None => response,
    }
}

/// What the faults that are on do to a request.
fn effect(connection: &Connection, request: &Request<Incoming>) -> faults::Effect {
    let cluster = &connection.cluster;
    if cluster.faults.is_quiet() {
        return faults::Effect::default();
    }
    let user = auth::authenticate(cluster, connection.user.as_ref(), request.headers());
    let agent = request.headers().get(http::header::USER_AGENT);
    cluster.faults.on_request(&faults::Asked {
        user: user.as_ref().map_or("", |user| &user.name),
        agent: agent.and_then(|agent| agent.to_str().ok()).unwrap_or(""),
        path: request.uri().path(),
        method: request.method().as_str(),
    })
}

/// Waits until a request like this one would get through.
async fn wait_until_through(connection: &Connection, request: &Request<Incoming>) {
    let mut signal = connection.cluster.faults.signal();
    while effect(connection, request).cut.is_some() {
        if signal.changed().await.is_err() {
            return;
        }
    }
}

pub fn failure(error: &ApiError) -> Response<Body> {
    let status = StatusCode::from_u16(error.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = body::json(status, &error.status());
    if error.code == 401 {
        let challenge = http::HeaderValue::from_static("Bearer realm=\"kubernetes\"");
        response
            .headers_mut()
            .insert(http::header::WWW_AUTHENTICATE, challenge);
    }
    response
}

async fn answer(connection: Connection, request: Request<Incoming>) -> ApiResult<Response<Body>> {
    let user = auth::authenticate(&connection.cluster, connection.user.as_ref(), request.headers())?;
    let path = request.uri().path().to_owned();
    let query = Query::parse(request.uri().query().unwrap_or(""));
    let format = Format::of(request.headers().get(http::header::ACCEPT));
    let call = Call {
        cluster: connection.cluster,
        user,
        method: request.method().clone(),
        path,
        query,
        headers: request.headers().clone(),
        format,
        token: connection.token,
    };
    match path::parse(&call.cluster.store, &call.path) {
        Target::Resource(target) => resources::answer(&call, &target, request).await,
        Target::Review { group, resource } => {
            let attributes = Attributes {
                verb: "create",
                group: &group,
                resource: &resource,
                ..Attributes::default()
            };
            call.authorize(&attributes)?;
            if call.method != Method::POST {
                return Err(ApiError::method_not_allowed());
            }
            let body = read_json(request).await?;
            Ok(body::json(
                StatusCode::CREATED,
                &reviews::answer(&call, &resource, body)?,
            ))
        }
        Target::Metrics(target) => metrics::answer(&call, &target),
        Target::Other => {
            let verb = call.method.as_str().to_lowercase();
            call.authorize(&Attributes {
                verb: &verb,
                path: &call.path,
                ..Attributes::default()
            })?;
            if let Some(range) = query_path(&call.path) {
                return queried(&call, range, request).await;
            }
            discovery::answer(&call)
        }
    }
}

/// Whether a path is one of the query API of Prometheus, and then whether it asks for a range.
fn query_path(path: &str) -> Option<bool> {
    match path {
        "/api/v1/query" => Some(false),
        "/api/v1/query_range" => Some(true),
        _ => None,
    }
}

async fn queried(call: &Call, range: bool, request: Request<Incoming>) -> ApiResult<Response<Body>> {
    let parameters = match call.method {
        Method::GET => call.query.clone(),
        Method::POST => {
            let body = read(request).await?;
            Query::parse(&String::from_utf8_lossy(&body))
        }
        _ => return Err(ApiError::method_not_allowed()),
    };
    let (answer, fine) = crate::load::query::answer(&call.cluster, range, &parameters);
    let status = if fine {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    Ok(body::json(status, &answer))
}

/// Reads a whole body.
pub async fn read(request: Request<Incoming>) -> ApiResult<bytes::Bytes> {
    let limited = http_body_util::Limited::new(request.into_body(), LARGEST_BODY);
    match limited.collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(_) => Err(ApiError::new(413, "RequestEntityTooLarge", "limit is 3145728")),
    }
}

/// Reads a body as JSON or YAML.
pub async fn read_json(request: Request<Incoming>) -> ApiResult<Value> {
    let kind = content_type(request.headers());
    let bytes = read(request).await?;
    parse(&kind, &bytes)
}

pub fn content_type(headers: &http::HeaderMap) -> String {
    let header = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    header
        .and_then(|header| header.split(';').next())
        .unwrap_or("application/json")
        .trim()
        .to_owned()
}

pub fn parse(content_type: &str, bytes: &[u8]) -> ApiResult<Value> {
    const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
    match content_type {
        "" | "application/json" | "*/*" => serde_json::from_slice(bytes).map_err(|error| {
            ApiError::bad_request(format!(
                "the object provided is unrecognized (must be of type JSON or YAML): {error}"
            ))
        }),
        "application/yaml" => yaml(bytes),
        protobuf::CONTENT_TYPE => {
            protobuf::decode(bytes).map_err(|error| ApiError::bad_request(error.to_string()))
        }
        _ => Err(ApiError::unsupported_media_type(ACCEPTED)),
    }
}

pub fn yaml(bytes: &[u8]) -> ApiResult<Value> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    serde_saphyr::from_slice(bytes)
        .map_err(|error| ApiError::bad_request(format!("error decoding YAML: {error}")))
}
