//! Placement as the API shows it.

use api_types::clusters::{FreeNodes, FreeRoom, ResourceAmounts};
use api_types::operations::OperationState;
use api_types::placement::{PlacementExplanation, PlacementPreview, RebalancePlan};
use api_types::projects::Project;
use api_types::services::{Revision, ServiceState};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{SERVICES, World, new_service, on_each};

const SMALL: &str = "250m";

async fn preview(world: &World, body: Value) -> PlacementPreview {
    let (status, reply) = world.post(&format!("{SERVICES}/preview"), body).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    serde_json::from_value(reply).unwrap()
}

fn planned(preview: &PlacementPreview) -> Vec<(String, u32)> {
    preview
        .assignments
        .iter()
        .filter(|planned| planned.replicas > 0)
        .map(|planned| (planned.cluster.clone(), planned.replicas))
        .collect()
}

/// Nodes of 8 CPU and 32 GiB with so much CPU free on each.
fn free(nodes: u32, cpu_millicores: u64) -> FreeRoom {
    FreeRoom {
        nodes: vec![FreeNodes {
            nodes,
            free: ResourceAmounts {
                cpu_millicores,
                memory_bytes: 32 << 30,
                pods: 100,
                gpus: 0,
            },
            gpus_only: false,
        }],
        waiting: ResourceAmounts::default(),
    }
}

