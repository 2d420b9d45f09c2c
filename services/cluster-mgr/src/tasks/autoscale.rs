//! Reads what services under a policy use, decides how many replicas they should have, and keeps every decision.
//!
//! Each cluster's Prometheus is asked once for each different metric, however many services there are.

use std::collections::HashMap;

use api_types::autoscaling::{AutoscalingDecision, DecisionOutcome, MetricSource, Share};
use api_types::common::ClusterId;
use api_types::internal::{MeasurementQuery, Measurements, ServicePlace};
use async_trait::async_trait;
use auth::Caller;
use chrono::{DateTime, Duration, Utc};
use futures::{StreamExt as _, stream};
use parking_lot::Mutex;
use platform::driver::Task;
use uuid::Uuid;

use crate::app::autoscale::gather::{self, Limits, Place, Queries};
use crate::app::autoscale::past::{self, Past};
use crate::app::autoscale::thinning::{self, Latest};
use crate::app::quotas::Rooms;
use crate::app::{autoscale, autoscaling};
use crate::db::{
    DbErr, Unit, assignments, autoscaling_decisions, autoscaling_policies, clusters, revisions, services,
};
use crate::state::AppState;
use crate::tasks::lead;

/// Clusters asked at a time.
const CLUSTERS_AT_A_TIME: usize = 32;
/// Decisions written in one transaction; those that scale lock their services.
const KEPT_AT_A_TIME: usize = 2_000;
const SCALED_AT_A_TIME: usize = 200;

/// As operations and histories name it.
const CALLER: &str = "autoscaler";

pub struct Autoscale {
    state: AppState,
    /// What is known of all services under a policy, read from the stored decisions once an epoch.
    memory: Mutex<Option<Memory>>,
}

struct Memory {
    epoch: i64,
    known: HashMap<Uuid, Known>,
}

/// What is known of a service's earlier decisions.
struct Known {
    /// Of the policy that the past is of.
    version: i64,
    past: Past,
    /// The last one, of whatever policy.
    latest: Option<Latest>,
}

/// A service under a policy.
struct Subject {
    service: services::Model,
    policy: autoscaling_policies::Model,
    assignments: Vec<assignments::Model>,
}

impl Subject {
    fn past(&self) -> Past {
        Past::starting(self.policy.updated_at, self.policy.start_replicas.unsigned_abs())
    }

    fn unknown(&self) -> Known {
        Known {
            version: self.policy.version,
            past: self.past(),
            latest: None,
        }
    }

    /// Whether a metric is measured against what a replica may use.
    fn needs_limits(&self) -> bool {
        self.policy.policy.0.metrics.iter().any(|metric| {
            matches!(
                metric.source,
                MetricSource::Cpu { of: Share::Limit } | MetricSource::Memory { of: Share::Limit }
            )
        })
    }
}

/// What a cluster answered, with the positions of the services in it.
struct Answer {
    measurements: Result<Measurements, String>,
    positions: HashMap<Uuid, usize>,
}

impl Autoscale {
    pub fn new(state: AppState) -> Self {
        Self {
            state,
            memory: Mutex::default(),
        }
    }

    async fn subjects(&self) -> anyhow::Result<Vec<Subject>> {
        let database = &self.state.foundation.database;
        let mut policies: HashMap<Uuid, autoscaling_policies::Model> = autoscaling_policies::all(database)
            .await?
            .into_iter()
            .filter(|row| !row.policy.0.paused)
            .map(|row| (row.service_id, row))
            .collect();
        let ids: Vec<Uuid> = policies.keys().copied().collect();
        let mut places: HashMap<Uuid, Vec<assignments::Model>> = HashMap::new();
        for row in assignments::of_services(database, &ids).await? {
            places.entry(row.service_id).or_default().push(row);
        }
        let rows = services::find_many(database, &ids, false).await?;
        // What was stopped by hand stays stopped.
        Ok(rows
            .into_iter()
            .filter(|row| !row.deleting && row.replicas > 0)
            .filter_map(|service| {
                Some(Subject {
                    policy: policies.remove(&service.id)?,
                    assignments: places.remove(&service.id).unwrap_or_default(),
                    service,
                })
            })
            .collect())
    }

    /// The pasts as this replica knows them, or as they are stored.
    async fn recall(&self, subjects: &[Subject], epoch: i64, now: DateTime<Utc>) -> anyhow::Result<Memory> {
        if let Some(known) = self.memory.lock().take().filter(|known| known.epoch == epoch) {
            return Ok(known);
        }
        let windows: HashMap<Uuid, (Duration, DateTime<Utc>)> = subjects
            .iter()
            .map(|subject| {
                let window = past::window(&subject.policy.policy.0);
                (subject.service.id, (window, subject.policy.updated_at))
            })
            .collect();
        let mut known: HashMap<Uuid, Known> = subjects
            .iter()
            .map(|subject| (subject.service.id, subject.unknown()))
            .collect();
        let longest = windows
            .values()
            .map(|(window, _)| *window)
            .max()
            .unwrap_or_else(Duration::zero);
        for row in autoscaling_decisions::since(&self.state.foundation.database, now - longest).await? {
            if let (Some(known), Some((window, set))) =
                (known.get_mut(&row.service_id), windows.get(&row.service_id))
            {
                if row.at > *set {
                    known.past.note(&row.decision.0, *window);
                }
                known.latest = Some(Latest::of(&row.decision.0, row.class()));
            }
        }
        Ok(Memory { epoch, known })
    }

