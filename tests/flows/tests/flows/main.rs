//! The main job, over the whole system: every service a process, every cluster a real API.
//!
//! Each flow runs on simulated clusters with SQLite and with PostgreSQL, and on two real clusters with
//! PostgreSQL where they are given.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it saw"
)]

mod agents;
mod autoscaling;
mod bad_input;
mod blows;
mod database_away;
mod drift;
mod evacuation;
mod faults;
mod main_job;
mod no_node;
mod replicas;

use flows::{Kind, System, TestClusters};
use test_support::Backend;

/// Starts the platform on the wanted clusters; `None` when this machine has none, which was said.
async fn start(kind: Kind, backend: Backend) -> Option<(System, TestClusters)> {
    if !Backend::all().contains(&backend) {
        return None;
    }
    let clusters = TestClusters::start(kind).await?;
    let system = System::start(backend, &clusters).await;
    Some((system, clusters))
}

/// Declares a flow's three runs.
macro_rules! runs {
    ($flow:path) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn on_the_sandbox_with_sqlite() {
            crate::run(flows::Kind::Sandbox, test_support::Backend::Sqlite, $flow).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn on_the_sandbox_with_postgres() {
            crate::run(flows::Kind::Sandbox, test_support::Backend::Postgres, $flow).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn on_real_clusters_with_postgres() {
            crate::run(flows::Kind::Real, test_support::Backend::Postgres, $flow).await;
        }
    };
}
pub(crate) use runs;

async fn run(kind: Kind, backend: Backend, flow: impl AsyncFn(&mut System, &TestClusters)) {
    if let Some((mut system, clusters)) = start(kind, backend).await {
        flow(&mut system, &clusters).await;
        clusters.stop().await;
    }
}

/// A service's body: small enough for any cluster, quick to give up on a bad release.
fn web(name: &str, image: &str, replicas: u32) -> serde_json::Value {
    serde_json::json!({
        "name": name,
        "replicas": replicas,
        "spec": spec(image),
        "comment": "first",
    })
}

fn spec(image: &str) -> serde_json::Value {
    serde_json::json!({
        "image": image,
        "env": [{ "name": "GREETING", "value": "hello" }],
        "ports": [{ "name": "http", "port": 8080 }],
        "resources": {
            "cpu_request": "50m", "cpu_limit": "500m", "memory_request": "32Mi", "memory_limit": "64Mi",
        },
        "probes": {
            "readiness": { "check": { "type": "http", "path": "/healthz", "port": 8080 }, "period_seconds": 1 },
        },
        "config_files": [{ "path": "/etc/web/app.conf", "content": "mode = test\n" }],
        "secrets": [{ "name": "TOKEN", "value": "s3cret-value" }],
        "stop": { "grace_period_seconds": 2 },
        "rollout": { "progress_deadline_seconds": 20 },
    })
}

const WEB_1: &str = "longshore.test/web:1";
const WEB_2: &str = "longshore.test/web:2";
const MISSING: &str = "longshore.test/missing:1";