#[tokio::test]
async fn gpus_are_placed_where_there_are_any_and_said_to_lack_elsewhere() {
    on_each(async |world| {
        world.furnish().await;
        let asked = |gpus: Value| {
            json!({ "replicas": 5, "resources": {
                "cpu_request": "1", "cpu_limit": "1", "memory_request": "1Gi", "memory_limit": "1Gi", "gpus": gpus,
            } })
        };
        let path = format!("{SERVICES}/preview");
        let path = path.as_str();
        let (status, reply) = world.post(path, asked(json!(2))).await;
        assert_eq!(
            (status, reply["code"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("does_not_fit")),
            "{reply}"
        );
        assert!(
            reply["message"].as_str().unwrap().contains("1 GiB and 2 GPUs; the largest node"),
            "{reply}"
        );
        assert!(reply["message"].as_str().unwrap().contains("and no GPUs."), "{reply}");
        for bad in [json!(0.5), json!(-1), json!("1"), json!(65)] {
            let (status, reply) = world.post(path, asked(bad.clone())).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}: {reply}");
            assert!(reply.to_string().contains("gpus"), "{bad}: {reply}");
        }
        // Three nodes with 4 each: 5 for 2 GPUs fit; with 3 GPUs each node takes one.
        world.ipaas.change("east", |cluster| {
            let node = ResourceAmounts {
                gpus: 4,
                ..cluster.node
            };
            cluster.node = node;
            cluster.free = Some(FreeRoom {
                nodes: vec![FreeNodes {
                    nodes: 3,
                    free: node,
                    gpus_only: false,
                }],
                waiting: ResourceAmounts::default(),
            });
        });
        let plan = test_support::wait_for("the GPUs to be seen", crate::world::LONG, async || {
            let (status, reply) = world.post(path, asked(json!(2))).await;
            if status == StatusCode::OK {
                Ok(serde_json::from_value::<PlacementPreview>(reply).unwrap())
            } else {
                Err(reply)
            }
        })
        .await;
        assert_eq!(planned(&plan), [("east".to_owned(), 5)]);
        let west = plan.assignments.iter().find(|planned| planned.cluster == "west").unwrap();
        assert_eq!(west.reason.bounds, ["gpus"]);
        assert_eq!(west.reason.message, "gets none: the cluster has no GPUs");
        let plan = preview(&world, asked(json!(3))).await;
        assert_eq!((planned(&plan), plan.unplaced), (vec![("east".to_owned(), 3)], 2));
        assert!(
            plan.message.contains("2 of 5 replicas fit nowhere") && plan.message.contains("west has no GPUs"),
            "{}",
            plan.message
        );
        // It runs there, and what it asks for is what it has.
        let mut new = new_service("train", 2);
        new["spec"]["resources"]["gpus"] = 2.into();
        world.accepted(Method::POST, SERVICES, &[], new).await;
        world.runs("east", "train", 1, 2).await;
        let project: Project = world.get("/projects/shop").await;
        assert_eq!(project.requested.gpus, 4);
        let revision: Revision = world.get(&format!("{SERVICES}/train/revisions/1")).await;
        assert_eq!(revision.spec.resources.gpus, 2);
        // Of a quota of 5 one is left, and another replica would ask for two.
        let version = project.version.to_string();
        let quota = json!({ "gpus": 5 });
        let (status, reply) = world
            .call(Method::PUT, "/projects/shop/quota", &[("if-match", &version)], quota)
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let version = world.service("train").await.version.to_string();
        let path = format!("{SERVICES}/train");
        let more = json!({ "replicas": 3 });
        let (status, reply) = world
            .call(Method::PATCH, &path, &[("if-match", &version)], more)
            .await;
        assert_eq!(
            (status, reply["code"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("quota_exceeded")),
            "{reply}"
        );
        let limit = json!({ "resource": "gpus", "asked": 2, "left": 1, "limit": 5 });
        assert_eq!(reply["details"]["limits"], json!([limit]));
    })
    .await;
}

#[tokio::test]
async fn what_is_free_in_crumbs_is_no_room() {
    on_each(async |world| {
        world.furnish().await;
        // 12 of 24 CPU are free on each, on west in crumbs.
        world
            .ipaas
            .change("east", |cluster| cluster.free = Some(free(2, 6_000)));
        world
            .ipaas
            .change("west", |cluster| cluster.free = Some(free(6, 2_000)));
        let asked = json!({ "replicas": 4, "resources": {
            "cpu_request": "3", "cpu_limit": "3", "memory_request": "1Gi", "memory_limit": "1Gi",
        } });
        let plan = test_support::wait_for("the crumbs to be seen", crate::world::LONG, async || {
            let plan = preview(&world, asked.clone()).await;
            if planned(&plan) == [("east".to_owned(), 4)] {
                Ok(plan)
            } else {
                Err(plan)
            }
        })
        .await;
        assert_eq!(plan.unplaced, 0);
        let west = &plan.assignments[1];
        assert_eq!(
            (west.reason.message.as_str(), west.reason.capacity),
            ("no room for a replica", Some(0))
        );
        // People see how much is free in all; the nodes one by one are listed elsewhere.
        let cluster: Value = world.get("/clusters/west").await;
        assert!(cluster["observed"].is_object() && cluster["observed"]["free"].is_null());
    })
    .await;
}

#[tokio::test]
async fn a_preview_tells_what_happens_then() {
    on_each(async |world| {
        world.furnish().await;
        world.ipaas.change("west", |cluster| cluster.nodes = 1);
        // The smaller cluster shows in the preview once it was observed.
        let service = new_service("web", 8);
        let resources = service["spec"]["resources"].clone();
        let asked = json!({ "replicas": 8, "resources": resources });
        let plan = test_support::wait_for("west to be smaller", crate::world::LONG, async || {
            let plan = preview(&world, asked.clone()).await;
            if planned(&plan) == [("east".to_owned(), 6), ("west".to_owned(), 2)] {
                Ok(plan)
            } else {
                Err(plan)
            }
        })
        .await;
        assert_eq!(
            (plan.unplaced, plan.message.as_str()),
            (0, "8 replicas on 2 clusters")
        );
        let accepted = world.accepted(Method::POST, SERVICES, &[], service).await;
        world.succeeded(&accepted).await;
        assert_eq!(world.spread("web").await, planned(&plan));

        let more = json!({ "service": "web", "replicas": 12, "resources": resources });
        let plan = preview(&world, more).await;
        let version = world.service("web").await.version.to_string();
        let accepted = world
            .accepted(
                Method::PATCH,
                &format!("{SERVICES}/web"),
                &[("if-match", &version)],
                json!({ "replicas": 12 }),
            )
            .await;
        world.succeeded(&accepted).await;
        assert_eq!(world.spread("web").await, planned(&plan));
    })
    .await;
}

#[tokio::test]
async fn weights_pins_and_minimums_are_followed() {
    on_each(async |world| {
        world.furnish().await;
        let path = format!("{SERVICES}/web");
        let mut service = new_service("web", 8);
        service["placement"] =
            json!({ "strategy": { "type": "weights", "weights": { "east": 3, "west": 1 } } });
        let accepted = world.accepted(Method::POST, SERVICES, &[], service).await;
        world.succeeded(&accepted).await;
        assert_eq!(
            world.spread("web").await,
            [("east".to_owned(), 6), ("west".to_owned(), 2)]
        );
        for (placement, spread) in [
            (
                json!({ "strategy": { "type": "weights", "weights": { "east": 1, "west": 1 } } }),
                [4, 4],
            ),
            (
                json!({ "strategy": { "type": "pinned", "replicas": { "east": 1, "west": 2 } } }),
                [1, 2],
            ),
            (
                json!({ "strategy": { "type": "free_capacity" }, "min_per_cluster": 1 }),
                [1, 2],
            ),
        ] {
            let version = world.service("web").await.version.to_string();
            let accepted = world
                .accepted(
                    Method::PATCH,
                    &path,
                    &[("if-match", &version)],
                    json!({ "placement": placement }),
                )
                .await;
            world.succeeded(&accepted).await;
            let seen: Vec<u32> = world
                .spread("web")
                .await
                .iter()
                .map(|(_, count)| *count)
                .collect();
            assert_eq!(seen, spread, "{placement}");
        }
        assert_eq!(world.service("web").await.replicas, 3, "the sum of the pins");
    })
    .await;
}

#[tokio::test]
async fn pinned_replicas_are_changed_by_their_pins() {
    on_each(async |world| {
        world.furnish().await;
        let mut service = new_service("web", 1);
        service["placement"] = json!({ "strategy": { "type": "pinned", "replicas": { "west": 2 } } });
        let accepted = world.accepted(Method::POST, SERVICES, &[], service).await;
        assert_eq!(accepted.service.replicas, 2);
        let reply = world
            .refused(
                Method::PATCH,
                &format!("{SERVICES}/web"),
                &[("if-match", "1")],
                json!({ "replicas": 5 }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_spec",
            )
            .await;
        assert_eq!(reply["details"]["fields"][0]["field"], "replicas");
    })
    .await;
}

#[tokio::test]
async fn what_fits_nowhere_waits_for_room_and_says_so() {
    on_each(async |world| {
        world.furnish().await;
        // 3 nodes of 8 CPU on each: 12 of these in all.
        let mut large = new_service("web", 14);
        large["spec"]["resources"] =
            json!({ "cpu_request": "4", "cpu_limit": "4", "memory_request": "1Gi", "memory_limit": "1Gi" });
        let accepted = world.accepted(Method::POST, SERVICES, &[], large).await;
        let operation = world.operation_is(&accepted, OperationState::Waiting).await;
        assert!(
            operation.message.contains("2 of 14 replicas fit nowhere: east has room for 6, west has room for 6"),
            "{}",
            operation.message
        );
        let service = world.service_is("web", ServiceState::Degraded).await;
        assert!(service.status.message.contains("2 of 14 replicas fit nowhere"));
        // There is no room left for anybody else either.
        let plan = preview(
            &world,
            json!({ "replicas": 1, "resources": { "cpu_request": SMALL, "cpu_limit": SMALL, "memory_request": "64Mi", "memory_limit": "64Mi" } }),
        )
        .await;
        assert_eq!(plan.unplaced, 1);
        world.ipaas.change("west", |cluster| cluster.nodes = 4);
        world.succeeded(&accepted).await;
        let service = world.service_is("web", ServiceState::Running).await;
        assert_eq!(service.status.ready, 14);
        assert_eq!(world.spread("web").await, [("east".to_owned(), 6), ("west".to_owned(), 8)]);
    })
    .await;
}

#[tokio::test]
async fn many_services_at_once_share_the_room_without_overcommitting() {
    on_each(async |world| {
        world.furnish().await;
        let calls = (0..12).map(|number| {
            let mut service = new_service(&format!("web-{number}"), 1);
            service["spec"]["resources"] =
                json!({ "cpu_request": "4", "cpu_limit": "4", "memory_request": "1Gi", "memory_limit": "1Gi" });
            world.call(Method::POST, SERVICES, &[], service)
        });
        for (status, reply) in futures::future::join_all(calls).await {
            assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
        }
        for number in 0..12 {
            world.service_is(&format!("web-{number}"), ServiceState::Running).await;
        }
        for cluster in ["east", "west"] {
            assert_eq!(world.ipaas.look(cluster, |cluster| cluster.workloads.len()), 6);
        }
    })
    .await;
}

async fn spread_is(world: &World, name: &str, expected: &[(&str, u32)]) {
    test_support::wait_for(
        &format!("{name} to be on {expected:?}"),
        crate::world::LONG,
        async || {
            let spread = world.spread(name).await;
            let same = spread.len() == expected.len()
                && spread
                    .iter()
                    .zip(expected)
                    .all(|((cluster, replicas), (name, count))| cluster == name && replicas == count);
            if same { Ok(()) } else { Err(spread) }
        },
    )
    .await;
}

#[tokio::test]
async fn replicas_that_no_node_takes_go_where_there_is_room() {
    on_each(async |world| {
        world.furnish().await;
        world.ipaas.change("east", |cluster| cluster.takes = Some(1));
        let accepted = world
            .accepted(Method::POST, SERVICES, &[], new_service("web", 4))
            .await;
        // Two went to each; one of those on east found no node.
        world.succeeded(&accepted).await;
        spread_is(&world, "web", &[("east", 1), ("west", 3)]).await;
        let service = world.service_is("web", ServiceState::Running).await;
        assert_eq!(service.status.ready, 4);
        let reason = &world.assignments("web").await[0].reason;
        assert_eq!(
            (reason.previous, reason.bounds.as_slice()),
            (2, ["given_back".to_owned()].as_slice())
        );
        assert!(reason.message.contains("found no node"), "{}", reason.message);
        world.runs("east", "web", 1, 1).await;
        // What comes new doesn't go there for a while.
        let version = service.version.to_string();
        let path = format!("{SERVICES}/web");
        let accepted = world
            .accepted(
                Method::PATCH,
                &path,
                &[("if-match", &version)],
                json!({ "replicas": 7 }),
            )
            .await;
        world.succeeded(&accepted).await;
        spread_is(&world, "web", &[("east", 1), ("west", 6)]).await;
    })
    .await;
}

#[tokio::test]
async fn replicas_that_no_node_takes_stay_while_there_is_no_room_elsewhere() {
    on_each(async |world| {
        world.furnish().await;
        world.ipaas.change("east", |cluster| cluster.takes = Some(1));
        world
            .ipaas
            .change("west", |cluster| cluster.free = Some(free(1, 100)));
        test_support::wait_for("west to be full", crate::world::LONG, async || {
            let plan = preview(
                &world,
                json!({ "replicas": 2, "resources": new_service("web", 2)["spec"]["resources"] }),
            )
            .await;
            if planned(&plan) == [("east".to_owned(), 2)] {
                Ok(())
            } else {
                Err(plan)
            }
        })
        .await;
        world
            .accepted(Method::POST, SERVICES, &[], new_service("web", 2))
            .await;
        test_support::wait_for("one to wait for a node", crate::world::LONG, async || {
            let assignments = world.assignments("web").await;
            let waits = assignments
                .first()
                .and_then(|assignment| assignment.observed.as_ref())
                .and_then(|seen| seen.unschedulable_since)
                .is_some_and(|since| platform::time::now() - since > chrono::Duration::seconds(1));
            if waits { Ok(()) } else { Err(assignments) }
        })
        .await;
        spread_is(&world, "web", &[("east", 2)]).await;
        // Room comes, and it goes there.
        world
            .ipaas
            .change("west", |cluster| cluster.free = Some(free(1, 4_000)));
        spread_is(&world, "web", &[("east", 1), ("west", 1)]).await;
    })
    .await;
}

#[tokio::test]
async fn a_spread_limit_moves_what_is_too_much_in_one_place() {
    on_each(async |world| {
        world.furnish().await;
        let mut service = new_service("web", 8);
        let mut placement = json!({ "strategy": { "type": "weights", "weights": { "east": 3, "west": 1 } } });
        service["placement"] = placement.clone();
        let accepted = world.accepted(Method::POST, SERVICES, &[], service).await;
        world.succeeded(&accepted).await;
        spread_is(&world, "web", &[("east", 6), ("west", 2)]).await;
        let path = format!("{SERVICES}/web");
        let version = world.service("web").await.version.to_string();
        placement["max_percent_per_region"] = json!(0);
        let refused = world
            .refused(
                Method::PATCH,
                &path,
                &[("if-match", &version)],
                json!({ "placement": placement }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_spec",
            )
            .await;
        assert!(
            refused.to_string().contains("placement.max_percent_per_region"),
            "{refused}"
        );
        placement["max_percent_per_region"] = json!(50);
        let accepted = world
            .accepted(
                Method::PATCH,
                &path,
                &[("if-match", &version)],
                json!({ "placement": placement }),
            )
            .await;
        world.succeeded(&accepted).await;
        spread_is(&world, "web", &[("east", 4), ("west", 4)]).await;
        let reason = &world.assignments("web").await[0].reason;
        assert_eq!(reason.bounds, ["spread_limit"]);
    })
    .await;
}

#[tokio::test]
async fn a_taint_keeps_services_away_that_do_not_tolerate_it() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 2).await;
        let taint = async |taints: Value| {
            let cluster: Value = world.get("/clusters/east").await;
            let version = cluster["version"].to_string();
            world
                .call(
                    Method::PATCH,
                    "/clusters/east",
                    &[("if-match", &version)],
                    json!({ "taints": taints }),
                )
                .await
        };
        let (status, reply) = taint(json!([{ "key": "-x" }])).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{reply}");
        let (status, reply) = taint(json!([{ "key": "dedicated", "value": "batch" }])).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        assert_eq!(reply["taints"][0]["effect"], "no_placement");
        // What is there stays; what is new goes elsewhere, unless it tolerates the taint.
        world.running("cart", 2).await;
        assert_eq!(world.spread("cart").await, [("west".to_owned(), 2)]);
        assert_eq!(
            world.spread("web").await,
            [("east".to_owned(), 1), ("west".to_owned(), 1)]
        );
        let mut batch = new_service("batch", 2);
        batch["placement"] = json!({ "clusters": ["east"], "tolerations": [{ "key": "dedicated" }] });
        let accepted = world.accepted(Method::POST, SERVICES, &[], batch).await;
        world.succeeded(&accepted).await;
        assert_eq!(world.spread("batch").await, [("east".to_owned(), 2)]);
        // An evicting one moves the others away.
        let (status, reply) =
            taint(json!([{ "key": "dedicated", "value": "batch", "effect": "evict" }])).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        spread_is(&world, "web", &[("west", 2)]).await;
        assert_eq!(world.spread("batch").await, [("east".to_owned(), 2)]);
        world.service_is("web", ServiceState::Running).await;
    })
    .await;
}

