//! The admin endpoint: plain HTTP on loopback, with which the demo and the tests look at the
//! clusters and do things to them.

mod faults;
mod load;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use anyhow::Context as _;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::api::body::{self, Body};
use crate::handle::ClusterHandle;
use crate::kinds::core::{NODE, POD};

pub struct Admin {
    address: SocketAddr,
    token: CancellationToken,
}

impl Admin {
    pub(crate) async fn start(
        listen: IpAddr,
        port: u16,
        clusters: Vec<ClusterHandle>,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((listen, port))
            .await
            .with_context(|| format!("cannot listen on {listen}:{port} for the admin endpoint"))?;
        let address = listener.local_addr()?;
        let token = CancellationToken::new();
        tokio::spawn(accept(listener, clusters, token.clone()));
        Ok(Self { address, token })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn stop(&self) {
        self.token.cancel();
    }
}

async fn accept(listener: TcpListener, clusters: Vec<ClusterHandle>, token: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = token.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
        };
        let clusters = clusters.clone();
        let service = service_fn(move |request| {
            let clusters = clusters.clone();
            async move { Ok::<_, Infallible>(answer(&clusters, request).await) }
        });
        let token = token.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = token.cancelled() => {}
                _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service) => {}
            }
        });
    }
}

/// Status, code and words of a refusal.
pub struct Refusal(StatusCode, &'static str, String);

fn not_found(message: String) -> Refusal {
    Refusal(StatusCode::NOT_FOUND, "not_found", message)
}

fn invalid(message: String) -> Refusal {
    Refusal(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
}

fn internal(error: &anyhow::Error) -> Refusal {
    Refusal(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        format!("{error:#}"),
    )
}

async fn answer(clusters: &[ClusterHandle], request: Request<Incoming>) -> Response<Body> {
    match try_answer(clusters, request).await {
        Ok(response) => response,
        Err(Refusal(status, code, message)) => body::json(status, &json!({"code": code, "message": message})),
    }
}

async fn try_answer(
    clusters: &[ClusterHandle],
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (name, action) = match parts.as_slice() {
        ["clusters"] if method == Method::GET => {
            let list: Vec<Value> = clusters.iter().map(describe).collect();
            return Ok(body::json(StatusCode::OK, &json!({"items": list})));
        }
        ["load", rest @ ..] => return load::over_all(clusters, &method, rest, read(request).await?),
        ["clusters", name, action @ ..] => (*name, action),
        _ => return Err(not_found(format!("there is no {path}"))),
    };
    let cluster = clusters
        .iter()
        .find(|cluster| cluster.name() == name)
        .ok_or_else(|| not_found(format!("there is no cluster {name:?}")))?;
    match (method.as_str(), action) {
        ("GET", []) => {}
        ("GET", ["kubeconfig"]) => {
            return Ok(body::full(
                StatusCode::OK,
                "application/yaml",
                cluster.kubeconfig(),
            ));
        }
        ("POST", ["down"]) => cluster.down().await,
        ("POST", ["up"]) => cluster.up().await.map_err(|error| internal(&error))?,
        ("POST", ["compact"]) => cluster.compact(),
        (_, ["load", rest @ ..]) => return load::answer(cluster, &method, rest, read(request).await?),
        ("GET" | "POST", ["prometheus", "api", "v1", which @ ("query" | "query_range")]) => {
            let range = *which == "query_range";
            return load::query(cluster, range, request).await;
        }
        ("POST", ["churn"]) => {
            let wanted = read(request).await?;
            let rate = wanted["per_second"]
                .as_f64()
                .filter(|rate| (0.0..=1000.0).contains(rate));
            cluster.churn(rate.ok_or_else(|| invalid("per_second must be 0 to 1000".into()))?);
        }
        (_, ["faults", rest @ ..]) => return faults::answer(cluster, &method, rest, read(request).await?),
        (method, action) => {
            return Err(not_found(format!(
                "a cluster has no {method} {:?}; it has GET kubeconfig, POST down, up, compact, churn, and faults, load, prometheus",
                action.join("/")
            )));
        }
    }
    Ok(body::json(StatusCode::OK, &describe(cluster)))
}

/// Largest body that is taken.
const LARGEST: usize = 1024 * 1024;

/// A body as JSON; none is null.
async fn read(request: Request<Incoming>) -> Result<Value, Refusal> {
    let limited = http_body_util::Limited::new(request.into_body(), LARGEST);
    let bytes = limited
        .collect()
        .await
        .map_err(|error| invalid(error.to_string()))?
        .to_bytes();
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|error| invalid(format!("the body is not JSON: {error}")))
}

fn describe(cluster: &ClusterHandle) -> Value {
    let store = &cluster.cluster().store;
    json!({
        "name": cluster.name(),
        "region": cluster.region(),
        "url": cluster.url(),
        "up": cluster.is_up(),
        "nodes": store.count(&NODE),
        "pods": store.count(&POD),
        "resource_version": store.version(),
    })
}
