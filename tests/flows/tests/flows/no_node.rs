//! A cluster whose nodes take no more pods: the replica that waits there runs elsewhere, and what runs stays.

use api_types::Page;
use api_types::services::{Assignment, ServiceAccepted, ServiceState};
use flows::clusters::TestCluster;
use flows::system::LONG;
use flows::{System, TestClusters};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;
use test_support::wait_for;

use crate::{WEB_1, runs, web};

mod what_no_node_takes_goes_elsewhere {
    use super::{given_back, runs};
    runs!(given_back);
}

const REPLICAS: u32 = 6;

async fn cordon_nodes(cluster: &TestCluster, cordoned: bool) {
    let nodes: Api<Node> = Api::all(cluster.client().await);
    for node in nodes.list(&ListParams::default()).await.unwrap() {
        let patch = Patch::Merge(json!({ "spec": { "unschedulable": cordoned } }));
        let name = node.metadata.name.unwrap();
        nodes.patch(&name, &PatchParams::default(), &patch).await.unwrap();
    }
}

async fn assignment(system: &System, cluster: &TestCluster) -> Option<Assignment> {
    let path = format!("{}/assignments", system.service("web"));
    let page: Page<Assignment> = system.api.get(&path).await;
    page.items.into_iter().find(|one| one.cluster == cluster.name)
}

async fn given_back(system: &mut System, clusters: &TestClusters) {
    let accepted: ServiceAccepted = system
        .api
        .post(&system.services(), &web("web", WEB_1, REPLICAS))
        .await;
    system.finished(&accepted.operation.unwrap().to_string()).await;
    let full = &clusters.all[0];
    let before = assignment(system, full).await.unwrap().replicas;
    assert!((2..REPLICAS).contains(&before), "it runs on both");
    cordon_nodes(full, true).await;
    let pods: Api<Pod> = Api::namespaced(full.client().await, &system.namespace());
    let parameters = ListParams::default().labels("longshore.dev/service=web");
    let one = pods.list(&parameters).await.unwrap().items.remove(0);
    pods.delete(&one.metadata.name.unwrap(), &DeleteParams::default())
        .await
        .unwrap();
    let left = wait_for("the replica to be given back", LONG, async || {
        match assignment(system, full).await {
            Some(assignment) if assignment.replicas + 1 == before => Ok(assignment),
            other => Err(other),
        }
    })
    .await;
    assert!(
        left.reason.bounds.contains(&"given_back".to_owned()),
        "{:?}",
        left.reason
    );
    system
        .service_when("web", "all replicas to be ready", |service| {
            service.status.state == ServiceState::Running && service.status.ready == REPLICAS
        })
        .await;
    cordon_nodes(full, false).await;
    system.api.delete(&system.service("web")).await;
    wait_for("web to be gone", LONG, async || {
        let request = system.api.request(reqwest::Method::GET, &system.service("web"));
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
