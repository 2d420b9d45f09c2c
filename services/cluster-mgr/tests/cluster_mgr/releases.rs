//! Releases: good ones, bad ones, and the way back.

use api_types::operations::{OperationKind, OperationState};
use api_types::services::{RevisionDiff, RevisionSummary, ServiceState, SyncState};
use reqwest::{Method, StatusCode};
use serde_json::json;
use test_support::wait_for;

use crate::world::{LONG, SERVICES, on_each, spec};

#[tokio::test]
async fn a_release_moves_to_a_new_image_and_back() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        let path = format!("{SERVICES}/web/releases");
        let accepted = world
            .accepted(
                Method::POST,
                &path,
                &[],
                json!({ "image": "registry.example.com/shop/web:2" }),
            )
            .await;
        assert_eq!(
            (accepted.service.revision, accepted.service.latest_revision),
            (2, 2)
        );
        let operation = world.succeeded(&accepted).await;
        assert_eq!(operation.title, "release revision 2 of shop/test/web");
        assert_eq!(operation.revision, Some(2));
        world.runs("east", "web", 2, 1).await;

        let back = world
            .accepted(Method::POST, &path, &[], json!({ "revision": 1 }))
            .await;
        let operation = world.succeeded(&back).await;
        assert_eq!(operation.kind, OperationKind::ReleaseService);
        assert_eq!(operation.title, "roll back to revision 1 of shop/test/web");
        let service = world.service_is("web", ServiceState::Running).await;
        assert_eq!((service.revision, service.latest_revision), (1, 2));
        assert_eq!(service.image, "registry.example.com/shop/web:1");
        assert_eq!(service.replicas, 2, "a rollback doesn't scale");

        let page: api_types::Page<RevisionSummary> = world.get(&format!("{SERVICES}/web/revisions")).await;
        let seen: Vec<_> = page
            .items
            .iter()
            .map(|revision| (revision.number, revision.current, revision.changed.clone()))
            .collect();
        assert_eq!(seen, [(2, false, vec!["image".to_owned()]), (1, true, vec![])]);
        let diff: RevisionDiff = world.get(&format!("{SERVICES}/web/revisions/2/diff")).await;
        assert_eq!((diff.from, diff.to), (1, 2));
        assert_eq!(diff.changes[0].path, "image");
        assert!(diff.unified.contains("web:2"));
    })
    .await;
}

#[tokio::test]
async fn a_bad_release_is_explained_and_what_ran_before_keeps_serving() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        let path = format!("{SERVICES}/web/releases");
        let bad = world
            .accepted(Method::POST, &path, &[], json!({ "image": "registry.example.com/missing:9" }))
            .await;
        let service = wait_for("the explanation", LONG, async || {
            let service = world.service("web").await;
            let explained = [
                "east: ImagePullBackOff: can't pull registry.example.com/missing:9. Check the image's name and tag",
                "west: ImagePullBackOff: can't pull registry.example.com/missing:9",
                "The 4 replicas of the revision before keep serving",
            ]
            .iter()
            .all(|part| service.status.message.contains(part));
            if explained { Ok(service) } else { Err(service) }
        })
        .await;
        assert_eq!(service.status.state, ServiceState::Degraded);
        assert_eq!((service.status.ready, service.status.updated), (4, 0));
        let operation = world.operation(&bad).await;
        assert_eq!(operation.state, OperationState::Running);
        assert!(operation.message.contains("ImagePullBackOff"), "{}", operation.message);
        // The deadline passes.
        for cluster in ["east", "west"] {
            world.ipaas.change(cluster, |cluster| {
                for workload in cluster.workloads.values_mut() {
                    workload.gave_up = true;
                }
            });
        }
        let operation = world.operation_is(&bad, OperationState::Failed).await;
        assert!(operation.finished_at.is_some());
        assert!(operation.message.contains("roll back"), "{}", operation.message);
        world.service_is("web", ServiceState::Failed).await;
        let syncs: Vec<_> = world.assignments("web").await.iter().map(|one| one.sync).collect();
        assert_eq!(syncs, [SyncState::Failed, SyncState::Failed]);

        let back = world.accepted(Method::POST, &path, &[], json!({ "revision": 1 })).await;
        world.succeeded(&back).await;
        world.service_is("web", ServiceState::Running).await;
        assert_eq!(
            world.operation(&bad).await.state,
            OperationState::Failed,
            "what failed stays so"
        );
    })
    .await;
}

