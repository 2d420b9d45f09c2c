//! `kill -9` at any moment: after the restart what is wanted is reached, and nothing is lost or done twice.

use std::time::Duration;

use api_types::operations::OperationState;
use api_types::services::ServiceState;
use rand::RngExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::wait_for;

use crate::world::{LONG, SERVICES, World, new_service, on_each};

#[tokio::test]
async fn work_under_way_is_taken_up_after_a_kill() {
    on_each(async |mut world| {
        world.furnish().await;
        world.running("web", 2).await;
        // Killed while an apply is on its way to one cluster and the other is done.
        world.ipaas.change("west", |cluster| cluster.hangs = true);
        let accepted = world
            .accepted(
                Method::POST,
                &format!("{SERVICES}/web/releases"),
                &[],
                json!({ "image": "registry.example.com/shop/web:2" }),
            )
            .await;
        world.runs("east", "web", 2, 1).await;
        world.kill().await;
        world.ipaas.change("west", |cluster| cluster.hangs = false);
        world.start().await;
        let operation = world.succeeded(&accepted).await;
        world.runs("west", "web", 2, 1).await;
        assert_eq!(operation.steps.len(), 3);
        let page: api_types::Page<Value> = world.get("/operations").await;
        assert_eq!(page.items.len(), 2, "one for the creation, one for the release");
    })
    .await;
}

#[tokio::test]
async fn a_restart_shows_what_was_known_before() {
    on_each(async |mut world| {
        world.furnish().await;
        world.running("web", 2).await;
        let applies = world.ipaas.look("east", |cluster| cluster.applies);
        world.kill_and_start().await;
        let service = world.service("web").await;
        assert_eq!(
            service.status.state,
            ServiceState::Running,
            "not unknown for a restart"
        );
        assert_eq!(service.status.ready, 2);
        // A whole pass goes by, and nothing is sent again.
        world.running("other", 2).await;
        assert_eq!(world.ipaas.look("east", |cluster| cluster.applies), applies + 1);
    })
    .await;
}

