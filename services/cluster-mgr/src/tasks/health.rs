//! Follows the clusters' two witnesses, ipaas's probes and the agents: which are alive, and what they have.

use std::collections::HashMap;

use api_types::clusters::{ClusterObservation, ClusterState};
use api_types::internal::Connection;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use platform::driver::Task;
use uuid::Uuid;

use crate::app::health::{Agent, Judgement, Probe, Sight, is_deaf, judge};
use crate::db::columns::{StoredClusterObservation, word};
use crate::db::{Record, cluster_agents, cluster_states, clusters, services};
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
        let agents = cluster_agents::all(&*unit).await?;
        let ears = Ears::of(&agents, &self.state, now);
        for mut cluster in clusters::all_locked(&*unit).await? {
            let connection = connections.as_ref().and_then(|all| all.get(&cluster.id));
            let view = View {
                connection,
                agent: ears.hear(agents.get(&cluster.id)),
                watched_since,
            };
            let seen = see(&mut cluster, view, &self.state, now)?;
            if !seen.write {
                continue;
            }
            clusters::save(&*unit, &cluster).await?;
            if let Some((from, to)) = seen.flipped {
                tracing::info!(cluster.name = %cluster.name, ?from, ?to, reason = %cluster.state_reason, "a cluster's state changed");
                cluster_states::note(&*unit, cluster.id, to, &cluster.state_reason, now).await?;
                unit.record(Record::cluster(&cluster.name).intended());
            } else if seen.intent {
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

/// Whether the agents are heard at all.
struct Ears {
    deaf: bool,
}

impl Ears {
    fn of(agents: &HashMap<Uuid, cluster_agents::Model>, state: &AppState, now: DateTime<Utc>) -> Self {
        let heard: Vec<_> = agents.values().filter_map(|agent| agent.heard_at).collect();
        Self {
            deaf: is_deaf(&heard, state.config.patience(), now),
        }
    }

    fn hear(&self, agent: Option<&cluster_agents::Model>) -> Option<Agent> {
        let agent = agent?;
        Some(Agent {
            heard_at: agent.heard_at?,
            renewed_at: agent.renewed_at?,
            error: agent.error.clone(),
            deaf: self.deaf,
        })
    }
}

/// What the witnesses say of one cluster.
struct View<'a> {
    connection: Option<&'a Connection>,
    agent: Option<Agent>,
    watched_since: DateTime<Utc>,
}

/// What a look at one cluster changed.
#[derive(Default)]
struct Seen {
    write: bool,
    tell: bool,
    /// Whether its pods count changed, within one state.
    intent: bool,
    flipped: Option<(ClusterState, ClusterState)>,
}

fn see(
    cluster: &mut clusters::Model,
    view: View<'_>,
    state: &AppState,
    now: DateTime<Utc>,
) -> anyhow::Result<Seen> {
    let connection = view.connection;
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
        reason: cluster.state_reason.clone(),
        since: cluster.state_since,
        flaps: cluster.flaps.max(0).unsigned_abs(),
        probe_silent: cluster.probe_silent,
        last_contact: cluster.last_contact,
        probe: connection.map(|connection| Probe {
            reachable: connection.reachable,
            synced: connection.synced && connection.observed.is_some(),
            since: connection.reachable_since,
            error: connection.error.clone(),
        }),
        agent: view.agent,
        watched_since: view.watched_since,
    };
    take(
        cluster,
        judge(&sight, state.config.patience(), now),
        from,
        now,
        &mut seen,
    )?;
    Ok(seen)
}

/// Writes a judgement into the row.
fn take(
    cluster: &mut clusters::Model,
    judgement: Judgement,
    from: ClusterState,
    now: DateTime<Utc>,
    seen: &mut Seen,
) -> anyhow::Result<()> {
    let answered = cluster.answers()?;
    if judgement.state != from {
        cluster.state = word(judgement.state);
        cluster.state_since = now;
        seen.write = true;
        seen.flipped = Some((from, judgement.state));
    }
    if judgement.reason != cluster.state_reason {
        cluster.state_reason = judgement.reason;
        seen.write = true;
        seen.tell = true;
    }
    let flaps = i32::try_from(judgement.flaps).unwrap_or(i32::MAX);
    if flaps != cluster.flaps || judgement.probe_silent != cluster.probe_silent {
        cluster.flaps = flaps;
        cluster.probe_silent = judgement.probe_silent;
        seen.write = true;
    }
    seen.intent = answered != cluster.answers()?;
    Ok(())
}

/// What is worth telling; use changes with every probe.
fn telling(observation: &ClusterObservation) -> ClusterObservation {
    ClusterObservation {
        observed_at: DateTime::UNIX_EPOCH,
        used: None,
        ..observation.clone()
    }
}
