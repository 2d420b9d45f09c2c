//! A service from its creation to its end.

use api_types::operations::{OperationKind, OperationState, StepState};
use api_types::services::{ServiceState, SyncState};
use reqwest::Method;
use serde_json::json;

use crate::world::{SERVICES, new_service, on_each};

#[tokio::test]
async fn a_service_runs_on_both_clusters_and_says_why() {
    on_each(async |world| {
        world.furnish().await;
        let accepted = world
            .accepted(Method::POST, SERVICES, &[], new_service("web", 4))
            .await;
        assert_eq!(accepted.service.revision, 1);
        let operation = world.succeeded(&accepted).await;
        assert_eq!(operation.kind, OperationKind::CreateService);
        assert_eq!(operation.title, "create shop/test/web");
        assert_eq!(operation.progress, 100);
        let steps: Vec<_> = operation
            .steps
            .iter()
            .map(|step| (step.name.as_str(), step.state, step.done, step.total))
            .collect();
        assert_eq!(
            steps,
            [
                ("placement", StepState::Succeeded, 4, 4),
                ("east", StepState::Succeeded, 2, 2),
                ("west", StepState::Succeeded, 2, 2),
            ]
        );
        let service = world.service_is("web", ServiceState::Running).await;
        let status = &service.status;
        assert_eq!(
            (status.ready, status.updated, status.wanted, status.unknown),
            (4, 4, 4, 0)
        );
        assert!(status.observed_at.is_some());
        assert_eq!(service.operation, None);
        for assignment in world.assignments("web").await {
            assert_eq!((assignment.replicas, assignment.sync), (2, SyncState::Synced));
            assert_eq!(assignment.reason.strategy, "free_capacity");
            assert!(
                assignment.reason.message.starts_with("2 of 4: room for "),
                "{}",
                assignment.reason.message
            );
            assert_eq!(assignment.observed.unwrap().ready, 2);
        }
    })
    .await;
}

#[tokio::test]
async fn scaling_moves_as_little_as_possible() {
    on_each(async |world| {
        world.furnish().await;
        let service = world.running("web", 2).await;
        let before = world.spread("web").await;
        let version = service.version.to_string();
        let accepted = world
            .accepted(
                Method::PATCH,
                &format!("{SERVICES}/web"),
                &[("if-match", &version)],
                json!({ "replicas": 5 }),
            )
            .await;
        let operation = world.succeeded(&accepted).await;
        assert_eq!(operation.title, "scale shop/test/web from 2 to 5 replicas");
        let after = world.spread("web").await;
        assert_eq!(after.iter().map(|(_, replicas)| replicas).sum::<u32>(), 5);
        for ((cluster, fewer), (same, more)) in before.iter().zip(&after) {
            assert_eq!(cluster, same);
            assert!(fewer <= more);
        }
        let version = world.service("web").await.version.to_string();
        let accepted = world
            .accepted(
                Method::PATCH,
                &format!("{SERVICES}/web"),
                &[("if-match", &version)],
                json!({ "replicas": 0 }),
            )
            .await;
        world.succeeded(&accepted).await;
        let service = world.service_is("web", ServiceState::Stopped).await;
        assert_eq!(service.status.wanted, 0);
        assert!(world.ipaas.workload("east", "web").is_none());
    })
    .await;
}

#[tokio::test]
async fn deleting_takes_everything_and_the_name_is_free_again() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        // Pods take their time.
        world.ipaas.change("east", |cluster| cluster.stops = false);
        let path = format!("{SERVICES}/web");
        let accepted = world.accepted(Method::DELETE, &path, &[], json!(null)).await;
        assert!(accepted.service.deleting);
        let again = world.accepted(Method::DELETE, &path, &[], json!(null)).await;
        assert_eq!(again.operation, accepted.operation, "asked twice, deleted once");
        world
            .refused(
                Method::POST,
                SERVICES,
                &[],
                new_service("web", 1),
                reqwest::StatusCode::CONFLICT,
                "service_deleting",
            )
            .await;
        assert_eq!(world.operation(&accepted).await.state, OperationState::Running);
        world.ipaas.change("east", |cluster| {
            cluster.stops = true;
            cluster.workloads.clear();
        });
        let operation = world.succeeded(&accepted).await;
        assert_eq!(operation.message, "nothing of it is left on any cluster");
        world.gone("web", &["east", "west"]).await;
        let service = world.running("web", 1).await;
        assert_eq!(service.latest_revision, 1);
    })
    .await;
}

#[tokio::test]
async fn a_restart_replaces_every_replica() {
    on_each(async |world| {
        world.furnish().await;
        let before = world.running("web", 2).await;
        let accepted = world
            .accepted(Method::POST, &format!("{SERVICES}/web/restart"), &[], json!(null))
            .await;
        let operation = world.succeeded(&accepted).await;
        assert_eq!(operation.kind, OperationKind::RestartService);
        let restarted = world.ipaas.workload("east", "web").unwrap().desired.restarted_at;
        assert!(restarted.is_some());
        assert_eq!(
            world.service("web").await.version,
            before.version,
            "no editor needs to read again"
        );
    })
    .await;
}
