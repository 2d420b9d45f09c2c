//! Clusters on their way in and out: sweeps registrations that never ended, follows evacuations, and lets go
//! of clusters that are being removed once nothing is left there.

use std::collections::HashSet;

use api_types::clusters::ClusterState;
use api_types::common::ClusterId;
use api_types::operations::{OperationState, StepState};
use async_trait::async_trait;
use chrono::Duration;
use platform::driver::Task;
use platform::text::counted;
use uuid::Uuid;

use crate::app::clusters::SINGLETONS;
use crate::app::evacuations;
use crate::app::failover::{self, Standing, Verdict};
use crate::app::operations::tell_step;
use crate::app::volumes;
use crate::db::clusters::EvacuationOrder;
use crate::db::columns::word;
use crate::db::{
    DbErr, Record, Unit, assignments, claims, cluster_agents, cluster_states, clusters, departures, edits,
    environments, observations, operations,
};
use crate::state::AppState;
use crate::tasks::lead;

pub struct Registry {
    state: AppState,
}

impl Registry {
    pub fn new(state: AppState) -> Self {
        Self { state }
    }

    async fn sweep(&self, epoch: i64) -> anyhow::Result<()> {
        let timeout = Duration::from_std(self.state.config.registration_timeout())?;
        let before = self.state.now() - timeout;
        for cluster in clusters::half_registered(&self.state.foundation.database, before).await? {
            lead::ipaas(&self.state, epoch)
                .delete_connection(ClusterId(cluster.id))
                .await?;
            let unit = lead::begin(&self.state, epoch).await?;
            let row = clusters::find_by_id_locked(&*unit, cluster.id).await?;
            if row.is_some_and(|row| row.phase == clusters::REGISTERING) {
                clusters::delete(&*unit, cluster.id).await?;
                unit.commit().await?;
                tracing::info!(cluster.name = %cluster.name, "a registration that never ended was swept away");
            }
        }
        Ok(())
    }

    async fn remove(&self, cluster: &clusters::Model, epoch: i64) -> anyhow::Result<()> {
        let left = assignments::count_of_cluster(&self.state.foundation.database, cluster.id).await?;
        if left > 0 {
            return match cluster.removal_id {
                Some(operation) => self.tell(operation, left, 0, epoch).await,
                None => Ok(()),
            };
        }
        lead::ipaas(&self.state, epoch)
            .delete_connection(ClusterId(cluster.id))
            .await?;
        let mut unit = lead::begin(&self.state, epoch).await?;
        if assignments::count_of_cluster(&*unit, cluster.id).await? > 0 {
            // Cannot be: nothing is placed on a cluster that is being removed.
            anyhow::bail!("cluster {} got replicas while it was being removed", cluster.name);
        }
        let kept = claims::of_cluster(&*unit, cluster.id).await?;
        observations::delete_of_cluster(&*unit, cluster.id).await?;
        claims::delete_of_cluster(&*unit, cluster.id).await?;
        cluster_agents::delete(&*unit, cluster.id).await?;
        cluster_states::delete_of(&*unit, cluster.id).await?;
        departures::delete_of_cluster(&*unit, cluster.id).await?;
        edits::forget(&*unit, cluster.id).await?;
        clusters::delete(&*unit, cluster.id).await?;
        if let Some(mut operation) = self.operation(cluster, &*unit).await? {
            let left = match (cluster.answers()?, kept.as_slice()) {
                (true, []) => "nothing of the platform's is left there".to_owned(),
                (true, kept) => format!("what is left there is data: {}", volumes::kept(kept)),
                (false, []) => "what ran there was left, since it doesn't answer".to_owned(),
                (false, kept) => format!(
                    "what ran there was left, since it doesn't answer, and data: {}",
                    volumes::kept(kept)
                ),
            };
            self.succeed(&mut operation, &format!("it is no longer registered; {left}"));
            operations::save(&*unit, &operation).await?;
            unit.record(Record::operation(&operation));
        }
        unit.record(Record::cluster(&cluster.name).intended());
        unit.commit().await?;
        tracing::info!(cluster.name = %cluster.name, "a cluster was removed");
        Ok(())
    }

