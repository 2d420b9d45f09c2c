//! What projects may ask for.

use api_types::autoscaling::{Autoscaling, DecisionOutcome};
use api_types::projects::{Project, Requested};
use api_types::services::ServiceState;
use api_types::usage::Prices;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::wait_for;

use crate::world::{LONG, SERVICES, World, new_service, on_each, spec};

async fn quota(world: &World, quota: Value) -> Project {
    let project: Project = world.get("/projects/shop").await;
    let version = project.version.to_string();
    let (status, reply) = world
        .call(
            Method::PUT,
            "/projects/shop/quota",
            &[("if-match", &version)],
            quota,
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    serde_json::from_value(reply).unwrap()
}

async fn scaled(world: &World, name: &str, replicas: u32) -> (StatusCode, Value) {
    let version = world.service(name).await.version.to_string();
    let path = format!("{SERVICES}/{name}");
    let body = json!({ "replicas": replicas });
    world
        .call(Method::PATCH, &path, &[("if-match", &version)], body)
        .await
}

/// A refusal by the quota: what of which resource was asked for, was left, and is the limit.
fn refusal((status, reply): (StatusCode, Value)) -> Vec<(String, u64, u64, u64)> {
    assert_eq!(
        (status, reply["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("quota_exceeded")),
        "{reply}"
    );
    let limits = reply["details"]["limits"].as_array().unwrap();
    limits
        .iter()
        .map(|limit| {
            let number = |field: &str| limit[field].as_u64().unwrap();
            (
                limit["resource"].as_str().unwrap().to_owned(),
                number("asked"),
                number("left"),
                number("limit"),
            )
        })
        .collect()
}

#[tokio::test]
async fn more_than_the_quota_is_refused_at_every_door_and_less_is_always_taken() {
    on_each(async |world| {
        world.furnish().await;
        let project = quota(&world, json!({ "cpu_millicores": 2_000, "pods": 5 })).await;
        assert_eq!(project.quota.cpu_millicores, Some(2_000));
        assert_eq!(project.requested, Requested::default());
        // Half a core each.
        world
            .accepted(Method::POST, SERVICES, &[], new_service("web", 3))
            .await;
        let other = world.post(SERVICES, new_service("cart", 2)).await;
        let message = other.1["message"].as_str().unwrap().to_owned();
        assert!(
            message.contains("1 CPU more are asked for, 500m CPU of 2 CPU are left"),
            "{message}"
        );
        assert_eq!(refusal(other), [("cpu".to_owned(), 1_000, 500, 2_000)]);

        assert_eq!(scaled(&world, "web", 4).await.0, StatusCode::ACCEPTED);
        let both = refusal(scaled(&world, "web", 6).await);
        assert_eq!(
            both,
            [("cpu".to_owned(), 1_000, 0, 2_000), ("pods".to_owned(), 2, 1, 5)]
        );
        let project: Project = world.get("/projects/shop").await;
        assert_eq!(
            (project.requested.cpu_millicores, project.requested.pods),
            (2_000, 4)
        );

        // A revision that asks for more may be kept, and not be released.
        let mut larger = spec("registry.example.com/shop/web:2");
        larger["resources"]["cpu_request"] = "1".into();
        let revisions = format!("{SERVICES}/web/revisions");
        let version = world.service("web").await.version.to_string();
        let at = [("if-match", version.as_str())];
        let at_once = json!({ "spec": larger });
        let refused = world.call(Method::POST, &revisions, &at, at_once).await;
        assert_eq!(refusal(refused), [("cpu".to_owned(), 2_000, 0, 2_000)]);
        let kept = json!({ "spec": larger, "release": false });
        let kept = world.accepted(Method::POST, &revisions, &at, kept).await;
        let releases = format!("{SERVICES}/web/releases");
        let revision = kept.service.latest_revision;
        let refused = world.post(&releases, json!({ "revision": revision })).await;
        assert_eq!(refusal(refused).len(), 1);

        // Above a quota that was lowered, less is taken all the same.
        quota(&world, json!({ "cpu_millicores": 500 })).await;
        assert_eq!(scaled(&world, "web", 3).await.0, StatusCode::ACCEPTED);
        assert_eq!(refusal(scaled(&world, "web", 4).await).len(), 1);
        let image = json!({ "image": "registry.example.com/shop/web:3" });
        world.accepted(Method::POST, &releases, &[], image).await;
        // What is on its way out leaves room.
        world
            .accepted(Method::DELETE, &format!("{SERVICES}/web"), &[], Value::Null)
            .await;
        world
            .accepted(Method::POST, SERVICES, &[], new_service("cart", 1))
            .await;
        let none = quota(&world, json!({})).await;
        assert_eq!(none.quota.pods, None);
        assert_eq!(scaled(&world, "cart", 9).await.0, StatusCode::ACCEPTED);
    })
    .await;
}

#[tokio::test]
async fn of_two_that_ask_at_once_for_the_last_room_one_gets_it() {
    on_each(async |world| {
        world.furnish().await;
        for name in ["web", "cart"] {
            world
                .accepted(Method::POST, SERVICES, &[], new_service(name, 2))
                .await;
        }
        quota(&world, json!({ "pods": 6 })).await;
        for round in 0..5 {
            let outcomes = tokio::join!(scaled(&world, "web", 4), scaled(&world, "cart", 4));
            let taken = [&outcomes.0, &outcomes.1]
                .iter()
                .filter(|(status, _)| *status == StatusCode::ACCEPTED)
                .count();
            assert_eq!(taken, 1, "round {round}: {outcomes:?}");
            let made = tokio::join!(
                world.post(SERVICES, new_service(&format!("a{round}"), 1)),
                world.post(SERVICES, new_service(&format!("b{round}"), 1)),
            );
            assert_eq!(refusal(made.0)[0].2, 0);
            assert_eq!(refusal(made.1)[0].2, 0);
            for name in ["web", "cart"] {
                assert_eq!(scaled(&world, name, 2).await.0, StatusCode::ACCEPTED);
            }
        }
    })
    .await;
}

/// `web`, of 4 replicas, would need 6. A limit keeps it at 5, until it is lifted.
async fn autoscaling_stops_at(world: &World, limit: Value, lifted: Value) {
    quota(world, limit).await;
    // 4 at 80 % of half a core.
    world.ipaas.load(1.6);
    let path = format!("{SERVICES}/web/autoscaling");
    let policy = json!({
        "min_replicas": 2, "max_replicas": 12,
        "metrics": [{ "source": { "type": "cpu" }, "target": 50.0 }],
        "foresight_seconds": 0,
        "up": { "stabilization_seconds": 0 }, "down": { "stabilization_seconds": 0 },
    });
    let (status, reply) = world.call(Method::PUT, &path, &[("if-match", "0")], policy).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    assert_eq!(
        reply["warnings"][0],
        "the quota of project shop leaves room for 5 replicas now, fewer than the maximum of 12"
    );
    let replicas_are = async |wanted: u32| {
        wait_for(&format!("web to have {wanted} replicas"), LONG, async || {
            let service = world.service("web").await;
            if service.replicas == wanted {
                Ok(())
            } else {
                Err(service)
            }
        })
        .await;
    };
    replicas_are(5).await;
    let last = wait_for("it to be kept at the quota", LONG, async || {
        let known: Autoscaling = world.get(&path).await;
        match known.last {
            Some(last) if last.outcome == DecisionOutcome::Kept && last.current == 5 => Ok(last),
            other => Err(other),
        }
    })
    .await;
    assert_eq!(
        (last.wanted, last.bounds.as_slice()),
        (5, ["quota".to_owned()].as_slice())
    );
    assert!(last.message.contains("bound by quota"), "{}", last.message);
    quota(world, lifted).await;
    replicas_are(6).await;
}

#[tokio::test]
async fn the_autoscaler_stops_at_the_quota_and_says_so() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        autoscaling_stops_at(&world, json!({ "pods": 5 }), json!({ "pods": 20 })).await;
    })
    .await;
}

