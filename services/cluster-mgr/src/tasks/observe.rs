//! Follows ipaas's change stream and mirrors what is seen of services into the database.
//!
//! A change says only that something did. After a short pause, in which more may come, what it was about
//! is read in one call and compared with the mirror: the services that it names, or all when they are very many. The
//! pause grows with what a reading takes, so that reading never takes more than a small part of the time.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use api_types::changes::{Change, ChangeLine, Topic};
use api_types::internal::{ObservedWorkload, ServicePlace, WorkloadSnapshot};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use platform::driver::Task;
use tokio::time::sleep_until;
use uuid::Uuid;

use crate::app::reconcile::sync::Look;
use crate::db::columns::StoredObservation;
use crate::db::services::Place;
use crate::db::{Record, observations, put, services};
use crate::state::AppState;
use crate::tasks::lead;

/// Changes come in bursts; one reading serves a burst.
const PAUSE: Duration = Duration::from_millis(50);
/// Reading takes at most one part in so many of the time.
const SHARE: u32 = 4;
/// Of more services than this everything is read.
const MANY: usize = 1_000;

pub struct Observe {
    state: AppState,
}

/// The mirror by service and cluster.
type Mirror = HashMap<(Uuid, Uuid), observations::Model>;
/// Services by id.
type Places = HashMap<Uuid, Place>;

/// What is to be read next.
#[derive(Debug, Default)]
struct Wanted {
    all: bool,
    places: HashSet<Place>,
}

impl Wanted {
    /// Takes a change in; tells whether it asks for a reading.
    fn take(&mut self, change: Change) -> bool {
        match (change.topic, change.project, change.environment, change.service) {
            (Topic::Workloads, Some(project), Some(environment), Some(service)) => {
                self.places.insert((project, environment, service));
            }
            (Topic::Workloads | Topic::Clusters, ..) => self.all = true,
            _ => return false,
        }
        true
    }
}

/// What a reading changes in the mirror.
#[derive(Debug, Default, PartialEq)]
struct Difference {
    /// New or changed, each with its cluster's name.
    fresh: Vec<(observations::Model, String)>,
    /// No longer there.
    gone: Vec<(Uuid, Uuid)>,
}

impl Observe {
    pub fn new(state: AppState) -> Self {
        Self { state }
    }

    /// Reads everything. Returns the cursor to follow from.
    async fn look_at_all(&self, mirror: &mut Mirror, epoch: i64) -> anyhow::Result<String> {
        let at = self.state.now();
        let snapshot = self.state.ipaas.list_workloads().await?;
        let places: Places = services::places(&self.state.foundation.database)
            .await?
            .into_iter()
            .collect();
        let difference = compare(mirror, &snapshot, &places, |_| true, at);
        self.keep(mirror, difference, &places, epoch).await?;
        self.state.work.looked_at_all(look(at, &snapshot));
        Ok(snapshot.cursor)
    }

