//! A cluster is lost for good, API server and node: its replicas run on the other, and when it returns it is
//! brought to what is wanted by then. Nothing is interrupted on the cluster that survives.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api_types::Page;
use api_types::clusters::{Cluster, ClusterState};
use api_types::evacuations::EvacuationPlan;
use api_types::operations::{OperationAccepted, OperationState};
use api_types::services::{Assignment, ServiceAccepted, ServiceState};
use flows::clusters::TestCluster;
use flows::system::LONG;
use flows::{System, TestClusters};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use serde_json::json;
use test_support::wait_for;
use tokio_util::sync::CancellationToken;

use crate::{WEB_1, runs, web};

mod a_lost_cluster_is_evacuated {
    use super::{lost_and_evacuated, runs};
    runs!(lost_and_evacuated);
}

/// Pods of a service on a cluster: those that are ready, and all.
async fn pods_of(
    system: &System,
    cluster: &TestCluster,
    service: &str,
) -> Result<(usize, usize), kube::Error> {
    let api: Api<Pod> = Api::namespaced(cluster.client().await, &system.namespace());
    let parameters = ListParams::default().labels(&format!("longshore.dev/service={service}"));
    let all = api.list(&parameters).await?.items;
    let ready = all.iter().filter(|pod| {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
        pod.metadata.deletion_timestamp.is_none()
            && conditions.is_some_and(|conditions| {
                conditions
                    .iter()
                    .any(|one| one.type_ == "Ready" && one.status == "True")
            })
    });
    Ok((ready.count(), all.len()))
}

async fn pods(system: &System, cluster: &TestCluster) -> Result<(usize, usize), kube::Error> {
    pods_of(system, cluster, "web").await
}

