//! What left a cluster moves back, a share at a time.

use api_types::clusters::Cluster;
use api_types::failbacks::FailbackPlan;
use api_types::operations::{Operation, OperationKind, OperationState};
use reqwest::{Method, StatusCode};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use test_support::wait_for;

use crate::world::{LONG, World, new_service, on_each};

const FAILBACK: &str = "/clusters/east/failback";
const EVACUATION: &str = "/clusters/east/evacuation";
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

async fn east(world: &World) -> Cluster {
    world.get("/clusters/east").await
}

/// Four services of a replica on each cluster; what was on east is on west now, and east is in use again.
async fn left_east(world: &World) {
    world.furnish().await;
    for name in NAMES {
        world.running(name, 2).await;
    }
    leave_east(world).await;
}

/// Empties east and takes it back.
async fn leave_east(world: &World) {
    let (status, reply) = world.post(EVACUATION, json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
    let operation = reply["operation"].as_str().unwrap();
    world
        .operation_reaches(operation, OperationState::Succeeded)
        .await;
    world
        .refused(
            Method::POST,
            FAILBACK,
            &[],
            json!({}),
            StatusCode::CONFLICT,
            "cluster_evacuating",
        )
        .await;
    let (status, reply) = world.call(Method::DELETE, EVACUATION, &[], Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    for name in NAMES {
        assert_eq!(world.spread(name).await, [("west".to_owned(), 2)]);
    }
}

/// What an environment of the project wants.
async fn wants(world: &World, environment: &str, failback: Value) {
    let path = format!("/projects/shop/environments/{environment}");
    let known: Value = world.get(&path).await;
    let version = format!("\"{}\"", known["version"]);
    let body = json!({ "failback": failback });
    let (status, reply) = world
        .call(Method::PATCH, &path, &[("if-match", &version)], body)
        .await;
    assert_eq!(
        (status, &reply["failback"]),
        (StatusCode::OK, &failback),
        "{reply}"
    );
}

/// Waits until the loop looked two more times.
async fn looked(world: &World) {
    let turns = async || world.tasks().await["failback"]["turns"].as_u64().unwrap_or(0);
    let before = turns().await;
    wait_for("two turns", LONG, async || {
        let now = turns().await;
        if now >= before + 2 { Ok(()) } else { Err(now) }
    })
    .await;
}

/// Nothing moved, and nothing does.
async fn stays_on_west(world: &World) {
    looked(world).await;
    for name in NAMES {
        assert_eq!(world.spread(name).await, [("west".to_owned(), 2)]);
    }
}

async fn begin(world: &World, body: Value) -> String {
    let (status, reply) = world.post(FAILBACK, body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
    reply["operation"].as_str().unwrap().to_owned()
}

async fn all_are_back(world: &World) {
    for name in NAMES {
        wait_for(&format!("{name} to be on both"), LONG, async || {
            let mut spread = world.spread(name).await;
            spread.sort();
            if spread == [("east".to_owned(), 1), ("west".to_owned(), 1)] {
                Ok(())
            } else {
                Err(spread)
            }
        })
        .await;
    }
}

#[tokio::test]
async fn the_next_share_moves_when_the_last_is_ready() {
    on_each(async |world| {
        left_east(&world).await;
        let plan: FailbackPlan = world.get(FAILBACK).await;
        assert_eq!((plan.services, plan.replicas), (4, 4));
        assert!(plan.moves.iter().all(|one| one.percent == 25), "{plan:?}");
        let names: Vec<&str> = plan.moves.iter().map(|one| one.service.as_str()).collect();
        assert_eq!(names, NAMES);
        let offered = east(&world).await.failback.unwrap();
        assert_eq!(
            (offered.services_left, offered.replicas_left, offered.operation),
            (4, 4, None)
        );

        world.ipaas.change("east", |cluster| cluster.starts = false);
        let operation = begin(&world, json!({})).await;
        assert_eq!(begin(&world, json!({})).await, operation, "the same again");
        world.runs("east", "a", 1, 1).await;
        let waits = wait_for("it to wait for a", LONG, async || {
            let waits: Operation = world.get(&format!("/operations/{operation}")).await;
            if waits.message.contains("waits for shop/test/a") {
                Ok(waits)
            } else {
                Err(waits)
            }
        })
        .await;
        assert_eq!(waits.kind, OperationKind::FailBackCluster);
        for name in ["b", "c", "d"] {
            assert!(
                world.ipaas.workload("east", name).is_none(),
                "{name} waits its turn"
            );
        }
        assert_eq!(
            world.ipaas.workload("west", "a").unwrap().ready,
            2,
            "make before break"
        );

        world.ipaas.change("east", |cluster| {
            cluster.starts = true;
            for workload in cluster.workloads.values_mut() {
                workload.ready = workload.replicas;
            }
        });
        let done = world
            .operation_reaches(&operation, OperationState::Succeeded)
            .await;
        assert_eq!(
            (done.progress, done.steps[0].done, done.steps[0].total),
            (100, 4, 4)
        );
        all_are_back(&world).await;
        assert!(east(&world).await.failback.is_none());
        world
            .refused(
                Method::POST,
                FAILBACK,
                &[],
                json!({}),
                StatusCode::CONFLICT,
                "nothing_to_return",
            )
            .await;
    })
    .await;
}

#[tokio::test]
async fn moving_back_can_be_stopped_and_goes_on_after_a_kill() {
    on_each(async |mut world| {
        left_east(&world).await;
        world.ipaas.change("east", |cluster| cluster.starts = false);
        let operation = begin(&world, json!({ "percent": 50 })).await;
        for name in ["a", "b"] {
            world.runs("east", name, 1, 1).await;
        }
        let (status, reply) = world.call(Method::DELETE, FAILBACK, &[], Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let stopped = world
            .operation_reaches(&operation, OperationState::Superseded)
            .await;
        assert!(stopped.message.contains("stopped by ada"), "{}", stopped.message);
        let offered = east(&world).await.failback.unwrap();
        assert_eq!((offered.services_left, offered.replicas_left), (2, 2));
        // Again, and the service is killed meanwhile.
        let operation = begin(&world, json!({ "percent": 100 })).await;
        world.kill_and_start().await;
        world.ipaas.change("east", |cluster| {
            cluster.starts = true;
            for workload in cluster.workloads.values_mut() {
                workload.ready = workload.replicas;
            }
        });
        world
            .operation_reaches(&operation, OperationState::Succeeded)
            .await;
        all_are_back(&world).await;
    })
    .await;
}

#[tokio::test]
async fn where_that_is_wanted_it_begins_by_itself() {
    on_each(async |mut world| {
        left_east(&world).await;
        // A person decides, unless the environment says otherwise.
        stays_on_west(&world).await;
        assert_eq!(east(&world).await.failback.unwrap().operation, None);
        let policy = json!({ "mode": "automatic", "after_minutes": 10_080, "percent": 100 });
        wants(&world, "test", policy).await;
        stays_on_west(&world).await;
        // A week later.
        world
            .database
            .connection
            .execute_unprepared("UPDATE clusters SET state_since = '2000-01-01 00:00:00+00:00'")
            .await
            .unwrap();
        wait_for("it to have begun", LONG, async || {
            match east(&world).await.failback {
                Some(failback) if failback.operation.is_none() => Err(failback),
                _ => Ok(()),
            }
        })
        .await;
        world.kill_and_start().await;
        all_are_back(&world).await;
        wait_for("nothing to be away", LONG, async || {
            match east(&world).await.failback {
                None => Ok(()),
                left => Err(left),
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_somebody_stopped_does_not_begin_again_by_itself() {
    on_each(async |world| {
        left_east(&world).await;
        world.ipaas.change("east", |cluster| cluster.starts = false);
        let policy = json!({ "mode": "automatic", "after_minutes": 0, "percent": 25 });
        wants(&world, "test", policy).await;
        world.runs("east", "a", 1, 1).await;
        let (status, reply) = world.call(Method::DELETE, FAILBACK, &[], Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        looked(&world).await;
        let offered = east(&world).await.failback.unwrap();
        assert_eq!((offered.services_left, offered.operation), (3, None));
        // A person begins it again.
        world.ipaas.change("east", |cluster| {
            cluster.starts = true;
            for workload in cluster.workloads.values_mut() {
                workload.ready = workload.replicas;
            }
        });
        let operation = begin(&world, json!({})).await;
        world
            .operation_reaches(&operation, OperationState::Succeeded)
            .await;
        all_are_back(&world).await;
    })
    .await;
}

#[tokio::test]
async fn where_it_never_moves_back_nobody_is_offered_to() {
    on_each(async |world| {
        left_east(&world).await;
        let never = json!({ "mode": "never", "after_minutes": 0, "percent": 100 });
        wants(&world, "test", never.clone()).await;
        assert_eq!(east(&world).await.failback, None);
        let plan: FailbackPlan = world.get(FAILBACK).await;
        assert_eq!((plan.services, plan.replicas, plan.moves.len()), (0, 0, 0));
        world
            .refused(
                Method::POST,
                FAILBACK,
                &[],
                json!({}),
                StatusCode::CONFLICT,
                "nothing_to_return",
            )
            .await;
        stays_on_west(&world).await;

        // What is under way stops when that is wanted no more.
        world.ipaas.change("east", |cluster| cluster.starts = false);
        let confirm = json!({ "mode": "confirm", "after_minutes": 0, "percent": 25 });
        wants(&world, "test", confirm).await;
        let operation = begin(&world, json!({})).await;
        world.runs("east", "a", 1, 1).await;
        wants(&world, "test", never).await;
        let stopped = world
            .operation_reaches(&operation, OperationState::Superseded)
            .await;
        assert!(
            stopped.message.contains("no environment wants"),
            "{}",
            stopped.message
        );
        looked(&world).await;
        assert_eq!(east(&world).await.failback, None);
        for name in &NAMES[1..] {
            assert_eq!(world.spread(name).await, [("west".to_owned(), 2)]);
        }
    })
    .await;
}

#[tokio::test]
async fn each_environment_moves_as_it_wants() {
    on_each(async |world| {
        world.furnish().await;
        for (name, failback) in [
            (
                "live",
                json!({ "mode": "automatic", "after_minutes": 0, "percent": 50 }),
            ),
            (
                "old",
                json!({ "mode": "never", "after_minutes": 0, "percent": 100 }),
            ),
        ] {
            let body = json!({ "name": name, "failback": failback });
            let (status, reply) = world.post("/projects/shop/environments", body).await;
            assert_eq!(
                (status, &reply["failback"]),
                (StatusCode::CREATED, &failback),
                "{reply}"
            );
        }
        for name in NAMES {
            world.running(name, 2).await;
        }
        let services = [
            ("live", "l1"),
            ("live", "l2"),
            ("live", "l3"),
            ("live", "l4"),
            ("old", "o"),
        ];
        for (environment, name) in services {
            let path = format!("/projects/shop/environments/{environment}/services");
            let accepted = world
                .accepted(Method::POST, &path, &[], new_service(name, 2))
                .await;
            world.succeeded(&accepted).await;
        }
        world.ipaas.change("east", |cluster| cluster.starts = false);
        leave_east(&world).await;
        // Half of live's four begin by themselves; the others wait for a person, or for ever.
        for name in ["l1", "l2"] {
            world.runs("east", name, 1, 1).await;
        }
        looked(&world).await;
        for name in ["l3", "l4", "a", "b", "c", "d", "o"] {
            assert!(world.ipaas.workload("east", name).is_none(), "{name} stays");
        }
        let by_itself = east(&world).await.failback.unwrap().operation.unwrap();
        // A person asks for the rest: it joins what is under way, a quarter of four at a time, and waits for nothing of
        // live's.
        let operation = begin(&world, json!({})).await;
        assert_eq!(operation, by_itself.to_string());
        world.runs("east", "a", 1, 1).await;
        looked(&world).await;
        for name in ["l3", "l4", "b", "c", "d", "o"] {
            assert!(world.ipaas.workload("east", name).is_none(), "{name} stays");
        }
        world.ipaas.change("east", |cluster| {
            cluster.starts = true;
            for workload in cluster.workloads.values_mut() {
                workload.ready = workload.replicas;
            }
        });
        let done = world
            .operation_reaches(&operation, OperationState::Succeeded)
            .await;
        assert_eq!((done.steps[0].done, done.steps[0].total), (8, 8));
        all_are_back(&world).await;
        assert!(world.ipaas.workload("east", "o").is_none(), "it never moves");
    })
    .await;
}

#[tokio::test]
async fn bad_orders_are_refused() {
    on_each(async |world| {
        world.furnish().await;
        for (path, body, status, code) in [
            (
                FAILBACK,
                json!({ "percent": 0 }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_spec",
            ),
            (
                FAILBACK,
                json!({ "percent": 101 }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_spec",
            ),
            (
                FAILBACK,
                json!({ "share": 1 }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_body",
            ),
            (FAILBACK, json!({}), StatusCode::CONFLICT, "nothing_to_return"),
            (
                "/clusters/north/failback",
                json!({}),
                StatusCode::NOT_FOUND,
                "not_found",
            ),
        ] {
            world.refused(Method::POST, path, &[], body, status, code).await;
        }
        world.ipaas.change("east", |cluster| cluster.up = false);
        world.cluster_is("east", "unreachable").await;
        world
            .refused(
                Method::POST,
                FAILBACK,
                &[],
                json!({}),
                StatusCode::CONFLICT,
                "cluster_not_ready",
            )
            .await;
        let (status, reply) = world.call(Method::DELETE, FAILBACK, &[], Value::Null).await;
        assert_eq!(status, StatusCode::OK, "nothing to stop is fine: {reply}");
    })
    .await;
}
