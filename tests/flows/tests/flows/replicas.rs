//! Two replicas of cluster-mgr, each a process: both serve, one leads, and the work moves when that one is
//! killed or only paused.

use std::time::Duration;

use flows::process::Process;
use k8s_openapi::api::apps::v1::Deployment;
use kube::Api;
use rand::RngExt as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::{Backend, wait_for};

use crate::blows::end::is_as_asked;
use crate::blows::instance::Instance;
use crate::blows::users::{self, Ledger};
use crate::blows::world::{LONG, NAMESPACE, SERVICES, Where, World};

/// The longest that nobody may lead after the leader died.
const TAKEOVER: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_takes_over_from_a_killed_leader() {
    for backend in Backend::all() {
        let world = World::start(backend, Where::Apart, 2).await;
        let ledger = Ledger::default();
        let epoch = world.epoch_after(0, LONG).await;
        for door in 0..2 {
            let (status, page) = world
                .call_at(door, "ada", Method::GET, "/clusters", &[], Value::Null)
                .await
                .unwrap();
            assert_eq!(
                (status, page["items"].as_array().unwrap().len()),
                (StatusCode::OK, 2)
            );
        }
        users::create(&world, &ledger, "ada", "web", 3).await;
        settled(&world, "web").await;

        // Accepted by the one that doesn't lead, and in the hands of the other when it dies.
        let path = format!("{SERVICES}/web/releases");
        let release = json!({ "image": "longshore.test/web:next" });
        let (status, reply) = world
            .call_at(1, "ada", Method::POST, &path, &[], release)
            .await
            .unwrap();
        assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
        let leader = world.managers[0].lock().await.take().unwrap();
        leader.kill().await;
        world.epoch_after(epoch, TAKEOVER).await;
        settled(&world, "web").await;
        let operation = format!("/operations/{}", reply["operation"].as_str().unwrap());
        let operation = world.must("ada", Method::GET, &operation, &[], Value::Null).await;
        assert_eq!(operation["state"], "succeeded", "{operation}");
        world.stop().await;
    }
}

/// On PostgreSQL: a paused process that holds SQLite's file would stop everybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_was_paused_and_overtaken_writes_nothing() {
    if !Backend::all().contains(&Backend::Postgres) {
        return;
    }
    let world = World::start(Backend::Postgres, Where::Apart, 2).await;
    let ledger = Ledger::default();
    users::create(&world, &ledger, "ada", "web", 3).await;
    users::create(&world, &ledger, "ada", "cart", 2).await;
    settled(&world, "web").await;
    let mut epoch = world.epoch_after(0, LONG).await;
    for round in 0..4 {
        // Each leads in turn. It is paused somewhere in the middle of carrying out a release.
        let (leader, other) = (round % 2, (round + 1) % 2);
        release(&world, other, "web", &format!("paused-{round}")).await;
        let moment = rand::rng().random_range(0..200);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        println!("round {round}: paused after {moment} ms");
        with_process(&world, leader, Process::pause).await;
        epoch = world.epoch_after(epoch, TAKEOVER).await;
        release(&world, other, "web", &format!("later-{round}")).await;
        settled_through(&world, other, "web").await;

        let before = generations(&world).await;
        with_process(&world, leader, Process::go_on).await;
        // The one that was overtaken serves again, and what it is asked for is carried out by the leader.
        release(&world, leader, "cart", &format!("after-{round}")).await;
        settled_through(&world, leader, "cart").await;
        assert_eq!(generations(&world).await, before, "round {round}");
        settled(&world, "web").await;
    }
    world.stop().await;
}

async fn with_process(world: &World, replica: usize, act: impl Fn(&Process)) {
    let slot = world.managers[replica].lock().await;
    let Some(Instance::Apart { process, .. }) = &*slot else {
        panic!("it is a process");
    };
    act(process);
}

async fn release(world: &World, door: usize, name: &str, tag: &str) {
    let path = format!("{SERVICES}/{name}/releases");
    let body = json!({ "image": format!("longshore.test/web:{tag}") });
    let key = [("idempotency-key", tag)];
    wait_for("the release to be taken", LONG, async || {
        let (status, reply) = world
            .call_at(door, "ada", Method::POST, &path, &key, body.clone())
            .await?;
        if status == StatusCode::ACCEPTED {
            Ok(())
        } else {
            Err(format!("{status} {reply}"))
        }
    })
    .await;
}

async fn settled(world: &World, name: &str) {
    wait_for(&format!("{name} to be as asked"), LONG, async || {
        is_as_asked(world, name).await
    })
    .await;
}

/// The same, while another replica may be paused: asks this one only.
async fn settled_through(world: &World, door: usize, name: &str) {
    let path = format!("{SERVICES}/{name}");
    wait_for(&format!("{name} to be as asked"), LONG, async || {
        let (_, service) = world
            .call_at(door, "ada", Method::GET, &path, &[], Value::Null)
            .await?;
        if service["status"]["state"] == "running" && service["operation"].is_null() {
            Ok(())
        } else {
            Err(service.to_string())
        }
    })
    .await;
}

/// How often what is wanted of `web` was changed on each cluster.
async fn generations(world: &World) -> Vec<Option<i64>> {
    let mut all = Vec::new();
    for cluster in &world.clusters {
        let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), NAMESPACE);
        all.push(deployments.get("web").await.unwrap().metadata.generation);
    }
    all
}
