//! Nodes: made from the cluster's configuration, kept alive by heartbeats, emptied when they go.

mod silence;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::bootstrap::ensure;
use super::{Controllers, Outcome};
use crate::api::errors::ApiResult;
use crate::cluster::{Cluster, VERSION};
use crate::json;
use crate::kinds::core::{NODE, POD};
use crate::kinds::others::LEASE;
use crate::registry::admission::KUBELET;
use crate::registry::delete::{DeleteOptions, delete};
use crate::registry::{Options, update};
use crate::store::Key;

/// How often it is looked whether nodes are silent.
const LOOK: Duration = Duration::from_secs(1);
/// As often as a real kubelet renews its lease.
const HEARTBEAT: Duration = Duration::from_secs(10);
const LEASES: &str = "kube-node-lease";
/// Every so many heartbeats the node's status is written too, as on a real cluster (5 minutes).
const STATUS_EVERY: u32 = 30;

pub fn ensure_all(cluster: &Cluster) -> ApiResult<()> {
    for index in 0..cluster.config.nodes {
        let name = name(cluster, index);
        if cluster.store.get(&NODE, "", &name).is_none() {
            ensure_node(cluster, index, &name)?;
        } else {
            readdress(cluster, index, &name)?;
        }
    }
    Ok(())
}

fn name(cluster: &Cluster, index: u32) -> String {
    format!("{}-node-{}", cluster.config.name, index + 1)
}

fn ensure_node(cluster: &Cluster, index: u32, name: &str) -> ApiResult<()> {
    let region = &cluster.config.region;
    let node = json!({
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/region": region,
                "topology.kubernetes.io/zone": format!("{region}-{}", ["a", "b", "c"][(index % 3) as usize]),
            },
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
        },
        "spec": {"providerID": format!("sandbox://{}/{name}", cluster.config.name)},
        "status": status(cluster, index, name),
    });
    ensure_with_status(cluster, node)?;
    renew(cluster, name);
    Ok(())
}

fn ensure_with_status(cluster: &Cluster, node: Value) -> ApiResult<()> {
    crate::registry::create::create(cluster, &NODE, "", node, &Options::by(KUBELET)).map(|_| ())
}

/// After a restart the address range may be another.
fn readdress(cluster: &Cluster, index: u32, name: &str) -> ApiResult<()> {
    let addresses = addresses(cluster, index, name);
    update::modify(
        cluster,
        &NODE,
        "",
        name,
        &Options::by(KUBELET).on("status"),
        |node| {
            node["status"]["addresses"] = addresses.clone();
            Ok(())
        },
    )?;
    // It may have been silent when the sandbox stopped; the faults are gone with it.
    silence::recover(cluster, name)
}

fn addresses(cluster: &Cluster, index: u32, name: &str) -> Value {
    json!([
        {"type": "InternalIP", "address": cluster.addresses.node(index).to_string()},
        {"type": "Hostname", "address": name},
    ])
}

fn status(cluster: &Cluster, index: u32, name: &str) -> Value {
    let config = &cluster.config;
    let mut capacity = json!({
        "cpu": config.node_cpu,
        "memory": config.node_memory,
        "pods": config.node_pods.to_string(),
        "ephemeral-storage": "100Gi",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
    });
    if index < config.gpu_nodes {
        capacity[config.gpu_resource.as_str()] = json!(config.node_gpus.to_string());
    }
    let now = json::now();
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": now})
    };
    let id = uuid::Uuid::new_v4().simple().to_string();
    json!({
        "capacity": capacity,
        "allocatable": capacity,
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ],
        "addresses": addresses(cluster, index, name),
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": uuid::Uuid::new_v4().to_string(),
            "containerRuntimeVersion": "sandbox://1.0.0",
            "kernelVersion": "6.1.0-sandbox",
            "kubeProxyVersion": "",
            "kubeletVersion": VERSION,
            "machineID": id,
            "operatingSystem": "linux",
            "osImage": "Longshore sandbox",
            "systemUUID": uuid::Uuid::new_v4().to_string(),
        },
    })
}

/// Renews the node's lease.
fn renew(cluster: &Cluster, name: &str) {
    let now = json::micros(crate::clock::now());
    let options = Options::by(KUBELET);
    let renewed = update::modify(cluster, &LEASE, LEASES, name, &options, |lease| {
        lease["spec"]["renewTime"] = now.clone().into();
        Ok(())
    });
    if renewed.is_err()
        && let Some(node) = cluster.store.get(&NODE, "", name)
    {
        let owner = json!([{"apiVersion": "v1", "kind": "Node", "name": name, "uid": &*node.uid}]);
        let lease = json!({
            "metadata": {"name": name, "ownerReferences": owner},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now},
        });
        let _ = ensure(cluster, &LEASE, LEASES, lease);
    }
}

/// Whether a node is one that this cluster simulates.
fn is_ours(cluster: &Cluster, name: &str) -> bool {
    (0..cluster.config.nodes).any(|index| self::name(cluster, index) == name)
}

pub async fn heartbeats(cluster: Arc<Cluster>) {
    let mut beats = 0_u32;
    let mut silent = silence::Silent::default();
    let mut next = tokio::time::Instant::now() + HEARTBEAT;
    loop {
        tokio::select! {
            () = cluster.shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if cluster.faults.has_silent_nodes() || !silent.is_empty() {
            let nodes = cluster.store.list(&NODE, None).0;
            let names: Vec<String> = nodes.iter().map(|node| node.name().to_owned()).collect();
            silent.look(&cluster, &names);
        }
        if tokio::time::Instant::now() < next {
            continue;
        }
        next += HEARTBEAT;
        beats = beats.wrapping_add(1);
        for node in cluster.store.list(&NODE, None).0 {
            if !is_ours(&cluster, node.name()) || cluster.faults.silence(node.name()).is_some() {
                continue;
            }
            renew(&cluster, node.name());
            if beats.is_multiple_of(STATUS_EVERY) {
                let now = json::now();
                let options = Options::by(KUBELET).on("status");
                let _ = update::modify(&cluster, &NODE, "", node.name(), &options, |node| {
                    let conditions = node["status"]["conditions"].as_array_mut();
                    for condition in conditions.into_iter().flatten() {
                        condition["lastHeartbeatTime"] = now.clone().into();
                    }
                    Ok(())
                });
            }
        }
    }
}

/// Pods of a node that no longer exists are removed, as the pod garbage collector does.
pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let (cluster, name) = (&controllers.cluster, &*key.name);
    if cluster.store.get(&NODE, "", name).is_some() {
        return Ok(Outcome::DONE);
    }
    for pod in cluster.store.list(&POD, None).0 {
        if pod.field("spec.nodeName") == Some(name) {
            let gone = delete(cluster, &POD, pod.namespace(), pod.name(), &DeleteOptions::now());
            if let Err(error) = gone
                && error.code != 404
            {
                return Err(error);
            }
        }
    }
    Ok(Outcome::DONE)
}
