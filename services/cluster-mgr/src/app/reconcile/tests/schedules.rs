//! Random schedules of trouble over five simulated clusters: health by two witnesses, failing over, moving and taking
//! back, all with the rules that the loops use and a clock that is moved by hand.
//!
//! `LONGSHORE_SCHEDULES=200` plays so many (20 otherwise), `LONGSHORE_TEST_SEED` plays one; a failure names its seed.

mod play;
mod trouble;

use play::Play as Schedule;
use trouble::Plan;

const DEFAULT: u64 = 20;

#[expect(
    clippy::disallowed_methods,
    reason = "switches of the test run, not settings of the service"
)]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_fails_nothing_ready_is_given_up_and_all_is_well_in_the_end() {
    let seeds = match asked("LONGSHORE_TEST_SEED") {
        Some(seed) => seed..seed.saturating_add(1),
        None => 0..asked("LONGSHORE_SCHEDULES").unwrap_or(DEFAULT),
    };
    let (mut moved, mut lost, mut accepted) = (0, 0, 0);
    let (count, started) = (seeds.end - seeds.start, std::time::Instant::now());
    for seed in seeds {
        let plan = Plan::of(seed);
        let mut schedule = Schedule::new(plan.clone());
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| schedule.run()));
        if let Err(panic) = outcome {
            println!("LONGSHORE_TEST_SEED={seed} plays it again: {plan:#?}");
            std::panic::resume_unwind(panic);
        }
        moved += schedule.evacuations;
        lost += schedule.losses;
        accepted += schedule.accepted;
    }
    println!(
        "{count} schedules in {:.1} s: {lost} losses, {moved} evacuations, {accepted} risks accepted",
        started.elapsed().as_secs_f64()
    );
}

#[test]
fn a_seed_gives_the_same_schedule() {
    assert_eq!(Plan::of(7), Plan::of(7));
    assert_ne!(Plan::of(7), Plan::of(8));
}
