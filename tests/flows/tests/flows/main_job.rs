//! Create, look inside, upgrade, fail and be told why, roll back, scale, restart, delete.

use api_types::Page;
use api_types::logs::ServiceLog;
use api_types::operations::OperationState;
use api_types::pods::{Event, Pod};
use api_types::services::{Assignment, Revision, RevisionDiff, Service, ServiceAccepted, ServiceState};
use flows::system::LONG;
use flows::{System, TestClusters};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::ListParams;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::wait_for;

use crate::{MISSING, WEB_1, WEB_2, runs, web};

runs!(main_job);

async fn main_job(system: &mut System, clusters: &TestClusters) {
    create(system).await;
    look_inside(system).await;
    upgrade(system).await;
    fail_and_roll_back(system).await;
    scale_and_restart(system).await;
    delete(system, clusters).await;
}

async fn create(system: &System) {
    let accepted: ServiceAccepted = system.api.post(&system.services(), &web("web", WEB_1, 4)).await;
    assert_eq!(accepted.service.revision, 1);
    let operation = accepted.operation.expect("creating is an operation");
    let operation = system.finished(&operation.to_string()).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{operation:?}");
    assert!(!operation.steps.is_empty());
    let service = system
        .service_when("web", "running", |service| {
            service.status.state == ServiceState::Running
        })
        .await;
    assert_eq!(
        (
            service.status.ready,
            service.status.wanted,
            service.status.unknown
        ),
        (4, 4, 0)
    );

    let assignments: Page<Assignment> = system
        .api
        .get(&format!("{}/assignments", system.service("web")))
        .await;
    assert_eq!(assignments.items.len(), 2, "on both clusters: {assignments:?}");
    assert_eq!(assignments.items.iter().map(|one| one.replicas).sum::<u32>(), 4);
    for assignment in &assignments.items {
        assert!(
            assignment.replicas >= 1 && !assignment.reason.message.is_empty(),
            "{assignment:?}"
        );
        let observed = assignment.observed.as_ref().expect("observed");
        assert_eq!(
            (observed.ready, observed.revision, observed.stale),
            (assignment.replicas, Some(1), false)
        );
    }
    let text = system
        .api
        .send(
            system
                .api
                .request(Method::GET, &format!("{}/revisions/1", system.service("web"))),
        )
        .await
        .unwrap()
        .text;
    assert!(!text.contains("s3cret-value"), "a secret never leaves: {text}");
}

async fn pods(system: &System) -> Page<Pod> {
    system.api.get(&format!("{}/pods", system.service("web"))).await
}

async fn look_inside(system: &System) {
    let page = pods(system).await;
    assert_eq!(page.items.len(), 4, "{page:?}");
    assert!(
        page.gaps.is_empty() && page.items.iter().all(|pod| pod.ready && !pod.stale),
        "{page:?}"
    );
    for pod in &page.items {
        let path = format!(
            "/projects/{}/environments/test/clusters/{}/pods/{}/log?tail=50",
            system.project, pod.cluster, pod.name
        );
        let log = system
            .api
            .send(system.api.request(Method::GET, &path))
            .await
            .unwrap();
        assert!(
            log.status.is_success() && !log.text.trim().is_empty(),
            "{path}: {log:?}"
        );
    }
    let log: ServiceLog = system.api.get(&format!("{}/log", system.service("web"))).await;
    assert!(
        page.items.iter().all(|pod| log
            .lines
            .iter()
            .any(|line| line.pod == pod.name && line.cluster == pod.cluster)),
        "{log:?}"
    );
    let events: Page<Event> = system.api.get(&format!("{}/events", system.service("web"))).await;
    assert!(
        events.items.iter().any(|event| event.reason == "Scheduled"),
        "{events:?}"
    );
    let found: Page<Pod> = system
        .api
        .get(&format!("/pods?q={}", page.items[0].ip.as_deref().unwrap()))
        .await;
    assert!(
        found.items.iter().any(|pod| pod.name == page.items[0].name),
        "found by its address"
    );
}

async fn upgrade(system: &System) {
    let accepted: ServiceAccepted = system
        .api
        .post(
            &format!("{}/releases", system.service("web")),
            &json!({ "image": WEB_2, "comment": "two" }),
        )
        .await;
    let operation = system.finished(&accepted.operation.unwrap().to_string()).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{operation:?}");
    let service = system
        .service_when("web", "running 2", |service| {
            service.status.state == ServiceState::Running
        })
        .await;
    assert_eq!(
        (service.revision, service.image.as_str(), service.status.updated),
        (2, WEB_2, 4)
    );
    let diff: RevisionDiff = system
        .api
        .get(&format!("{}/revisions/2/diff?against=1", system.service("web")))
        .await;
    assert_eq!(
        diff.changes
            .iter()
            .map(|change| change.path.as_str())
            .collect::<Vec<_>>(),
        ["image"]
    );
    assert!(
        diff.unified.contains("-image: longshore.test/web:1")
            && diff.unified.contains("+image: longshore.test/web:2")
    );
}

