//! Two people at once, and the same call twice.

use api_types::services::ServiceAccepted;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::world::{SERVICES, new_service, on_each, spec};

#[tokio::test]
async fn the_second_of_two_editors_is_told_what_changed() {
    on_each(async |world| {
        world.furnish().await;
        let service = world.running("web", 2).await;
        let path = format!("{SERVICES}/web");
        let read = service.version.to_string();
        world
            .accepted(
                Method::PATCH,
                &path,
                &[("if-match", &read)],
                json!({ "replicas": 3, "description": "the shop" }),
            )
            .await;
        world
            .accepted(
                Method::POST,
                &format!("{path}/releases"),
                &[],
                json!({ "image": "registry.example.com/shop/web:2" }),
            )
            .await;
        for (method, path, body) in [
            (Method::PATCH, path.clone(), json!({ "replicas": 7 })),
            (
                Method::POST,
                format!("{path}/revisions"),
                json!({ "spec": spec("registry.example.com/shop/web:7") }),
            ),
        ] {
            let reply = world
                .refused(
                    method,
                    &path,
                    &[("if-match", &read)],
                    body,
                    StatusCode::CONFLICT,
                    "version_conflict",
                )
                .await;
            let details = &reply["details"];
            assert_eq!(details["current_version"], service.version + 2);
            assert_eq!(details["changed_by"], "ada");
            assert_eq!(
                details["changed_fields"],
                json!(["description", "replicas", "revision"])
            );
            assert!(details["changed_at"].is_string());
        }
        assert_eq!(
            world.service("web").await.replicas,
            3,
            "nothing of the second was done"
        );
        world
            .refused(
                Method::PATCH,
                &path,
                &[],
                json!({ "replicas": 7 }),
                StatusCode::PRECONDITION_REQUIRED,
                "precondition_required",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn projects_environments_and_clusters_are_guarded_too() {
    on_each(async |world| {
        world.furnish().await;
        for (path, body, field) in [
            ("/projects/shop", json!({ "description": "first" }), "description"),
            (
                "/projects/shop/environments/test",
                json!({ "clusters": ["east"] }),
                "clusters",
            ),
            ("/clusters/east", json!({ "zone": "z1" }), "zone"),
        ] {
            let (status, reply) = world
                .call(Method::PATCH, path, &[("if-match", "\"1\"")], body.clone())
                .await;
            assert_eq!(status, StatusCode::OK, "{reply}");
            assert_eq!(reply["version"], 2);
            let mut other = body;
            other[field] = if field == "clusters" {
                json!([])
            } else {
                json!("z2")
            };
            let reply = world
                .refused(
                    Method::PATCH,
                    path,
                    &[("if-match", "\"1\"")],
                    other,
                    StatusCode::CONFLICT,
                    "version_conflict",
                )
                .await;
            assert_eq!(reply["details"]["changed_fields"], json!([field]));
        }
    })
    .await;
}

#[tokio::test]
async fn edits_at_the_same_moment_never_both_win() {
    on_each(async |world| {
        world.furnish().await;
        let service = world.running("web", 1).await;
        let read = service.version.to_string();
        let path = format!("{SERVICES}/web");
        let calls = (2..8).map(|replicas| {
            let (world, path, read) = (&world, &path, &read);
            async move {
                world
                    .call(
                        Method::PATCH,
                        path,
                        &[("if-match", read)],
                        json!({ "replicas": replicas }),
                    )
                    .await
                    .0
            }
        });
        let statuses = futures::future::join_all(calls).await;
        let won = statuses
            .iter()
            .filter(|status| **status == StatusCode::ACCEPTED)
            .count();
        let told = statuses
            .iter()
            .filter(|status| **status == StatusCode::CONFLICT)
            .count();
        assert_eq!((won, told), (1, 5), "{statuses:?}");
        assert_eq!(world.service("web").await.version, service.version + 1);
    })
    .await;
}

#[tokio::test]
async fn a_call_sent_twice_is_done_once() {
    on_each(async |world| {
        world.furnish().await;
        let key = [("idempotency-key", "create-web")];
        let first = world
            .accepted(Method::POST, SERVICES, &key, new_service("web", 2))
            .await;
        let second = world
            .accepted(Method::POST, SERVICES, &key, new_service("web", 2))
            .await;
        assert_eq!(first, second);
        world
            .refused(
                Method::POST,
                SERVICES,
                &key,
                new_service("other", 2),
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
            )
            .await;
        world.succeeded(&first).await;

        let path = format!("{SERVICES}/web/releases");
        let key = [("idempotency-key", "release-2")];
        let body = json!({ "image": "registry.example.com/shop/web:2" });
        let calls = (0..4).map(|_| world.call(Method::POST, &path, &key, body.clone()));
        let replies = futures::future::join_all(calls).await;
        let mut accepted: Vec<ServiceAccepted> = replies
            .into_iter()
            .filter(|(status, _)| *status == StatusCode::ACCEPTED)
            .map(|(_, reply)| serde_json::from_value(reply).unwrap())
            .collect();
        assert!(!accepted.is_empty());
        let one = accepted.pop().unwrap();
        assert!(accepted.iter().all(|other| other.operation == one.operation));
        assert_eq!(world.service("web").await.latest_revision, 2);
    })
    .await;
}
