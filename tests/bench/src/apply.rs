//! `apply`: services from the API to the API servers of real clusters, against the server-side applies of the same
//! objects alone, side by side in one run.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use crate::company::Company;
use crate::real::{client, kubeconfigs, make_namespace, send};
use crate::report::Report;
use crate::virtual_nodes::VirtualNodes;

/// As many as cluster-mgr has under way to one cluster.
const APPLIED_AT_A_TIME: usize = 10;
const SERVICES: usize = 1_000;
/// Each side has its turn so often, so that a machine that is busy for a while slows both.
const ROUNDS: usize = 5;
const LONGEST: Duration = Duration::from_secs(180);

struct Cluster {
    name: String,
    kubeconfig: String,
    kube: kube::Client,
}

pub async fn run() -> anyhow::Result<Report> {
    let mut clusters = Vec::new();
    for (number, kubeconfig) in kubeconfigs()?.into_iter().enumerate() {
        clusters.push(Cluster {
            name: format!("real-{number}"),
            kube: client(&kubeconfig).await?,
            kubeconfig,
        });
    }
    let mut nodes = Vec::new();
    for cluster in &clusters {
        nodes.push(VirtualNodes::start(cluster.kube.clone(), 2 * SERVICES + 200).await?);
    }
    let bare = format!("bench-bare-{}", std::process::id());
    for cluster in &clusters {
        make_namespace(&cluster.kube, &bare, json!({})).await?;
    }
    let measured = rounds(&clusters, &bare).await;
    for (cluster, nodes) in clusters.iter().zip(nodes) {
        for namespace in [bare.as_str(), "bench-test"] {
            let path = format!("/api/v1/namespaces/{namespace}");
            send(&cluster.kube, "DELETE", &path, "application/json", &json!({})).await?;
        }
        nodes.remove().await?;
    }
    let (ours, theirs) = measured?;
    let applied = (SERVICES * clusters.len()) as f64;
    let mut report = Report::new();
    report.parameter("services", SERVICES);
    report.parameter("clusters", clusters.len());
    report.parameter("at_a_time_a_cluster", APPLIED_AT_A_TIME);
    report.parameter("rounds_a_side", ROUNDS);
    report.parameter("database", "PostgreSQL");
    report.figure("from_the_api_per_s", applied / ours);
    report.figure("bare_per_s", applied / theirs);
    report.at_least("rate_of_bare", theirs / ours, 0.7);
    Ok(report)
}

/// Seconds of each side.
async fn rounds(clusters: &[Cluster], bare: &str) -> anyhow::Result<(f64, f64)> {
    let known: Vec<_> = clusters
        .iter()
        .map(|cluster| (cluster.name.clone(), cluster.kubeconfig.clone()))
        .collect();
    let company = Company::start(&known).await?;
    company.environment(&[]).await?;
    let (mut ours, mut theirs) = (0.0, 0.0);
    let share = SERVICES / ROUNDS;
    for round in 0..ROUNDS {
        let numbers = round * share..(round + 1) * share;
        let all = (numbers.end * clusters.len()) as i64;
        let start = Instant::now();
        company
            .create(numbers.clone(), |number| service(number, clusters.len()))
            .await?;
        company
            .until(LONGEST, "all are applied", async || {
                let applied = "SELECT count(*) FROM assignments WHERE applied_at IS NOT NULL";
                Ok(company.count(applied).await? == all)
            })
            .await?;
        ours += start.elapsed().as_secs_f64();
        let start = Instant::now();
        on_each(clusters, numbers, async |cluster, number| {
            apply_bare(&cluster.kube, bare, number).await
        })
        .await?;
        theirs += start.elapsed().as_secs_f64();
        eprintln!("round {round}: from the API {ours:.1} s, bare {theirs:.1} s so far");
    }
    Ok((ours, theirs))
}

/// One replica on each cluster.
fn service(number: usize, clusters: usize) -> Value {
    json!({
        "name": format!("service-{number:04}"), "replicas": clusters,
        "placement": { "min_per_cluster": 1 },
        "spec": {
            "image": "longshore.test/web:1", "ports": [{ "name": "http", "port": 8080 }],
            "resources": {
                "cpu_request": "100m", "cpu_limit": "1", "memory_request": "128Mi", "memory_limit": "256Mi",
            },
        },
    })
}

async fn on_each(
    clusters: &[Cluster],
    numbers: std::ops::Range<usize>,
    work: impl AsyncFn(&Cluster, usize) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let work = &work;
    let each = clusters.iter().map(|cluster| {
        stream::iter(numbers.clone())
            .map(move |number| work(cluster, number))
            .buffer_unordered(APPLIED_AT_A_TIME)
            .try_collect::<Vec<()>>()
    });
    futures::future::try_join_all(each).await?;
    Ok(())
}

async fn apply_bare(kube: &kube::Client, namespace: &str, number: usize) -> anyhow::Result<()> {
    let name = format!("service-{number:04}");
    let labels = json!({ "app": name });
    let metadata = json!({ "name": name, "namespace": namespace, "labels": labels });
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": metadata,
        "spec": { "selector": labels, "ports": [{ "name": "http", "protocol": "TCP", "port": 8080, "targetPort": 8080 }] },
    });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
        "spec": {
            "replicas": 1, "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [{
                "name": "web", "image": "longshore.test/web:1", "ports": [{ "name": "http", "protocol": "TCP", "containerPort": 8080 }],
                "resources": { "requests": { "cpu": "100m", "memory": "128Mi" }, "limits": { "cpu": "1", "memory": "256Mi" } },
            }] } },
        },
    });
    for (path, body) in [
        (format!("/api/v1/namespaces/{namespace}/services/{name}"), service),
        (
            format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}"),
            deployment,
        ),
    ] {
        let path = format!("{path}?fieldManager=bench&force=false");
        send(kube, "PATCH", &path, "application/apply-patch+yaml", &body).await?;
    }
    Ok(())
}