    /// Reads these services.
    async fn look_at(&self, mirror: &mut Mirror, places: &Places, epoch: i64) -> anyhow::Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let at = self.state.now();
        let services = places
            .values()
            .cloned()
            .map(|(project, environment, service)| ServicePlace {
                project,
                environment,
                service,
            })
            .collect();
        let snapshot = self.state.ipaas.list_workloads_of(services).await?;
        let difference = compare(mirror, &snapshot, places, |id| places.contains_key(&id), at);
        self.keep(mirror, difference, places, epoch).await?;
        let look = look(at, &snapshot);
        for service in places.keys() {
            self.state.work.looked_at(*service, look.clone());
        }
        Ok(())
    }

    async fn keep(
        &self,
        mirror: &mut Mirror,
        difference: Difference,
        places: &Places,
        epoch: i64,
    ) -> anyhow::Result<()> {
        let Difference { fresh, gone } = difference;
        if fresh.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = fresh.iter().map(|(row, _)| row.clone()).collect();
        let mut unit = lead::begin(&self.state, epoch).await?;
        put::<observations::Entity>(&*unit, &rows).await?;
        observations::delete(&*unit, &gone).await?;
        for (row, cluster) in &fresh {
            if let Some((project, environment, name)) = places.get(&row.service_id) {
                unit.record(Record::seen(
                    row.service_id,
                    (project, environment, name),
                    cluster,
                ));
            }
        }
        unit.commit().await?;
        let touched = fresh.iter().map(|(row, _)| row.service_id);
        self.state
            .work
            .mark(touched.chain(gone.iter().map(|(service, _)| *service)));
        for key in &gone {
            mirror.remove(key);
        }
        for (row, _) in fresh {
            mirror.insert((row.service_id, row.cluster_id), row);
        }
        Ok(())
    }

    /// Reads what is wanted.
    async fn read(&self, mirror: &mut Mirror, wanted: Wanted, epoch: i64) -> anyhow::Result<()> {
        let ids: Vec<Uuid> = self.state.work.looks_wanted().into_iter().collect();
        if wanted.all || ids.len() + wanted.places.len() > MANY {
            self.look_at_all(mirror, epoch).await?;
        } else {
            let database = &self.state.foundation.database;
            let named: Vec<Place> = wanted.places.into_iter().collect();
            let mut places: Places = services::at_places(database, &named).await?.into_iter().collect();
            places.extend(services::places_of(database, &ids).await?);
            self.look_at(mirror, &places, epoch).await?;
        }
        self.state.outbox.reconcile.wake();
        Ok(())
    }
}

fn look(at: DateTime<Utc>, snapshot: &WorkloadSnapshot) -> Look {
    Look {
        at: Some(at),
        complete: snapshot.complete.iter().map(|cluster| cluster.0).collect(),
    }
}

/// What a reading of the services that `about` names changes in the mirror.
fn compare(
    mirror: &Mirror,
    snapshot: &WorkloadSnapshot,
    places: &Places,
    about: impl Fn(Uuid) -> bool,
    at: DateTime<Utc>,
) -> Difference {
    let ids: HashMap<(&str, &str, &str), Uuid> = places
        .iter()
        .map(|(id, (project, environment, name))| {
            ((project.as_str(), environment.as_str(), name.as_str()), *id)
        })
        .collect();
    let mut difference = Difference::default();
    let mut listed = HashSet::new();
    for workload in &snapshot.workloads {
        let place = (
            workload.project.as_str(),
            workload.environment.as_str(),
            workload.service.as_str(),
        );
        // What belongs to no service of ours is somebody else's, or is left to people.
        let Some(service) = ids.get(&place) else { continue };
        let key = (*service, workload.cluster_id.0);
        listed.insert(key);
        let row = mirrored(*service, workload, at);
        if mirror.get(&key).is_none_or(|known| !same(known, &row)) {
            difference.fresh.push((row, workload.cluster.clone()));
        }
    }
    let complete: HashSet<Uuid> = snapshot.complete.iter().map(|cluster| cluster.0).collect();
    difference.gone = mirror
        .keys()
        .filter(|key| about(key.0) && !listed.contains(key) && complete.contains(&key.1))
        .copied()
        .collect();
    difference
}

fn mirrored(service: Uuid, workload: &ObservedWorkload, at: DateTime<Utc>) -> observations::Model {
    observations::Model {
        service_id: service,
        cluster_id: workload.cluster_id.0,
        present: workload.present,
        replicas: i32::try_from(workload.observation.replicas).unwrap_or(i32::MAX),
        observation: StoredObservation(workload.observation.clone()),
        changed_at: at,
    }
}

/// Whether two rows say the same, whenever it was seen.
fn same(known: &observations::Model, row: &observations::Model) -> bool {
    let timeless = |row: &observations::Model| {
        let mut observation = row.observation.0.clone();
        observation.observed_at = DateTime::UNIX_EPOCH;
        (row.present, observation)
    };
    timeless(known) == timeless(row)
}

