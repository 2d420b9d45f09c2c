//! The database is away for a minute: refused at first, then silent. Whoever asks meanwhile is told so,
//! nothing is lost, and seconds after its return everything goes on.

use std::time::{Duration, Instant};

use flows::proxy::Mode;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::{Backend, wait_for};

use crate::blows::end::is_as_asked;
use crate::blows::users::{self, Ledger};
use crate::blows::world::{LONG, SERVICES, Where, World};

const AWAY: Duration = Duration::from_secs(30);
/// The longest that a call may wait for a database that is away.
const ANSWER: Duration = Duration::from_secs(15);
/// The longest from the database's return to a change that is taken.
const RETURN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_without_the_database() {
    if !Backend::all().contains(&Backend::Postgres) {
        return;
    }
    let world = World::start(Backend::Postgres, Where::Apart, 2).await;
    let ledger = Ledger::default();
    users::create(&world, &ledger, "ada", "web", 3).await;
    settled(&world).await;
    let way = world.database_way.as_ref().unwrap();
    for (round, mode) in [Mode::Shut, Mode::Silent].into_iter().enumerate() {
        way.set(mode);
        let began = Instant::now();
        let path = format!("{SERVICES}/web/releases");
        let body = json!({ "image": format!("longshore.test/web:away-{round}") });
        let key = format!("away-{round}");
        let mut refused = 0;
        while began.elapsed() < AWAY {
            for door in 0..2 {
                let asked = Instant::now();
                let key = [("idempotency-key", key.as_str())];
                let (status, reply) = world
                    .call_at(door, "ada", Method::POST, &path, &key, body.clone())
                    .await
                    .unwrap_or_else(|error| panic!("{mode:?}, after {:?}: {error}", asked.elapsed()));
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{mode:?}: {reply}");
                assert_eq!(reply["code"], "database_unavailable");
                assert!(asked.elapsed() < ANSWER, "{mode:?}: {:?}", asked.elapsed());
                refused += 1;
            }
        }
        println!("{mode:?}: {refused} calls were refused");
        way.set(Mode::Pass);
        wait_for("a change to be taken", RETURN, async || {
            let key = [("idempotency-key", key.as_str())];
            let (status, reply) = world.call("ada", Method::POST, &path, &key, body.clone()).await?;
            if status == StatusCode::ACCEPTED {
                Ok(())
            } else {
                Err(reply.to_string())
            }
        })
        .await;
        settled(&world).await;
    }
    let service = world
        .must("ada", Method::GET, &format!("{SERVICES}/web"), &[], Value::Null)
        .await;
    assert_eq!(service["revision"], 3, "each release was made once: {service}");
    assert_eq!(service["image"], "longshore.test/web:away-1");
    world.stop().await;
}

async fn settled(world: &World) {
    wait_for("web to be as asked", LONG, async || {
        is_as_asked(world, "web").await
    })
    .await;
}
