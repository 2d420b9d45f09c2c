//! Volumes of services: what is refused, what stays, and what goes only when somebody says so.

use api_types::Page;
use api_types::changes::Topic;
use api_types::evacuations::{EvacuationPlan, Handover};
use api_types::failbacks::FailbackPlan;
use api_types::operations::{Operation, OperationState};
use api_types::placement::{RebalancePlan, VolumeLeft};
use api_types::projects::Project;
use api_types::services::{ServiceAccepted, ServiceState};
use api_types::storage::VolumeClaim;
use api_types::usage::UsageItem;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::wait_for;

use crate::change_stream::{followed, until};
use crate::placement::cordon;
use crate::world::{LONG, SERVICES, World, new_service, on_each};

const VOLUMES: &str = "/projects/shop/environments/test/volumes";
const GIB: u64 = 1 << 30;

fn volume(size: &str, access: &str) -> Value {
    json!({ "name": "data", "mount_path": "/var/lib/data", "size": size, "access": access })
}

/// A service of a volume that many nodes can mount.
fn stored(name: &str, replicas: u32, size: &str) -> Value {
    let mut new = new_service(name, replicas);
    new["spec"]["volumes"] = json!([volume(size, "many_nodes")]);
    new
}

fn code((status, reply): &(StatusCode, Value)) -> (u16, &str) {
    (status.as_u16(), reply["code"].as_str().unwrap_or_default())
}

async fn claims(world: &World) -> Vec<VolumeClaim> {
    let page: Page<VolumeClaim> = world.get(VOLUMES).await;
    page.items
}

/// Waits until the claims are as wanted: each its cluster, and whether it is wanted there.
async fn claims_are(world: &World, wanted: &[(&str, bool)]) -> Vec<VolumeClaim> {
    wait_for(&format!("the claims {wanted:?}"), LONG, async || {
        let found = claims(world).await;
        let seen: Vec<(&str, bool)> = found
            .iter()
            .map(|claim| (claim.cluster.as_str(), claim.wanted))
            .collect();
        if seen == wanted { Ok(found) } else { Err(found) }
    })
    .await
}

async fn created(world: &World, new: Value, replicas: u32) {
    let name = new["name"].as_str().unwrap().to_owned();
    world.accepted(Method::POST, SERVICES, &[], new).await;
    let service = world.service_is(&name, ServiceState::Running).await;
    assert_eq!(service.status.ready, replicas);
}

async fn revise(world: &World, name: &str, volumes: Value) -> (StatusCode, Value) {
    let version = world.service(name).await.version.to_string();
    let mut spec = new_service(name, 1)["spec"].clone();
    spec["volumes"] = volumes;
    let path = format!("{SERVICES}/{name}/revisions");
    world
        .call(
            Method::POST,
            &path,
            &[("if-match", &version)],
            json!({ "spec": spec }),
        )
        .await
}

async fn scaled(world: &World, name: &str, replicas: u32) -> (StatusCode, Value) {
    let version = world.service(name).await.version.to_string();
    let path = format!("{SERVICES}/{name}");
    let body = json!({ "replicas": replicas });
    world
        .call(Method::PATCH, &path, &[("if-match", &version)], body)
        .await
}

async fn delete_claim(world: &World, cluster: &str, claim: &str, confirm: &str) -> (StatusCode, Value) {
    let path = format!("{VOLUMES}/{cluster}/{claim}?confirm={confirm}");
    world.call(Method::DELETE, &path, &[], Value::Null).await
}