#[async_trait]
impl Task for Observe {
    fn name(&self) -> &'static str {
        "observe"
    }

    /// Goes on as long as the connection does.
    async fn turn(&self, epoch: i64) -> anyhow::Result<()> {
        let mut mirror: Mirror = observations::all(&self.state.foundation.database)
            .await?
            .into_iter()
            .map(|row| ((row.service_id, row.cluster_id), row))
            .collect();
        let cursor = self.look_at_all(&mut mirror, epoch).await?;
        self.state.outbox.reconcile.wake();
        let mut lines = Box::pin(self.state.ipaas.follow_changes(Some(&cursor)).await?);
        let mut wanted = Wanted::default();
        let mut due: Option<Instant> = None;
        let mut pause = PAUSE;
        loop {
            let wait = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            let asks = tokio::select! {
                line = lines.next() => match line {
                    Some(line) => match line? {
                        ChangeLine::Reset { .. } => {
                            wanted.all = true;
                            true
                        }
                        ChangeLine::Change(change) => {
                            if change.topic == Topic::Clusters {
                                self.state.work.health.wake();
                            }
                            wanted.take(change)
                        }
                        ChangeLine::Alive { .. } => false,
                    },
                    None => anyhow::bail!("ipaas ended its change stream"),
                },
                () = self.state.work.look_wanted.notified() => true,
                () = sleep_until(wait.into()) => {
                    due = None;
                    let started = Instant::now();
                    self.read(&mut mirror, std::mem::take(&mut wanted), epoch).await?;
                    pause = PAUSE.max(started.elapsed() * SHARE);
                    false
                }
            };
            if asks {
                due.get_or_insert_with(|| Instant::now() + pause);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use api_types::common::ClusterId;
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn workload(cluster: Uuid, name: &str, ready: u32, seconds: i64) -> ObservedWorkload {
        serde_json::from_value(json!({
            "cluster_id": cluster, "cluster": "east", "project": "shop", "environment": "test", "service": name,
            "present": true,
            "observation": {
                "observed_at": at(seconds), "stale": false, "revision": 1, "desired_hash": null, "replicas": 2,
                "updated": 2, "ready": ready, "available": ready, "rollout": "progressing", "problems": []
            }
        }))
        .unwrap()
    }

    fn snapshot(workloads: Vec<ObservedWorkload>, complete: &[Uuid]) -> WorkloadSnapshot {
        WorkloadSnapshot {
            cursor: "1:1".to_owned(),
            workloads,
            complete: complete.iter().map(|id| ClusterId(*id)).collect(),
        }
    }

    #[test]
    fn only_what_changed_is_written_and_absence_counts_only_where_the_view_is_whole() {
        let (service, east, west) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        let places = Places::from([(service, ("shop".into(), "test".into(), "web".into()))]);
        let mut mirror = Mirror::new();
        let first = snapshot(
            vec![
                workload(east, "web", 1, 0),
                workload(west, "web", 2, 0),
                workload(east, "stranger", 1, 0),
            ],
            &[east, west],
        );
        let difference = compare(&mirror, &first, &places, |_| true, at(0));
        assert_eq!(difference.fresh.len(), 2);
        for (row, _) in difference.fresh {
            mirror.insert((row.service_id, row.cluster_id), row);
        }
        // Seen again later, unchanged.
        let again = snapshot(
            vec![workload(east, "web", 1, 9), workload(west, "web", 2, 9)],
            &[east, west],
        );
        assert_eq!(
            compare(&mirror, &again, &places, |_| true, at(9)),
            Difference::default()
        );
        // East changed; west is not seen at all, and isn't answering.
        let partial = snapshot(vec![workload(east, "web", 2, 10)], &[east]);
        let difference = compare(&mirror, &partial, &places, |_| true, at(10));
        assert_eq!((difference.fresh.len(), difference.gone.len()), (1, 0));
        // Now it answers, and has nothing.
        let whole = snapshot(vec![workload(east, "web", 1, 11)], &[east, west]);
        assert_eq!(
            compare(&mirror, &whole, &places, |_| true, at(11)).gone,
            [(service, west)]
        );
        // A look at another service says nothing about this one.
        let other = snapshot(vec![], &[east, west]);
        assert_eq!(
            compare(&mirror, &other, &places, |_| false, at(12)),
            Difference::default()
        );
    }
}
