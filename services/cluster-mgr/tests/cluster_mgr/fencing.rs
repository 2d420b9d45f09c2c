//! Singletons: never twice, unless somebody accepts that in words.

use api_types::clusters::Cluster;
use api_types::evacuations::{EvacuationPlan, Handover};
use api_types::operations::{Operation, OperationKind, OperationState};
use api_types::services::{Assignment, ServiceState};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::wait_for;

use crate::world::{LONG, SERVICES, World, new_service, on_each};

const RISKS: &str = "/projects/shop/environments/test/services/mailer/accepted-risks";
const REASON: &str = "the power of that room is cut, seen by the night shift";

/// Runs the singleton `mailer` on east.
async fn mailer(world: &World) {
    world.furnish().await;
    let mut new = new_service("mailer", 1);
    new["placement"] = json!({ "singleton": true, "clusters": ["east"] });
    let accepted = world.accepted(Method::POST, SERVICES, &[], new).await;
    world.succeeded(&accepted).await;
    let version = format!("\"{}\"", world.service("mailer").await.version);
    let anywhere = json!({ "placement": { "singleton": true } });
    let path = format!("{SERVICES}/mailer");
    let headers = [("if-match", version.as_str())];
    let accepted = world.accepted(Method::PATCH, &path, &headers, anywhere).await;
    world.succeeded(&accepted).await;
    assert_eq!(world.spread("mailer").await, [("east".to_owned(), 1)]);
}

async fn lose_east(world: &World) {
    world.ipaas.change("east", |cluster| cluster.up = false);
    world.cluster_is("east", "unreachable").await;
}

/// Orders that east is left.
async fn leave_east(world: &World) -> String {
    let (status, reply) = world
        .post("/clusters/east/evacuation", json!({ "reason": "no power" }))
        .await;
    assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
    reply["operation"].as_str().unwrap().to_owned()
}

/// Waits until west's part of the service is to wait for east.
async fn is_fenced(world: &World) -> Assignment {
    wait_for("it to wait for east", LONG, async || {
        let all = world.assignments("mailer").await;
        let west = all.iter().find(|assignment| assignment.cluster == "west");
        match west {
            Some(west) if west.waits_for == ["east"] => Ok(west.clone()),
            _ => Err(all),
        }
    })
    .await
}

async fn runs_only_on(world: &World, cluster: &str, other: &str) {
    wait_for("it to run in one place", LONG, async || {
        let there = world.ipaas.workload(cluster, "mailer");
        let elsewhere = world.ipaas.workload(other, "mailer");
        match (&there, &elsewhere) {
            (Some(workload), None) if workload.ready == 1 => Ok(()),
            _ => Err((there, elsewhere)),
        }
    })
    .await;
}

#[tokio::test]
async fn a_healthy_cluster_ends_its_singleton_before_it_starts_elsewhere() {
    on_each(async |world| {
        mailer(&world).await;
        let plan: EvacuationPlan = world.get("/clusters/east/evacuation").await;
        assert_eq!((plan.services, plan.services_fenced), (1, 0));
        assert_eq!(plan.moves[0].handover, Handover::BreakBeforeMake);
        assert!(world.ipaas.workload("east", "mailer").unwrap().desired.singleton);
        // Its pod takes its time.
        world.ipaas.change("east", |cluster| cluster.stops = false);
        leave_east(&world).await;
        let waits = is_fenced(&world).await;
        assert!(waits.message.contains("until it is gone from east"), "{waits:?}");
        assert!(world.ipaas.workload("west", "mailer").is_none());
        world.ipaas.change("east", |cluster| cluster.stops = true);
        runs_only_on(&world, "west", "east").await;
        world.service_is("mailer", ServiceState::Running).await;
    })
    .await;
}

#[tokio::test]
async fn on_a_lost_cluster_a_singleton_waits_until_it_is_seen_gone() {
    on_each(async |mut world| {
        mailer(&world).await;
        lose_east(&world).await;
        let plan: EvacuationPlan = world.get("/clusters/east/evacuation").await;
        assert_eq!((plan.services_fenced, plan.replicas_unplaced), (1, 0));
        assert_eq!(plan.moves[0].handover, Handover::Fenced);
        assert!(plan.moves[0].message.contains("may still run there"), "{plan:?}");
        let operation = leave_east(&world).await;
        is_fenced(&world).await;
        let service = world.service_is("mailer", ServiceState::Unknown).await;
        assert!(
            service
                .status
                .message
                .starts_with("west: waits: it may still run in east"),
            "{:?}",
            service.status
        );
        let told = wait_for("the operation to tell", LONG, async || {
            let told: Operation = world.get(&format!("/operations/{operation}")).await;
            if told.message.contains("1 of them must not run twice") {
                Ok(told)
            } else {
                Err(told)
            }
        })
        .await;
        assert_eq!(told.state, OperationState::Running);
        let cluster: Cluster = world.get("/clusters/east").await;
        let evacuation = cluster.evacuation.unwrap();
        assert_eq!((evacuation.complete, evacuation.services_left), (false, 1));
        assert_eq!(evacuation.singletons_left, ["shop/test/mailer"]);
        // Nobody forgets it.
        world.kill_and_start().await;
        is_fenced(&world).await;
        assert!(world.ipaas.workload("west", "mailer").is_none());
        world.ipaas.change("east", |cluster| cluster.up = true);
        runs_only_on(&world, "west", "east").await;
        world.service_is("mailer", ServiceState::Running).await;
    })
    .await;
}

