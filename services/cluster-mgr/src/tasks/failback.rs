//! Moves back what left a cluster: hands out one share of an environment at a time, and the next when all of the last is
//! ready.

use std::collections::HashMap;

use api_types::clusters::ClusterState;
use api_types::operations::{OperationState, StepState};
use async_trait::async_trait;
use platform::driver::Task;
use platform::text::counted;
use uuid::Uuid;

use crate::app::failback::{Absent, Away, share};
use crate::app::failbacks::{self, Gone, Policies};
use crate::app::operations::tell_step;
use crate::db::clusters::{FailbackOrder, Return};
use crate::db::columns::{Returning, word};
use crate::db::{
    Connection, Record, Unit, assignments, clusters, departures, observations, operations, put, services,
};
use crate::state::AppState;
use crate::tasks::{lead, registry};

/// Services named in a message.
const NAMED: usize = 3;

pub struct Failback {
    state: AppState,
}

impl Failback {
    pub fn new(state: AppState) -> Self {
        Self { state }
    }

    /// Hands out the next shares of environments whose last are ready; says what the others wait for.
    async fn advance(
        &self,
        cluster: &clusters::Model,
        order: &FailbackOrder,
        epoch: i64,
    ) -> anyhow::Result<()> {
        let mut gone = self
            .moving(&self.state.foundation.database, cluster.id, order, false)
            .await?;
        let ready = cluster.health()? == ClusterState::Ready;
        let mut waits = vec![format!("cluster {} to be ready", cluster.name)];
        let mut due: Vec<&Return> = Vec::new();
        if ready {
            let unsettled = self.unsettled(cluster.id, &gone).await?;
            waits = unsettled.iter().map(|one| one.service.path()).collect();
            due = order
                .environments
                .iter()
                .filter(|one| gone.iter().any(|own| own.is_of(one)))
                .filter(|one| !unsettled.iter().any(|own| own.is_of(one)))
                .collect();
        }
        let mut told = Vec::new();
        let mut unit = lead::begin(&self.state, epoch).await?;
        if !due.is_empty() || gone.is_empty() {
            let Some((left, moves)) = self.hand_out(&mut unit, cluster.id, order, &due).await? else {
                return Ok(());
            };
            gone = left;
            let verb = if moves == 1 { "moves" } else { "move" };
            told.push(format!("{} {verb} now", counted(moves as u64, "service")));
        }
        if !waits.is_empty() {
            let more = waits.len().saturating_sub(NAMED);
            let mut message = format!("waits for {}", waits[..waits.len().min(NAMED)].join(", "));
            if more > 0 {
                message.push_str(&format!(" and {more} more"));
            }
            told.push(message);
        }
        self.tell(&mut unit, order, &gone, &told.join("; ")).await?;
        unit.commit().await?;
        Ok(())
    }

    /// What an order is about.
    async fn moving(
        &self,
        connection: &impl Connection,
        cluster: Uuid,
        order: &FailbackOrder,
        lock: bool,
    ) -> anyhow::Result<Vec<Gone>> {
        let mut gone = failbacks::gone(connection, cluster, lock).await?;
        gone.retain(|one| order.environments.iter().any(|part| one.is_of(part)));
        Ok(gone)
    }

    /// What moves back and is not ready at home yet.
    async fn unsettled(&self, cluster: Uuid, gone: &[Gone]) -> anyhow::Result<Vec<Gone>> {
        let database = &self.state.foundation.database;
        let moving: Vec<&Gone> = gone
            .iter()
            .filter(|one| one.departure.returns_to.is_some())
            .collect();
        let ids: Vec<Uuid> = moving.iter().map(|one| one.service.id).collect();
        let mut held = HashMap::new();
        for row in assignments::of_services(database, &ids).await? {
            *held.entry(row.service_id).or_insert(0) += row.hold;
        }
        let ready: HashMap<Uuid, u32> = observations::of_services(database, &ids)
            .await?
            .into_iter()
            .filter(|row| row.cluster_id == cluster && row.present)
            .map(|row| (row.service_id, row.observation.0.ready))
            .collect();
        Ok(moving
            .into_iter()
            .filter(|one| {
                let id = one.service.id;
                one.service.returning.is_some()
                    || held.get(&id).copied().unwrap_or(0) > 0
                    || ready.get(&id).copied().unwrap_or(0) < one.holds
            })
            .cloned()
            .collect())
    }

