//! Clusters that go away, hang, and are changed by others.

use std::sync::atomic::Ordering;

use api_types::operations::{OperationState, StepState};
use api_types::services::{ServiceState, SyncState};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::wait_for;

use crate::world::{LONG, SERVICES, new_service, on_each};

#[tokio::test]
async fn a_release_goes_on_without_a_cluster_that_is_away_and_finishes_when_it_returns() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.ipaas.change("west", |cluster| cluster.up = false);
        world.cluster_is("west", "unreachable").await;
        let service = world.service_is("web", ServiceState::Unknown).await;
        assert_eq!(
            (service.status.ready, service.status.unknown),
            (2, 2),
            "never stale green"
        );
        assert_eq!(
            service.status.message,
            "west doesn't answer: what is known of its 2 replicas is old"
        );

        let accepted = world
            .accepted(
                Method::POST,
                &format!("{SERVICES}/web/releases"),
                &[],
                json!({ "image": "registry.example.com/shop/web:2" }),
            )
            .await;
        let operation = world.operation_is(&accepted, OperationState::Waiting).await;
        assert!(
            operation
                .message
                .starts_with("everything else is done; west: the cluster doesn't answer"),
            "{}",
            operation.message
        );
        let west = operation.steps.iter().find(|step| step.name == "west").unwrap();
        assert_eq!(west.state, StepState::Waiting);
        world.runs("east", "web", 2, 2).await;
        let assignments = world.assignments("web").await;
        assert_eq!(assignments[1].sync, SyncState::Waiting);
        assert!(!assignments[1].cluster_ready);
        assert!(assignments[1].observed.as_ref().unwrap().stale);
        assert_eq!(assignments[1].replicas, 2, "it keeps what it has");
        let page: api_types::Page<Value> = world.get("/services").await;
        assert_eq!(page.gaps[0].cluster, "west");

        world.ipaas.change("west", |cluster| cluster.up = true);
        world.succeeded(&accepted).await;
        world.runs("west", "web", 2, 2).await;
        world.service_is("web", ServiceState::Running).await;
    })
    .await;
}

#[tokio::test]
async fn new_replicas_do_not_go_to_a_cluster_that_is_away() {
    on_each(async |world| {
        world.furnish().await;
        let service = world.running("web", 2).await;
        world.ipaas.change("west", |cluster| cluster.up = false);
        world.cluster_is("west", "unreachable").await;
        let version = service.version.to_string();
        let accepted = world
            .accepted(
                Method::PATCH,
                &format!("{SERVICES}/web"),
                &[("if-match", &version)],
                json!({ "replicas": 5 }),
            )
            .await;
        world.runs("east", "web", 1, 4).await;
        assert_eq!(
            world.spread("web").await,
            [("east".to_owned(), 4), ("west".to_owned(), 1)]
        );
        world.operation_is(&accepted, OperationState::Waiting).await;
        world.ipaas.change("west", |cluster| cluster.up = true);
        world.succeeded(&accepted).await;
    })
    .await;
}

#[tokio::test]
async fn a_service_deleted_while_a_cluster_is_away_is_deleted_there_when_it_returns() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        world.ipaas.change("west", |cluster| cluster.up = false);
        world.cluster_is("west", "unreachable").await;
        let accepted = world
            .accepted(Method::DELETE, &format!("{SERVICES}/web"), &[], json!(null))
            .await;
        let operation = world.operation_is(&accepted, OperationState::Waiting).await;
        assert!(operation.message.contains("west"), "{}", operation.message);
        assert!(world.ipaas.workload("east", "web").is_none());
        let service = world.service("web").await;
        assert!(service.deleting);
        assert_eq!(
            service.status.message,
            "being deleted; what is on west is removed when it answers again"
        );
        assert!(world.ipaas.workload("west", "web").is_some());
        world.ipaas.change("west", |cluster| cluster.up = true);
        world.succeeded(&accepted).await;
        world.gone("web", &["east", "west"]).await;
    })
    .await;
}

