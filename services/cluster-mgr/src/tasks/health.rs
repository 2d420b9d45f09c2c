//! Follows ipaas's probes: which clusters answer, and what they have.

use std::collections::HashMap;

use api_types::clusters::{ClusterObservation, ClusterState};
use api_types::internal::Connection;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use platform::driver::Task;
use uuid::Uuid;

use crate::app::health::{Probe, Sight, judge};
use crate::db::columns::{StoredClusterObservation, word};
use crate::db::{Record, clusters, services};
use crate::state::AppState;
use crate::tasks::lead;

pub struct Health {
    state: AppState,
    /// Since when this replica looks, and under which epoch.
    watching: Mutex<Option<(i64, DateTime<Utc>)>>,
}

impl Health {
    pub fn new(state: AppState) -> Self {
        Self {
            state,
            watching: Mutex::new(None),
        }
    }

    fn watched_since(&self, epoch: i64) -> DateTime<Utc> {
        let mut watching = self.watching.lock();
        match *watching {
            Some((known, since)) if known == epoch => since,
            _ => {
                let now = self.state.now();
                *watching = Some((epoch, now));
                now
            }
        }
    }
}

#[async_trait]
impl Task for Health {
    fn name(&self) -> &'static str {
        "cluster_health"
    }

    async fn turn(&self, epoch: i64) -> anyhow::Result<()> {
        let watched_since = self.watched_since(epoch);
        let listed = self.state.ipaas.list_connections().await;
        let connections: Option<HashMap<Uuid, Connection>> = match listed {
            Ok(all) => Some(
                all.into_iter()
                    .map(|connection| (connection.id.0, connection))
                    .collect(),
            ),
            Err(error) => {
                tracing::warn!(error = %platform::error::chain(&error), "the clusters' probes could not be read");
                None
            }
        };
        let now = self.state.now();
        let mut unit = lead::begin(&self.state, epoch).await?;
        for mut cluster in clusters::all_locked(&*unit).await? {
            let connection = connections.as_ref().and_then(|all| all.get(&cluster.id));
            let seen = see(&mut cluster, connection, watched_since, &self.state, now)?;
            if !seen.write {
                continue;
            }
            clusters::save(&*unit, &cluster).await?;
            if let Some((from, to)) = seen.flipped {
                tracing::info!(cluster.name = %cluster.name, ?from, ?to, reason = %cluster.state_reason, "a cluster's state changed");
                unit.record(Record::cluster(&cluster.name).intended());
            } else if seen.tell {
                unit.record(Record::cluster(&cluster.name));
            }
        }
        // Room comes back in many ways, of which only some show as a change.
        let waiting = services::unplaced_ids(&*unit).await?;
        unit.commit().await?;
        if !waiting.is_empty() {
            self.state.work.mark(waiting);
            self.state.outbox.reconcile.wake();
        }
        Ok(())
    }
}

/// What a look at one cluster changed.
#[derive(Default)]
struct Seen {
    write: bool,
    tell: bool,
    flipped: Option<(ClusterState, ClusterState)>,
}

fn see(
    cluster: &mut clusters::Model,
    connection: Option<&Connection>,
    watched_since: DateTime<Utc>,
    state: &AppState,
    now: DateTime<Utc>,
) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    if let Some(success) = connection.and_then(|connection| connection.last_success_at)
        && cluster.last_contact.is_none_or(|known| success > known)
    {
        cluster.last_contact = Some(success);
        seen.write = true;
    }
    if let Some(observed) = connection.and_then(|connection| connection.observed.as_ref()) {
        let before = cluster.observed.as_ref().map(|stored| &stored.0);
        if before != Some(observed) {
            seen.write = true;
            seen.tell = before.is_none_or(|before| telling(before) != telling(observed));
            cluster.observed = Some(StoredClusterObservation(observed.clone()));
        }
    }
    let from = cluster.health()?;
    let sight = Sight {
        state: from,
        last_contact: cluster.last_contact,
        probe: connection.map(|connection| Probe {
            reachable: connection.reachable,
            synced: connection.synced && connection.observed.is_some(),
            since: connection.reachable_since,
            error: connection.error.clone(),
        }),
        watched_since,
    };
    if let Some((to, reason)) = judge(&sight, state.config.patience(), now) {
        cluster.state = word(to);
        cluster.state_reason = reason;
        cluster.state_since = now;
        seen.write = true;
        seen.flipped = Some((from, to));
    }
    if cluster.health()? == ClusterState::Ready {
        // What is the matter with one that answers: it throttles us.
        let reason = connection
            .filter(|connection| connection.reachable)
            .and_then(|connection| connection.error.clone())
            .unwrap_or_default();
        if reason != cluster.state_reason {
            cluster.state_reason = reason;
            seen.write = true;
            seen.tell = true;
        }
    }
    Ok(seen)
}

/// What is worth telling; use changes with every probe.
fn telling(observation: &ClusterObservation) -> ClusterObservation {
    ClusterObservation {
        observed_at: DateTime::UNIX_EPOCH,
        used: None,
        ..observation.clone()
    }
}