#[tokio::test]
async fn a_deletion_survives_a_kill() {
    on_each(async |mut world| {
        world.furnish().await;
        world.running("web", 2).await;
        world.ipaas.change("west", |cluster| cluster.stops = false);
        let accepted = world
            .accepted(Method::DELETE, &format!("{SERVICES}/web"), &[], json!(null))
            .await;
        wait_for("the removal", LONG, async || {
            match world.ipaas.workload("west", "web") {
                Some(workload) if workload.leaving => Ok(()),
                other => Err(other),
            }
        })
        .await;
        world.kill_and_start().await;
        world.ipaas.change("west", |cluster| {
            cluster.stops = true;
            cluster.workloads.clear();
        });
        world.succeeded(&accepted).await;
        world.gone("web", &["east", "west"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_registration_cut_off_in_the_middle_is_swept_away() {
    on_each(async |mut world| {
        world.register("east", "east").await;
        world.ipaas.add("west");
        use sea_orm::ConnectionTrait as _;
        // As it is when the service dies between the row and ipaas's answer.
        world.kill().await;
        let id = uuid::Uuid::now_v7();
        let literal = match world.database.connection.get_database_backend() {
            sea_orm::DatabaseBackend::Sqlite => format!("X'{}'", id.simple()),
            _ => format!("'{id}'"),
        };
        world
            .database
            .connection
            .execute_unprepared(&format!(
                "INSERT INTO clusters (id, name, region, zone, labels, cordoned, prometheus_url, phase, \
                 state, state_reason, state_since, observed, last_contact, version, created_at, updated_at, updated_by) \
                 SELECT {literal}, 'west', region, zone, labels, cordoned, prometheus_url, 'registering', \
                 state, state_reason, state_since, observed, last_contact, version, created_at, updated_at, updated_by \
                 FROM clusters"
            ))
            .await
            .unwrap();
        world.start().await;
        let page: api_types::Page<Value> = world.get("/clusters").await;
        assert_eq!(page.items.len(), 1, "half a cluster isn't shown");
        let body = json!({ "name": "west", "region": "west", "kubeconfig": crate::ipaas::kubeconfig("west") });
        wait_for("the name to be free again", LONG, async || {
            let (status, reply) = world.post("/clusters", body.clone()).await;
            if status.is_success() { Ok(()) } else { Err(reply) }
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn two_replicas_share_the_work_and_one_takes_over() {
    on_each(async |mut world| {
        world.furnish().await;
        world.running("web", 2).await;
        let before = world.ipaas.look("east", |cluster| cluster.applies);
        // The second accepts what the first, which leads, carries out; nothing is done twice.
        let first = world.service.take().unwrap();
        world.service = Some(world.another().await);
        world.running("cart", 2).await;
        assert_eq!(world.ipaas.look("east", |cluster| cluster.applies), before + 1);
        // One that was overtaken while it was paused is turned away, and the other goes on.
        first.kill();
        world.end_lease().await;
        world.running("books", 2).await;
        assert_eq!(world.ipaas.look("east", |cluster| cluster.applies), before + 2);
    })
    .await;
}

/// Random changes, outages and kills; in the end everything is as it was last asked for.
#[tokio::test]
async fn random_kills_lose_nothing() {
    on_each(async |mut world| {
        let seed = seed();
        println!("seed {seed}");
        let mut random = <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(seed);
        world.furnish().await;
        let mut accepted = Vec::new();
        for name in ["web", "cart"] {
            accepted.push(
                world
                    .accepted(Method::POST, SERVICES, &[], new_service(name, 3))
                    .await,
            );
        }
        for step in 0..20 {
            // Time passes, so that the next blow falls on any stage of the work.
            tokio::time::sleep(Duration::from_millis(random.random_range(0..120))).await;
            let name = if random.random_bool(0.5) { "web" } else { "cart" };
            match random.random_range(0..5) {
                0 => world.kill_and_start().await,
                1 => {
                    let cluster = if random.random_bool(0.5) { "east" } else { "west" };
                    world.ipaas.change(cluster, |cluster| cluster.up = !cluster.up);
                }
                2 => {
                    let version = world.service(name).await.version.to_string();
                    let replicas = random.random_range(1..6);
                    let path = format!("{SERVICES}/{name}");
                    let (status, reply) = world
                        .call(
                            Method::PATCH,
                            &path,
                            &[("if-match", &version)],
                            json!({ "replicas": replicas }),
                        )
                        .await;
                    assert!(status.is_success(), "{reply}");
                }
                _ => {
                    let body = json!({ "image": format!("registry.example.com/shop/{name}:1.{step}") });
                    accepted.push(
                        world
                            .accepted(Method::POST, &format!("{SERVICES}/{name}/releases"), &[], body)
                            .await,
                    );
                }
            }
        }
        for cluster in ["east", "west"] {
            world.ipaas.change(cluster, |cluster| {
                cluster.up = true;
                cluster.hangs = false;
            });
        }
        for name in ["web", "cart"] {
            wait_for(
                &format!("{name} to be as it was last asked for"),
                LONG,
                async || as_wanted(&world, name).await,
            )
            .await;
        }
        for one in &accepted {
            let operation = world.operation(one).await;
            assert!(
                matches!(
                    operation.state,
                    OperationState::Succeeded | OperationState::Superseded
                ),
                "{operation:?}"
            );
        }
    })
    .await;
}

/// Whether the clusters really run what is wanted of a service, no less and no more, and the API says so.
/// A call that a dead service had sent may arrive late, so this may take a moment even after all was well.
async fn as_wanted(world: &World, name: &str) -> Result<(), String> {
    let service = world.service(name).await;
    if service.status.state != ServiceState::Running {
        return Err(format!("{:?}", service.status));
    }
    let assignments = world.assignments(name).await;
    let mut replicas = 0;
    for cluster in ["east", "west"] {
        let assigned = assignments
            .iter()
            .find(|assignment| assignment.cluster == cluster);
        match (assigned, world.ipaas.workload(cluster, name)) {
            (None, None) => {}
            (Some(assignment), Some(workload))
                if workload.replicas == assignment.replicas
                    && workload.desired.revision == service.revision
                    && workload.desired.spec.image == service.image =>
            {
                replicas += workload.replicas;
            }
            other => return Err(format!("{cluster}: {other:?}")),
        }
    }
    if replicas == service.replicas {
        Ok(())
    } else {
        Err(format!("{replicas} replicas run"))
    }
}

/// From `LONGSHORE_TEST_SEED`, to replay a failure; random otherwise.
fn seed() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the test run, not a setting of the service"
    )]
    let given = std::env::var("LONGSHORE_TEST_SEED").ok();
    given.map_or_else(rand::random, |seed| {
        seed.parse().expect("LONGSHORE_TEST_SEED is a number")
    })
}
