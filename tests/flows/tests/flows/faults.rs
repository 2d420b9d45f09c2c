//! Clusters that go away and services that are killed: the desired state is reached all the same.

use api_types::operations::{OperationKind, OperationState};
use api_types::services::{Assignment, ServiceAccepted, ServiceState, SyncState};
use api_types::{Page, operations::Operation};
use flows::system::{LONG, SERVICES};
use flows::{System, TestClusters};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use reqwest::Method;
use serde_json::json;
use test_support::wait_for;

use crate::{WEB_1, WEB_2, runs, web};

mod a_cluster_goes_away {
    use super::{cluster_goes_away, runs};
    runs!(cluster_goes_away);
}

mod services_are_killed {
    use super::{runs, services_killed};
    runs!(services_killed);
}

mod deleted_while_a_cluster_is_away {
    use super::{deleted_while_away, runs};
    runs!(deleted_while_away);
}

async fn running(system: &System, name: &str, replicas: u32) {
    let accepted: ServiceAccepted = system
        .api
        .post(&system.services(), &web(name, WEB_1, replicas))
        .await;
    system.finished(&accepted.operation.unwrap().to_string()).await;
    system
        .service_when(name, "running", |service| {
            service.status.state == ServiceState::Running
        })
        .await;
}

async fn cluster_goes_away(system: &mut System, clusters: &TestClusters) {
    running(system, "web", 4).await;
    let lost = &clusters.all[1];
    clusters.take_down(lost).await;
    let service = system
        .service_when("web", "two replicas unknown", |service| {
            service.status.unknown > 0
        })
        .await;
    assert!(
        service.status.ready < 4,
        "nothing of a lost cluster counts as ready: {service:?}"
    );

    let accepted: ServiceAccepted = system
        .api
        .post(
            &format!("{}/releases", system.service("web")),
            &json!({ "image": WEB_2 }),
        )
        .await;
    let id = accepted.operation.unwrap().to_string();
    let operation = wait_for(
        "the release to wait for the lost cluster only",
        LONG,
        async || {
            let operation: Operation = system.api.get(&format!("/operations/{id}")).await;
            if operation.state == OperationState::Waiting {
                Ok(operation)
            } else {
                Err(format!("{operation:?}"))
            }
        },
    )
    .await;
    assert!(
        operation.message.contains(&lost.name),
        "it says what waits: {operation:?}"
    );
    let assignments: Page<Assignment> = system
        .api
        .get(&format!("{}/assignments", system.service("web")))
        .await;
    for assignment in &assignments.items {
        let expected = if assignment.cluster == lost.name {
            SyncState::Waiting
        } else {
            SyncState::Synced
        };
        assert_eq!(assignment.sync, expected, "{assignment:?}");
    }

    clusters.bring_back(lost).await;
    let operation = system.finished(&id).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{operation:?}");
    let service = system
        .service_when("web", "running everywhere", |service| {
            service.status.state == ServiceState::Running
        })
        .await;
    assert_eq!((service.status.updated, service.status.unknown), (4, 0));
    system.api.delete(&system.service("web")).await;
    gone(system, "web").await;
}

async fn deleted_while_away(system: &mut System, clusters: &TestClusters) {
    running(system, "web", 2).await;
    let lost = &clusters.all[0];
    clusters.take_down(lost).await;
    system
        .service_when("web", "a replica unknown", |service| service.status.unknown > 0)
        .await;
    let answer = system.api.delete(&system.service("web")).await;
    assert!(answer.status.is_success(), "{answer:?}");
    let service = system
        .service_when("web", "deleting", |service| service.deleting)
        .await;
    assert!(service.deleting);
    clusters.bring_back(lost).await;
    gone(system, "web").await;
    let deployments: Api<Deployment> = Api::namespaced(lost.client().await, &system.namespace());
    assert!(
        deployments.get_opt("web").await.unwrap().is_none(),
        "also on the cluster that was away"
    );
}

async fn services_killed(system: &mut System, _: &TestClusters) {
    for (round, service) in SERVICES.into_iter().enumerate() {
        let name = format!("web-{round}");
        let accepted: ServiceAccepted = system.api.post(&system.services(), &web(&name, WEB_1, 2)).await;
        let create = accepted.operation.unwrap().to_string();
        system.kill(service).await;
        system.restart(service);
        system.answers().await;
        let operation = system.finished(&create).await;
        assert_eq!(
            operation.state,
            OperationState::Succeeded,
            "after kill -9 of {service}: {operation:?}"
        );
        system
            .service_when(&name, "running", |service| {
                service.status.state == ServiceState::Running
            })
            .await;
        let operations: Page<Operation> = system
            .api
            .get(&format!("/operations?project={}&service={name}", system.project))
            .await;
        let creates = operations
            .items
            .iter()
            .filter(|one| one.kind == OperationKind::CreateService)
            .count();
        assert_eq!(creates, 1, "none is done twice: {operations:?}");
        system.api.delete(&system.service(&name)).await;
        gone(system, &name).await;
    }
}

async fn gone(system: &System, name: &str) {
    wait_for(&format!("{name} to be gone"), LONG, async || {
        let answer = system
            .api
            .send(system.api.request(Method::GET, &system.service(name)))
            .await
            .unwrap();
        if answer.status == 404 {
            Ok(())
        } else {
            Err(answer.text)
        }
    })
    .await;
}