    /// Forgets what of these environments is back or found no place, and lets their next shares move. What is left of the
    /// order, and how many services move; none when it is no longer ordered.
    async fn hand_out(
        &self,
        unit: &mut Unit,
        cluster: Uuid,
        order: &FailbackOrder,
        due: &[&Return],
    ) -> anyhow::Result<Option<(Vec<Gone>, usize)>> {
        let Some(mut row) = clusters::find_by_id_locked(&**unit, cluster).await? else {
            return Ok(None);
        };
        if row.failback.as_ref() != Some(order) {
            return Ok(None);
        }
        let mut left = Vec::new();
        for one in self.moving(&**unit, cluster, order, true).await? {
            let is_due = due.iter().any(|part| one.is_of(part));
            let to = one.departure.returns_to.unwrap_or(0).max(0).unsigned_abs();
            if !is_due || (one.away().left() > 0 && one.holds >= to) {
                left.push(one);
            } else {
                departures::delete(&**unit, cluster, one.service.id).await?;
            }
        }
        let (mut rows, mut moves) = (Vec::new(), Vec::new());
        for part in due {
            let mut own: Vec<&mut Gone> = left.iter_mut().filter(|one| one.is_of(part)).collect();
            let away: Vec<Away> = own.iter().map(|one| one.away()).collect();
            let policy = own.first().map_or(100, |one| one.policy.percent);
            let counts = share(&away, part.replicas, part.percent.unwrap_or(policy));
            for (one, count) in own.iter_mut().zip(counts) {
                one.departure.returns_to = None;
                if count > 0 {
                    one.departure.returns_to = Some(i32::try_from(one.holds + count).unwrap_or(i32::MAX));
                    one.service.returning = Some(Returning {
                        cluster,
                        replicas: count,
                    });
                    moves.push(one.service.clone());
                }
                rows.push(one.departure.clone());
            }
        }
        departures::save_all(&**unit, &rows).await?;
        put::<services::Entity>(&**unit, &moves).await?;
        for service in &moves {
            unit.record(Record::service(service).intended());
        }
        if left.is_empty() {
            row.failback = None;
            clusters::save(&**unit, &row).await?;
            unit.record(Record::cluster(&row.name));
            tracing::info!(cluster.name = %row.name, "what left a cluster has moved back");
        }
        Ok(Some((left, moves.len())))
    }

    /// Says how far it is; with nothing left it is over.
    async fn tell(
        &self,
        unit: &mut Unit,
        order: &FailbackOrder,
        left: &[Gone],
        message: &str,
    ) -> anyhow::Result<()> {
        let known = operations::find(&**unit, order.operation).await?;
        let Some(before) = known.filter(|operation| operation.finished_at.is_none()) else {
            return Ok(());
        };
        let mut operation = before.clone();
        let away: u64 = left.iter().map(|one| u64::from(one.away().left())).sum();
        let all = order.replicas();
        let done = all.saturating_sub(away);
        let now = self.state.now();
        let over = left.is_empty();
        operation.message = if over {
            "what may move and has room at home has moved back".to_owned()
        } else {
            format!("moved back {done} of {}; {message}", counted(all, "replica"))
        };
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let state = if over {
            StepState::Succeeded
        } else {
            StepState::Running
        };
        let told = operation.message.clone();
        tell_step(&mut operation, state, (small(done), small(all)), &told, now);
        let percent = (done * 100).checked_div(all).unwrap_or(0);
        operation.progress = percent.min(99) as i16;
        if over {
            operation.state = word(OperationState::Succeeded);
            operation.progress = 100;
            operation.finished_at = Some(now);
        }
        if operation != before {
            operation.updated_at = now;
            operations::save(&**unit, &operation).await?;
            unit.record(Record::operation(&operation));
        }
        Ok(())
    }

    /// Keeps the order to what the environments want by now; whether it was that already.
    async fn revise(
        &self,
        cluster: &clusters::Model,
        absent: &[Absent],
        policies: &Policies,
        epoch: i64,
    ) -> anyhow::Result<bool> {
        let standing = registry::standing(cluster)?;
        let Some(wanted) = failbacks::due(cluster, standing, absent, policies, self.state.now()) else {
            return Ok(true);
        };
        let mut unit = lead::begin(&self.state, epoch).await?;
        failbacks::revise(&self.state, &mut unit, cluster, wanted).await?;
        unit.commit().await?;
        self.state.work.failback.wake();
        Ok(false)
    }
}

#[async_trait]
impl Task for Failback {
    fn name(&self) -> &'static str {
        "failback"
    }

    async fn turn(&self, epoch: i64) -> anyhow::Result<()> {
        let database = &self.state.foundation.database;
        let all = clusters::all(database).await?;
        let policies = Policies::load(database).await?;
        let absent = failbacks::absent(database, &policies).await?;
        for cluster in all.iter().filter(|cluster| !cluster.is_removing()) {
            let absent = absent.get(&cluster.id).map(Vec::as_slice).unwrap_or_default();
            if self.revise(cluster, absent, &policies, epoch).await?
                && let Some(order) = &cluster.failback
            {
                self.advance(cluster, order, epoch).await?;
            }
        }
        Ok(())
    }
}