    /// Asks every cluster that has any of the services.
    async fn measure(
        &self,
        clusters: &[clusters::Model],
        subjects: &[Subject],
        queries: &Queries,
    ) -> HashMap<Uuid, Answer> {
        let mut there: HashMap<Uuid, Vec<&Subject>> = HashMap::new();
        for subject in subjects {
            for assignment in subject.assignments.iter().filter(|row| row.wanted_now() > 0) {
                there.entry(assignment.cluster_id).or_default().push(subject);
            }
        }
        let asked = clusters.iter().filter_map(|cluster| {
            let subjects = there.remove(&cluster.id)?;
            let positions = (0..).zip(&subjects).map(|(at, one)| (one.service.id, at));
            let positions: HashMap<Uuid, usize> = positions.collect();
            let query = MeasurementQuery {
                prometheus_url: cluster.prometheus_url.clone(),
                queries: queries.texts.clone(),
                services: subjects
                    .iter()
                    .map(|subject| ServicePlace {
                        project: subject.service.project.clone(),
                        environment: subject.service.environment.clone(),
                        service: subject.service.name.clone(),
                    })
                    .collect(),
            };
            let id = cluster.id;
            Some(async move {
                let measurements = self.state.ipaas.measure(ClusterId(id), &query).await;
                let measurements = measurements.map_err(|error| platform::error::chain(&error));
                (
                    id,
                    Answer {
                        measurements,
                        positions,
                    },
                )
            })
        });
        stream::iter(asked.collect::<Vec<_>>())
            .buffer_unordered(CLUSTERS_AT_A_TIME)
            .collect()
            .await
    }

    async fn limits(&self, subjects: &[Subject]) -> anyhow::Result<HashMap<Uuid, Limits>> {
        let wanted: Vec<(Uuid, i64)> = subjects
            .iter()
            .filter(|subject| subject.needs_limits())
            .map(|subject| (subject.service.id, subject.service.revision))
            .collect();
        let rows = revisions::find_many(&self.state.foundation.database, &wanted).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((row.service_id, Limits::of(&row.spec.0.resources)?)))
            .collect())
    }

    /// Writes decisions, and gives services their replicas in the transaction that says why. Returns those that were
    /// written: where somebody changed the service or its policy meanwhile, the decision is of another state.
    async fn write(
        &self,
        decisions: Vec<(Uuid, i64, AutoscalingDecision)>,
        memory: &Memory,
    ) -> anyhow::Result<Vec<(Uuid, i64, AutoscalingDecision)>> {
        let (scaled, kept): (Vec<_>, Vec<_>) = decisions
            .into_iter()
            .partition(|(_, _, decision)| decision.outcome == DecisionOutcome::Scaled);
        let mut written = Vec::new();
        for chunk in scaled.chunks(SCALED_AT_A_TIME) {
            written.extend(self.scale(chunk, memory).await?);
        }
        for chunk in kept.chunks(KEPT_AT_A_TIME) {
            let unit = lead::begin(&self.state, memory.epoch).await?;
            store(&unit, chunk, memory).await?;
            unit.commit().await?;
        }
        written.extend(kept);
        Ok(written)
    }

    async fn scale(
        &self,
        chunk: &[(Uuid, i64, AutoscalingDecision)],
        memory: &Memory,
    ) -> anyhow::Result<Vec<(Uuid, i64, AutoscalingDecision)>> {
        let caller = Caller {
            name: CALLER.to_owned(),
            ..Caller::service("cluster-mgr")
        };
        let ids: Vec<Uuid> = chunk.iter().map(|(id, ..)| *id).collect();
        let mut unit = lead::begin(&self.state, memory.epoch).await?;
        let mut locked: HashMap<Uuid, services::Model> = services::find_many(&*unit, &ids, true)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let versions: HashMap<Uuid, i64> = autoscaling_policies::find_many(&*unit, &ids)
            .await?
            .into_iter()
            .map(|row| (row.service_id, row.version))
            .collect();
        let growing = chunk
            .iter()
            .filter(|(_, _, decision)| decision.wanted > decision.current);
        let projects = growing.filter_map(|(id, ..)| Some(locked.get(id)?.project.clone()));
        let mut rooms = Rooms::lock(&unit, projects.collect()).await?;
        let mut written = Vec::with_capacity(chunk.len());
        for (id, version, decision) in chunk {
            let Some(service) = locked.get_mut(id) else {
                continue;
            };
            let same =
                service.replicas.unsigned_abs() == decision.current && versions.get(id) == Some(version);
            if !same || service.deleting {
                continue;
            }
            let decision = autoscale::within_quota(decision.clone(), rooms.most(service));
            if decision.outcome == DecisionOutcome::Scaled {
                let before = service.clone();
                autoscaling::scale(&mut unit, service, decision.wanted, &caller, decision.at).await?;
                rooms.note(&before, service);
                tracing::info!(service = %service.path(), decision = %decision.message, "a service was scaled by its policy");
            }
            written.push((*id, *version, decision));
        }
        store(&unit, &written, memory).await?;
        unit.commit().await?;
        Ok(written)
    }
}

