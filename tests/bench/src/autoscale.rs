//! `autoscale`: one period over 10,000 services of 40,000 pods on ten clusters, each with its Prometheus: ask, decide, store;
//! and a turn of metering over the same.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use chrono::Utc;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};

use crate::company::{Company, ENVIRONMENT, Simulated};
use crate::real::client;
use crate::report::Report;

const CLUSTERS: usize = 10;
const SERVICES: usize = 10_000;
const REPLICAS: usize = 4;
/// Every so many is hot when the load comes.
const HOT: usize = 10;
const AT_A_TIME: usize = 16;
const MOST_PERIODS: usize = 10;
const LONGEST: Duration = Duration::from_secs(900);

pub async fn run() -> anyhow::Result<Report> {
    let simulated = Simulated::start(CLUSTERS, (SERVICES * REPLICAS * 2 / CLUSTERS) as u32).await?;
    let company = Company::start(&simulated.clusters).await?;
    company.environment(&[]).await?;
    company.create(0..SERVICES, service).await?;
    company
        .until(LONGEST, "all run", async || {
            let running = "SELECT count(*) FROM services WHERE state = 'running' AND ready = replicas";
            Ok(company.count(running).await? == SERVICES as i64)
        })
        .await?;
    eprintln!("all run");
    let prometheus = Prometheus::start(&simulated).await?;
    for (name, _) in &simulated.clusters {
        let path = format!("/api/v1/clusters/{name}");
        let cluster: Value = company.people.get(&path).await?;
        let version = cluster["version"].as_i64().unwrap_or_default();
        let url = json!({ "prometheus_url": format!("{}/{name}", prometheus.url) });
        let _: Value = company.people.patch(&path, version, &url).await?;
    }

    let few = SERVICES / 10;
    policies(&company, 0..few).await?;
    let of_few = period(&company, &prometheus, few).await?;
    policies(&company, few..SERVICES).await?;
    let kept = period(&company, &prometheus, SERVICES).await?;
    // Pods count once they have been there for a minute.
    prometheus.hot.store(true, Ordering::Release);
    let scaled = until_scaled(&company).await?;
    let metering = until_metered(&company).await?;

    let mut report = Report::new();
    report.parameter("services", SERVICES);
    report.parameter("pods", SERVICES * REPLICAS);
    report.parameter("clusters", CLUSTERS);
    report.parameter("database", "PostgreSQL");
    report.figure("queries_with_1000_services", of_few.queries as f64);
    report.at_most("queries", kept.queries as f64, of_few.queries as f64);
    report.figure("seconds_with_1000_services", of_few.seconds);
    report.at_most("seconds", kept.seconds, 5.0);
    report.figure("decisions_stored", kept.stored as f64);
    report.at_most("seconds_when_1000_scale", scaled, 5.0);
    report.at_most("seconds_of_metering", metering, 5.0);
    report.figure(
        "cluster_mgr_resident_mb",
        company.cluster_mgr.resident_bytes()? / 1e6,
    );
    Ok(report)
}

/// On two clusters each.
fn service(number: usize) -> Value {
    let clusters = [number % CLUSTERS, (number + 1) % CLUSTERS].map(|cluster| format!("c{cluster:03}"));
    json!({
        "name": format!("service-{number:05}"), "replicas": REPLICAS,
        "placement": { "clusters": clusters },
        "spec": {
            "image": "registry.example.com/bench/web:1",
            "resources": {
                "cpu_request": "100m", "cpu_limit": "1", "memory_request": "128Mi", "memory_limit": "256Mi",
            },
        },
    })
}

async fn policies(company: &Company, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    let policy = json!({
        "min_replicas": 2, "max_replicas": 20,
        "metrics": [{ "source": { "type": "cpu" }, "target": 50.0 }],
        "up": { "stabilization_seconds": 0 },
    });
    let policy = &policy;
    stream::iter(numbers)
        .map(|number| {
            (
                format!("{ENVIRONMENT}/services/service-{number:05}/autoscaling"),
                &company.people,
            )
        })
        .map(|(path, people)| async move {
            let _: Value = people.put(&path, 0, policy).await?;
            Ok::<_, anyhow::Error>(())
        })
        .buffer_unordered(AT_A_TIME)
        .try_collect::<()>()
        .await
}

struct Period {
    seconds: f64,
    queries: i64,
    stored: i64,
}

/// Waits for a period that began after now and decided about so many services.
async fn period(company: &Company, prometheus: &Prometheus, services: usize) -> anyhow::Result<Period> {
    // One may be under way.
    let begun = turns(company).await?.0;
    company
        .until(LONGEST, "the period under way to end", async || {
            Ok(turns(company).await?.0 > begun)
        })
        .await?;
    let before = prometheus.asked.load(Ordering::Acquire);
    let first = turns(company).await?.0;
    company
        .until(LONGEST, "the next period", async || {
            Ok(turns(company).await?.0 > first)
        })
        .await?;
    let queries = prometheus.asked.load(Ordering::Acquire) - before;
    let (_, seconds) = turns(company).await?;
    let stored = company
        .count(
            "SELECT count(*) FROM autoscaling_decisions WHERE at = (SELECT max(at) FROM autoscaling_decisions)",
        )
        .await?;
    anyhow::ensure!(
        stored == services as i64,
        "{stored} decisions are stored of {services}"
    );
    Ok(Period {
        seconds,
        queries,
        stored,
    })
}

