//! A sandbox per test, and waiting with a bound.

use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use sandbox::{ClusterConfig, ClusterHandle, Sandbox, SandboxConfig};
use serde_json::{Value, json};

pub struct Stage {
    pub sandbox: Sandbox,
    pub client: Client,
    pub directory: tempfile::TempDir,
}

pub fn config(directory: &tempfile::TempDir) -> SandboxConfig {
    SandboxConfig {
        clusters: vec![ClusterConfig {
            name: "east".into(),
            nodes: 2,
            ..ClusterConfig::default()
        }],
        data_dir: directory.path().to_owned(),
        admin_port: Some(0),
        ..SandboxConfig::default()
    }
}

impl Stage {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::with(config(&directory), directory).await
    }

    pub async fn with(config: SandboxConfig, directory: tempfile::TempDir) -> Self {
        let sandbox = sandbox::start(config).await.unwrap();
        let client = client(&sandbox.clusters()[0].kubeconfig()).await;
        Self {
            sandbox,
            client,
            directory,
        }
    }

    pub fn cluster(&self) -> &ClusterHandle {
        &self.sandbox.clusters()[0]
    }

    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), "default")
    }

    pub async fn namespace(&self, name: &str) {
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        Api::all(self.client.clone())
            .create(&PostParams::default(), &namespace)
            .await
            .unwrap();
    }

    pub async fn deploy(&self, namespace: &str, deployment: &Deployment) -> Deployment {
        let api = Api::namespaced(self.client.clone(), namespace);
        api.create(&PostParams::default(), deployment).await.unwrap()
    }

    /// Creates a pod in `default`, whose service account takes a moment to be there.
    pub async fn run(&self, pod: Value) -> Pod {
        let pod: Pod = serde_json::from_value(pod).unwrap();
        let pods = self.pods();
        eventually(|| async { pods.create(&PostParams::default(), &pod).await }).await
    }

    /// Waits until a pod is as wanted.
    pub async fn until(&self, name: &str, wanted: impl Fn(&Pod) -> bool) -> Pod {
        let pods = self.pods();
        eventually(|| async {
            let pod = pods.get(name).await.map_err(|error| error.to_string())?;
            if wanted(&pod) {
                Ok(pod)
            } else {
                Err(format!("{:?}", pod.status))
            }
        })
        .await
    }
}

pub async fn client(kubeconfig: &str) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap();
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

pub fn pod(name: &str, image: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": {"containers": [
        {"name": "app", "image": image, "ports": [{"containerPort": 8080}]},
    ]}})
}

pub fn deployment(name: &str, image: &str, replicas: i32) -> Deployment {
    serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": image, "ports": [{"containerPort": 8080}]}]},
            },
        },
    }))
    .unwrap()
}

pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    conditions
        .into_iter()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// The reason why the first container waits, or "".
pub fn waits_for(pod: &Pod) -> &str {
    let statuses = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    let state = statuses
        .and_then(|statuses| statuses.first())
        .and_then(|status| status.state.as_ref());
    state
        .and_then(|state| state.waiting.as_ref())
        .and_then(|waiting| waiting.reason.as_deref())
        .unwrap_or("")
}

pub fn restarts(pod: &Pod) -> i32 {
    let statuses = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    statuses
        .and_then(|statuses| statuses.first())
        .map_or(0, |status| status.restart_count)
}

/// Waits until something is there; fails with the last thing seen after half a minute.
pub async fn eventually<T, E: Debug, F: Future<Output = Result<T, E>>>(mut look: impl FnMut() -> F) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        match look().await {
            Ok(found) => return found,
            Err(seen) if Instant::now() > end => panic!("did not come about; last seen: {seen:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// The status and body of a plain HTTP request.
pub async fn http(method: &str, address: &str, path: &str) -> std::io::Result<(u16, String)> {
    http_with(method, address, path, "").await
}

/// The same with a body.
pub async fn http_with(
    method: &str,
    address: &str,
    path: &str,
    body: &str,
) -> std::io::Result<(u16, String)> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Ok((status, body.to_owned()))
}
