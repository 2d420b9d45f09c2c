//! Two people who work on the same services at once, whatever breaks meanwhile.

use parking_lot::Mutex;
use rand::RngExt as _;
use rand::rngs::StdRng;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::world::{SERVICES, World};

pub const NAMES: [&str; 3] = ["web", "cart", "books"];

/// A change that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub by: String,
    pub service: &'static str,
    /// Of the operations' kinds.
    pub kind: &'static str,
    pub operation: Option<String>,
}

/// What was asked for, and what came of it.
#[derive(Debug, Default)]
pub struct Ledger {
    pub taken: Mutex<Vec<Taken>>,
    /// Changes without a key whose first answer was lost: each may have been taken.
    pub perhaps: Mutex<Vec<Taken>>,
    next: std::sync::atomic::AtomicU32,
}

impl Ledger {
    /// A number that nobody had before, for keys and tags.
    pub fn number(&self) -> u32 {
        self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    fn take(&self, by: &str, service: &'static str, kind: &'static str, reply: &Value) {
        self.taken.lock().push(Taken {
            by: by.to_owned(),
            service,
            kind,
            operation: reply["operation"].as_str().map(str::to_owned),
        });
    }
}

/// One person's changes, one after the other.
pub async fn work(world: &World, ledger: &Ledger, user: &'static str, mut random: StdRng, steps: u32) {
    for _ in 0..steps {
        let pause = random.random_range(0..250);
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        let service = NAMES[random.random_range(0..NAMES.len())];
        match random.random_range(0..10) {
            0 | 1 => create(world, ledger, user, service, random.random_range(0..5)).await,
            2..=4 => {
                let image = if random.random_bool(0.1) { "missing" } else { "web" };
                release(world, ledger, user, service, image).await;
            }
            5..=7 => scale(world, ledger, user, service, &mut random).await,
            8 => {
                post(
                    world,
                    ledger,
                    user,
                    service,
                    "restart",
                    "restart_service",
                    Value::Null,
                )
                .await;
            }
            _ => delete(world, ledger, user, service).await,
        }
    }
}

pub async fn create(world: &World, ledger: &Ledger, user: &str, service: &'static str, replicas: u32) {
    let number = ledger.number();
    let key = format!("create-{number}");
    let mut body = crate::web(service, &format!("longshore.test/web:{number}"), replicas);
    body["spec"]["rollout"] = json!({ "progress_deadline_seconds": 60 });
    let (status, reply, _) = world
        .settle(user, Method::POST, SERVICES, &[("idempotency-key", &key)], body)
        .await;
    match status {
        StatusCode::ACCEPTED => ledger.take(user, service, "create_service", &reply),
        StatusCode::CONFLICT => {}
        other => panic!("{other} {reply}"),
    }
}

pub async fn release(world: &World, ledger: &Ledger, user: &str, service: &'static str, image: &str) {
    let tag = ledger.number();
    let body = json!({ "image": format!("longshore.test/{image}:{tag}") });
    post(world, ledger, user, service, "releases", "release_service", body).await;
}

async fn post(
    world: &World,
    ledger: &Ledger,
    user: &str,
    service: &'static str,
    what: &str,
    kind: &'static str,
    body: Value,
) {
    let key = format!("{what}-{}", ledger.number());
    let path = format!("{SERVICES}/{service}/{what}");
    let (status, reply, _) = world
        .settle(user, Method::POST, &path, &[("idempotency-key", &key)], body)
        .await;
    match status {
        StatusCode::ACCEPTED => ledger.take(user, service, kind, &reply),
        StatusCode::NOT_FOUND | StatusCode::CONFLICT => {}
        other => panic!("{path}: {other} {reply}"),
    }
}

/// Reads, thinks, and changes what was read; somebody else may have been faster.
async fn scale(world: &World, ledger: &Ledger, user: &str, service: &'static str, random: &mut StdRng) {
    let path = format!("{SERVICES}/{service}");
    let (status, read, _) = world.settle(user, Method::GET, &path, &[], Value::Null).await;
    if status == StatusCode::NOT_FOUND {
        return;
    }
    let thought = random.random_range(0..60);
    tokio::time::sleep(std::time::Duration::from_millis(thought)).await;
    let version = format!("\"{}\"", read["version"]);
    let replicas = random.random_range(0..6);
    let body = match random.random_range(0..4) {
        0 => json!({ "replicas": replicas, "placement": { "strategy": {
            "type": "weights", "weights": { "east": random.random_range(1..4), "west": random.random_range(1..4) } } } }),
        1 => json!({ "replicas": replicas, "placement": { "clusters": ["east"] } }),
        _ => json!({ "replicas": replicas }),
    };
    let (status, reply, tries) = world
        .settle(user, Method::PATCH, &path, &[("if-match", &version)], body)
        .await;
    match status {
        StatusCode::ACCEPTED => {
            let newer = reply["service"]["version"].as_i64();
            let expected = read["version"].as_i64().map(|version| version + 1);
            assert!(
                newer == expected || newer == read["version"].as_i64(),
                "a change over one that was not read: {read} {reply}"
            );
            if reply["operation"].is_string() && newer == expected {
                ledger.take(user, service, "scale_service", &reply);
            }
        }
        StatusCode::CONFLICT if tries > 1 => ledger.perhaps.lock().push(Taken {
            by: user.to_owned(),
            service,
            kind: "scale_service",
            operation: None,
        }),
        StatusCode::NOT_FOUND | StatusCode::CONFLICT => {}
        // All replicas may be pinned by then.
        other => panic!("{path}: {other} {reply}"),
    }
}

pub async fn delete(world: &World, ledger: &Ledger, user: &str, service: &'static str) {
    let path = format!("{SERVICES}/{service}");
    let (status, reply, tries) = world.settle(user, Method::DELETE, &path, &[], Value::Null).await;
    let perhaps = |operation: Option<String>| {
        ledger.perhaps.lock().push(Taken {
            by: user.to_owned(),
            service,
            kind: "delete_service",
            operation,
        });
    };
    match status {
        // Of two who delete, each is told of the same operation.
        StatusCode::ACCEPTED => perhaps(reply["operation"].as_str().map(str::to_owned)),
        StatusCode::NOT_FOUND if tries > 1 => perhaps(None),
        StatusCode::NOT_FOUND => {}
        other => panic!("{path}: {other} {reply}"),
    }
}
