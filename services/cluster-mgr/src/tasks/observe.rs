//! Follows ipaas's change stream and mirrors what is seen of services into the database.
//!
//! A change says only that something did. After a short pause, in which more may come, what it was about
//! is read in one call and compared with the mirror: the services that it names, the clusters that it names, or all when
//! they are very many. The pause grows with what a reading takes, so that reading never takes more than a small part of
//! the time.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use api_types::changes::{Change, ChangeLine, Topic};
use api_types::common::ClusterId;
use api_types::internal::{ObservedWorkload, ServicePlace, WorkloadQuery, WorkloadSnapshot};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use platform::driver::Task;
use tokio::time::sleep_until;
use uuid::Uuid;

use crate::app::reconcile::sync::Look;
use crate::db::columns::{StoredClaim, StoredObservation};
use crate::db::services::Place;
use crate::db::{Record, claims, observations, put, services};
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
/// The mirror of claims.
type Claims = HashMap<claims::Key, claims::Model>;
/// Services by id.
type Places = HashMap<Uuid, Place>;

/// What is to be read next.
#[derive(Debug, Default)]
struct Wanted {
    all: bool,
    places: HashSet<Place>,
    /// Clusters that came, went, or were read; everything on them.
    clusters: HashSet<ClusterId>,
}