/// Keeps decisions, and the end of each run of the same that they end.
async fn store(
    unit: &Unit,
    decisions: &[(Uuid, i64, AutoscalingDecision)],
    memory: &Memory,
) -> Result<(), DbErr> {
    let before = |id: &Uuid| memory.known.get(id).and_then(|known| known.latest.as_ref());
    let rows = decisions.iter().map(|(id, _, decision)| {
        let class = thinning::class(before(id), decision);
        autoscaling_decisions::Model::of(*id, decision.clone(), class)
    });
    autoscaling_decisions::insert(&**unit, rows.collect()).await?;
    let ended = decisions
        .iter()
        .filter_map(|(id, _, decision)| Some((*id, before(id)?.ended_by(decision)?)));
    autoscaling_decisions::keep(&**unit, ended.collect::<Vec<_>>()).await
}

/// Counts what could not be read, so that somebody can be told.
fn count(decisions: &[(Uuid, i64, AutoscalingDecision)]) {
    let unread = decisions
        .iter()
        .flat_map(|(_, _, decision)| &decision.metrics)
        .filter(|reading| reading.proposed.is_none())
        .count();
    metrics::counter!("longshore_autoscaling_decisions_total").increment(decisions.len() as u64);
    metrics::counter!("longshore_autoscaling_unread_total").increment(unread as u64);
}

#[async_trait]
impl Task for Autoscale {
    fn name(&self) -> &'static str {
        "autoscale"
    }

    async fn turn(&self, epoch: i64) -> anyhow::Result<()> {
        let subjects = self.subjects().await?;
        if subjects.is_empty() {
            return Ok(());
        }
        let mut queries = Queries::default();
        for subject in &subjects {
            queries.add(&subject.policy.policy.0);
        }
        let clusters = clusters::all(&self.state.foundation.database).await?;
        let names: HashMap<Uuid, &str> = clusters
            .iter()
            .map(|cluster| (cluster.id, cluster.name.as_str()))
            .collect();
        let limits = self.limits(&subjects).await?;
        let answers = self.measure(&clusters, &subjects, &queries).await;
        let now = self.state.now();
        // Taken out, so that a turn that fails leaves nothing that is not stored.
        let mut memory = self.recall(&subjects, epoch, now).await?;
        let mut decisions = Vec::with_capacity(subjects.len());
        for subject in &subjects {
            let id = subject.service.id;
            let policy = &subject.policy.policy.0;
            let places: Vec<Place<'_>> = subject
                .assignments
                .iter()
                .filter(|row| row.wanted_now() > 0)
                .map(|row| Place {
                    cluster: names.get(&row.cluster_id).copied().unwrap_or_default(),
                    replicas: row.wanted_now(),
                    answer: match answers.get(&row.cluster_id) {
                        None => Err("the cluster is not registered any more"),
                        Some(answer) => match (&answer.measurements, answer.positions.get(&id)) {
                            (Err(error), _) => Err(error.as_str()),
                            (Ok(measurements), Some(position)) => Ok((measurements, *position)),
                            (Ok(_), None) => Err("the answer lacks the service"),
                        },
                    },
                })
                .collect();
            let current = subject.service.replicas.unsigned_abs();
            let inputs = gather::inputs(policy, &queries, limits.get(&id).copied(), &places, current, now);
            let version = subject.policy.version;
            let known = memory.known.entry(id).or_insert_with(|| subject.unknown());
            if known.version != version {
                (known.version, known.past) = (version, subject.past());
            }
            decisions.push((id, version, autoscale::decide(policy, &inputs, &known.past, now)));
        }
        count(&decisions);
        let windows: HashMap<Uuid, Duration> = subjects
            .iter()
            .map(|subject| (subject.service.id, past::window(&subject.policy.policy.0)))
            .collect();
        memory.known.retain(|id, _| windows.contains_key(id));
        for (id, _, decision) in self.write(decisions, &memory).await? {
            if let (Some(known), Some(window)) = (memory.known.get_mut(&id), windows.get(&id)) {
                known.past.note(&decision, *window);
                let class = thinning::class(known.latest.as_ref(), &decision);
                known.latest = Some(Latest::of(&decision, class));
            }
        }
        *self.memory.lock() = Some(memory);
        Ok(())
    }
}