    async fn operation(
        &self,
        cluster: &clusters::Model,
        connection: &impl crate::db::Connection,
    ) -> anyhow::Result<Option<operations::Model>> {
        match cluster.removal_id {
            Some(id) => Ok(operations::find(connection, id).await?),
            None => Ok(None),
        }
    }

    /// Says how far an evacuation is.
    async fn evacuate(
        &self,
        cluster: &clusters::Model,
        order: &EvacuationOrder,
        epoch: i64,
    ) -> anyhow::Result<()> {
        let database = &self.state.foundation.database;
        let open = operations::find(database, order.operation)
            .await?
            .is_some_and(|operation| operation.finished_at.is_none());
        if !open {
            return Ok(());
        }
        let answers = cluster.answers()?;
        // What is on a cluster that doesn't answer goes when it returns.
        let left = assignments::count_left(
            database,
            cluster.id,
            (&order.scope, order.include_stored),
            answers,
        )
        .await?;
        if left > 0 {
            let singletons = if answers {
                0
            } else {
                assignments::singletons_left(database, cluster.id, SINGLETONS)
                    .await?
                    .len()
            };
            return self.tell(order.operation, left, singletons, epoch).await;
        }
        let mut unit = lead::begin(&self.state, epoch).await?;
        let Some(mut operation) = operations::find(&*unit, order.operation).await? else {
            return Ok(());
        };
        let stored = if order.include_stored {
            0
        } else {
            assignments::count_stored(&*unit, cluster.id, &order.scope).await?
        };
        let message = match (answers, stored) {
            (true, 0) => "nothing of the platform's is left there".to_owned(),
            (true, stored) => {
                format!("{stored} services stay there, as their data can't follow; nothing else is left")
            }
            (false, 0) => {
                "everything that it held is ready elsewhere; what it still runs is removed when it returns"
                    .to_owned()
            }
            (false, stored) => format!(
                "{stored} services wait for it, as their data can't follow; everything else is ready elsewhere"
            ),
        };
        self.succeed(&mut operation, &message);
        operations::save(&*unit, &operation).await?;
        unit.record(Record::operation(&operation));
        evacuations::complete(&mut unit, cluster.id, order.operation, self.state.now()).await?;
        unit.commit().await?;
        tracing::info!(cluster.name = %cluster.name, "a cluster was evacuated");
        Ok(())
    }

    /// Takes a cluster back that left by itself and has been well for long enough, where that is wanted.
    async fn take_back(
        &self,
        cluster: &clusters::Model,
        order: &EvacuationOrder,
        epoch: i64,
    ) -> anyhow::Result<()> {
        let Some(wait) = self.state.config.take_back_after().filter(|_| order.automatic) else {
            return Ok(());
        };
        if failover::may_return(standing(cluster)?, wait, self.state.now()) {
            let mut unit = lead::begin(&self.state, epoch).await?;
            evacuations::end_automatic(&self.state, &mut unit, cluster.id).await?;
            unit.commit().await?;
        }
        Ok(())
    }

    /// Orders the evacuation of lost clusters for the environments that fail over by themselves.
    async fn fail_over(&self, all: &[&clusters::Model], epoch: i64) -> anyhow::Result<()> {
        let standings = all
            .iter()
            .map(|cluster| standing(cluster))
            .collect::<Result<Vec<_>, _>>()?;
        let (lost, verdict) = failover::due(&standings, self.state.config.evacuate_after(), self.state.now());
        let away: Vec<_> = lost.into_iter().map(|position| all[position]).collect();
        if away.is_empty() {
            return Ok(());
        }
        let database = &self.state.foundation.database;
        let by_itself: HashSet<(String, String)> = environments::all(database)
            .await?
            .into_iter()
            .filter(environments::Model::fails_over_by_itself)
            .map(|row| (row.project, row.name))
            .collect();
        for cluster in away {
            let mut leaving = assignments::environments_on(database, cluster.id).await?;
            leaving.retain(|place| by_itself.contains(place));
            leaving.sort();
            if leaving.is_empty() {
                continue;
            }
            let mut unit = lead::begin(&self.state, epoch).await?;
            match verdict {
                Verdict::Go => {
                    evacuations::begin_automatic(&self.state, &mut unit, cluster.id, leaving).await?;
                }
                Verdict::Brake => brake(&mut unit, cluster.id).await?,
            }
            unit.commit().await?;
        }
        Ok(())
    }