#[tokio::test]
async fn drift_is_found_and_put_right() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        // Somebody scales the Deployment by hand.
        world.ipaas.change("east", |cluster| {
            for workload in cluster.workloads.values_mut() {
                workload.replicas = 5;
                workload.ready = 5;
                workload.drift = vec!["Deployment/web: spec.replicas".to_owned()];
            }
        });
        world.runs("east", "web", 1, 1).await;
        let message = wait_for("the story of the drift", LONG, async || {
            let east = world.assignments("web").await.remove(0);
            if east.message.contains("drift was put right") {
                Ok(east.message)
            } else {
                Err(east)
            }
        })
        .await;
        assert!(message.contains("Deployment/web: spec.replicas"), "{message}");
        // Somebody deletes everything.
        world.ipaas.change("west", |cluster| {
            let place = cluster.workloads.keys().next().unwrap().clone();
            cluster.workloads.remove(&place);
        });
        world.runs("west", "web", 1, 1).await;
        world.service_is("web", ServiceState::Running).await;
        // And it is quiet afterwards.
        let applies = world.ipaas.look("east", |cluster| cluster.applies);
        world.running("other", 2).await;
        assert_eq!(
            world.ipaas.look("east", |cluster| cluster.applies),
            applies + 1,
            "nothing is applied that is there already"
        );
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_hangs_holds_up_only_itself() {
    on_each(async |world| {
        world.furnish().await;
        world.ipaas.change("west", |cluster| cluster.hangs = true);
        let mut accepted = Vec::new();
        for number in 0..15 {
            let body = new_service(&format!("web-{number}"), 2);
            accepted.push(world.accepted(Method::POST, SERVICES, &[], body).await);
        }
        for number in 0..15 {
            world.runs("east", &format!("web-{number}"), 1, 1).await;
        }
        assert!(world.ipaas.applies_under_way.load(Ordering::SeqCst) <= 10);
        world.ipaas.change("west", |cluster| cluster.hangs = false);
        for one in &accepted {
            world.succeeded(one).await;
        }
    })
    .await;
}

#[tokio::test]
async fn without_ipaas_nothing_is_green_and_nothing_is_lost() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        world.ipaas.set_away(true);
        let cluster: Value = wait_for("the clusters to be unknown", LONG, async || {
            let cluster: Value = world.get("/clusters/east").await;
            if cluster["state"] == "suspect" {
                Ok(cluster)
            } else {
                Err(cluster)
            }
        })
        .await;
        assert!(
            cluster["state_reason"]
                .as_str()
                .unwrap()
                .contains("look whether ipaas runs")
        );
        assert_eq!(cluster["observed"]["stale"], true);
        let service = world.service_is("web", ServiceState::Unknown).await;
        assert_eq!((service.status.ready, service.status.unknown), (0, 2));
        let accepted = world
            .accepted(
                Method::POST,
                &format!("{SERVICES}/web/releases"),
                &[],
                json!({ "image": "registry.example.com/shop/web:2" }),
            )
            .await;
        world
            .refused(
                Method::POST,
                "/clusters/check",
                &[],
                json!({ "kubeconfig": "x" }),
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
            )
            .await;
        world.ipaas.set_away(false);
        world.ipaas.forget_changes();
        world.succeeded(&accepted).await;
        world.service_is("web", ServiceState::Running).await;
    })
    .await;
}

#[tokio::test]
async fn a_pod_that_fails_later_degrades_the_service_without_an_operation() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.ipaas.change("east", |cluster| {
            for workload in cluster.workloads.values_mut() {
                workload.ready = 1;
                workload.problem = Some(api_types::services::Problem {
                    reason: "CrashLoopBackOff".to_owned(),
                    message: "exits with 1".to_owned(),
                    advice: "Read its log".to_owned(),
                    pods: 1,
                    example_pod: "web-1".to_owned(),
                });
            }
        });
        let service = world.service_is("web", ServiceState::Degraded).await;
        assert_eq!(
            service.status.message,
            "east: CrashLoopBackOff: exits with 1. Read its log"
        );
        assert_eq!((service.status.ready, service.status.wanted), (3, 4));
        let overview: Value = world.get("/overview").await;
        assert_eq!(overview["services"]["degraded"], 1);
        assert_eq!(overview["attention"][0]["name"], "web");
        assert_eq!(
            (&overview["replicas_wanted"], &overview["replicas_ready"]),
            (&json!(4), &json!(3))
        );
        assert_eq!(overview["clusters"].as_array().unwrap().len(), 2);
    })
    .await;
}
