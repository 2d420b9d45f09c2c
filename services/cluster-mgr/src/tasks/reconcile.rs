//! Gathers what changed, decides, writes, and hands what is to be done to the dispatcher.
//!
//! Only services whose inputs changed are looked at; a slow full pass finds whatever was missed. A turn
//! plans without locks first, since most looks find nothing to write, until most of a batch does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use api_types::changes::Topic;
use async_trait::async_trait;
use parking_lot::Mutex;
use platform::driver::Task;
use uuid::Uuid;

use crate::app::reconcile::fleet::{Fleet, Reservations};
use crate::app::reconcile::{Outcome, Subject, reconcile};
use crate::app::reservations::reserve;
use crate::db::columns::read_word;
use crate::db::{
    Connection, Record, Unit, assignments, autoscaling_decisions, autoscaling_policies, changes, clusters,
    departures, edits, environments, observations, operations, put, revisions, services,
};
use crate::state::AppState;
use crate::tasks::{dispatch, lead};

/// Services in one transaction: short enough for others to get their turn.
const BATCH: usize = 250;
/// Changes read at a time.
const PAGE: u64 = 1000;

/// How long promised room is carried from batch to batch before it is added up anew. Meanwhile only what
/// these loops promise is added, so it errs on the side of less room.
const CARRIED: Duration = Duration::from_secs(1);

pub struct Reconcile {
    state: AppState,
    place: Mutex<Option<Place>>,
    carried: Mutex<Option<Carried>>,
}

/// The room that is promised, and when it was added up.
#[derive(Clone)]
struct Carried {
    reservations: Reservations,
    since: Instant,
}

/// How far the change stream was read, under which epoch, and when everything was last looked at.
#[derive(Clone, Copy)]
struct Place {
    epoch: i64,
    sequence: i64,
    full_pass: Instant,
}

impl Reconcile {
    pub fn new(state: AppState) -> Self {
        Self {
            state,
            place: Mutex::new(None),
            carried: Mutex::new(None),
        }
    }

    /// Marks the services whose inputs changed since the last turn.
    async fn gather(&self, epoch: i64) -> anyhow::Result<()> {
        let database = &self.state.foundation.database;
        let known = *self.place.lock();
        let Some(mut place) = known.filter(|place| {
            place.epoch == epoch && place.full_pass.elapsed() < self.state.config.full_pass_period()
        }) else {
            // The sequence first: what changes while the ids are read is read again.
            let sequence = changes::newest(database).await?;
            if known.is_none_or(|place| place.epoch != epoch) {
                self.state.work.clear();
            }
            self.state.work.mark(services::all_ids(database).await?);
            *self.place.lock() = Some(Place {
                epoch,
                sequence,
                full_pass: Instant::now(),
            });
            return Ok(());
        };
        loop {
            let rows = changes::after(database, place.sequence, PAGE).await?;
            let Some(last) = rows.last() else { break };
            place.sequence = last.sequence;
            let mut everything = false;
            for row in rows.iter().filter(|row| row.intent) {
                match (read_word::<Topic>(&row.topic)?, row.service_id) {
                    (Topic::Services, Some(service)) => self.state.work.mark([service]),
                    (Topic::Projects, _) => {
                        if let (Some(project), Some(environment)) = (&row.project, &row.environment) {
                            let ids = services::ids_of_environment(database, project, environment).await?;
                            self.state.work.mark(ids);
                        }
                    }
                    _ => everything = true,
                }
            }
            if everything {
                self.state.work.mark(services::all_ids(database).await?);
            }
        }
        *self.place.lock() = Some(place);
        Ok(())
    }

