//! Tells the browsers of this replica what the others wrote into the audit.
//!
//! Ids begin with the time at which they were made, by the clock of their replica: a look back over
//! [`BACK`] finds what a slower clock or a slower transaction wrote late.

use std::collections::HashSet;
use std::time::Duration;

use api_types::audit::AuditOutcome;
use chrono::TimeDelta;

use crate::app::audit::publish;
use crate::db::audit;
use crate::state::AppState;

const PERIOD: Duration = Duration::from_secs(2);
const BACK: TimeDelta = TimeDelta::seconds(30);
const RECORDS_AT_ONCE: u64 = 500;

pub fn start(state: &AppState) {
    let state = state.clone();
    let tracker = state.foundation.tracker.clone();
    tracker.spawn(async move {
        let shutdown = state.foundation.shutdown.clone();
        shutdown.run_until_cancelled(follow(&state)).await;
    });
}

async fn follow(state: &AppState) {
    let mut away = false;
    loop {
        match look(state).await {
            Ok(()) => away = false,
            Err(error) if !away => {
                away = true;
                tracing::warn!(%error, "what other replicas wrote down can't be read; tried again");
            }
            Err(_) => {}
        }
        tokio::time::sleep(PERIOD).await;
    }
}

async fn look(state: &AppState) -> Result<(), sea_orm::DbErr> {
    let since = chrono::Utc::now() - BACK;
    let records = audit::since(&state.foundation.database, since, RECORDS_AT_ONCE).await?;
    for record in &records {
        if state
            .told
            .note(record.id, record.outcome != AuditOutcome::Unknown)
        {
            publish(state, record);
        }
    }
    let seen: HashSet<_> = records.iter().map(|record| record.id).collect();
    state.told.keep(&seen);
    Ok(())
}
