//! `list-vs-apiserver`: a page against the real API server that has the pods, side by side in one run. And how real
//! clusters, those of `LONGSHORE_TEST_KUBECONFIGS`, are spoken with.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use api_types::common::ClusterId;
use api_types::internal::PutConnection;
use futures::{TryStreamExt as _, stream};
use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::ipaas::Ipaas;
use crate::report::{Report, percentile};

const PODS: usize = 10_000;
const PAGES: usize = 100;
const MADE_AT_A_TIME: usize = 40;
const LONGEST_START: Duration = Duration::from_secs(120);

#[expect(clippy::disallowed_methods, reason = "the runner says where the clusters are")]
pub fn kubeconfigs() -> anyhow::Result<Vec<String>> {
    let paths = std::env::var("LONGSHORE_TEST_KUBECONFIGS")
        .context("LONGSHORE_TEST_KUBECONFIGS names no clusters; run it in tests/kubernetes/with-clusters")?;
    let read = |path: &str| std::fs::read_to_string(path).with_context(|| path.to_owned());
    paths
        .split(':')
        .filter(|path| !path.is_empty())
        .map(read)
        .collect()
}

pub async fn client(kubeconfig: &str) -> anyhow::Result<kube::Client> {
    platform::foundation::install_tls_provider();
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    Ok(kube::Client::try_from(config)?)
}

pub async fn send(
    client: &kube::Client,
    method: &str,
    path: &str,
    kind: &str,
    body: &Value,
) -> anyhow::Result<()> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", kind)
        .body(serde_json::to_vec(body)?)?;
    client.request_text(request).await?;
    Ok(())
}

pub async fn make_namespace(client: &kube::Client, name: &str, labels: Value) -> anyhow::Result<()> {
    let body = json!({ "metadata": { "name": name, "labels": labels } });
    send(client, "POST", "/api/v1/namespaces", "application/json", &body).await
}

/// A page of 100 through ipaas against `LIST limit=100` of the API server that has the pods.
pub async fn list_against_api_server() -> anyhow::Result<Report> {
    let kubeconfig = kubeconfigs()?.into_iter().next().context("a cluster")?;
    let kube = client(&kubeconfig).await?;
    let namespace = format!("bench-{}", std::process::id());
    make_namespace(&kube, &namespace, json!({})).await?;
    let measured = list(&kube, &kubeconfig, &namespace).await;
    send(
        &kube,
        "DELETE",
        &format!("/api/v1/namespaces/{namespace}"),
        "application/json",
        &json!({}),
    )
    .await?;
    measured
}

async fn list(kube: &kube::Client, kubeconfig: &str, namespace: &str) -> anyhow::Result<Report> {
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    // Nobody schedules them, so that the API server alone is at work.
    let pod = |number: usize| {
        json!({
            "metadata": { "name": format!("pod-{number:05}"), "labels": { "app": "bench" } },
            "spec": { "schedulerName": "nobody", "automountServiceAccountToken": false, "containers": [{
                "name": "web", "image": "longshore.test/web:1",
                "env": [{ "name": "GREETING", "value": "hello" }],
                "resources": { "requests": { "cpu": "100m", "memory": "128Mi" } },
            }] },
        })
    };
    stream::iter((0..PODS).map(Ok::<_, anyhow::Error>))
        .try_for_each_concurrent(MADE_AT_A_TIME, |number| {
            let (body, path) = (pod(number), &path);
            async move { send(kube, "POST", path, "application/json", &body).await }
        })
        .await?;
    let ipaas = Ipaas::start().await?;
    let body = PutConnection {
        name: "real".to_owned(),
        kubeconfig: kubeconfig.to_owned(),
    };
    ipaas.client.put_connection(ClusterId::new(), &body).await?;
    ipaas
        .wait_for(LONGEST_START, |all| {
            all.iter().any(|one| one.reachable && one.synced)
        })
        .await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let direct = format!("{path}?limit=100");
    for _ in 0..PAGES {
        let start = Instant::now();
        let page: Value = ipaas.get("/api/v1/pods?limit=100&sort=name&q=pod-").await?;
        ours.push(start.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(
            page["items"].as_array().is_some_and(|items| items.len() == 100),
            "a page of ipaas"
        );
        let start = Instant::now();
        let text = kube.request_text(Request::get(&direct).body(Vec::new())?).await?;
        let page: Value = serde_json::from_str(&text)?;
        theirs.push(start.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(
            page["items"].as_array().is_some_and(|items| items.len() == 100),
            "a page of the API server"
        );
    }
    let mut report = Report::new();
    report.parameter("pods", PODS);
    report.parameter("pages", PAGES);
    let (our_median, their_median) = (percentile(&mut ours, 0.5), percentile(&mut theirs, 0.5));
    report.figure("ipaas_p50_ms", our_median);
    report.figure("ipaas_p99_ms", percentile(&mut ours, 0.99));
    report.figure("api_server_p50_ms", their_median);
    report.figure("api_server_p99_ms", percentile(&mut theirs, 0.99));
    report.at_most("ratio", our_median / their_median, 0.5);
    Ok(report)
}
