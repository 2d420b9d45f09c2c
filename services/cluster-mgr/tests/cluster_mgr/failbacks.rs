//! What left a cluster moves back, a share at a time.

use api_types::clusters::Cluster;
use api_types::failbacks::FailbackPlan;
use api_types::operations::{Operation, OperationKind, OperationState};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::wait_for;

use crate::world::{LONG, World, on_each};

const FAILBACK: &str = "/clusters/east/failback";
const EVACUATION: &str = "/clusters/east/evacuation";
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

async fn east(world: &World) -> Cluster {
    world.get("/clusters/east").await
}

async fn operation_is(world: &World, id: &str, state: OperationState) -> Operation {
    wait_for(&format!("the operation to be {state:?}"), LONG, async || {
        let operation: Operation = world.get(&format!("/operations/{id}")).await;
        if operation.state == state {
            Ok(operation)
        } else {
            Err(operation)
        }
    })
    .await
}

/// Four services of a replica on each cluster; what was on east is on west now, and east is in use again.
async fn left_east(world: &World) {
    world.furnish().await;
    for name in NAMES {
        world.running(name, 2).await;
    }
    let (status, reply) = world.post(EVACUATION, json!({})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
    let operation = reply["operation"].as_str().unwrap();
    operation_is(world, operation, OperationState::Succeeded).await;
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
        assert_eq!((plan.services, plan.replicas, plan.percent), (4, 4, 25));
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
        let done = operation_is(&world, &operation, OperationState::Succeeded).await;
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
        let stopped = operation_is(&world, &operation, OperationState::Superseded).await;
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
        operation_is(&world, &operation, OperationState::Succeeded).await;
        all_are_back(&world).await;
    })
    .await;
}

#[tokio::test]
async fn where_that_is_wanted_it_begins_by_itself() {
    on_each(async |mut world| {
        left_east(&world).await;
        world.config.failback_after_ms = 200;
        world.config.failback_percent = 100;
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
