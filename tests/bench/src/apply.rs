//! `apply`: services from the API to the API servers of real clusters, against the server-side applies of the same
//! objects alone, side by side in one run.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::Request;
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
/// The namespace of the company's environment.
const OURS: &str = "bench-test";
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
        for namespace in [bare.as_str(), OURS] {
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
        settled(clusters, OURS, numbers.end).await?;
        let template = Template::read(&clusters[0].kube).await?;
        let start = Instant::now();
        on_each(clusters, numbers.clone(), async |cluster, number| {
            apply_bare(&cluster.kube, &template, bare, number).await
        })
        .await?;
        theirs += start.elapsed().as_secs_f64();
        settled(clusters, bare, numbers.end).await?;
        eprintln!("round {round}: from the API {ours:.1} s, bare {theirs:.1} s so far");
    }
    Ok((ours, theirs))
}

/// Waits until the clusters' own controllers have done their part: what one side left to them would slow the other.
async fn settled(clusters: &[Cluster], namespace: &str, services: usize) -> anyhow::Result<()> {
    let path = format!("/api/v1/namespaces/{namespace}/pods?resourceVersion=0");
    let start = Instant::now();
    for cluster in clusters {
        loop {
            let pods: Value = cluster
                .kube
                .request(Request::get(&path).body(Vec::new())?)
                .await?;
            let all = pods["items"].as_array().into_iter().flatten();
            // Virtual nodes run nothing: that a pod has its node is all that becomes of it.
            let placed = all.filter(|pod| pod["spec"]["nodeName"].is_string()).count();
            if placed >= services {
                break;
            }
            let late = start.elapsed() > LONGEST;
            anyhow::ensure!(
                !late,
                "{placed} of {services} pods have a node in {namespace} on {}",
                cluster.name
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    Ok(())
}

/// One replica on each cluster.
fn service(number: usize, clusters: usize) -> Value {
    json!({
        "name": name(number), "replicas": clusters,
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

/// What the platform applied of its first service, as texts in which that is to be renamed.
struct Template {
    service: String,
    deployment: String,
}

impl Template {
    async fn read(kube: &kube::Client) -> anyhow::Result<Self> {
        let read = async |path: &str| {
            let path = format!("{path}/{}", name(0));
            let live: Value = kube.request(Request::get(path).body(Vec::new())?).await?;
            let mut body = applied(&live)?;
            body["apiVersion"] = live["apiVersion"].clone();
            body["kind"] = live["kind"].clone();
            body["metadata"]["name"] = name(0).into();
            // Or it were the platform's.
            let text = body.to_string().replace("longshore.dev/", "bench.test/");
            anyhow::Ok(text.replace("\"longshore\"", "\"bench\""))
        };
        Ok(Self {
            service: read(&format!("/api/v1/namespaces/{OURS}/services")).await?,
            deployment: read(&format!("/apis/apps/v1/namespaces/{OURS}/deployments")).await?,
        })
    }
}

/// The part of an object that the platform's field manager has applied.
fn applied(live: &Value) -> anyhow::Result<Value> {
    let mut managers = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let ours = managers
        .find(|entry| entry["manager"] == "longshore" && entry["operation"] == "Apply")
        .context("the platform applied nothing of it")?;
    Ok(part(live, &ours["fieldsV1"]))
}

/// What of `live` the fields name: `f:` a member, `k:` an element by its keys, nothing below one all of it.
fn part(live: &Value, fields: &Value) -> Value {
    let named: Vec<(&str, &Value)> = fields
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, below)| Some((key.strip_prefix("f:").or(key.strip_prefix("k:"))?, below)))
        .collect();
    match live {
        _ if named.is_empty() => live.clone(),
        Value::Object(members) => named
            .into_iter()
            .filter_map(|(name, below)| Some((name.to_owned(), part(members.get(name)?, below))))
            .collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(|item| {
                let (keys, below) = named.iter().find(|(keys, _)| has(item, keys))?;
                let mut taken = part(item, below);
                if let (Some(taken), Ok(Value::Object(keys))) =
                    (taken.as_object_mut(), serde_json::from_str(keys))
                {
                    taken.extend(keys);
                }
                Some(taken)
            })
            .collect(),
        other => other.clone(),
    }
}

fn has(item: &Value, keys: &str) -> bool {
    let keys: Value = serde_json::from_str(keys).unwrap_or_default();
    keys.as_object()
        .is_some_and(|keys| keys.iter().all(|(name, value)| item.get(name) == Some(value)))
}

fn name(number: usize) -> String {
    format!("service-{number:04}")
}

async fn apply_bare(
    kube: &kube::Client,
    template: &Template,
    namespace: &str,
    number: usize,
) -> anyhow::Result<()> {
    let name = name(number);
    for (path, body) in [
        (
            format!("/api/v1/namespaces/{namespace}/services/{name}"),
            &template.service,
        ),
        (
            format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}"),
            &template.deployment,
        ),
    ] {
        let path = format!("{path}?fieldManager=bench&force=false");
        let body: Value = serde_json::from_str(&body.replace(&self::name(0), &name))?;
        send(kube, "PATCH", &path, "application/apply-patch+yaml", &body).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_applied_part_of_an_object_is_what_its_manager_named() {
        let live = json!({
            "metadata": {
                "labels": { "ours": "1", "theirs": "2" },
                "managedFields": [
                    { "manager": "kubectl", "operation": "Apply", "fieldsV1": { "f:spec": {} } },
                    { "manager": "longshore", "operation": "Apply", "fieldsV1": {
                        "f:metadata": { "f:labels": { "f:ours": {} } },
                        "f:spec": {
                            "f:selector": {},
                            "f:containers": { "k:{\"name\":\"web\"}": { ".": {}, "f:image": {} } },
                        },
                    } },
                ],
            },
            "spec": {
                "replicas": 3,
                "selector": { "app": "web" },
                "containers": [
                    { "name": "side", "image": "a" },
                    { "name": "web", "image": "b", "imagePullPolicy": "Always" },
                ],
            },
        });
        assert_eq!(
            applied(&live).unwrap(),
            json!({
                "metadata": { "labels": { "ours": "1" } },
                "spec": {
                    "selector": { "app": "web" },
                    "containers": [{ "name": "web", "image": "b" }],
                },
            })
        );
        assert!(applied(&json!({})).is_err());
    }
}