#[tokio::test]
async fn what_a_volume_can_not_be_is_refused_with_its_code() {
    on_each(async |world| {
        world.furnish().await;
        let mut one = new_service("web", 1);
        one["spec"]["volumes"] = json!([volume("10Gi", "one_node")]);
        let refused = world.post(SERVICES, one.clone()).await;
        assert_eq!(code(&refused), (422, "volume_needs_singleton"), "{refused:?}");
        assert_eq!(
            refused.1["details"]["fields"][0]["field"],
            "spec.volumes[0].access"
        );
        one["placement"] = json!({ "singleton": true });
        created(&world, one, 1).await;

        // It can't stop being one while it has the volume.
        let version = world.service("web").await.version.to_string();
        let path = format!("{SERVICES}/web");
        let body = json!({ "placement": {} });
        let refused = world
            .call(Method::PATCH, &path, &[("if-match", &version)], body)
            .await;
        assert_eq!(code(&refused), (422, "volume_needs_singleton"), "{refused:?}");

        let smaller = revise(&world, "web", json!([volume("9Gi", "one_node")])).await;
        assert_eq!(code(&smaller), (422, "volume_shrinks"));
        let message = smaller.1["message"].as_str().unwrap();
        assert!(message.contains("10 GiB"), "{message}");
        let mut other = volume("10Gi", "one_node");
        other["storage_class"] = json!("fast");
        let other = revise(&world, "web", json!([other])).await;
        assert_eq!(code(&other), (422, "volume_immutable"));
        let other = revise(&world, "web", json!([volume("10Gi", "many_nodes")])).await;
        assert_eq!(code(&other), (422, "volume_immutable"));

        // It grows; an older revision then runs with what there is, and a newer one can't be smaller.
        let grown = revise(&world, "web", json!([volume("20Gi", "one_node")])).await;
        assert_eq!(grown.0, StatusCode::ACCEPTED, "{grown:?}");
        world.service_is("web", ServiceState::Running).await;
        let back = world
            .post(&format!("{SERVICES}/web/releases"), json!({ "revision": 1 }))
            .await;
        assert_eq!(back.0, StatusCode::ACCEPTED, "{back:?}");
        world.service_is("web", ServiceState::Running).await;
        assert_eq!(claims(&world).await[0].claim.requested_bytes, 20 * GIB);
        let smaller = revise(&world, "web", json!([volume("15Gi", "one_node")])).await;
        assert_eq!(code(&smaller), (422, "volume_shrinks"));
    })
    .await;
}

#[tokio::test]
async fn data_stays_until_somebody_deletes_it_by_its_name() {
    on_each(async |world| {
        world.furnish().await;
        created(&world, stored("web", 4, "10Gi"), 4).await;
        let both = claims_are(&world, &[("east", true), ("west", true)]).await;
        assert_eq!((both[0].claim.name.as_str(), both[0].stale), ("web-data", false));
        let refused = delete_claim(&world, "east", "web-data", "web-data").await;
        assert_eq!(code(&refused), (409, "volume_wanted"), "{refused:?}");

        // A revision without the volume leaves the claims.
        let without = revise(&world, "web", json!([])).await;
        assert_eq!(without.0, StatusCode::ACCEPTED, "{without:?}");
        world.service_is("web", ServiceState::Running).await;
        claims_are(&world, &[("east", false), ("west", false)]).await;
        // And binds the volume, should it come back.
        let smaller = revise(&world, "web", json!([volume("5Gi", "many_nodes")])).await;
        assert_eq!(code(&smaller), (422, "volume_shrinks"));

        for (confirm, expected) in [("", "not_confirmed"), ("web", "not_confirmed")] {
            let refused = delete_claim(&world, "east", "web-data", confirm).await;
            assert_eq!(code(&refused), (422, expected), "{refused:?}");
        }
        let in_use = delete_claim(&world, "east", "web-data", "web-data").await;
        assert_eq!(code(&in_use), (409, "volume_in_use"), "{in_use:?}");
        world.ipaas.change("east", |cluster| {
            cluster.claims.values_mut().for_each(|claim| claim.in_use = false);
        });
        let gone = delete_claim(&world, "east", "web-data", "web-data").await;
        assert_eq!(gone.0, StatusCode::NO_CONTENT, "{gone:?}");
        claims_are(&world, &[("west", false)]).await;
        let missing = delete_claim(&world, "east", "web-data", "web-data").await;
        assert_eq!(code(&missing), (404, "not_found"));
    })
    .await;
}

#[tokio::test]
async fn a_deletion_keeps_the_data_unless_it_says_otherwise() {
    on_each(async |world| {
        world.furnish().await;
        for (name, query) in [("keep", ""), ("drop", "?delete_volumes=true")] {
            created(&world, stored(name, 2, "10Gi"), 2).await;
            claims_are(&world, &[("east", true), ("west", true)]).await;
            // It leaves west, where its claim stays.
            assert_eq!(scaled(&world, name, 1).await.0, StatusCode::ACCEPTED);
            world.service_is(name, ServiceState::Running).await;
            let accepted: ServiceAccepted = world
                .accepted(
                    Method::DELETE,
                    &format!("{SERVICES}/{name}{query}"),
                    &[],
                    Value::Null,
                )
                .await;
            let operation = world.operation(&accepted).await;
            let claim = format!("{name}-data on east (10 GiB)");
            assert!(operation.title.contains(&claim), "{}", operation.title);
            world.gone(name, &["east", "west"]).await;
            if query.is_empty() {
                assert!(operation.title.contains("its data stays"), "{}", operation.title);
                let kept = claims_are(&world, &[("east", false), ("west", false)]).await;
                assert!(kept.iter().all(|claim| claim.service == "keep"), "{kept:?}");
                let mut lines = followed(&world).await;
                for cluster in ["east", "west"] {
                    let gone = delete_claim(&world, cluster, "keep-data", "keep-data").await;
                    assert_eq!(gone.0, StatusCode::NO_CONTENT, "{gone:?}");
                    let left: Page<VolumeClaim> = world.get(VOLUMES).await;
                    assert!(
                        left.items.iter().all(|item| item.cluster != cluster),
                        "who reads after a deletion sees it: {left:?}"
                    );
                    until(&mut lines, |change| {
                        // One that is gone names no cluster.
                        change.topic == Topic::Workloads
                            && change.service.as_deref() == Some("keep")
                            && change.cluster.is_none()
                    })
                    .await;
                }
            }
            claims_are(&world, &[]).await;
        }
    })
    .await;
}