#[tokio::test]
async fn a_newer_operation_takes_the_place_of_one_under_way() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        let path = format!("{SERVICES}/web/releases");
        let bad = world
            .accepted(
                Method::POST,
                &path,
                &[],
                json!({ "image": "registry.example.com/missing:9" }),
            )
            .await;
        let good = world
            .accepted(Method::POST, &path, &[], json!({ "revision": 1 }))
            .await;
        world.succeeded(&good).await;
        let superseded = world.operation_is(&bad, OperationState::Superseded).await;
        assert_eq!(
            superseded.message,
            "superseded: roll back to revision 1 of shop/test/web"
        );
        assert!(superseded.finished_at.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_refusal_by_a_cluster_fails_the_operation_and_says_why() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        world.ipaas.change("east", |cluster| {
            cluster.refusal = Some((
                StatusCode::CONFLICT,
                "object_not_owned",
                "Deployment/web in shop-test belongs to somebody else; rename the service or remove it",
            ));
        });
        let accepted = world
            .accepted(
                Method::POST,
                &format!("{SERVICES}/web/releases"),
                &[],
                json!({ "image": "registry.example.com/shop/web:2" }),
            )
            .await;
        let operation = world.operation_is(&accepted, OperationState::Failed).await;
        assert!(
            operation.message.contains("belongs to somebody else"),
            "{}",
            operation.message
        );
        world.runs("west", "web", 2, 1).await;
        let service = world.service_is("web", ServiceState::Failed).await;
        assert!(service.status.message.contains("belongs to somebody else"));
        // Once it is out of the way the wanted state is reached all the same.
        world.ipaas.change("east", |cluster| cluster.refusal = None);
        world.service_is("web", ServiceState::Running).await;
        world.runs("east", "web", 2, 1).await;
    })
    .await;
}

