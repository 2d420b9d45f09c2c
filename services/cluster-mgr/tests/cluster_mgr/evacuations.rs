//! Clusters that are emptied: for maintenance, or because they are gone.

use api_types::clusters::Cluster;
use api_types::evacuations::EvacuationPlan;
use api_types::operations::{Operation, OperationState};
use api_types::placement::Priority;
use api_types::services::ServiceState;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::wait_for;

use crate::world::{LONG, SERVICES, World, new_service, on_each};

const EVACUATION: &str = "/clusters/east/evacuation";

async fn order(world: &World, accept_unplaced: bool) -> String {
    let body = json!({ "reason": "new racks", "accept_unplaced": accept_unplaced });
    let (status, reply) = world.post(EVACUATION, body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
    reply["operation"].as_str().unwrap().to_owned()
}

/// Waits until a cluster is known to have so many nodes.
async fn seen_with(world: &World, name: &str, nodes: u32) {
    wait_for(
        &format!("{name} to be seen with its {nodes} nodes"),
        LONG,
        async || {
            let cluster: Cluster = world.get(&format!("/clusters/{name}")).await;
            match &cluster.observed {
                Some(observed) if observed.nodes == nodes => Ok(()),
                _ => Err(cluster),
            }
        },
    )
    .await;
}

async fn take_back(world: &World) -> Cluster {
    let (status, reply) = world.call(Method::DELETE, EVACUATION, &[], Value::Null).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    serde_json::from_value(reply).unwrap()
}

#[tokio::test]
async fn a_healthy_cluster_is_emptied_only_as_its_replacements_get_ready() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.running("cart", 2).await;
        let plan: EvacuationPlan = world.get(EVACUATION).await;
        assert_eq!((plan.services, plan.replicas), (2, 3));
        assert_eq!((plan.services_unplaced, plan.replicas_unplaced), (0, 0));
        assert_eq!(plan.destinations.len(), 1);
        assert_eq!(
            (
                plan.destinations[0].cluster.as_str(),
                plan.destinations[0].replicas
            ),
            ("west", 3)
        );
        let names: Vec<&str> = plan.moves.iter().map(|one| one.service.as_str()).collect();
        assert_eq!(names, ["cart", "web"]);

        world.ipaas.change("west", |cluster| cluster.starts = false);
        let operation = order(&world, false).await;
        assert_eq!(order(&world, false).await, operation, "the same again");
        world.runs("west", "web", 1, 4).await;
        let running: Operation = wait_for("the step to be told", LONG, async || {
            let operation: Operation = world.get(&format!("/operations/{operation}")).await;
            if operation.steps.is_empty() {
                Err(operation)
            } else {
                Ok(operation)
            }
        })
        .await;
        assert_eq!(
            (running.state, running.steps[0].done, running.steps[0].total),
            (OperationState::Running, 0, 2)
        );
        for (name, replicas) in [("web", 2), ("cart", 1)] {
            let there = world.ipaas.workload("east", name).unwrap();
            assert_eq!(there.ready, replicas, "{name} is not taken away before");
        }
        let cluster: Cluster = world.get("/clusters/east").await;
        let evacuation = cluster.evacuation.unwrap();
        assert_eq!(
            (
                evacuation.complete,
                evacuation.services_left,
                evacuation.reason.as_str()
            ),
            (false, 2, "new racks")
        );

        world.ipaas.change("west", |cluster| {
            cluster.starts = true;
            for workload in cluster.workloads.values_mut() {
                workload.ready = workload.replicas;
            }
        });
        let done = world
            .operation_reaches(&operation, OperationState::Succeeded)
            .await;
        assert_eq!((done.progress, done.steps[0].done), (100, 2));
        for (name, replicas) in [("web", 4), ("cart", 2)] {
            assert!(world.ipaas.workload("east", name).is_none());
            world.service_is(name, ServiceState::Running).await;
            assert_eq!(world.spread(name).await, [("west".to_owned(), replicas)]);
        }
        // Nothing new goes there, until it is taken back.
        world.running("books", 2).await;
        assert_eq!(world.spread("books").await, [("west".to_owned(), 2)]);
        let cluster = take_back(&world).await;
        assert!(cluster.evacuation.is_none());
        world.running("shoes", 6).await;
        assert!(world.spread("shoes").await.iter().any(|(name, _)| name == "east"));
        assert_eq!(world.spread("web").await, [("west".to_owned(), 4)]);
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_is_gone_is_replaced_and_emptied_when_it_returns() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        world.ipaas.change("east", |cluster| cluster.up = false);
        world.cluster_is("east", "unreachable").await;
        let operation = order(&world, false).await;
        let done = world
            .operation_reaches(&operation, OperationState::Succeeded)
            .await;
        assert!(
            done.message.contains("removed when it returns"),
            "{}",
            done.message
        );
        let service = world.service_is("web", ServiceState::Running).await;
        assert_eq!((service.status.ready, service.status.unknown), (4, 0));
        assert_eq!(world.ipaas.workload("west", "web").unwrap().ready, 4);
        // It returns, still running what it had: that goes, and nothing is lost elsewhere.
        assert_eq!(world.ipaas.workload("east", "web").unwrap().ready, 2);
        world.ipaas.change("east", |cluster| cluster.up = true);
        wait_for("what it still ran to go", LONG, async || {
            match world.ipaas.workload("east", "web") {
                None => Ok(()),
                left => Err(left),
            }
        })
        .await;
        assert_eq!(world.ipaas.workload("west", "web").unwrap().ready, 4);
        wait_for("only west to be assigned", LONG, async || {
            let spread = world.spread("web").await;
            if spread == [("west".to_owned(), 4)] {
                Ok(())
            } else {
                Err(spread)
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_fits_nowhere_else_is_told_before_and_stays_until_there_is_room() {
    on_each(async |world| {
        world.furnish().await;
        let mut big = new_service("big", 4);
        big["spec"]["resources"] = json!({
            "cpu_request": "6", "cpu_limit": "6", "memory_request": "1Gi", "memory_limit": "1Gi",
        });
        let accepted = world.accepted(Method::POST, SERVICES, &[], big).await;
        world.succeeded(&accepted).await;
        world.ipaas.change("west", |cluster| cluster.nodes = 2);
        // Two nodes hold two of them. That they fit nowhere may be planned a moment before west is seen as it is now: what
        // was placed there just now is promised, and seen, and counts twice until then.
        seen_with(&world, "west", 2).await;
        let plan: EvacuationPlan = world.get(EVACUATION).await;
        assert_eq!((plan.services_unplaced, plan.replicas_unplaced), (1, 2));
        assert_eq!(plan.moves[0].unplaced, 2);
        assert!(plan.moves[0].message.contains("fit nowhere"), "{:?}", plan.moves);
        let refused = world
            .refused(
                Method::POST,
                EVACUATION,
                &[],
                json!({}),
                StatusCode::CONFLICT,
                "evacuation_incomplete",
            )
            .await;
        assert_eq!(
            (&refused["details"]["services"], &refused["details"]["replicas"]),
            (&json!(["shop/test/big"]), &json!(2))
        );
        let operation = order(&world, true).await;
        wait_for("it to be told", LONG, async || {
            let service = world.service("big").await;
            if service.status.message.contains("fit nowhere") {
                Ok(())
            } else {
                Err(service)
            }
        })
        .await;
        assert_eq!(world.ipaas.workload("east", "big").unwrap().ready, 2);
        let open: Operation = world.get(&format!("/operations/{operation}")).await;
        assert_eq!(open.state, OperationState::Running);

        take_back(&world).await;
        world
            .operation_reaches(&operation, OperationState::Superseded)
            .await;
        let service = world.service_is("big", ServiceState::Running).await;
        assert_eq!(service.status.ready, 4);
        let mut spread = world.spread("big").await;
        spread.sort();
        assert_eq!(spread, [("east".to_owned(), 2), ("west".to_owned(), 2)]);
    })
    .await;
}

#[tokio::test]
async fn bad_orders_are_refused() {
    on_each(async |world| {
        world.furnish().await;
        let long = json!({ "reason": "x".repeat(501) });
        let unknown = json!({ "because": "x" });
        for (path, body, status, code) in [
            (EVACUATION, long, StatusCode::UNPROCESSABLE_ENTITY, "invalid_spec"),
            (
                EVACUATION,
                unknown,
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_body",
            ),
            (
                "/clusters/north/evacuation",
                json!({}),
                StatusCode::NOT_FOUND,
                "not_found",
            ),
        ] {
            world.refused(Method::POST, path, &[], body, status, code).await;
        }
        let cluster = take_back(&world).await;
        assert_eq!(cluster.name, "east", "nothing to take back is fine");
    })
    .await;
}

async fn fails_over_by_itself(world: &World) {
    let path = "/projects/shop/environments/test";
    let (status, reply) = world
        .call(
            Method::PATCH,
            path,
            &[("if-match", "\"1\"")],
            json!({ "failover": "automatic" }),
        )
        .await;
    assert_eq!(
        (status, &reply["failover"]),
        (StatusCode::OK, &json!("automatic"))
    );
}

#[tokio::test]
async fn a_lost_cluster_is_left_without_anybody_where_that_is_wanted() {
    on_each(async |mut world| {
        world.furnish().await;
        let (status, _) = world
            .post("/projects/shop/environments", json!({ "name": "live" }))
            .await;
        assert_eq!(status, StatusCode::CREATED);
        world.running("web", 4).await;
        let other = "/projects/shop/environments/live/services";
        let accepted = world
            .accepted(Method::POST, other, &[], new_service("shy", 2))
            .await;
        world.succeeded(&accepted).await;
        fails_over_by_itself(&world).await;
        world.ipaas.change("east", |cluster| cluster.up = false);
        let evacuated = wait_for("east to be left", LONG, async || {
            let cluster: Cluster = world.get("/clusters/east").await;
            match &cluster.evacuation {
                Some(evacuation) if evacuation.complete => Ok(evacuation.clone()),
                _ => Err(cluster),
            }
        })
        .await;
        assert!(evacuated.automatic && evacuated.requested_by == "longshore");
        assert_eq!(evacuated.environments, ["shop/test"]);
        world
            .operation_reaches(&evacuated.operation.to_string(), OperationState::Succeeded)
            .await;
        let service = world.service_is("web", ServiceState::Running).await;
        assert_eq!((service.status.ready, service.status.unknown), (4, 0));
        // The other environment's people decide themselves.
        let shy: api_types::services::Service = world.get(&format!("{other}/shy")).await;
        assert_eq!((shy.status.ready, shy.status.unknown), (1, 1));
        // It returns: it stays out of use until somebody takes it back, or it was well for long enough.
        world.ipaas.change("east", |cluster| cluster.up = true);
        world.cluster_is("east", "ready").await;
        wait_for("what it still ran to go", LONG, async || {
            match world.ipaas.workload("east", "web") {
                None => Ok(()),
                left => Err(left),
            }
        })
        .await;
        let cluster: Cluster = world.get("/clusters/east").await;
        assert!(cluster.evacuation.is_some());
        world.config.take_back_after_ms = 200;
        world.kill_and_start().await;
        wait_for("it to be taken back", LONG, async || {
            let cluster: Cluster = world.get("/clusters/east").await;
            if cluster.evacuation.is_none() {
                Ok(())
            } else {
                Err(cluster)
            }
        })
        .await;
        // Its part may still be seen to be gone.
        wait_for("nothing of the service to be there", LONG, async || {
            let spread = world.spread("web").await;
            if spread == [("west".to_owned(), 4)] {
                Ok(())
            } else {
                Err(spread)
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn when_many_clusters_are_away_together_nothing_moves_by_itself() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 4).await;
        fails_over_by_itself(&world).await;
        for name in ["east", "west"] {
            world.ipaas.change(name, |cluster| cluster.up = false);
        }
        for name in ["east", "west"] {
            wait_for("the brake to be told", LONG, async || {
                let cluster: Cluster = world.get(&format!("/clusters/{name}")).await;
                if cluster
                    .state_reason
                    .ends_with("its evacuation waits for a person")
                {
                    Ok(())
                } else {
                    Err(cluster)
                }
            })
            .await;
            let cluster: Cluster = world.get(&format!("/clusters/{name}")).await;
            assert!(cluster.evacuation.is_none());
        }
        assert_eq!(
            world.spread("web").await,
            [("east".to_owned(), 2), ("west".to_owned(), 2)]
        );
        // One returns: one of two is away now, which is a loss and no blindness.
        world.ipaas.change("west", |cluster| cluster.up = true);
        wait_for("east to be left", LONG, async || {
            let cluster: Cluster = world.get("/clusters/east").await;
            if cluster.evacuation.is_some() {
                Ok(())
            } else {
                Err(cluster)
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn scarce_room_goes_to_the_highest_priority() {
    on_each(async |world| {
        world.furnish().await;
        for (name, priority) in [("a-batch", "low"), ("b-web", "normal"), ("c-shop", "high")] {
            let mut service = new_service(name, 2);
            service["placement"] = json!({ "clusters": ["east"], "priority": priority });
            service["spec"]["resources"] = json!({
                "cpu_request": "3", "cpu_limit": "3", "memory_request": "1Gi", "memory_limit": "1Gi",
            });
            let accepted = world.accepted(Method::POST, SERVICES, &[], service).await;
            world.succeeded(&accepted).await;
            let path = format!("{SERVICES}/{name}");
            let version = world.service(name).await.version.to_string();
            let placement = json!({ "placement": { "priority": priority } });
            let accepted = world
                .accepted(Method::PATCH, &path, &[("if-match", &version)], placement)
                .await;
            world.succeeded(&accepted).await;
        }
        // One node of 8 CPU takes two replicas of the six.
        world.ipaas.change("west", |cluster| cluster.nodes = 1);
        seen_with(&world, "west", 1).await;
        let plan: EvacuationPlan = world.get(EVACUATION).await;
        assert_eq!(plan.replicas_unplaced, 4);
        let told: Vec<_> = plan
            .moves
            .iter()
            .map(|one| (one.service.as_str(), one.priority, one.unplaced))
            .collect();
        assert_eq!(
            told,
            [
                ("b-web", Priority::Normal, 2),
                ("a-batch", Priority::Low, 2),
                ("c-shop", Priority::High, 0)
            ]
        );
        for one in &plan.moves[..2] {
            assert!(
                one.message.contains("higher priority went first"),
                "{}",
                one.message
            );
        }
        order(&world, true).await;
        wait_for("what fits to move", LONG, async || {
            let spread = world.spread("c-shop").await;
            if spread == [("west".to_owned(), 2)] {
                Ok(())
            } else {
                Err(spread)
            }
        })
        .await;
        for name in ["a-batch", "b-web"] {
            let there = world.ipaas.workload("east", name).unwrap();
            assert_eq!(there.ready, 2, "{name} stays until there is room");
            assert!(world.ipaas.workload("west", name).is_none());
        }
    })
    .await;
}
