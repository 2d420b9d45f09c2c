//! Moves back what left a cluster: hands out one share at a time, and the next when all of the last is ready.

use std::collections::HashMap;

use api_types::clusters::ClusterState;
use api_types::operations::{OperationState, OperationStep, StepState};
use async_trait::async_trait;
use platform::driver::Task;
use platform::text::counted;
use uuid::Uuid;

use crate::app::failback::{Away, share};
use crate::app::failbacks::{self, Gone};
use crate::app::failover;
use crate::db::clusters::FailbackOrder;
use crate::db::columns::{Returning, Steps, word};
use crate::db::{Record, Unit, assignments, clusters, departures, observations, operations, put, services};
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

    async fn advance(
        &self,
        cluster: &clusters::Model,
        order: FailbackOrder,
        epoch: i64,
    ) -> anyhow::Result<()> {
        let gone = failbacks::gone(&self.state.foundation.database, cluster.id, false).await?;
        let waits = if cluster.health()? == ClusterState::Ready {
            self.unsettled(cluster.id, &gone).await?
        } else {
            vec![format!("cluster {} to be ready", cluster.name)]
        };
        let mut unit = lead::begin(&self.state, epoch).await?;
        if waits.is_empty() {
            self.hand_out(&mut unit, cluster.id, order).await?;
        } else {
            let more = waits.len().saturating_sub(NAMED);
            let mut message = format!("waits for {}", waits[..waits.len().min(NAMED)].join(", "));
            if more > 0 {
                message.push_str(&format!(" and {more} more"));
            }
            self.tell(&mut unit, order, &gone, &message).await?;
        }
        unit.commit().await?;
        Ok(())
    }

    /// What moves back and is not ready at home yet, by path.
    async fn unsettled(&self, cluster: Uuid, gone: &[Gone]) -> anyhow::Result<Vec<String>> {
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
            .map(|one| one.service.path())
            .collect())
    }

    /// Forgets what is back or found no place, and lets the next share move.
    async fn hand_out(&self, unit: &mut Unit, cluster: Uuid, order: FailbackOrder) -> anyhow::Result<()> {
        let Some(mut row) = clusters::find_by_id_locked(&**unit, cluster).await? else {
            return Ok(());
        };
        if row.failback != Some(order) {
            return Ok(());
        }
        let mut left = Vec::new();
        for one in failbacks::gone(&**unit, cluster, true).await? {
            let to = one.departure.returns_to.unwrap_or(0).max(0).unsigned_abs();
            if one.away().left() > 0 && one.holds >= to {
                left.push(one);
            } else {
                departures::delete(&**unit, cluster, one.service.id).await?;
            }
        }
        let away: Vec<Away> = left.iter().map(Gone::away).collect();
        let parts = share(&away, order.replicas, order.percent);
        for (one, part) in left.iter_mut().zip(parts) {
            one.departure.returns_to = None;
            if part > 0 {
                one.departure.returns_to = Some(i32::try_from(one.holds + part).unwrap_or(i32::MAX));
                one.service.returning = Some(Returning {
                    cluster,
                    replicas: part,
                });
            }
        }
        let rows: Vec<departures::Model> = left.iter().map(|one| one.departure.clone()).collect();
        departures::save_all(&**unit, &rows).await?;
        let moves: Vec<services::Model> = left
            .iter()
            .filter(|one| one.departure.returns_to.is_some())
            .map(|one| one.service.clone())
            .collect();
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
        let message = match moves.len() {
            1 => "1 service moves now".to_owned(),
            many => format!("{many} services move now"),
        };
        self.tell(unit, order, &left, &message).await
    }

    /// Says how far it is; with nothing left it is over.
    async fn tell(
        &self,
        unit: &mut Unit,
        order: FailbackOrder,
        left: &[Gone],
        message: &str,
    ) -> anyhow::Result<()> {
        let Some(before) = operations::find(&**unit, order.operation).await? else {
            return Ok(());
        };
        let mut operation = before.clone();
        let away: u64 = left.iter().map(|one| u64::from(one.away().left())).sum();
        let done = order.replicas.saturating_sub(away);
        let now = self.state.now();
        let over = left.is_empty();
        operation.message = if over {
            "what has room at home has moved back".to_owned()
        } else {
            let all = counted(order.replicas, "replica");
            format!("moved back {done} of {all}; {message}")
        };
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let mut step = OperationStep {
            name: operation.cluster.clone().unwrap_or_default(),
            state: if over {
                StepState::Succeeded
            } else {
                StepState::Running
            },
            message: operation.message.clone(),
            done: small(done),
            total: small(order.replicas),
            updated_at: now,
        };
        if let Some(earlier) = operation.steps.0.first() {
            step.updated_at = earlier.updated_at;
            if step != *earlier {
                step.updated_at = now;
            }
        }
        operation.steps = Steps(vec![step]);
        let percent = (done * 100).checked_div(order.replicas).unwrap_or(0);
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

    /// Begins by itself where that is wanted.
    async fn begin(
        &self,
        cluster: &clusters::Model,
        away: &[departures::Sum],
        epoch: i64,
    ) -> anyhow::Result<()> {
        let Some(wait) = self.state.config.failback_after() else {
            return Ok(());
        };
        let some = away.iter().any(|sum| sum.cluster_id == cluster.id);
        let due = failover::may_return(registry::standing(cluster)?, wait, self.state.now());
        if some && due && cluster.evacuation.is_none() {
            let mut unit = lead::begin(&self.state, epoch).await?;
            failbacks::begin_automatic(&self.state, &mut unit, cluster.id).await?;
            unit.commit().await?;
        }
        Ok(())
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
        let away = departures::sums(database).await?;
        for cluster in all.iter().filter(|cluster| !cluster.is_removing()) {
            match cluster.failback {
                Some(order) => self.advance(cluster, order, epoch).await?,
                None => self.begin(cluster, &away, epoch).await?,
            }
        }
        Ok(())
    }
}