#[tokio::test]
async fn a_revision_can_be_kept_without_releasing_it() {
    on_each(async |world| {
        world.furnish().await;
        let service = world.running("web", 2).await;
        let version = service.version.to_string();
        let path = format!("{SERVICES}/web/revisions");
        let kept = world
            .accepted(
                Method::POST,
                &path,
                &[("if-match", &version)],
                json!({ "spec": spec("registry.example.com/shop/web:3"), "comment": "for later", "release": false }),
            )
            .await;
        assert_eq!((kept.service.revision, kept.service.latest_revision), (1, 2));
        assert_eq!(kept.operation, None);
        let version = kept.service.version.to_string();
        world
            .refused(
                Method::POST,
                &path,
                &[("if-match", &version)],
                json!({ "spec": spec("registry.example.com/shop/web:3") }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "nothing_changed",
            )
            .await;
        let released = world
            .accepted(Method::POST, &format!("{SERVICES}/web/releases"), &[], json!({ "revision": 2 }))
            .await;
        world.succeeded(&released).await;
        world.runs("west", "web", 2, 1).await;
    })
    .await;
}

#[tokio::test]
async fn a_preview_tells_what_a_spec_would_change() {
    on_each(async |world| {
        world.furnish().await;
        let spec = |image: &str, token: serde_json::Value| {
            let mut spec = spec(&format!("registry.example.com/shop/web:{image}"));
            spec["secrets"] = json!([{ "name": "TOKEN", "value": token }]);
            json!({ "spec": spec })
        };
        let mut new = spec("1", json!("one"));
        new["name"] = json!("web");
        let accepted = world.accepted(Method::POST, SERVICES, &[], new).await;
        world.succeeded(&accepted).await;
        let path = format!("{SERVICES}/web/revisions/preview");
        let preview = async |body: serde_json::Value| {
            let (status, body) = world.call(Method::POST, &path, &[], body).await;
            assert_eq!(status, StatusCode::OK, "{body}");
            serde_json::from_value::<RevisionDiff>(body).unwrap()
        };
        let same = preview(spec("1", json!("one"))).await;
        assert_eq!((same.from, same.to, same.changes.len()), (1, 1, 0));
        assert_eq!(
            preview(spec("1", json!(null))).await,
            same,
            "a value left out is kept"
        );
        let other = preview(spec("1", json!("two"))).await;
        assert_eq!((other.from, other.to), (1, 2));
        assert_eq!(other.changes[0].path, "secrets[TOKEN].fingerprint");
        assert!(!format!("{other:?}").contains("two"));

        // The newest revision isn't always the one that runs.
        let release = format!("{SERVICES}/web/releases");
        let body = json!({ "image": "registry.example.com/shop/web:2" });
        let accepted = world.accepted(Method::POST, &release, &[], body).await;
        world.succeeded(&accepted).await;
        let accepted = world
            .accepted(Method::POST, &release, &[], json!({ "revision": 1 }))
            .await;
        world.succeeded(&accepted).await;
        let newest = preview(spec("2", json!(null))).await;
        assert_eq!((newest.from, newest.to, newest.changes.len()), (1, 2, 1));
        let current = preview(spec("1", json!(null))).await;
        assert_eq!((current.from, current.to, current.changes.len()), (1, 3, 0));
        let summaries: api_types::Page<RevisionSummary> =
            world.get(&format!("{SERVICES}/web/revisions")).await;
        assert_eq!(summaries.items.len(), 2, "nothing is stored");
        let mut bad = spec("1", json!(null));
        bad["spec"]["image"] = json!("");
        world
            .refused(
                Method::POST,
                &path,
                &[],
                bad,
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_spec",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn secrets_reach_the_clusters_and_no_reply() {
    on_each(async |world| {
        world.furnish().await;
        let mut with_secret = spec("registry.example.com/shop/web:1");
        with_secret["secrets"] = json!([{ "name": "TOKEN", "value": "hunter2-very-secret" }]);
        let accepted = world
            .accepted(
                Method::POST,
                SERVICES,
                &[],
                json!({ "name": "web", "replicas": 2, "spec": with_secret }),
            )
            .await;
        world.succeeded(&accepted).await;
        let sent = world.ipaas.workload("east", "web").unwrap().desired;
        assert_eq!(sent.spec.secrets[0].value.as_deref(), Some("hunter2-very-secret"));

        let mut kept = spec("registry.example.com/shop/web:2");
        kept["secrets"] = json!([{ "name": "TOKEN", "value": null, "path": "/run/token" }]);
        let version = world.service("web").await.version.to_string();
        let accepted = world
            .accepted(
                Method::POST,
                &format!("{SERVICES}/web/revisions"),
                &[("if-match", &version)],
                json!({ "spec": kept }),
            )
            .await;
        world.succeeded(&accepted).await;
        let sent = world.ipaas.workload("east", "web").unwrap().desired;
        assert_eq!(sent.spec.secrets[0].value.as_deref(), Some("hunter2-very-secret"));

        for path in [
            format!("{SERVICES}/web"),
            format!("{SERVICES}/web/revisions/1"),
            format!("{SERVICES}/web/revisions/2/diff"),
            format!("{SERVICES}/web/assignments"),
            "/operations".to_owned(),
            "/overview".to_owned(),
        ] {
            let (_, reply) = world.call(Method::GET, &path, &[], json!(null)).await;
            assert!(!reply.to_string().contains("hunter2"), "{path}: {reply}");
        }
        let revision: serde_json::Value = world.get(&format!("{SERVICES}/web/revisions/2")).await;
        assert!(revision["spec"]["secrets"][0]["fingerprint"].is_string());
        let rows = wait_for("the database", LONG, async || {
            use sea_orm::ConnectionTrait as _;
            let database = &world.database.connection;
            let statement = sea_orm::Statement::from_string(
                database.get_database_backend(),
                "SELECT CAST(spec AS TEXT) AS spec FROM revisions",
            );
            database.query_all_raw(statement).await
        })
        .await;
        assert_eq!(rows.len(), 2);
        for row in rows {
            let text: String = row.try_get("", "spec").unwrap();
            assert!(!text.contains("hunter2"));
        }
    })
    .await;
}