/// The fewest ready pods that were seen on a cluster until `stop`.
async fn fewest(system: &System, cluster: &TestCluster, fewest: &AtomicUsize, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        if let Ok((ready, _)) = pods(system, cluster).await {
            fewest.fetch_min(ready, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

async fn cluster_when(
    system: &System,
    name: &str,
    what: &str,
    condition: impl Fn(&Cluster) -> bool,
) -> Cluster {
    wait_for(&format!("cluster {name}: {what}"), LONG, async || {
        let cluster: Cluster = system.api.get(&format!("/clusters/{name}")).await;
        if condition(&cluster) {
            Ok(cluster)
        } else {
            Err(cluster)
        }
    })
    .await
}

async fn lost_and_evacuated(system: &mut System, clusters: &TestClusters) {
    let (stays, lost) = (&clusters.all[0], &clusters.all[1]);
    let accepted: ServiceAccepted = system.api.post(&system.services(), &web("web", WEB_1, 4)).await;
    system.finished(&accepted.operation.unwrap().to_string()).await;
    let before = pods(system, stays).await.unwrap().0;
    assert!((1..4).contains(&before), "it runs on both");
    singleton(system, lost).await;
    let (least, stop) = (AtomicUsize::new(usize::MAX), CancellationToken::new());
    let ((), ()) = tokio::join!(fewest(system, stays, &least, &stop), async {
        lose_and_evacuate(system, clusters, lost, before).await;
        return_and_empty(system, clusters, lost).await;
        stop.cancel();
    });
    let least = least.into_inner();
    assert!(
        least >= before,
        "{least} of {before} ready where nothing was lost"
    );
    take_back(system, lost, 4 - before).await;
    for name in ["web", "only"] {
        gone(system, name).await;
    }
}

/// A service that must never run twice, on the cluster that is going to be lost.
async fn singleton(system: &System, lost: &TestCluster) {
    let mut only = web("only", WEB_1, 1);
    only["placement"] = json!({ "singleton": true, "clusters": [lost.name] });
    let accepted: ServiceAccepted = system.api.post(&system.services(), &only).await;
    system.finished(&accepted.operation.unwrap().to_string()).await;
    let service = system.service_when("only", "there", |_| true).await;
    let anywhere = json!({ "placement": { "singleton": true } });
    let accepted: ServiceAccepted = system
        .api
        .patch(&system.service("only"), service.version, &anywhere)
        .await;
    system.finished(&accepted.operation.unwrap().to_string()).await;
    assert_eq!(pods_of(system, lost, "only").await.unwrap(), (1, 1));
}

async fn gone(system: &System, name: &str) {
    system.api.delete(&system.service(name)).await;
    wait_for(&format!("{name} to be gone"), LONG, async || {
        let path = system.service(name);
        let request = system.api.request(reqwest::Method::GET, &path);
        let answer = system
            .api
            .send(request)
            .await
            .map_err(|error| error.to_string())?;
        if answer.status == reqwest::StatusCode::NOT_FOUND {
            Ok(())
        } else {
            Err(answer.text)
        }
    })
    .await;
}

async fn lose_and_evacuate(system: &System, clusters: &TestClusters, lost: &TestCluster, before: usize) {
    clusters.take_down(lost).await;
    clusters.lose_node(lost);
    cluster_when(system, &lost.name, "unreachable", |cluster| {
        cluster.state == ClusterState::Unreachable
    })
    .await;
    let path = format!("/clusters/{}/evacuation", lost.name);
    let plan: EvacuationPlan = system.api.get(&path).await;
    assert_eq!(
        (
            plan.services,
            plan.services_fenced,
            plan.replicas as usize,
            plan.replicas_unplaced
        ),
        (2, 1, 4 - before + 1, 0),
        "{plan:?}"
    );
    let accepted: OperationAccepted = system.api.post(&path, &json!({ "reason": "it burns" })).await;
    start_elsewhere(system, &clusters.all[0], lost).await;
    let operation = system.finished(&accepted.operation.to_string()).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{operation:?}");
    let service = system
        .service_when("web", "running without the lost cluster", |service| {
            service.status.state == ServiceState::Running
        })
        .await;
    // No replica of the dead cluster is counted.
    assert_eq!((service.status.ready, service.status.unknown), (4, 0));
    assert_eq!(pods(system, &clusters.all[0]).await.unwrap().0, 4);
}

/// The singleton waits, as nobody can see whether it ended, until somebody says why it may start all the same.
async fn start_elsewhere(system: &System, stays: &TestCluster, lost: &TestCluster) {
    system
        .service_when("only", "waiting", |service| {
            service.status.state == ServiceState::Unknown
                && service.status.message.contains("it may still run in")
        })
        .await;
    assert_eq!(pods_of(system, stays, "only").await.unwrap(), (0, 0));
    let path = format!("{}/accepted-risks", system.service("only"));
    let body = json!({ "clusters": [lost.name], "reason": "the whole node is gone, we took it down" });
    let _: ServiceAccepted = system.api.post(&path, &body).await;
    system
        .service_when("only", "running elsewhere", |service| {
            service.status.state == ServiceState::Running
        })
        .await;
    assert_eq!(pods_of(system, stays, "only").await.unwrap(), (1, 1));
}

async fn return_and_empty(system: &System, clusters: &TestClusters, lost: &TestCluster) {
    clusters.find_node(lost);
    clusters.bring_back(lost).await;
    cluster_when(system, &lost.name, "ready", |cluster| {
        cluster.state == ClusterState::Ready
    })
    .await;
    // What it still ran goes, for it was taken over.
    wait_for("what it still ran to go", LONG * 2, async || {
        match (pods(system, lost).await, pods_of(system, lost, "only").await) {
            (Ok((_, 0)), Ok((_, 0))) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    // What was ready there a moment ago is still counted until it is seen to be gone.
    system
        .service_when("web", "running as wanted", |service| {
            service.status.state == ServiceState::Running && service.status.ready == 4
        })
        .await;
}

/// What left it moves back, and it gets replicas again, when there are more to place.
async fn take_back(system: &System, lost: &TestCluster, had: usize) {
    let answer = system
        .api
        .delete(&format!("/clusters/{}/evacuation", lost.name))
        .await;
    let cluster: Cluster = answer.into("taking it back");
    assert!(cluster.evacuation.is_none());
    assert_eq!(
        cluster.failback.map(|away| away.replicas_left),
        Some(had as u64 + 1)
    );
    let path = format!("/clusters/{}/failback", lost.name);
    let accepted: OperationAccepted = system.api.post(&path, &json!({ "percent": 50 })).await;
    let operation = system.finished(&accepted.operation.to_string()).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{operation:?}");
    assert_eq!(pods(system, lost).await.unwrap().0, had);
    let service = system.service_when("web", "there", |_| true).await;
    let accepted: ServiceAccepted = system
        .api
        .patch(&system.service("web"), service.version, &json!({ "replicas": 6 }))
        .await;
    system.finished(&accepted.operation.unwrap().to_string()).await;
    let page: Page<Assignment> = system
        .api
        .get(&format!("{}/assignments", system.service("web")))
        .await;
    assert!(
        page.items
            .iter()
            .any(|one| one.cluster == lost.name && one.replicas > 0),
        "{page:?}"
    );
}