impl Wanted {
    /// Takes a change in; tells whether it asks for a reading.
    fn take(&mut self, change: Change) -> bool {
        match (change.topic, change.project, change.environment, change.service) {
            (Topic::Workloads, Some(project), Some(environment), Some(service)) => {
                self.places.insert((project, environment, service));
            }
            (Topic::Clusters, ..) => match change.id.as_deref().and_then(|id| id.parse().ok()) {
                Some(id) => {
                    self.clusters.insert(ClusterId(id));
                }
                None => self.all = true,
            },
            (Topic::Workloads, ..) => self.all = true,
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
    /// New or changed, each with its cluster's name.
    fresh_claims: Vec<(claims::Model, String)>,
    gone_claims: Vec<claims::Key>,
}

impl Difference {
    fn is_empty(&self) -> bool {
        self.fresh.is_empty()
            && self.gone.is_empty()
            && self.fresh_claims.is_empty()
            && self.gone_claims.is_empty()
    }
}

/// Everything that is mirrored.
#[derive(Debug, Default)]
struct Mirrors {
    services: Mirror,
    claims: Claims,
}

impl Observe {
    pub fn new(state: AppState) -> Self {
        Self { state }
    }

    /// Reads everything. Returns the cursor to follow from.
    async fn look_at_all(&self, mirrors: &mut Mirrors, epoch: i64) -> anyhow::Result<String> {
        let at = self.state.now();
        let snapshot = self.state.ipaas.list_workloads().await?;
        let places: Places = services::places(&self.state.foundation.database)
            .await?
            .into_iter()
            .collect();
        let mut difference = compare(&mirrors.services, &snapshot, &places, |_, _| true, at);
        compare_claims(&mirrors.claims, &snapshot, &places, |_| true, at, &mut difference);
        self.keep(mirrors, difference, &places, epoch).await?;
        self.state.work.looked_at_all(look(at, &snapshot));
        Ok(snapshot.cursor)
    }

    /// Reads everything on these clusters.
    async fn look_on(
        &self,
        mirrors: &mut Mirrors,
        clusters: &HashSet<ClusterId>,
        epoch: i64,
    ) -> anyhow::Result<()> {
        if clusters.is_empty() {
            return Ok(());
        }
        let at = self.state.now();
        let query = WorkloadQuery::Clusters(clusters.iter().copied().collect());
        let snapshot = self.state.ipaas.query_workloads(&query).await?;
        let places: Places = services::places(&self.state.foundation.database)
            .await?
            .into_iter()
            .collect();
        let about = |_, cluster| clusters.contains(&ClusterId(cluster));
        let mut difference = compare(&mirrors.services, &snapshot, &places, about, at);
        let about = |row: &claims::Model| clusters.contains(&ClusterId(row.cluster_id));
        compare_claims(&mirrors.claims, &snapshot, &places, about, at, &mut difference);
        self.keep(mirrors, difference, &places, epoch).await
    }

    /// Reads the services at these places.
    async fn look_at(
        &self,
        mirrors: &mut Mirrors,
        wanted: &HashSet<Place>,
        epoch: i64,
    ) -> anyhow::Result<()> {
        if wanted.is_empty() {
            return Ok(());
        }
        let at = self.state.now();
        let named: Vec<Place> = wanted.iter().cloned().collect();
        let places: Places = services::at_places(&self.state.foundation.database, &named)
            .await?
            .into_iter()
            .collect();
        let asked = named
            .into_iter()
            .map(|(project, environment, service)| ServicePlace {
                project,
                environment,
                service,
            })
            .collect();
        let query = WorkloadQuery::Services(asked);
        let snapshot = self.state.ipaas.query_workloads(&query).await?;
        let about = |id, _| places.contains_key(&id);
        let mut difference = compare(&mirrors.services, &snapshot, &places, about, at);
        // Claims are there also of a service that is gone.
        let about = |row: &claims::Model| {
            wanted.contains(&(row.project.clone(), row.environment.clone(), row.service.clone()))
        };
        compare_claims(&mirrors.claims, &snapshot, &places, about, at, &mut difference);
        self.keep(mirrors, difference, &places, epoch).await?;
        let look = look(at, &snapshot);
        for service in places.keys() {
            self.state.work.looked_at(*service, look.clone());
        }
        Ok(())
    }

    async fn keep(
        &self,
        mirrors: &mut Mirrors,
        difference: Difference,
        places: &Places,
        epoch: i64,
    ) -> anyhow::Result<()> {
        if difference.is_empty() {
            return Ok(());
        }
        let Difference {
            fresh,
            gone,
            fresh_claims,
            gone_claims,
        } = difference;
        let rows: Vec<_> = fresh.iter().map(|(row, _)| row.clone()).collect();
        let mut unit = lead::begin(&self.state, epoch).await?;
        put::<observations::Entity>(&*unit, &rows).await?;
        observations::delete(&*unit, &gone).await?;
        let rows: Vec<_> = fresh_claims.iter().map(|(row, _)| row.clone()).collect();
        put::<claims::Entity>(&*unit, &rows).await?;
        claims::delete(&*unit, &gone_claims).await?;
        let claims = fresh_claims
            .iter()
            .map(|(row, cluster)| (row, Some(cluster.as_str())));
        let lost = gone_claims.iter().filter_map(|key| mirrors.claims.get(key));
        for (row, cluster) in claims.chain(lost.map(|row| (row, None))) {
            let place = (
                row.project.as_str(),
                row.environment.as_str(),
                row.service.as_str(),
            );
            unit.record(Record::seen(row.service_id, place, cluster));
        }
        let seen = fresh
            .iter()
            .map(|(row, cluster)| (row.service_id, Some(cluster.as_str())));
        for (service, cluster) in seen.chain(gone.iter().map(|(service, _)| (*service, None))) {
            if let Some((project, environment, name)) = places.get(&service) {
                unit.record(Record::seen(service, (project, environment, name), cluster));
            }
        }
        unit.commit().await?;
        let touched = fresh.iter().map(|(row, _)| row.service_id);
        self.state
            .work
            .mark(touched.chain(gone.iter().map(|(service, _)| *service)));
        for key in &gone {
            mirrors.services.remove(key);
        }
        for (row, _) in fresh {
            mirrors.services.insert((row.service_id, row.cluster_id), row);
        }
        for key in &gone_claims {
            mirrors.claims.remove(key);
        }
        for (row, _) in fresh_claims {
            mirrors.claims.insert(row.key(), row);
        }
        Ok(())
    }

    /// Reads what is wanted.
    async fn read(&self, mirrors: &mut Mirrors, wanted: Wanted, epoch: i64) -> anyhow::Result<()> {
        let ids: Vec<Uuid> = self.state.work.looks_wanted().into_iter().collect();
        if wanted.all || ids.len() + wanted.places.len() > MANY {
            self.look_at_all(mirrors, epoch).await?;
        } else {
            let asked = services::places_of(&self.state.foundation.database, &ids).await?;
            let mut places = wanted.places;
            places.extend(asked.into_iter().map(|(_, place)| place));
            self.look_on(mirrors, &wanted.clusters, epoch).await?;
            self.look_at(mirrors, &places, epoch).await?;
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

/// What a reading of the services on the clusters that `about` names changes in the mirror.
fn compare(
    mirror: &Mirror,
    snapshot: &WorkloadSnapshot,
    places: &Places,
    about: impl Fn(Uuid, Uuid) -> bool,
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
        .filter(|key| about(key.0, key.1) && !listed.contains(key) && complete.contains(&key.1))
        .copied()
        .collect();
    difference
}

/// What a reading of what `about` names changes in the mirror of claims.
fn compare_claims(
    mirror: &Claims,
    snapshot: &WorkloadSnapshot,
    places: &Places,
    about: impl Fn(&claims::Model) -> bool,
    at: DateTime<Utc>,
    difference: &mut Difference,
) {
    let ids: HashMap<&(String, String, String), Uuid> =
        places.iter().map(|(id, place)| (place, *id)).collect();
    let mut listed = HashSet::new();
    for seen in &snapshot.claims {
        let key = (
            seen.cluster_id.0,
            seen.project.clone(),
            seen.environment.clone(),
            seen.claim.name.clone(),
        );
        let known = mirror.get(&key);
        let place = (
            seen.project.clone(),
            seen.environment.clone(),
            seen.service.clone(),
        );
        // A claim of a service that is gone stays that service's.
        let service_id = ids
            .get(&place)
            .copied()
            .or_else(|| {
                known
                    .filter(|row| row.service == seen.service)
                    .map(|row| row.service_id)
            })
            .unwrap_or_else(Uuid::now_v7);
        let same = known.is_some_and(|row| {
            row.service == seen.service && row.service_id == service_id && row.claim.0 == seen.claim
        });
        if !same {
            let row = claims::Model {
                cluster_id: key.0,
                project: key.1.clone(),
                environment: key.2.clone(),
                name: key.3.clone(),
                service: seen.service.clone(),
                service_id,
                claim: StoredClaim(seen.claim.clone()),
                changed_at: at,
            };
            difference.fresh_claims.push((row, seen.cluster.clone()));
        }
        listed.insert(key);
    }
    let complete: HashSet<Uuid> = snapshot.complete.iter().map(|cluster| cluster.0).collect();
    difference.gone_claims = mirror
        .iter()
        .filter(|(key, row)| about(row) && !listed.contains(*key) && complete.contains(&key.0))
        .map(|(key, _)| key.clone())
        .collect();
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
        let database = &self.state.foundation.database;
        let services = observations::all(database).await?.into_iter();
        let claims = claims::all(database).await?.into_iter();
        let mut mirrors = Mirrors {
            services: services
                .map(|row| ((row.service_id, row.cluster_id), row))
                .collect(),
            claims: claims.map(|row| (row.key(), row)).collect(),
        };
        let cursor = self.look_at_all(&mut mirrors, epoch).await?;
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
                    self.read(&mut mirrors, std::mem::take(&mut wanted), epoch).await?;
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
            claims: Vec::new(),
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
        let difference = compare(&mirror, &first, &places, |_, _| true, at(0));
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
            compare(&mirror, &again, &places, |_, _| true, at(9)),
            Difference::default()
        );
        // East changed; west is not seen at all, and isn't answering.
        let partial = snapshot(vec![workload(east, "web", 2, 10)], &[east]);
        let difference = compare(&mirror, &partial, &places, |_, _| true, at(10));
        assert_eq!((difference.fresh.len(), difference.gone.len()), (1, 0));
        // Now it answers, and has nothing.
        let whole = snapshot(vec![workload(east, "web", 1, 11)], &[east, west]);
        assert_eq!(
            compare(&mirror, &whole, &places, |_, _| true, at(11)).gone,
            [(service, west)]
        );
        // A look at another service says nothing about this one.
        let other = snapshot(vec![], &[east, west]);
        assert_eq!(
            compare(&mirror, &other, &places, |_, _| false, at(12)),
            Difference::default()
        );
    }

    #[test]
    fn claims_are_mirrored_by_name_and_stay_when_their_service_is_gone() {
        let (service, east) = (Uuid::now_v7(), Uuid::now_v7());
        let place = ("shop".to_owned(), "test".to_owned(), "web".to_owned());
        let places = Places::from([(service, place)]);
        let claim = |size: u64| -> api_types::storage::ObservedClaim {
            serde_json::from_value(json!({
                "cluster_id": east, "cluster": "east", "project": "shop", "environment": "test", "service": "web",
                "claim": { "name": "web-data", "volume": "data", "requested_bytes": size, "phase": "pending",
                    "access": "one_node", "in_use": false, "deleting": false, "created_at": at(0) }
            }))
            .unwrap()
        };
        let told = |claims: Vec<api_types::storage::ObservedClaim>, complete: &[Uuid]| WorkloadSnapshot {
            claims,
            ..snapshot(vec![], complete)
        };
        let difference = |mirror: &Claims, snapshot: &WorkloadSnapshot, places: &Places| {
            let mut difference = Difference::default();
            compare_claims(mirror, snapshot, places, |_| true, at(1), &mut difference);
            difference
        };
        let mut mirror = Claims::new();
        let seen = told(vec![claim(1)], &[east]);
        let (row, cluster) = difference(&mirror, &seen, &places).fresh_claims.remove(0);
        assert_eq!((row.service_id, cluster.as_str()), (service, "east"));
        mirror.insert(row.key(), row);
        // The same again, and after its service was deleted, is no change.
        assert_eq!(difference(&mirror, &seen, &places), Difference::default());
        assert_eq!(difference(&mirror, &seen, &Places::new()), Difference::default());
        let grown = difference(&mirror, &told(vec![claim(2)], &[east]), &Places::new());
        assert_eq!(grown.fresh_claims[0].0.service_id, service);
        // Not seen on a cluster that doesn't answer, and gone from one that does.
        assert_eq!(
            difference(&mirror, &told(vec![], &[]), &places),
            Difference::default()
        );
        assert_eq!(
            difference(&mirror, &told(vec![], &[east]), &places)
                .gone_claims
                .len(),
            1
        );
    }
}
