//! Load on real pods, measured by a real Prometheus of each cluster, makes the service grow; without it, it shrinks.

use std::path::Path;
use std::process::Stdio;

use api_types::Page;
use api_types::autoscaling::{Autoscaling, AutoscalingDecision, AutoscalingPreview};
use api_types::clusters::Cluster;
use api_types::services::{ServiceAccepted, ServiceState};
use base64::Engine as _;
use flows::clusters::TestCluster;
use flows::system::LONG;
use flows::{Kind, System, TestClusters};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{AttachParams, AttachedProcess, ListParams};
use kube::config::Kubeconfig;
use serde_json::{Value, json};
use test_support::{Backend, wait_for};

use crate::{WEB_1, spec};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn follows_load_on_real_clusters() {
    crate::run(Kind::Real, Backend::Postgres, grows_and_shrinks).await;
}

/// A Prometheus that ends with the test.
struct Prometheus {
    url: String,
    _child: tokio::process::Child,
    _folder: tempfile::TempDir,
}

impl Prometheus {
    /// Scrapes what the kubelets of a cluster tell of their containers, by way of its API server.
    async fn start(cluster: &TestCluster) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let nodes: Api<Node> = Api::all(cluster.client().await);
        let nodes = nodes.list(&ListParams::default()).await.unwrap().items;
        let names = nodes.into_iter().filter_map(|node| node.metadata.name);
        let config = configuration(cluster, folder.path(), names);
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, config.to_string()).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let child = tokio::process::Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("prometheus is installed: tests/setup/packages prometheus");
        Self {
            url: format!("http://{port}"),
            _child: child,
            _folder: folder,
        }
    }
}

fn configuration(cluster: &TestCluster, folder: &Path, nodes: impl Iterator<Item = String>) -> Value {
    let kubeconfig = Kubeconfig::from_yaml(&cluster.kubeconfig).unwrap();
    let server = kubeconfig.clusters[0]
        .cluster
        .as_ref()
        .unwrap()
        .server
        .as_ref()
        .unwrap();
    let target = server.trim_start_matches("https://").trim_end_matches('/');
    let user = serde_json::to_value(kubeconfig.auth_infos[0].auth_info.as_ref().unwrap()).unwrap();
    let file = |field: &str| {
        let data = user[field]
            .as_str()
            .expect("a client certificate in the kubeconfig");
        let path = folder.join(field);
        let decoded = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
        std::fs::write(&path, decoded).unwrap();
        path
    };
    let tls = json!({
        "insecure_skip_verify": true,
        "cert_file": file("client-certificate-data"), "key_file": file("client-key-data"),
    });
    let scrapes: Vec<Value> = nodes
        .map(|node| {
            json!({
                "job_name": node, "scheme": "https", "tls_config": tls,
                "metrics_path": format!("/api/v1/nodes/{node}/proxy/metrics/cadvisor"),
                "static_configs": [{ "targets": [target] }],
            })
        })
        .collect();
    json!({ "global": { "scrape_interval": "5s", "scrape_timeout": "4s" }, "scrape_configs": scrapes })
}

