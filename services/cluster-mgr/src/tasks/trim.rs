//! Forgets what nobody asks for any more.

use async_trait::async_trait;
use chrono::Duration;
use platform::driver::Task;

use crate::app::autoscale::thinning::WHOLE;
use crate::app::metering::HOUR;
use crate::db::autoscaling_decisions::Class;
use crate::db::{
    autoscaling_decisions, changes, cluster_states, departures, edits, metering, operations, usage_hours,
};
use crate::state::AppState;
use crate::tasks::lead;

const EDITS_KEPT_DAYS: i64 = 30;
/// Decisions of autoscaling forgotten in one transaction, and such transactions in a turn; the rest has time until the next.
const BATCH: u64 = 10_000;
const MOST_BATCHES: usize = 200;
/// What left a cluster so long ago has its place elsewhere.
const DEPARTURES_KEPT_DAYS: i64 = 30;

pub struct Trim {
    state: AppState,
}

impl Trim {
    pub fn new(state: AppState) -> Self {
        Self { state }
    }

    /// Thins decisions once no decision is made of them any more, and forgets them when their time is over.
    async fn forget_decisions(&self, epoch: i64) -> anyhow::Result<u64> {
        let now = self.state.now();
        let config = &self.state.config;
        let kept = [
            (Class::Passing, WHOLE),
            (Class::Telling, Duration::hours(config.decisions_kept_hours)),
            (Class::Changing, Duration::days(config.scalings_kept_days)),
        ];
        let mut all = 0;
        for (class, kept) in kept {
            for _ in 0..MOST_BATCHES {
                let unit = lead::begin(&self.state, epoch).await?;
                let before = now - kept.max(WHOLE);
                let gone = autoscaling_decisions::trim(&*unit, class, before, BATCH).await?;
                unit.commit().await?;
                all += gone;
                if gone < BATCH {
                    break;
                }
            }
        }
        Ok(all)
    }
}

#[async_trait]
impl Task for Trim {
    fn name(&self) -> &'static str {
        "trim"
    }

    async fn turn(&self, epoch: i64) -> anyhow::Result<()> {
        let now = self.state.now();
        let config = &self.state.config;
        let unit = lead::begin(&self.state, epoch).await?;
        let young = now - Duration::minutes(config.changes_kept_minutes);
        let changes = changes::trim(&*unit, young, config.changes_kept).await?;
        let edits = edits::trim(&*unit, now - Duration::days(EDITS_KEPT_DAYS)).await?;
        let finished = now - Duration::days(config.operations_kept_days);
        let operations = operations::trim(&*unit, finished).await?;
        let oldest = (now - Duration::days(config.usage_kept_days)).timestamp();
        let hours = usage_hours::trim(&*unit, oldest.div_euclid(HOUR)).await?;
        metering::trim(&*unit).await?;
        let states =
            cluster_states::trim(&*unit, now - Duration::days(config.cluster_states_kept_days)).await?;
        let left = now - Duration::days(DEPARTURES_KEPT_DAYS);
        let departures = departures::trim(&*unit, left).await?;
        unit.commit().await?;
        let decisions = self.forget_decisions(epoch).await?;
        let keys = platform::idempotency::forget_old(&self.state.foundation.database).await?;
        if changes + edits + operations + decisions + hours + states + departures + keys > 0 {
            tracing::debug!(
                changes,
                edits,
                operations,
                decisions,
                hours,
                states,
                departures,
                keys,
                "forgot what is old"
            );
        }
        Ok(())
    }
}