#[tokio::test]
async fn the_autoscaler_stops_at_a_quota_of_gpus() {
    on_each(async |world| {
        world.furnish().await;
        for name in ["east", "west"] {
            world.ipaas.change(name, |cluster| cluster.node.gpus = 8);
        }
        let mut service = new_service("web", 4);
        service["spec"]["resources"]["gpus"] = json!(2);
        // It fits nowhere until the GPUs are seen.
        wait_for("web to be taken", LONG, async || {
            let (status, reply) = world.post(SERVICES, service.clone()).await;
            if status == StatusCode::ACCEPTED {
                Ok(())
            } else {
                Err(reply)
            }
        })
        .await;
        world.service_is("web", ServiceState::Running).await;
        // Two for each replica: 11 are room for five.
        autoscaling_stops_at(&world, json!({ "gpus": 11 }), json!({ "gpus": 12 })).await;
        let project: Project = world.get("/projects/shop").await;
        assert_eq!((project.requested.gpus, project.quota.gpus), (12, Some(12)));
    })
    .await;
}

#[tokio::test]
async fn quotas_and_prices_that_cannot_be_taken_are_refused() {
    on_each(async |world| {
        world.furnish().await;
        let too_much = json!({ "pods": u64::MAX });
        let path = "/projects/shop/quota";
        let (unprocessable, invalid) = (StatusCode::UNPROCESSABLE_ENTITY, "invalid_spec");
        let at = [("if-match", "1")];
        world
            .refused(Method::PUT, path, &at, too_much, unprocessable, invalid)
            .await;
        let (conflict, version) = (StatusCode::CONFLICT, "version_conflict");
        world
            .refused(
                Method::PUT,
                path,
                &[("if-match", "7")],
                json!({}),
                conflict,
                version,
            )
            .await;
        let missing = "/projects/none/quota";
        world
            .refused(
                Method::PUT,
                missing,
                &at,
                json!({}),
                StatusCode::NOT_FOUND,
                "not_found",
            )
            .await;

        let none: Prices = world.get("/prices").await;
        assert_eq!((none.version, none.cpu_core_hour), (0, None));
        let prices = json!({ "currency": "CNY", "cpu_core_hour": 0.25, "memory_gib_hour": 0.02 });
        let first = [("if-match", "0")];
        let (status, reply) = world.call(Method::PUT, "/prices", &first, prices.clone()).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        world
            .refused(Method::PUT, "/prices", &first, prices.clone(), conflict, version)
            .await;
        let mut bad = prices;
        bad["cpu_core_hour"] = (-1).into();
        world
            .refused(Method::PUT, "/prices", &at, bad, unprocessable, invalid)
            .await;
        let kept: Prices = world.get("/prices").await;
        assert_eq!((kept.version, kept.cpu_core_hour), (1, Some(0.25)));
        assert_eq!(kept.updated_by.as_deref(), Some("ada"));
    })
    .await;
}
