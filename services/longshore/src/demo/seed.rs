//! What there is to look at: the clusters, and a project with three services.

use std::path::Path;
use std::time::{Duration, Instant};

use sandbox::{ClusterHandle, Sandbox};
use serde_json::{Value, json};

use super::api::Api;
use crate::private_file;

const PROJECT: &str = "demo";
/// How long the clusters may take to be seen for the first time.
const LONGEST_START: Duration = Duration::from_secs(30);

/// Registers the clusters; one whose address changed (another port) gets its new kubeconfig.
pub async fn clusters(api: &Api, sandbox: &Sandbox, directory: &Path) -> anyhow::Result<()> {
    for cluster in sandbox.clusters() {
        let prometheus = sandbox
            .admin_address()
            .map(|admin| format!("http://{admin}/clusters/{}/prometheus", cluster.name()));
        register(api, cluster, prometheus.as_deref(), directory).await?;
    }
    Ok(())
}

async fn register(
    api: &Api,
    cluster: &ClusterHandle,
    prometheus: Option<&str>,
    directory: &Path,
) -> anyhow::Result<()> {
    let (name, region) = (cluster.name(), cluster.region());
    let kubeconfig = cluster.kubeconfig();
    let file = directory.join(format!("{name}.kubeconfig"));
    let path = format!("/clusters/{name}");
    let Some(known) = api.find(&path).await? else {
        let new = json!({
            "name": name,
            "region": region,
            "zone": format!("{region}-a"),
            "labels": { "simulated": "true" },
            "kubeconfig": kubeconfig,
            "prometheus_url": prometheus,
        });
        api.create("/clusters", &new).await?;
        return private_file::write(&file, kubeconfig.as_bytes());
    };
    if private_file::read(&file)?.as_deref() != Some(kubeconfig.as_str()) {
        let body = json!({ "kubeconfig": kubeconfig });
        api.replace(&format!("{path}/kubeconfig"), &body).await?;
    }
    // An address that somebody else gave it stays.
    let own = |url: &str| url.ends_with(&format!("/clusters/{name}/prometheus"));
    let url = known["prometheus_url"].as_str();
    if url != prometheus && url.is_none_or(own) {
        let version = known["version"].as_i64().unwrap_or_default();
        api.change(&path, version, &json!({ "prometheus_url": prometheus }))
            .await?;
    }
    private_file::write(&file, kubeconfig.as_bytes())
}

/// Makes the project at the first start. What somebody removed later stays removed.
pub async fn project(api: &Api, directory: &Path) -> anyhow::Result<()> {
    let done = directory.join("demo.seeded");
    if private_file::read(&done)?.is_some() {
        return Ok(());
    }
    let project = json!({
        "name": PROJECT,
        "display_name": "Demo",
        "description": "Three services to look at: one that works, one that crashes, one without an image",
    });
    api.create("/projects", &project).await?;
    for environment in ["test", "production"] {
        let path = format!("/projects/{PROJECT}/environments");
        api.create(&path, &json!({ "name": environment, "clusters": [] }))
            .await?;
    }
    until_ready(api).await?;
    for (environment, service) in services() {
        let path = format!("/projects/{PROJECT}/environments/{environment}/services");
        api.create(&path, &service).await?;
    }
    private_file::write(&done, b"")
}

/// Waits until every cluster is known to have room: what is placed earlier goes to the first one alone. A cluster that
/// takes too long is not waited for.
async fn until_ready(api: &Api) -> anyhow::Result<()> {
    let end = Instant::now() + LONGEST_START;
    while Instant::now() < end {
        let clusters = api.find("/clusters").await?.unwrap_or_default();
        let all = clusters["items"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if all
            .iter()
            .all(|cluster| cluster["state"] == "ready" && !cluster["observed"].is_null())
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tracing::warn!("not every cluster is ready; the services are made all the same");
    Ok(())
}

fn services() -> [(&'static str, Value); 3] {
    let web = json!({
        "name": "web",
        "description": "Works: three replicas over both clusters",
        "replicas": 3,
        "comment": "first version",
        "spec": {
            "image": "registry.example/demo/web:1.0",
            "env": [{ "name": "GREETING", "value": "hello" }],
            "ports": [{ "name": "http", "port": 8080 }],
            "resources": resources(),
            "probes": { "readiness": { "check": { "type": "http", "path": "/", "port": 8080 }, "period_seconds": 2 } },
        },
    });
    let importer = json!({
        "name": "importer",
        "description": "Crashes a second after its start",
        "replicas": 1,
        "comment": "first version",
        "spec": { "image": "registry.example/demo/importer-crash:1.0", "resources": resources() },
    });
    let reports = json!({
        "name": "reports",
        "description": "Its image is nowhere",
        "replicas": 1,
        "comment": "first version",
        "spec": { "image": "missing.example/demo/reports:1.0", "resources": resources() },
    });
    [("production", web), ("test", importer), ("test", reports)]
}

fn resources() -> Value {
    json!({ "cpu_request": "250m", "cpu_limit": "500m", "memory_request": "128Mi", "memory_limit": "256Mi" })
}

#[cfg(test)]
mod tests {
    use api_types::services::NewService;

    use super::*;

    #[test]
    fn the_services_are_what_the_api_takes() {
        for (_, service) in services() {
            let read: NewService = serde_json::from_value(service.clone()).unwrap();
            assert_eq!(read.name, service["name"].as_str().unwrap());
        }
    }
}
