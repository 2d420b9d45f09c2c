//! API servers that make up their pods while they are listed, so that a measurement of two million pods measures who
//! reads them. All are one plain HTTP server, a cluster a path; nothing changes in them.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

const NODES: usize = 100;
/// Pods of a service on a cluster.
pub const PODS_A_SERVICE: usize = 20;
pub const PROJECTS: usize = 50;

pub struct Clusters {
    url: String,
    dead: Arc<Vec<AtomicBool>>,
}

#[derive(Clone)]
struct Shape {
    pods: usize,
    dead: Arc<Vec<AtomicBool>>,
}

#[derive(Deserialize)]
struct Asked {
    limit: Option<usize>,
    #[serde(rename = "continue")]
    from: Option<String>,
    watch: Option<String>,
}

impl Clusters {
    pub async fn start(count: usize, pods: usize) -> anyhow::Result<Self> {
        let dead: Arc<Vec<AtomicBool>> = Arc::new((0..count).map(|_| AtomicBool::new(false)).collect());
        let shape = Shape {
            pods,
            dead: dead.clone(),
        };
        let router = Router::new()
            .route("/{cluster}/version", get(version))
            .route("/{cluster}/readyz", get(ready))
            .route("/{cluster}/api/v1/pods", get(list_pods))
            .route("/{cluster}/api/v1/nodes", get(list_nodes))
            .route("/{cluster}/api/v1/namespaces/kube-system", get(identity))
            .route("/{cluster}/api/v1/{kind}", get(list_nothing))
            .route("/{cluster}/apis/apps/v1/{kind}", get(list_nothing))
            .route(
                "/{cluster}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                post(allow),
            )
            .with_state(shape);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, dead })
    }

    pub fn kubeconfig(&self, cluster: usize) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{ "name": "c", "cluster": { "server": format!("{}/{cluster}", self.url) } }],
            "users": [{ "name": "u", "user": { "token": "made-up" } }],
            "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u" } }],
        })
        .to_string()
    }

    pub fn kill(&self, cluster: usize) {
        self.dead[cluster].store(true, Ordering::Release);
    }
}

impl Shape {
    fn refused(&self, cluster: usize) -> Option<Response> {
        let dead = self
            .dead
            .get(cluster)
            .is_none_or(|dead| dead.load(Ordering::Acquire));
        dead.then(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
    }
}

async fn version() -> Json<Value> {
    Json(json!({ "major": "1", "minor": "33", "gitVersion": "v1.33.0" }))
}

async fn ready(State(shape): State<Shape>, Path(cluster): Path<usize>) -> Response {
    shape.refused(cluster).unwrap_or_else(|| "ok".into_response())
}

async fn allow() -> Json<Value> {
    Json(json!({ "status": { "allowed": true } }))
}

async fn identity(Path(cluster): Path<usize>) -> Json<Value> {
    Json(json!({ "metadata": { "name": "kube-system", "uid": format!("made-up-{cluster}") } }))
}

/// A watch in which nothing happens.
fn silence() -> Response {
    Body::from_stream(futures::stream::pending::<Result<Vec<u8>, Infallible>>()).into_response()
}

async fn list_nothing(
    State(shape): State<Shape>,
    Path((cluster, _)): Path<(usize, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    if let Some(refused) = shape.refused(cluster) {
        return refused;
    }
    if asked.watch.is_some() {
        return silence();
    }
    Json(json!({ "metadata": { "resourceVersion": "1" }, "items": [] })).into_response()
}

async fn list_nodes(
    State(shape): State<Shape>,
    Path(cluster): Path<usize>,
    Query(asked): Query<Asked>,
) -> Response {
    if let Some(refused) = shape.refused(cluster) {
        return refused;
    }
    if asked.watch.is_some() {
        return silence();
    }
    let nodes: Vec<Value> = (0..NODES)
        .map(|node| {
            json!({
                "metadata": { "name": format!("node-{node:03}") },
                "status": {
                    "allocatable": { "cpu": "64", "memory": "256Gi", "pods": "500" },
                    "conditions": [{ "type": "Ready", "status": "True" }],
                },
            })
        })
        .collect();
    Json(json!({ "metadata": { "resourceVersion": "1" }, "items": nodes })).into_response()
}

async fn list_pods(
    State(shape): State<Shape>,
    Path(cluster): Path<usize>,
    Query(asked): Query<Asked>,
) -> Response {
    if let Some(refused) = shape.refused(cluster) {
        return refused;
    }
    if asked.watch.is_some() {
        return silence();
    }
    let from: usize = asked.from.and_then(|from| from.parse().ok()).unwrap_or(0);
    let until = (from + asked.limit.unwrap_or(shape.pods)).min(shape.pods);
    let next = if until < shape.pods {
        until.to_string()
    } else {
        String::new()
    };
    let mut body = format!(r#"{{"metadata":{{"resourceVersion":"1","continue":"{next}"}},"items":["#);
    for number in from..until {
        if number > from {
            body.push(',');
        }
        body.push_str(&pod(cluster, number));
    }
    body.push_str("]}");
    body.into_response()
}

/// A pod as a kubelet reports it, without what nobody here reads.
fn pod(cluster: usize, number: usize) -> String {
    let service = number / PODS_A_SERVICE;
    let project = service % PROJECTS;
    // Spread without a pattern that a sort could profit from (Fibonacci hashing).
    let mixed = (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (cluster as u64) << 40;
    let name = format!("service-{service:05}-{:08x}-{:05x}", mixed as u32, mixed >> 44);
    let (waits, restarts) = (mixed.is_multiple_of(50), mixed % 7);
    let state = if waits {
        r#"{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 40s restarting failed container"}}"#
            .to_owned()
    } else {
        r#"{"running":{"startedAt":"2026-01-02T03:04:05Z"}}"#.to_owned()
    };
    let ready = if waits { "False" } else { "True" };
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"project-{project:02}-production","uid":"{mixed:032x}","resourceVersion":"1","creationTimestamp":"2026-01-{:02}T{:02}:{:02}:05Z","labels":{{"app.kubernetes.io/managed-by":"longshore","longshore.dev/project":"project-{project:02}","longshore.dev/environment":"production","longshore.dev/service":"service-{service:05}","longshore.dev/revision":"7","pod-template-hash":"{:08x}"}},"ownerReferences":[{{"kind":"ReplicaSet","name":"service-{service:05}-{:08x}","uid":"x"}}]}},"spec":{{"nodeName":"node-{:03}","containers":[{{"name":"web","image":"registry.example.com/project-{project:02}/service-{service:05}:7","resources":{{"requests":{{"cpu":"100m","memory":"128Mi"}}}}}}]}},"status":{{"phase":"Running","podIP":"10.{}.{}.{}","conditions":[{{"type":"PodScheduled","status":"True"}},{{"type":"Ready","status":"{ready}","lastTransitionTime":"2026-01-02T03:04:05Z"}}],"containerStatuses":[{{"name":"web","image":"x","ready":{},"restartCount":{restarts},"state":{state}}}]}}}}"#,
        1 + mixed % 28,
        mixed / 28 % 24,
        mixed / 672 % 60,
        mixed as u32,
        mixed as u32,
        number % NODES,
        cluster % 256,
        number / 256 % 256,
        number % 256,
        !waits,
    )
}