#[tokio::test]
async fn storage_counts_for_the_quota_wherever_it_may_come_to_be_and_as_long_as_it_is_kept() {
    on_each(async |world| {
        world.furnish().await;
        let project: Project = world.get("/projects/shop").await;
        let version = project.version.to_string();
        let (status, reply) = world
            .call(
                Method::PUT,
                "/projects/shop/quota",
                &[("if-match", &version)],
                json!({ "storage_bytes": 25 * GIB }),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        // Two replicas may be in two clusters.
        created(&world, stored("web", 2, "10Gi"), 2).await;
        let project: Project = world.get("/projects/shop").await;
        assert_eq!(project.requested.storage_bytes, 20 * GIB);
        let refused = world.post(SERVICES, stored("cart", 1, "6Gi")).await;
        assert_eq!(code(&refused), (422, "quota_exceeded"), "{refused:?}");
        assert_eq!(
            refused.1["details"]["limits"][0],
            json!({ "resource": "storage", "asked": 6 * GIB, "left": 5 * GIB, "limit": 25 * GIB })
        );
        let grown = revise(&world, "web", json!([volume("13Gi", "many_nodes")])).await;
        assert_eq!(code(&grown), (422, "quota_exceeded"), "{grown:?}");
        created(&world, stored("cart", 1, "5Gi"), 1).await;

        // What is kept of a service that is gone counts on.
        let path = format!("{SERVICES}/web");
        world.accepted(Method::DELETE, &path, &[], Value::Null).await;
        world.gone("web", &["east", "west"]).await;
        let project: Project = world.get("/projects/shop").await;
        assert_eq!(project.requested.storage_bytes, 25 * GIB);
        let gone = delete_claim(&world, "east", "web-data", "web-data").await;
        assert_eq!(gone.0, StatusCode::NO_CONTENT, "{gone:?}");
        wait_for("room in the quota", LONG, async || {
            let project: Project = world.get("/projects/shop").await;
            match project.requested.storage_bytes / GIB {
                15 => Ok(()),
                other => Err(other),
            }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn what_can_not_follow_stays_unless_somebody_says_that_it_shall_leave() {
    on_each(async |world| {
        world.furnish().await;
        created(&world, stored("web", 2, "10Gi"), 2).await;
        let mut cache = stored("cache", 2, "1Gi");
        cache["spec"]["volumes"][0]["may_start_empty"] = json!(true);
        created(&world, cache, 2).await;
        let path = "/clusters/east/evacuation";
        let plan: EvacuationPlan = world.get(path).await;
        assert_eq!((plan.services, plan.services_stored), (1, 1));
        let first = &plan.moves[0];
        assert_eq!((first.service.as_str(), first.handover), ("web", Handover::Stays));
        assert_eq!(
            (first.volumes[0].claim.as_str(), first.volumes[0].bytes),
            ("web-data", 10 * GIB)
        );
        assert_eq!(plan.moves[1].volumes[0].claim, "cache-data");
        let plan: EvacuationPlan = world.get(&format!("{path}?include_stored=true")).await;
        assert_eq!((plan.services, plan.services_stored), (2, 0));

        for (include, title, left) in [(false, "stay there", 1), (true, "nothing of", 0)] {
            let (status, reply) = world.post(path, json!({ "include_stored": include })).await;
            assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
            let id = reply["operation"].as_str().unwrap();
            let done: Operation = wait_for("the evacuation to end", LONG, async || {
                let operation: Operation = world.get(&format!("/operations/{id}")).await;
                if operation.state == OperationState::Succeeded {
                    Ok(operation)
                } else {
                    Err(operation)
                }
            })
            .await;
            assert!(done.message.contains(title), "{}", done.message);
            let here = world.ipaas.look("east", |cluster| cluster.workloads.len());
            assert_eq!(here, left);
            assert!(world.ipaas.workload("east", "cache").is_none());
            // The data of both stays in any case.
            assert_eq!(world.ipaas.look("east", |cluster| cluster.claims.len()), 2);
            let (status, reply) = world.call(Method::DELETE, path, &[], Value::Null).await;
            assert_eq!(status, StatusCode::OK, "{reply}");
        }
        // Whoever moves back finds what was stored there.
        let plan: FailbackPlan = world.get("/clusters/east/failback").await;
        let finds: Vec<_> = plan
            .moves
            .iter()
            .map(|one| (one.service.as_str(), one.volumes[0].claim.as_str()))
            .collect();
        assert_eq!(finds, [("cache", "cache-data"), ("web", "web-data")]);
    })
    .await;
}

#[tokio::test]
async fn a_rebalance_says_what_data_stays_where_it_was() {
    on_each(async |world| {
        world.furnish().await;
        cordon(&world, "west", true).await;
        created(&world, new_service("filler", 6), 6).await;
        created(&world, stored("web", 1, "10Gi"), 1).await;
        cordon(&world, "west", false).await;
        let plan: RebalancePlan = world.get(&format!("{SERVICES}/web/rebalance")).await;
        assert_eq!(
            (plan.moves[0].from.as_str(), plan.replicas),
            ("east", 1),
            "{plan:?}"
        );
        assert_eq!(
            plan.volumes,
            [VolumeLeft {
                cluster: "east".to_owned(),
                claim: "web-data".to_owned(),
                bytes: 10 * GIB,
            }]
        );
        // Where replicas stay the data stays in use.
        let plan: RebalancePlan = world.get(&format!("{SERVICES}/filler/rebalance")).await;
        assert_eq!((plan.moves.len(), plan.volumes.len()), (1, 0), "{plan:?}");
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_goes_says_what_data_stays_there() {
    on_each(async |world| {
        world.furnish().await;
        created(&world, stored("keep", 2, "10Gi"), 2).await;
        let path = format!("{SERVICES}/keep");
        world.accepted(Method::DELETE, &path, &[], Value::Null).await;
        world.gone("keep", &["east", "west"]).await;
        claims_are(&world, &[("east", false), ("west", false)]).await;
        let (status, accepted) = world
            .call(Method::DELETE, "/clusters/west", &[], Value::Null)
            .await;
        assert_eq!(status, StatusCode::ACCEPTED, "{accepted}");
        let path = format!("/operations/{}", accepted["operation"].as_str().unwrap());
        let operation = wait_for("the removal", LONG, async || {
            let operation: Operation = world.get(&path).await;
            match operation.state {
                OperationState::Succeeded => Ok(operation),
                _ => Err(operation),
            }
        })
        .await;
        assert_eq!(
            operation.message,
            "it is no longer registered; what is left there is data: keep-data of shop/test/keep (10 GiB)"
        );
        claims_are(&world, &[("east", false)]).await;
    })
    .await;
}

#[tokio::test]
async fn storage_is_metered_and_priced_also_when_its_service_is_gone() {
    on_each(async |mut world| {
        world.metered().await;
        world.furnish().await;
        created(&world, stored("web", 1, "16Gi"), 1).await;
        let path = format!("{SERVICES}/web");
        let enough = async |what: &str, least: f64| {
            wait_for(what, LONG, async || {
                let page: Page<UsageItem> = world.get("/usage?every=total&by=service").await;
                match page.items.into_iter().next() {
                    Some(item) if item.storage_gib_hours >= least => Ok(item),
                    other => Err(other),
                }
            })
            .await
        };
        let seen = enough("storage", 16.0 * 3.0 / 3600.0).await;
        assert_eq!(seen.service.as_deref(), Some("web"));
        world.accepted(Method::DELETE, &path, &[], Value::Null).await;
        world.gone("web", &["east", "west"]).await;
        let then = enough("storage that is kept", seen.storage_gib_hours * 3.0).await;
        assert!(then.counted_hours > seen.counted_hours, "{then:?}");
        world.metering_off().await;
        let prices =
            json!({ "currency": "CNY", "storage_gib_hour": 3600.0, "valid_from": "2026-01-01T00:00:00Z" });
        let (status, reply) = world
            .call(Method::PUT, "/prices", &[("if-match", "0")], prices)
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let page: Page<UsageItem> = world.get("/usage?every=total&by=service").await;
        let item = &page.items[0];
        let cost = item.cost.unwrap();
        assert!((cost - item.storage_gib_hours * 3600.0).abs() < 1e-3, "{item:?}");
        let (_, file) = world
            .call(
                Method::GET,
                "/usage/export?every=total&by=service",
                &[],
                Value::Null,
            )
            .await;
        let text = file.as_str().unwrap();
        assert!(
            text.starts_with("from,to,") && text.contains("storage_gib_hours"),
            "{text}"
        );
    })
    .await;
}