    /// Tells whether most of it wrote. `writing` when that is expected: then it is not looked at without locks first.
    async fn batch(&self, ids: &[Uuid], epoch: i64, writing: bool) -> anyhow::Result<bool> {
        let mut outcomes = Planned::new();
        let mut locked = ids.to_vec();
        if !writing {
            let gathered = self.load(&self.state.foundation.database, ids, false).await?;
            (outcomes, _) = self.plan(gathered)?;
            let writes =
                |(subject, outcome): &(Subject, Outcome)| outcome.writes().then_some(subject.service.id);
            locked = outcomes.iter().filter_map(writes).collect();
            outcomes.retain(|(_, outcome)| !outcome.writes());
        }
        let mut written = 0;
        if !locked.is_empty() {
            let mut unit = lead::begin(&self.state, epoch).await?;
            // Locked and read again: what an editor wrote in between counts.
            let gathered = self.load(&*unit, &locked, true).await?;
            let (planned, promised) = self.plan(gathered)?;
            write(&mut unit, &planned).await?;
            unit.commit().await?;
            if promised.is_some() {
                *self.carried.lock() = promised;
            }
            written = planned.iter().filter(|(_, outcome)| outcome.writes()).count();
            outcomes.extend(planned);
        }
        for (subject, outcome) in outcomes {
            let service = subject.service.id;
            for (cluster, action) in outcome.actions {
                dispatch::dispatch(&self.state, service, cluster, action, epoch);
            }
            if let Some(at) = outcome.wake_at {
                self.state.work.mark_later(service, at);
            }
            if outcome.wants_look {
                self.state.work.want_look(service);
            }
            // A cluster on its way out may be empty now.
            if outcome.gone || !outcome.removed.is_empty() {
                self.state.work.registry.wake();
            }
        }
        Ok(written * 2 > ids.len())
    }

    fn plan(&self, gathered: Gathered) -> anyhow::Result<(Planned, Option<Carried>)> {
        let Gathered {
            mut fleet,
            subjects,
            promised_since,
        } = gathered;
        let pace = self.state.config.pace();
        let now = self.state.now();
        let planned = subjects
            .into_iter()
            .map(|subject| {
                let look = self.state.work.look(subject.service.id);
                let outcome = reconcile(&subject, &mut fleet, &look, pace, now)?;
                Ok((subject, outcome))
            })
            .collect::<anyhow::Result<_>>()?;
        let promised = promised_since.map(|since| Carried {
            reservations: fleet.reservations,
            since,
        });
        Ok((planned, promised))
    }

    /// Room that is promised: as carried along, or added up anew. Returns since when it is known.
    async fn promise(
        &self,
        connection: &impl Connection,
        fleet: &mut Fleet,
        subjects: &[Subject],
    ) -> anyhow::Result<Instant> {
        let carried = self.carried.lock().clone();
        let holds = |carried: &Carried| {
            let knows = |subject: &Subject| subject.is_known_to(&carried.reservations);
            carried.since.elapsed() < CARRIED && subjects.iter().all(knows)
        };
        if let Some(carried) = carried.filter(holds) {
            fleet.reservations = carried.reservations;
            return Ok(carried.since);
        }
        let since = Instant::now();
        reserve(connection, fleet).await?;
        Ok(since)
    }

