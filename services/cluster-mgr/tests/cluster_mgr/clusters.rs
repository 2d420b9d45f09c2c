//! The registry of clusters.

use api_types::operations::{Operation, OperationState};
use api_types::services::ServiceState;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::wait_for;

use crate::ipaas::kubeconfig;
use crate::world::{LONG, SERVICES, World, on_each};

async fn patch(world: &World, name: &str, body: Value) {
    let cluster: Value = world.get(&format!("/clusters/{name}")).await;
    let version = cluster["version"].to_string();
    let (status, reply) = world
        .call(
            Method::PATCH,
            &format!("/clusters/{name}"),
            &[("if-match", &version)],
            body,
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{reply}");
}

async fn removed(world: &World, name: &str, operation: &Value) -> Operation {
    wait_for(&format!("{name} to be removed"), LONG, async || {
        let operation: Operation = world
            .get(&format!(
                "/operations/{}",
                operation["operation"].as_str().unwrap()
            ))
            .await;
        if operation.state == OperationState::Succeeded {
            Ok(operation)
        } else {
            Err(operation)
        }
    })
    .await
}

#[tokio::test]
async fn a_registered_cluster_shows_what_was_observed() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        let cluster: api_types::clusters::Cluster = wait_for("its requests to be seen", LONG, async || {
            let cluster: api_types::clusters::Cluster = world.get("/clusters/east").await;
            let requested = cluster
                .observed
                .as_ref()
                .map(|observed| observed.requested.cpu_millicores);
            if requested == Some(500) {
                Ok(cluster)
            } else {
                Err(cluster)
            }
        })
        .await;
        let observed = cluster.observed.unwrap();
        assert_eq!(
            (observed.nodes, observed.kubernetes_version.as_str()),
            (3, "v1.33.1")
        );
        assert_eq!(observed.allocatable.cpu_millicores, 24_000);
        assert!(!observed.stale);
        assert_eq!((cluster.services, cluster.assigned_replicas), (1, 1));
        let page: api_types::Page<Value> = world.get("/clusters?q=EAST&sort=-name").await;
        assert_eq!(page.items.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_idempotent_registration_is_made_once() {
    on_each(async |world| {
        world.ipaas.add("east");
        let body = json!({ "name": "east", "region": "east", "kubeconfig": kubeconfig("east") });
        let key = [("idempotency-key", "east-1")];
        let (first, one) = world.call(Method::POST, "/clusters", &key, body.clone()).await;
        let (second, two) = world.call(Method::POST, "/clusters", &key, body).await;
        assert_eq!((first, second), (StatusCode::CREATED, StatusCode::CREATED));
        assert_eq!(one, two);
        assert_eq!(world.ipaas.connections(), ["east"]);
    })
    .await;
}

#[tokio::test]
async fn a_registration_that_never_reached_ipaas_can_be_repeated_at_once() {
    on_each(async |mut world| {
        world.ipaas.add("east");
        let body = json!({ "name": "east", "region": "east", "kubeconfig": kubeconfig("east") });
        let there = world.config.ipaas_url.clone();
        world.config.ipaas_url = "http://127.0.0.1:1".to_owned();
        // What was left behind is not swept away meanwhile.
        world.config.registration_timeout_ms = 600_000;
        world.kill_and_start().await;
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        let (status, reply) = world.post("/clusters", body.clone()).await;
        assert_eq!(
            (status, &reply["code"]),
            (unavailable, &json!("service_unavailable"))
        );
        world.config.ipaas_url = there;
        world.kill_and_start().await;
        let (status, reply) = world.post("/clusters", body).await;
        assert_eq!(status, StatusCode::CREATED, "{reply}");
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_throttles_us_stays_ready_and_says_so() {
    on_each(async |world| {
        world.register("east", "east").await;
        for (busy, reason) in [(true, "it asks to be asked less (429)"), (false, "")] {
            world.ipaas.change("east", |cluster| cluster.busy = busy);
            wait_for("the reason to be told", LONG, async || {
                let cluster: Value = world.get("/clusters/east").await;
                let told = cluster["state"] == "ready" && cluster["state_reason"] == reason;
                if told { Ok(()) } else { Err(cluster) }
            })
            .await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_cluster_flips_only_after_a_while_and_tells_why() {
    on_each(async |world| {
        world.register("east", "east").await;
        let before: Value = world.get("/clusters/east").await;
        world.ipaas.change("east", |cluster| cluster.up = false);
        world.cluster_is("east", "unreachable").await;
        let cluster: Value = world.get("/clusters/east").await;
        assert_eq!(
            cluster["state_reason"],
            "its API server has not answered for 0 s: connection refused"
        );
        assert_eq!(cluster["observed"]["stale"], true);
        assert_ne!(cluster["state_since"], before["state_since"]);
        world.ipaas.change("east", |cluster| cluster.up = true);
        world.cluster_is("east", "ready").await;
    })
    .await;
}

#[tokio::test]
async fn a_cordoned_cluster_gets_nothing_new() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        patch(
            &world,
            "west",
            json!({ "cordoned": true, "labels": { "example.com/tier": "gold" } }),
        )
        .await;
        let version = world.service("web").await.version.to_string();
        let accepted = world
            .accepted(
                Method::PATCH,
                &format!("{SERVICES}/web"),
                &[("if-match", &version)],
                json!({ "replicas": 6 }),
            )
            .await;
        world.succeeded(&accepted).await;
        assert_eq!(
            world.spread("web").await,
            [("east".to_owned(), 5), ("west".to_owned(), 1)]
        );
    })
    .await;
}

#[tokio::test]
async fn a_cluster_in_use_is_removed_only_by_force_and_its_replicas_move_first() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        let reply = world
            .refused(
                Method::DELETE,
                "/clusters/west",
                &[],
                json!(null),
                StatusCode::CONFLICT,
                "cluster_in_use",
            )
            .await;
        assert_eq!(reply["details"]["services"], json!(["shop/test/web"]));
        // New replicas don't become ready yet: what is on west must stay.
        world.ipaas.change("east", |cluster| cluster.starts = false);
        let (status, accepted) = world
            .call(Method::DELETE, "/clusters/west?force=true", &[], json!(null))
            .await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
        world.runs("east", "web", 1, 4).await;
        wait_for("the removal to say what it waits for", LONG, async || {
            let operation: Operation = world
                .get(&format!(
                    "/operations/{}",
                    accepted["operation"].as_str().unwrap()
                ))
                .await;
            if operation.message.starts_with("1 of 1 service is still there") {
                Ok(())
            } else {
                Err(operation)
            }
        })
        .await;
        assert_eq!(
            world.ipaas.workload("west", "web").unwrap().replicas,
            2,
            "make before break"
        );
        let cluster: Value = world.get("/clusters/west").await;
        assert_eq!(cluster["state"], "removing");
        world.ipaas.change("east", |cluster| {
            cluster.starts = true;
            for workload in cluster.workloads.values_mut() {
                workload.ready = workload.replicas;
            }
        });
        let operation = removed(&world, "west", &accepted).await;
        assert_eq!(operation.progress, 100);
        assert!(world.ipaas.workload("west", "web").is_none());
        assert_eq!(world.ipaas.connections(), ["east"]);
        world.service_is("web", ServiceState::Running).await;
        assert_eq!(world.spread("web").await, [("east".to_owned(), 4)]);
        // It can come back under its name.
        let body = json!({ "name": "west", "region": "west", "kubeconfig": kubeconfig("west") });
        let (status, reply) = world.post("/clusters", body).await;
        assert_eq!(status, StatusCode::CREATED, "{reply}");
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_is_away_for_good_can_be_removed() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        world.ipaas.change("west", |cluster| cluster.up = false);
        world.cluster_is("west", "unreachable").await;
        let (status, accepted) = world
            .call(Method::DELETE, "/clusters/west?force=true", &[], json!(null))
            .await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
        removed(&world, "west", &accepted).await;
        let service = world.service_is("web", ServiceState::Running).await;
        assert_eq!((service.status.ready, service.status.unknown), (2, 0));
        world
            .refused(
                Method::GET,
                "/clusters/west",
                &[],
                json!(null),
                StatusCode::NOT_FOUND,
                "not_found",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn a_kubeconfig_is_replaced_only_by_one_of_the_same_cluster() {
    on_each(async |world| {
        world.register("east", "east").await;
        world.ipaas.add("west");
        let path = "/clusters/east/kubeconfig";
        let (status, reply) = world
            .call(
                Method::PUT,
                path,
                &[],
                json!({ "kubeconfig": kubeconfig("east") }),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        assert_eq!(reply["cluster_uid"], "uid-of-east");
        world
            .refused(
                Method::PUT,
                path,
                &[],
                json!({ "kubeconfig": kubeconfig("west") }),
                StatusCode::CONFLICT,
                "other_cluster",
            )
            .await;
        world
            .refused(
                Method::PUT,
                path,
                &[],
                json!({ "kubeconfig": "rubbish" }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "kubeconfig_invalid",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn an_environment_that_leaves_a_cluster_moves_its_services() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        let path = "/projects/shop/environments/test";
        let (status, reply) = world
            .call(
                Method::PATCH,
                path,
                &[("if-match", "1")],
                json!({ "clusters": ["east"] }),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        wait_for("all replicas on east", LONG, async || {
            let spread = world.spread("web").await;
            let there = world.ipaas.workload("west", "web").is_some();
            if spread == [("east".to_owned(), 4)] && !there {
                Ok(())
            } else {
                Err((spread, there))
            }
        })
        .await;
        world
            .refused(
                Method::DELETE,
                path,
                &[],
                json!(null),
                StatusCode::CONFLICT,
                "environment_in_use",
            )
            .await;
        world
            .refused(
                Method::DELETE,
                "/projects/shop",
                &[],
                json!(null),
                StatusCode::CONFLICT,
                "project_in_use",
            )
            .await;
        let accepted = world
            .accepted(Method::DELETE, &format!("{SERVICES}/web"), &[], json!(null))
            .await;
        world.succeeded(&accepted).await;
        let (status, _) = world
            .call(Method::DELETE, "/projects/shop", &[], json!(null))
            .await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    })
    .await;
}