async fn fail_and_roll_back(system: &System) {
    let accepted: ServiceAccepted = system
        .api
        .post(
            &format!("{}/releases", system.service("web")),
            &json!({ "image": MISSING }),
        )
        .await;
    let id = accepted.operation.unwrap().to_string();
    let service = system
        .service_when("web", "a bad upgrade explained", |service| {
            service.status.message.contains("ImagePull") || service.status.message.contains("image")
        })
        .await;
    assert!(
        service.status.ready >= 4,
        "the old replicas keep serving: {service:?}"
    );
    let operation = system.finished(&id).await;
    assert_eq!(operation.state, OperationState::Failed, "{operation:?}");
    assert!(
        operation.message.contains("image") || operation.message.contains("Image"),
        "{operation:?}"
    );

    let accepted: ServiceAccepted = system
        .api
        .post(
            &format!("{}/releases", system.service("web")),
            &json!({ "revision": 2, "comment": "back" }),
        )
        .await;
    assert_eq!(accepted.service.revision, 2);
    let operation = system.finished(&accepted.operation.unwrap().to_string()).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{operation:?}");
    let revision: Revision = system
        .api
        .get(&format!("{}/revisions/2", system.service("web")))
        .await;
    assert!(revision.current);
}

async fn scale_and_restart(system: &System) {
    let service: Service = system.api.get(&system.service("web")).await;
    let accepted: ServiceAccepted = system
        .api
        .patch(&system.service("web"), service.version, &json!({ "replicas": 6 }))
        .await;
    system.finished(&accepted.operation.unwrap().to_string()).await;
    system
        .service_when("web", "6 ready", |service| service.status.ready == 6)
        .await;

    let before: Vec<String> = pods(system).await.items.into_iter().map(|pod| pod.name).collect();
    let accepted: ServiceAccepted = system
        .api
        .post(&format!("{}/restart", system.service("web")), &json!({}))
        .await;
    let operation = system.finished(&accepted.operation.unwrap().to_string()).await;
    assert_eq!(operation.state, OperationState::Succeeded, "{operation:?}");
    wait_for("every pod to be a new one", LONG, async || {
        let after = pods(system).await;
        let new = after.items.iter().all(|pod| !before.contains(&pod.name));
        if new && after.items.len() == 6 {
            Ok(())
        } else {
            Err(format!("{after:?}"))
        }
    })
    .await;

    let service: Service = system.api.get(&system.service("web")).await;
    let accepted: ServiceAccepted = system
        .api
        .patch(&system.service("web"), service.version, &json!({ "replicas": 2 }))
        .await;
    system.finished(&accepted.operation.unwrap().to_string()).await;
    system
        .service_when("web", "2 ready", |service| service.status.ready == 2)
        .await;
}

async fn delete(system: &System, clusters: &TestClusters) {
    let answer = system.api.delete(&system.service("web")).await;
    assert!(answer.status.is_success(), "{answer:?}");
    wait_for("the service to be gone", LONG, async || {
        let answer = system
            .api
            .send(system.api.request(Method::GET, &system.service("web")))
            .await
            .unwrap();
        if answer.status == 404 {
            Ok(())
        } else {
            Err(answer.text)
        }
    })
    .await;
    for cluster in &clusters.all {
        let client = cluster.client().await;
        let mine = ListParams::default().labels("longshore.dev/service=web");
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), &system.namespace());
        assert_eq!(deployments.list(&mine).await.unwrap().items.len(), 0);
        let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), &system.namespace());
        assert_eq!(config_maps.list(&mine).await.unwrap().items.len(), 0);
        let secrets: Api<Secret> = Api::namespaced(client, &system.namespace());
        assert_eq!(secrets.list(&mine).await.unwrap().items.len(), 0);
    }
    let audit: Page<Value> = system
        .api
        .get(&format!("/audit?project={}&limit=100", system.project))
        .await;
    for action in [
        "create_service",
        "create_release",
        "update_service",
        "restart_service",
        "delete_service",
    ] {
        assert!(
            audit
                .items
                .iter()
                .any(|record| record["action"] == action && record["outcome"] == "succeeded"),
            "{action}: {audit:?}"
        );
    }
    assert!(
        !serde_json::to_string(&audit).unwrap().contains("s3cret-value"),
        "the audit keeps no secret"
    );
}