    async fn load(
        &self,
        connection: &impl Connection,
        ids: &[Uuid],
        locked: bool,
    ) -> anyhow::Result<Gathered> {
        let rows = services::find_many(connection, ids, locked).await?;
        let ids: Vec<Uuid> = rows.iter().map(|service| service.id).collect();
        let mut fleet = Fleet::of(&clusters::all(connection).await?)?;
        let environments = environments::all(connection).await?;
        let keys: Vec<(Uuid, i64)> = rows.iter().map(|row| (row.id, row.revision)).collect();
        let mut specs: HashMap<Uuid, _> = revisions::find_many(connection, &keys)
            .await?
            .into_iter()
            .map(|row| (row.service_id, row.spec.0))
            .collect();
        let mut assigned: BTreeMap<Uuid, Vec<_>> = BTreeMap::new();
        for row in assignments::find_many(connection, &ids, locked).await? {
            assigned.entry(row.service_id).or_default().push(row);
        }
        let mut observed: BTreeMap<Uuid, Vec<_>> = BTreeMap::new();
        for row in observations::of_services(connection, &ids).await? {
            observed.entry(row.service_id).or_default().push(row);
        }
        let operation_ids: Vec<Uuid> = rows.iter().filter_map(|row| row.operation_id).collect();
        let mut operations: HashMap<Uuid, _> = operations::find_many(connection, &operation_ids)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let mut subjects = Vec::with_capacity(rows.len());
        for service in rows {
            let environment = environments
                .iter()
                .find(|row| row.project == service.project && row.name == service.environment);
            let (Some(environment), Some(spec)) = (environment, specs.remove(&service.id)) else {
                tracing::error!(service = %service.path(), "a service without its environment or revision is left alone");
                continue;
            };
            subjects.push(Subject {
                spec,
                environment: environment.clone(),
                assignments: assigned.remove(&service.id).unwrap_or_default(),
                observations: observed.remove(&service.id).unwrap_or_default(),
                operation: service.operation_id.and_then(|id| operations.remove(&id)),
                service,
            });
        }
        let priority = |subject: &Subject| subject.service.priority();
        let priorities = subjects
            .iter()
            .map(|subject| (subject.service.id, priority(subject)));
        self.state.work.note_priorities(priorities);
        subjects.sort_by_key(|subject| Reverse(priority(subject)));
        let mut promised_since = None;
        let (pace, now) = (self.state.config.pace(), self.state.now());
        if subjects
            .iter()
            .any(|subject| subject.needs_decision(&fleet, pace, now))
        {
            promised_since = Some(self.promise(connection, &mut fleet, &subjects).await?);
        }
        Ok(Gathered {
            fleet,
            subjects,
            promised_since,
        })
    }
}

/// What came of each.
type Planned = Vec<(Subject, Outcome)>;

struct Gathered {
    fleet: Fleet,
    subjects: Vec<Subject>,
    /// When the room was added up, if it had to be known.
    promised_since: Option<Instant>,
}

/// Writes a batch, a statement per table.
async fn write(unit: &mut Unit, planned: &[(Subject, Outcome)]) -> anyhow::Result<()> {
    let outcomes = planned.iter().map(|(_, outcome)| outcome);
    let rows: Vec<_> = outcomes
        .clone()
        .flat_map(|outcome| outcome.assignments.clone())
        .collect();
    put::<assignments::Entity>(&**unit, &rows).await?;
    let rows: Vec<_> = outcomes
        .clone()
        .filter_map(|outcome| outcome.operation.clone())
        .collect();
    put::<operations::Entity>(&**unit, &rows).await?;
    let kept = outcomes.filter(|outcome| !outcome.gone);
    let rows: Vec<_> = kept.filter_map(|outcome| outcome.service.clone()).collect();
    put::<services::Entity>(&**unit, &rows).await?;
    for (subject, outcome) in planned {
        let id = subject.service.id;
        for cluster in &outcome.removed {
            assignments::delete(&**unit, id, *cluster).await?;
        }
        if let Some(operation) = &outcome.operation {
            unit.record(Record::operation(operation));
        }
        if outcome.gone {
            revisions::delete_of(&**unit, id).await?;
            observations::delete_of_service(&**unit, id).await?;
            departures::delete_of_service(&**unit, id).await?;
            edits::forget(&**unit, id).await?;
            autoscaling_policies::delete(&**unit, id).await?;
            autoscaling_decisions::delete_of(&**unit, id).await?;
            services::delete(&**unit, id).await?;
        }
        if outcome.writes() {
            unit.record(Record::service(&subject.service));
        }
    }
    Ok(())
}

#[async_trait]
impl Task for Reconcile {
    fn name(&self) -> &'static str {
        "reconcile"
    }

    async fn turn(&self, epoch: i64) -> anyhow::Result<()> {
        self.gather(epoch).await?;
        let mut writing = false;
        loop {
            let ids = self.state.work.take(self.state.now(), BATCH);
            if ids.is_empty() {
                return Ok(());
            }
            match self.batch(&ids, epoch, writing).await {
                Ok(wrote) => writing = wrote,
                Err(error) => {
                    self.state.work.mark(ids);
                    *self.carried.lock() = None;
                    return Err(error);
                }
            }
        }
    }
}
