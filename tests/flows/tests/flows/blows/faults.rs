//! What breaks, and for how long.

use std::time::Duration;

use flows::proxy::{Mode, Proxy};
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::json;

use super::instance::Instance;
use super::users::NAMES;
use super::world::{NAMESPACE, Slot, World};

/// One blow after the other; each is over before the next.
pub async fn strike(world: &World, mut random: StdRng, blows: u32) {
    for _ in 0..blows {
        pause(random.random_range(0..250)).await;
        let cluster = random.random_range(0..world.clusters.len());
        match random.random_range(0..14) {
            0 | 1 => {
                let replica = random.random_range(0..world.managers.len());
                kill(&world.managers[replica]).await;
                pause(random.random_range(0..600)).await;
                world.start_manager(replica).await;
            }
            2 => {
                kill(&world.ipaas).await;
                pause(random.random_range(0..600)).await;
                world.start_ipaas().await;
            }
            3 => {
                // Long enough to be called unreachable, or not.
                let long = random.random_range(100..3_000);
                break_way(&world.clusters[cluster].way, Mode::Shut, long).await;
            }
            4 => flap(&world.clusters[cluster].way, &mut random).await,
            5 => {
                let mode = some_mode(&mut random);
                break_way(
                    &world.clusters[cluster].way,
                    mode,
                    random.random_range(100..1_500),
                )
                .await;
            }
            6 => {
                // The history of changes is forgotten, and the watches break: they must list anew.
                world.cluster(world.clusters[cluster].name).compact();
                world.clusters[cluster].way.cut();
            }
            7 => {
                let mode = some_mode(&mut random);
                break_way(&world.ipaas_way, mode, random.random_range(100..1_000)).await;
            }
            8 | 9 => {
                if let Some(way) = &world.database_way {
                    let mode = some_mode(&mut random);
                    break_way(way, mode, random.random_range(100..1_500)).await;
                }
            }
            10 => {
                let door = random.random_range(0..world.doors.len());
                let mode = some_mode(&mut random);
                break_way(&world.doors[door], mode, random.random_range(50..500)).await;
            }
            11 => {
                kill(&world.portal).await;
                pause(random.random_range(0..600)).await;
                world.start_portal().await;
            }
            12 => {
                let mode = some_mode(&mut random);
                break_way(&world.portal_way, mode, random.random_range(50..500)).await;
            }
            _ => meddle(world, cluster, &mut random).await,
        }
    }
}

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

async fn kill(slot: &Slot) {
    let instance: Option<Instance> = slot.lock().await.take();
    if let Some(instance) = instance {
        instance.kill().await;
    }
}

fn some_mode(random: &mut StdRng) -> Mode {
    match random.random_range(0..4) {
        0 => Mode::Shut,
        1 => Mode::Silent,
        2 => Mode::Slow(Duration::from_millis(random.random_range(5..80))),
        _ => Mode::TornAfter(random.random_range(1..20_000)),
    }
}

async fn break_way(way: &Proxy, mode: Mode, milliseconds: u64) {
    way.set(mode);
    pause(milliseconds).await;
    way.set(Mode::Pass);
    // What fell silent may never speak again.
    if mode == Mode::Silent {
        way.cut();
    }
}

async fn flap(way: &Proxy, random: &mut StdRng) {
    for _ in 0..random.random_range(2..6) {
        break_way(way, Mode::Shut, random.random_range(20..400)).await;
        pause(random.random_range(20..400)).await;
    }
}

/// Somebody with kubectl.
async fn meddle(world: &World, cluster: usize, random: &mut StdRng) {
    let deployments: Api<Deployment> = Api::namespaced(world.clusters[cluster].client.clone(), NAMESPACE);
    let name = NAMES[random.random_range(0..NAMES.len())];
    if random.random_bool(0.5) {
        let replicas = json!({ "spec": { "replicas": random.random_range(0..5) } });
        // It may not be there.
        let _ = deployments
            .patch_scale(name, &PatchParams::default(), &Patch::Merge(replicas))
            .await;
    } else {
        let _ = deployments.delete(name, &DeleteParams::background()).await;
    }
}
