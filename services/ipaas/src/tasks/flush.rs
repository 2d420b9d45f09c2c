//! Tells gathered changes when they are due, and what only time changes.

use std::time::Duration;

use crate::app::problems::READINESS_PATIENCE_SECONDS;
use crate::cluster::member::Member;
use crate::state::AppState;

const PERIOD: Duration = Duration::from_millis(100);
/// How often it is looked for pods that have now been unready for too long.
const PATIENCE_PERIOD: Duration = Duration::from_secs(5);

/// Runs until the process stops.
pub async fn run(state: AppState) {
    let mut looked_at = state.now().timestamp();
    let mut next_look = tokio::time::Instant::now() + PATIENCE_PERIOD;
    loop {
        tokio::select! {
            () = state.foundation.shutdown.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
        state.changes.flush();
        if tokio::time::Instant::now() >= next_look {
            next_look += PATIENCE_PERIOD;
            let now = state.now().timestamp();
            for member in state.members.all() {
                tell_of_patience_lost(&state, &member, looked_at, now);
            }
            looked_at = now;
        }
    }
}

/// A pod that is unready is a problem only after a while; that while's end is a change like any other.
fn tell_of_patience_lost(state: &AppState, member: &Member, before: i64, now: i64) {
    let pods = member.tables.pods.read();
    let lost = pods.rows().filter(|row| {
        let from = row.unready_since + READINESS_PATIENCE_SECONDS;
        row.trouble.is_some() && (before + 1..=now).contains(&from)
    });
    for key in lost.filter_map(|row| pods.key(row)) {
        state.changes.workload_changed(&member.name, &key);
    }
}
