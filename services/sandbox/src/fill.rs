//! Pods by the thousand, put into a new cluster as if they had run for a while, without going
//! through a scheduler and kubelets one by one.

use std::sync::Arc;

use chrono::Duration;
use rand::seq::IndexedRandom as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::errors::{ApiError, ApiResult};
use crate::cluster::Cluster;
use crate::controllers::bootstrap::ensure;
use crate::controllers::deployment::revisions;
use crate::json;
use crate::kinds::apps::{DEPLOYMENT, REPLICA_SET};
use crate::kinds::core::{NAMESPACE, NODE, POD, SERVICE_ACCOUNT};
use crate::registry::delete::{DeleteOptions, delete};
use crate::registry::{Options, admission, create, random_suffix};

/// What a cluster is filled with when it is new.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fill {
    pub namespaces: u32,
    /// Deployments in each namespace.
    pub deployments: u32,
    /// Pods of each deployment.
    pub replicas: u32,
    pub image: String,
    /// What each pod asks for.
    pub cpu: String,
    pub memory: String,
    /// Labels of every namespace, deployment and pod, besides `app`.
    pub labels: std::collections::BTreeMap<String, String>,
}

impl Default for Fill {
    fn default() -> Self {
        Self {
            namespaces: 10,
            deployments: 10,
            replicas: 10,
            image: "shop/web:1".into(),
            cpu: "10m".into(),
            memory: "16Mi".into(),
            labels: std::collections::BTreeMap::new(),
        }
    }
}

impl Fill {
    /// So many pods, in deployments of 20 and namespaces of 50 deployments.
    pub fn pods(count: u32) -> Self {
        let deployments = count.div_ceil(20);
        Self {
            namespaces: deployments.div_ceil(50),
            deployments: deployments.min(50),
            replicas: count.min(20),
            ..Self::default()
        }
    }
}

pub fn run(cluster: &Arc<Cluster>, fill: &Fill) -> ApiResult<()> {
    let nodes: Vec<(String, String)> = cluster
        .store
        .list(&NODE, None)
        .0
        .iter()
        .map(|node| {
            let value = node.bare_value();
            let addresses = json::items(&value, "/status/addresses");
            let address = addresses
                .first()
                .map_or("", |address| json::text(address, "/address"));
            (node.name().to_owned(), address.to_owned())
        })
        .collect();
    if nodes.is_empty() {
        return Err(ApiError::internal("there are no nodes to put pods on"));
    }
    let mut placed = 0;
    for namespace in 0..fill.namespaces {
        let namespace = format!("fill-{}", namespace + 1);
        let labels = json!(fill.labels);
        ensure(
            cluster,
            &NAMESPACE,
            "",
            json!({"metadata": {"name": namespace, "labels": labels}}),
        )?;
        ensure(
            cluster,
            &SERVICE_ACCOUNT,
            &namespace,
            json!({"metadata": {"name": "default"}}),
        )?;
        for deployment in 0..fill.deployments {
            let name = format!("app-{}", deployment + 1);
            deploy(cluster, fill, &namespace, &name, &nodes, &mut placed)?;
        }
    }
    Ok(())
}

fn deploy(
    cluster: &Arc<Cluster>,
    fill: &Fill,
    namespace: &str,
    name: &str,
    nodes: &[(String, String)],
    placed: &mut usize,
) -> ApiResult<()> {
    let mut labels = json!(fill.labels);
    labels["app"] = name.into();
    let amounts = json!({"cpu": fill.cpu, "memory": fill.memory});
    let container = json!({"name": "app", "image": fill.image, "ports": [{"containerPort": 8080}],
        "resources": {"requests": amounts, "limits": amounts}});
    let deployment = json!({
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": fill.replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    });
    let options = Options::by("sandbox");
    let made = create::create(cluster, &DEPLOYMENT, namespace, deployment, &options)?.object;
    let mut view = revisions::view(cluster, made.clone());
    revisions::find_new(cluster, &mut view, true)?;
    let sets = cluster.store.dependents(&made.uid);
    let Some(set) = sets.iter().find(|set| set.kind == &REPLICA_SET) else {
        return Err(ApiError::internal("the deployment has no set"));
    };
    let template = &set.value()["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    json::set(&mut metadata, &["name"], format!("{}-00000", set.name()));
    json::set(&mut metadata, &["generateName"], format!("{}-", set.name()));
    json::set(&mut metadata, &["ownerReferences"], admission::owned_by(set));
    let tried = Options {
        dry_run: true,
        ..Options::by("kube-controller-manager")
    };
    let pod = json!({"metadata": metadata, "spec": template["spec"]});
    let mut pod = create::create(cluster, &POD, namespace, pod, &tried)?
        .object
        .value();
    let started = json::seconds(crate::clock::now() - Duration::minutes(10));
    json::set(&mut pod, &["metadata", "creationTimestamp"], started.clone());
    for _ in 0..fill.replicas {
        let (node, host) = &nodes[*placed % nodes.len()];
        *placed += 1;
        let uid = uuid::Uuid::new_v4().to_string();
        let address = cluster
            .addresses
            .take_pod()
            .ok_or_else(|| ApiError::internal("the cluster's addresses run out"))?
            .to_string();
        json::set(&mut pod, &["spec", "nodeName"], node.as_str());
        json::set(&mut pod, &["metadata", "uid"], uid.as_str());
        let status = status(&fill.image, &uid, &address, host, &started, &pod);
        json::set(&mut pod, &["status"], status);
        // A name that is taken by chance is drawn again.
        loop {
            json::set(
                &mut pod,
                &["metadata", "name"],
                format!("{}-{}", set.name(), random_suffix(5)),
            );
            match cluster.store.create(&POD, pod.clone()) {
                Err(crate::store::StoreError::Exists) => {}
                Err(error) => return Err(crate::registry::refusal(&error, &POD, namespace, name)),
                Ok(_) => break,
            }
        }
    }
    Ok(())
}

/// The status that its kubelet would have written.
fn status(image: &str, uid: &str, address: &str, host: &str, started: &str, pod: &Value) -> Value {
    let conditions: Vec<Value> = [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    .iter()
    .map(|kind| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": started}))
    .collect();
    json!({
        "phase": "Running",
        "conditions": conditions,
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": started,
        "qosClass": pod["status"]["qosClass"],
        "containerStatuses": [{
            "name": "app",
            "state": {"running": {"startedAt": started}},
            "lastState": {},
            "ready": true,
            "started": true,
            "restartCount": 0,
            "image": image,
            "imageID": format!("{image}@sha256:0"),
            "containerID": format!("sandbox://{uid}"),
        }],
    })
}

/// Deletes pods at random, at the rate that is asked for; their sets make new ones.
pub async fn churn(cluster: Arc<Cluster>) {
    let mut wanted = cluster.churn.subscribe();
    loop {
        let rate = *wanted.borrow_and_update();
        let pause = if rate > 0.0 { 1.0 / rate } else { 3600.0 };
        tokio::select! {
            () = cluster.shutdown.cancelled() => return,
            changed = wanted.changed() => if changed.is_err() { return } else { continue },
            () = tokio::time::sleep(std::time::Duration::from_secs_f64(pause)) => {}
        }
        if rate <= 0.0 {
            continue;
        }
        let pods = cluster.store.list(&POD, None).0;
        let Some(pod) = pods.choose(&mut rand::rng()) else {
            continue;
        };
        let options = DeleteOptions::default();
        if let Err(error) = delete(&cluster, &POD, pod.namespace(), pod.name(), &options)
            && error.code != 404
        {
            tracing::debug!(pod = pod.name(), %error, "a pod stays");
        }
    }
}