    fn succeed(&self, operation: &mut operations::Model, message: &str) {
        let now = self.state.now();
        operation.state = word(OperationState::Succeeded);
        message.clone_into(&mut operation.message);
        operation.progress = 100;
        operation.updated_at = now;
        operation.finished_at = Some(now);
        let total = operation.steps.0.first().map_or(0, |step| step.total);
        tell_step(operation, StepState::Succeeded, (total, total), message, now);
    }

    /// Says what a removal or an evacuation waits for; `singletons` among it may still run there.
    async fn tell(&self, operation: Uuid, left: u64, singletons: usize, epoch: i64) -> anyhow::Result<()> {
        let mut unit = lead::begin(&self.state, epoch).await?;
        let Some(mut operation) = operations::find(&*unit, operation).await? else {
            return Ok(());
        };
        let before = operation.clone();
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        let total = operation
            .steps
            .0
            .first()
            .map_or(left, |step| step.total.max(left));
        let (are, goes) = if left == 1 {
            ("is", "it goes")
        } else {
            ("are", "each goes")
        };
        let mut message = format!(
            "{left} of {} {are} still there; {goes} once its replicas are ready elsewhere",
            counted(total, "service")
        );
        if singletons > 0 {
            message.push_str(&format!(
                "; {singletons} of them must not run twice and may still run there: accept the risk, or wait until they are seen gone"
            ));
        }
        let now = self.state.now();
        let far = (total - left, total);
        tell_step(&mut operation, StepState::Running, far, &message, now);
        operation.message = message;
        operation.progress = (u64::from(total - left) * 100)
            .checked_div(u64::from(total))
            .unwrap_or(0)
            .min(99) as i16;
        if operation != before {
            operation.updated_at = now;
            operations::save(&*unit, &operation).await?;
            unit.record(Record::operation(&operation));
        }
        unit.commit().await?;
        Ok(())
    }
}

#[async_trait]
impl Task for Registry {
    fn name(&self) -> &'static str {
        "registry"
    }

    async fn turn(&self, epoch: i64) -> anyhow::Result<()> {
        self.sweep(epoch).await?;
        let all = clusters::all(&self.state.foundation.database).await?;
        for cluster in all.iter().filter(|cluster| cluster.is_removing()) {
            self.remove(cluster, epoch).await?;
        }
        let staying: Vec<_> = all.iter().filter(|cluster| !cluster.is_removing()).collect();
        for cluster in &staying {
            if let Some(order) = &cluster.evacuation {
                self.evacuate(cluster, order, epoch).await?;
                self.take_back(cluster, order, epoch).await?;
            }
        }
        self.fail_over(&staying, epoch).await
    }
}

pub fn standing(cluster: &clusters::Model) -> Result<Standing, DbErr> {
    Ok(Standing {
        health: cluster.health()?,
        answers: cluster.answers()?,
        since: cluster.state_since,
        ordered: cluster.evacuation.is_some(),
    })
}

/// Says why the replicas of a lost cluster stay, once.
async fn brake(unit: &mut Unit, cluster: Uuid) -> anyhow::Result<()> {
    const BRAKE: &str = "; since many clusters are away together, its evacuation waits for a person";
    let Some(mut row) = clusters::find_by_id_locked(&**unit, cluster).await? else {
        return Ok(());
    };
    if row.health()? == ClusterState::Unreachable && !row.state_reason.ends_with(BRAKE) {
        row.state_reason.push_str(BRAKE);
        clusters::save(&**unit, &row).await?;
        unit.record(Record::cluster(&row.name));
        tracing::warn!(cluster.name = %row.name, "many clusters are away together; nothing is evacuated by itself");
    }
    Ok(())
}