/// Seconds of the period in which the hot services were scaled. Periods are far enough apart that the one that has just
/// ended is the one that wrote.
async fn until_scaled(company: &Company) -> anyhow::Result<f64> {
    let hot = (SERVICES / HOT) as i64;
    for _ in 0..MOST_PERIODS {
        let before = turns(company).await?.0;
        company
            .until(LONGEST, "the next period", async || {
                Ok(turns(company).await?.0 > before)
            })
            .await?;
        let scaled = "SELECT count(*) FROM autoscaling_decisions WHERE outcome = 'scaled'";
        if company.count(scaled).await? >= hot {
            return Ok(turns(company).await?.1);
        }
    }
    anyhow::bail!("{hot} hot services were not scaled in {MOST_PERIODS} periods")
}

/// Seconds of a turn of metering over all services: it counted pods of every one of them.
async fn until_metered(company: &Company) -> anyhow::Result<f64> {
    let before = task(company, "metering").await?.0;
    company
        .until(LONGEST, "the next turn of metering", async || {
            Ok(task(company, "metering").await?.0 > before)
        })
        .await?;
    let counted = "SELECT count(DISTINCT service_id) FROM usage_hours WHERE pod_seconds > 0";
    let counted = company.count(counted).await?;
    anyhow::ensure!(counted == SERVICES as i64, "{counted} services are counted");
    Ok(task(company, "metering").await?.1)
}

/// How many periods there were, and how long the last took.
async fn turns(company: &Company) -> anyhow::Result<(u64, f64)> {
    task(company, "autoscale").await
}

/// How many turns a loop did, and how long the last took.
async fn task(company: &Company, name: &str) -> anyhow::Result<(u64, f64)> {
    let tasks: Value = company.colleague.get("/internal/v1/tasks").await?;
    let task = &tasks[name];
    anyhow::ensure!(
        task["last_error"].is_null(),
        "a turn of {name} failed: {}",
        task["last_error"]
    );
    let milliseconds = task["last_duration_ms"].as_f64().unwrap_or_default();
    Ok((task["turns"].as_u64().unwrap_or_default(), milliseconds / 1e3))
}

/// What answers for all clusters, a path each: the pods that are there at its start, all at their target.
struct Prometheus {
    url: String,
    /// Queries of autoscaling.
    asked: Arc<AtomicI64>,
    hot: Arc<AtomicBool>,
}

#[derive(Clone)]
struct Shape {
    /// Namespace, name, and whether its service is hot when the load comes; by cluster.
    pods: Arc<Vec<Vec<(String, String, bool)>>>,
    asked: Arc<AtomicI64>,
    hot: Arc<AtomicBool>,
}

impl Prometheus {
    async fn start(simulated: &Simulated) -> anyhow::Result<Self> {
        let mut pods = Vec::new();
        for (_, kubeconfig) in &simulated.clusters {
            let list = Api::<Pod>::all(client(kubeconfig).await?)
                .list(&ListParams::default())
                .await?;
            let of = |pod: Pod| {
                let name = pod.metadata.name.unwrap_or_default();
                let number = name
                    .split('-')
                    .nth(1)
                    .and_then(|number| number.parse::<usize>().ok());
                let hot = number.is_some_and(|number| number.is_multiple_of(HOT));
                (pod.metadata.namespace.unwrap_or_default(), name, hot)
            };
            pods.push(list.items.into_iter().map(of).collect());
        }
        let shape = Shape {
            pods: Arc::new(pods),
            asked: Arc::default(),
            hot: Arc::default(),
        };
        let (asked, hot) = (shape.asked.clone(), shape.hot.clone());
        let router = Router::new()
            .route("/{cluster}/api/v1/query", post(answer))
            .with_state(shape);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, asked, hot })
    }
}

async fn answer(State(shape): State<Shape>, Path(cluster): Path<String>, query: String) -> impl IntoResponse {
    // Only metering asks for memory, and each time for CPU as well.
    let of_metering = query.contains("memory_working_set");
    let more = if of_metering { -1 } else { 1 };
    shape.asked.fetch_add(more, Ordering::AcqRel);
    let number: usize = cluster.trim_start_matches('c').parse().unwrap_or_default();
    let now = Utc::now().timestamp();
    let hot = shape.hot.load(Ordering::Acquire);
    let mut body = r#"{"status":"success","data":{"resultType":"vector","result":["#.to_owned();
    for (position, (namespace, pod, is_hot)) in shape.pods[number].iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        // Of 100 millicores.
        let cores = if *is_hot && hot { 0.08 } else { 0.05 };
        let _ = write!(
            body,
            r#"{comma}{{"metric":{{"namespace":"{namespace}","pod":"{pod}"}},"value":[{now},"{cores}"]}}"#
        );
    }
    body.push_str("]}}");
    ([(CONTENT_TYPE, "application/json")], body)
}
