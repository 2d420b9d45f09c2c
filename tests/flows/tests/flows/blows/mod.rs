//! Blows of all kinds at random moments, while two people work, one of them through the portal: in the end everything is as it was last
//! asked for, no change is lost or carried out twice, nothing of other owners is touched, and nothing is
//! ever shown as ready that isn't.
//!
//! Each schedule follows from its seed. `LONGSHORE_TEST_SEED` replays one that failed;
//! `LONGSHORE_TEST_BLOWS` says how many a run plays (100).

pub mod end;
mod faults;
pub mod instance;
pub mod truth;
pub mod users;
pub mod world;

use futures::StreamExt as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use test_support::Backend;
use tokio_util::sync::CancellationToken;

use users::Ledger;
use world::{THROUGH_PORTAL, Where, World};

/// Schedules that are played at a time; most of each is waiting.
const AT_ONCE: usize = 4;
const SCHEDULES: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    play(Backend::Sqlite, Where::Here, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    play(Backend::Postgres, Where::Here, 32).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_processes() {
    play(Backend::Postgres, Where::Apart, 8).await;
}

/// Plays `share` percent of the run's schedules.
async fn play(backend: Backend, place: Where, share: usize) {
    if !Backend::all().contains(&backend) {
        return;
    }
    let seeds: Vec<u64> = match variable("LONGSHORE_TEST_SEED") {
        Some(seed) => vec![seed],
        None => {
            let all = variable("LONGSHORE_TEST_BLOWS").map_or(SCHEDULES, |number| number as usize);
            (0..(all * share).div_ceil(100))
                .map(|_| rand::random::<u32>().into())
                .collect()
        }
    };
    if seeds.len() == 1 {
        platform::telemetry::init(
            platform::telemetry::LogFormat::Plain,
            "info,cluster_mgr=debug,ipaas=debug",
        );
    }
    let failed: Vec<u64> = futures::stream::iter(seeds)
        .map(async |seed| {
            let runtime = tokio::runtime::Handle::current();
            let played =
                tokio::task::spawn_blocking(move || runtime.block_on(schedule(backend, place, seed)));
            let outcome = played.await;
            if outcome.is_err() {
                eprintln!("the schedule of seed {seed} failed");
            }
            outcome.is_err().then_some(seed)
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(async |failed| failed)
        .collect()
        .await;
    assert!(
        failed.is_empty(),
        "LONGSHORE_TEST_SEED replays each of these schedules: {failed:?}"
    );
}

async fn schedule(backend: Backend, place: Where, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let world = World::start(backend, place, random.random_range(1..3)).await;
    let ledger = Ledger::default();
    users::create(&world, &ledger, "ada", "web", 3).await;
    end::has_namespaces(&world).await;
    let strangers = truth::Strangers::settle_in(&world).await;

    let looked_enough = CancellationToken::new();
    let mut own = || StdRng::seed_from_u64(random.random());
    let (ada, bob, blows) = (own(), own(), own());
    let (steps, strikes) = (random.random_range(4..10), random.random_range(3..8));
    let all = async {
        tokio::join!(
            users::work(&world, &ledger, "ada", ada, steps),
            users::work(&world, &ledger, THROUGH_PORTAL, bob, steps),
            faults::strike(&world, blows, strikes),
        );
        world.heal().await;
        end::everything_is_as_asked(&world, &ledger).await;
        looked_enough.cancel();
    };
    let ((), wrong) = tokio::join!(all, truth::watch(&world, &looked_enough));
    strangers.are_untouched(&world).await;
    assert!(wrong.is_empty(), "shown and not so: {wrong:#?}");
    let outrages = std::mem::take(&mut *world.outrages.lock());
    assert!(outrages.is_empty(), "answers that are bugs: {outrages:#?}");
    world.stop().await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the test run, not a setting of a service"
)]
fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