#[tokio::test]
async fn whoever_says_why_may_start_it_elsewhere() {
    on_each(async |world| {
        mailer(&world).await;
        lose_east(&world).await;
        leave_east(&world).await;
        is_fenced(&world).await;
        let body = json!({ "clusters": ["east"], "reason": REASON });
        let accepted = world.accepted(Method::POST, RISKS, &[], body).await;
        world.runs("west", "mailer", 1, 1).await;
        let service = world.service_is("mailer", ServiceState::Running).await;
        assert_eq!((service.status.ready, service.status.unknown), (1, 0));
        let operation = world.operation(&accepted).await;
        assert_eq!(operation.kind, OperationKind::FailOverService);
        assert_eq!(operation.requested_by, "ada");
        assert!(operation.title.ends_with(REASON), "{}", operation.title);
        let all = world.assignments("mailer").await;
        let east = all
            .iter()
            .find(|assignment| assignment.cluster == "east")
            .unwrap();
        let risk = east.accepted_risk.clone().unwrap();
        assert_eq!((risk.reason.as_str(), risk.by.as_str()), (REASON, "ada"));
        assert!(all.iter().all(|assignment| assignment.waits_for.is_empty()));
        // What it still ran ends when it returns.
        world.ipaas.change("east", |cluster| cluster.up = true);
        runs_only_on(&world, "west", "east").await;
        world.succeeded(&accepted).await;
    })
    .await;
}

#[tokio::test]
async fn a_singleton_stays_where_its_cluster_is_taken_back() {
    on_each(async |world| {
        mailer(&world).await;
        lose_east(&world).await;
        leave_east(&world).await;
        is_fenced(&world).await;
        let (status, reply) = world
            .call(Method::DELETE, "/clusters/east/evacuation", &[], Value::Null)
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        wait_for("only east to be assigned", LONG, async || {
            let spread = world.spread("mailer").await;
            if spread == [("east".to_owned(), 1)] {
                Ok(())
            } else {
                Err(spread)
            }
        })
        .await;
        world.ipaas.change("east", |cluster| cluster.up = true);
        world.service_is("mailer", ServiceState::Running).await;
        runs_only_on(&world, "east", "west").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_no_risk_can_not_be_accepted() {
    on_each(async |world| {
        mailer(&world).await;
        world.running("web", 1).await;
        let body = |clusters: &[&str], reason: &str| json!({ "clusters": clusters, "reason": reason });
        let web = format!("{SERVICES}/web/accepted-risks");
        let missing = format!("{SERVICES}/nobody/accepted-risks");
        let (conflict, unprocessable) = (StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY);
        for (path, body, status, code) in [
            (RISKS, body(&["east"], "because"), unprocessable, "invalid_spec"),
            (
                RISKS,
                body(&["east"], &"x".repeat(501)),
                unprocessable,
                "invalid_spec",
            ),
            (RISKS, body(&[], REASON), unprocessable, "invalid_spec"),
            (RISKS, body(&["north"], REASON), unprocessable, "invalid_spec"),
            (
                RISKS,
                body(&["east", "east"], REASON),
                unprocessable,
                "invalid_spec",
            ),
            (RISKS, body(&["east"], REASON), conflict, "no_risk"),
            (web.as_str(), body(&["east"], REASON), conflict, "not_a_singleton"),
            (
                missing.as_str(),
                body(&["east"], REASON),
                StatusCode::NOT_FOUND,
                "not_found",
            ),
        ] {
            world.refused(Method::POST, path, &[], body, status, code).await;
        }
        lose_east(&world).await;
        let refused = world
            .refused(
                Method::POST,
                RISKS,
                &[],
                body(&["east"], REASON),
                conflict,
                "no_risk",
            )
            .await;
        assert!(refused.to_string().contains("evacuate the cluster"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_singleton_has_one_replica_and_no_policy() {
    on_each(async |world| {
        mailer(&world).await;
        let mut two = new_service("two", 2);
        two["placement"] = json!({ "singleton": true });
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let refused = world
            .refused(Method::POST, SERVICES, &[], two, unprocessable, "invalid_spec")
            .await;
        assert_eq!(refused["details"]["fields"][0]["field"], "replicas", "{refused}");
        let path = format!("{SERVICES}/mailer");
        let version = format!("\"{}\"", world.service("mailer").await.version);
        let headers = [("if-match", version.as_str())];
        let body = json!({ "replicas": 2 });
        world
            .refused(
                Method::PATCH,
                &path,
                &headers,
                body,
                unprocessable,
                "invalid_spec",
            )
            .await;
        let policy = json!({
            "min_replicas": 1, "max_replicas": 3,
            "metrics": [{ "source": { "type": "cpu" }, "target": 50.0 }],
        });
        world
            .refused(
                Method::PUT,
                &format!("{path}/autoscaling"),
                &[("if-match", "\"0\"")],
                policy,
                StatusCode::CONFLICT,
                "singleton",
            )
            .await;
    })
    .await;
}
