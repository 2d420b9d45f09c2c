//! Nodes that are only an object and a lease: pods are scheduled on them and never start, so that API servers and
//! controllers are at work and nothing else is.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::real::send;

/// A quarter of what the controllers allow a node to be silent.
const RENEWAL: Duration = Duration::from_secs(10);
const PODS_A_NODE: usize = 500;
const MERGE: &str = "application/merge-patch+json";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";

pub struct VirtualNodes {
    kube: kube::Client,
    names: Vec<String>,
    renewal: JoinHandle<()>,
}

impl VirtualNodes {
    /// As many as so many pods need.
    pub async fn start(kube: kube::Client, pods: usize) -> anyhow::Result<Self> {
        let names: Vec<String> = (0..pods.div_ceil(PODS_A_NODE))
            .map(|number| format!("bench-{}-{number}", std::process::id()))
            .collect();
        for name in &names {
            let node = json!({
                "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } },
            });
            send(&kube, "POST", "/api/v1/nodes", "application/json", &node).await?;
            let lease = json!({
                "metadata": { "name": name },
                "spec": { "holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now() },
            });
            send(&kube, "POST", LEASES, "application/json", &lease).await?;
            send(
                &kube,
                "PATCH",
                &format!("/api/v1/nodes/{name}/status"),
                MERGE,
                &status(),
            )
            .await?;
        }
        let renewal = tokio::spawn(renew(kube.clone(), names.clone()));
        Ok(Self { kube, names, renewal })
    }

    /// Their pods go with them.
    pub async fn remove(self) -> anyhow::Result<()> {
        self.renewal.abort();
        for name in &self.names {
            for path in [format!("{LEASES}/{name}"), format!("/api/v1/nodes/{name}")] {
                send(&self.kube, "DELETE", &path, "application/json", &json!({})).await?;
            }
        }
        Ok(())
    }
}

async fn renew(kube: kube::Client, names: Vec<String>) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        for name in &names {
            let lease = json!({ "spec": { "renewTime": now() } });
            if let Err(error) = send(&kube, "PATCH", &format!("{LEASES}/{name}"), MERGE, &lease).await {
                eprintln!("node {name} could not be renewed: {error:#}");
            }
        }
    }
}

fn status() -> Value {
    let amounts = json!({ "cpu": "1000", "memory": "1Ti", "pods": PODS_A_NODE.to_string() });
    let condition = |kind: &str, status: &str| {
        json!({
            "type": kind, "status": status, "reason": "Bench", "message": "",
            "lastHeartbeatTime": seconds(), "lastTransitionTime": seconds(),
        })
    };
    json!({ "status": {
        "capacity": amounts, "allocatable": amounts,
        "conditions": [
            condition("Ready", "True"), condition("MemoryPressure", "False"), condition("DiskPressure", "False"),
            condition("PIDPressure", "False"),
        ],
    } })
}

fn seconds() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true)
}