#[tokio::test]
async fn services_that_avoid_each_other_share_no_cluster() {
    on_each(async |world| {
        world.furnish().await;
        let mut web = new_service("web", 1);
        web["placement"] = json!({ "clusters": ["east"] });
        let accepted = world.accepted(Method::POST, SERVICES, &[], web).await;
        world.succeeded(&accepted).await;
        let mut rival = new_service("rival", 2);
        rival["placement"] = json!({ "avoid": ["rival"] });
        world
            .refused(
                Method::POST,
                SERVICES,
                &[],
                rival.clone(),
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_spec",
            )
            .await;
        rival["placement"] = json!({ "avoid": ["web"] });
        let accepted = world.accepted(Method::POST, SERVICES, &[], rival).await;
        world.succeeded(&accepted).await;
        assert_eq!(world.spread("rival").await, [("west".to_owned(), 2)]);
        // It holds for the one that is avoided as well.
        let path = format!("{SERVICES}/web");
        let version = world.service("web").await.version.to_string();
        let accepted = world
            .accepted(
                Method::PATCH,
                &path,
                &[("if-match", &version)],
                json!({ "replicas": 3, "placement": {} }),
            )
            .await;
        world.succeeded(&accepted).await;
        assert_eq!(world.spread("web").await, [("east".to_owned(), 3)]);
        // One that is told to avoid another it is with moves away.
        world.running("batch", 2).await;
        let version = world.service("batch").await.version.to_string();
        let accepted = world
            .accepted(
                Method::PATCH,
                &format!("{SERVICES}/batch"),
                &[("if-match", &version)],
                json!({ "placement": { "avoid": ["rival"] } }),
            )
            .await;
        world.succeeded(&accepted).await;
        spread_is(&world, "batch", &[("east", 2)]).await;
    })
    .await;
}