async fn grows_and_shrinks(system: &mut System, clusters: &TestClusters) {
    let mut running = Vec::new();
    for cluster in &clusters.all {
        let prometheus = Prometheus::start(cluster).await;
        let path = format!("/clusters/{}", cluster.name);
        let before: Cluster = system.api.get(&path).await;
        let patch = json!({ "prometheus_url": prometheus.url });
        let _: Cluster = system.api.patch(&path, before.version, &patch).await;
        running.push(prometheus);
    }
    let mut spec = spec(WEB_1);
    spec["resources"]["cpu_limit"] = json!("100m");
    let body = json!({ "name": "web", "replicas": 2, "placement": { "min_per_cluster": 1 }, "spec": spec });
    let accepted: ServiceAccepted = system.api.post(&system.services(), &body).await;
    system.finished(&accepted.operation.unwrap().to_string()).await;
    let path = format!("{}/autoscaling", system.service("web"));
    let none: Autoscaling = system.api.get(&path).await;
    assert!(none.policy.is_none() && none.version == 0);
    let policy = json!({
        "min_replicas": 2, "max_replicas": 4,
        "metrics": [{ "source": { "type": "cpu" }, "target": 50.0 }],
        "up": { "stabilization_seconds": 0 }, "down": { "stabilization_seconds": 0 },
    });
    let request = system.api.request(reqwest::Method::PUT, &path);
    let request = request.header("if-match", "\"0\"").json(&policy);
    let _: Autoscaling = system.api.send(request).await.unwrap().into("setting the policy");

    // Each replica uses all of its limit, which is twice what it asks for.
    let burning = burn(system, clusters).await;
    let grown = wait_for("the service to grow", LONG * 2, async || {
        match scaled(system, &path).await {
            Some(decision) if decision.wanted > 2 => Ok(decision),
            other => Err(other),
        }
    })
    .await;
    assert!(grown.metrics[0].value.unwrap() > 50.0, "{grown:?}");
    assert_eq!(grown.metrics[0].missing, 0, "every pod was measured: {grown:?}");
    system
        .service_when("web", "running with more replicas", |service| {
            service.status.state == ServiceState::Running && service.status.ready == grown.wanted
        })
        .await;

    // New pods have nothing to do.
    drop(burning);
    let _: ServiceAccepted = system
        .api
        .post(&format!("{}/restart", system.service("web")), &json!({}))
        .await;
    wait_for("the service to shrink", LONG * 2, async || {
        match scaled(system, &path).await {
            Some(decision) if decision.wanted == 2 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    system
        .service_when("web", "running with two replicas again", |service| {
            service.status.state == ServiceState::Running && service.status.ready == 2
        })
        .await;

    // The pods that the load was on are gone, and still count in what another policy would have done with it.
    let mut generous = policy;
    generous["metrics"][0]["target"] = json!(25.0);
    generous["max_replicas"] = json!(20);
    let preview: AutoscalingPreview = system.api.post(&format!("{path}/preview"), &generous).await;
    let known = preview.points.iter().filter_map(|point| point.ran).max();
    assert!(known > Some(2), "the replicas that there were: {preview:?}");
    let (would, ran) = (preview.would.unwrap(), preview.ran.unwrap());
    assert!(would.max_replicas > grown.wanted, "{preview:?}");
    assert!(
        ran.minutes_above_target > 0.0 && ran.minutes == would.minutes,
        "{preview:?}"
    );
    // Before there was a Prometheus nothing is known, and that is said.
    assert!(preview.gaps.iter().all(|gap| gap.minutes < 60.0), "{preview:?}");
    assert_eq!(preview.gaps.len(), clusters.all.len());
    system.api.delete(&system.service("web")).await;
}

/// The last decision that changed the replicas.
async fn scaled(system: &System, path: &str) -> Option<AutoscalingDecision> {
    let page: Page<AutoscalingDecision> = system
        .api
        .get(&format!("{path}/decisions?outcome=scaled&limit=1"))
        .await;
    page.items.into_iter().next()
}

/// A busy loop in every pod, for as long as the processes are held.
async fn burn(system: &System, clusters: &TestClusters) -> Vec<AttachedProcess> {
    let mut processes = Vec::new();
    for cluster in &clusters.all {
        let pods: Api<Pod> = Api::namespaced(cluster.client().await, &system.namespace());
        let parameters = ListParams::default().labels("longshore.dev/service=web");
        for pod in pods.list(&parameters).await.unwrap().items {
            let name = pod.metadata.name.unwrap();
            let command = ["/bin/sh", "-c", "while :; do :; done"];
            let attached = AttachParams::default().stdout(true).stderr(false);
            processes.push(pods.exec(&name, command, &attached).await.unwrap());
        }
    }
    assert_eq!(processes.len(), 2);
    processes
}