pub async fn cordon(world: &World, name: &str, cordoned: bool) {
    let path = format!("/clusters/{name}");
    let cluster: Value = world.get(&path).await;
    let version = cluster["version"].to_string();
    let (status, reply) = world
        .call(
            Method::PATCH,
            &path,
            &[("if-match", &version)],
            json!({ "cordoned": cordoned }),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{reply}");
}

#[tokio::test]
async fn a_rebalance_tells_its_moves_and_makes_as_many_as_one_wants() {
    on_each(async |world| {
        world.furnish().await;
        cordon(&world, "west", true).await;
        world.running("web", 6).await;
        // Why it is there, and why not elsewhere.
        let told: PlacementExplanation = world.get(&format!("{SERVICES}/web/placement")).await;
        let each: Vec<_> = told
            .clusters
            .iter()
            .map(|one| (one.cluster.as_str(), one.replicas, one.decided_at.is_some()))
            .collect();
        assert_eq!(each, [("east", 6, true), ("west", 0, false)]);
        assert_eq!(told.clusters[1].reason.bounds, ["cordoned"]);
        assert_eq!(
            told.clusters[1].reason.message,
            "gets none: the cluster is cordoned"
        );
        let path = format!("{SERVICES}/web/rebalance");
        let balanced = async || {
            let refused = world
                .refused(
                    Method::POST,
                    &path,
                    &[],
                    json!({}),
                    StatusCode::CONFLICT,
                    "already_balanced",
                )
                .await;
            let plan: RebalancePlan = world.get(&path).await;
            assert_eq!((plan.replicas, plan.moves), (0, vec![]), "{refused}");
        };
        balanced().await;
        cordon(&world, "west", false).await;
        assert_eq!(
            world.spread("web").await,
            [("east".to_owned(), 6)],
            "nothing moves by itself"
        );
        let plan: RebalancePlan = world.get(&path).await;
        let told: Vec<_> = plan
            .moves
            .iter()
            .map(|one| (one.from.as_str(), one.to.as_str(), one.replicas))
            .collect();
        assert_eq!(
            (told.as_slice(), plan.replicas),
            ([("east", "west", 3)].as_slice(), 3)
        );
        world
            .refused(
                Method::POST,
                &path,
                &[],
                json!({ "max_moves": 0 }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_spec",
            )
            .await;
        // Two move, and stay where they were until their places are ready.
        world.ipaas.change("west", |cluster| cluster.starts = false);
        let accepted = world
            .accepted(Method::POST, &path, &[], json!({ "max_moves": 2 }))
            .await;
        world.runs("west", "web", 1, 2).await;
        assert_eq!(world.ipaas.workload("east", "web").unwrap().ready, 6);
        world.ipaas.change("west", |cluster| {
            cluster.starts = true;
            for workload in cluster.workloads.values_mut() {
                workload.ready = workload.replicas;
            }
        });
        world.succeeded(&accepted).await;
        world.runs("east", "web", 1, 4).await;
        assert_eq!(
            world.spread("web").await,
            [("east".to_owned(), 4), ("west".to_owned(), 2)]
        );
        let reason = &world.assignments("web").await[0].reason;
        assert!(reason.bounds.contains(&"max_moves".to_owned()), "{reason:?}");
        let accepted = world.accepted(Method::POST, &path, &[], json!({})).await;
        world.succeeded(&accepted).await;
        spread_is(&world, "web", &[("east", 3), ("west", 3)]).await;
        balanced().await;
    })
    .await;
}
