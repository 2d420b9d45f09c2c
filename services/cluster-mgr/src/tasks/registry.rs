//! Clusters on their way in and out: sweeps registrations that never ended, and lets go of clusters that
//! are being removed once nothing is left there.

use api_types::clusters::ClusterState;
use api_types::common::ClusterId;
use api_types::operations::{OperationState, OperationStep, StepState};
use async_trait::async_trait;
use chrono::Duration;
use platform::driver::Task;

use crate::db::columns::{Steps, word};
use crate::db::{Record, assignments, clusters, edits, observations, operations};
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
            return self.tell(cluster, left, epoch).await;
        }
        lead::ipaas(&self.state, epoch)
            .delete_connection(ClusterId(cluster.id))
            .await?;
        let mut unit = lead::begin(&self.state, epoch).await?;
        if assignments::count_of_cluster(&*unit, cluster.id).await? > 0 {
            // Cannot be: nothing is placed on a cluster that is being removed.
            anyhow::bail!("cluster {} got replicas while it was being removed", cluster.name);
        }
        observations::delete_of_cluster(&*unit, cluster.id).await?;
        edits::forget(&*unit, cluster.id).await?;
        clusters::delete(&*unit, cluster.id).await?;
        if let Some(mut operation) = self.operation(cluster, &*unit).await? {
            operation.state = word(OperationState::Succeeded);
            operation.message = if cluster.health()? == ClusterState::Ready {
                "nothing of the platform's is left there, and it is no longer registered".to_owned()
            } else {
                "it is no longer registered; what ran there was left, since it doesn't answer".to_owned()
            };
            operation.progress = 100;
            operation.finished_at = Some(self.state.now());
            let total = operation.steps.0.first().map_or(0, |step| step.total);
            let message = operation.message.clone();
            self.step(&mut operation, StepState::Succeeded, total, total, &message);
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

    /// Says what the removal waits for.
    async fn tell(&self, cluster: &clusters::Model, left: u64, epoch: i64) -> anyhow::Result<()> {
        let mut unit = lead::begin(&self.state, epoch).await?;
        let Some(mut operation) = self.operation(cluster, &*unit).await? else {
            return Ok(());
        };
        let before = operation.clone();
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        let total = operation
            .steps
            .0
            .first()
            .map_or(left, |step| step.total.max(left));
        let message = format!(
            "{left} of {total} services are still there; each goes once its replicas are ready elsewhere"
        );
        self.step(&mut operation, StepState::Running, total - left, total, &message);
        operation.message = message;
        operation.progress = (u64::from(total - left) * 100)
            .checked_div(u64::from(total))
            .unwrap_or(0)
            .min(99) as i16;
        if operation != before {
            operation.updated_at = self.state.now();
            operations::save(&*unit, &operation).await?;
            unit.record(Record::operation(&operation));
        }
        unit.commit().await?;
        Ok(())
    }

    fn step(
        &self,
        operation: &mut operations::Model,
        state: StepState,
        done: u32,
        total: u32,
        message: &str,
    ) {
        let mut step = OperationStep {
            name: operation.cluster.clone().unwrap_or_default(),
            state,
            message: message.to_owned(),
            done,
            total,
            updated_at: self.state.now(),
        };
        if let Some(earlier) = operation.steps.0.first() {
            let now = step.updated_at;
            step.updated_at = earlier.updated_at;
            if step != *earlier {
                step.updated_at = now;
            }
        }
        operation.steps = Steps(vec![step]);
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
        Ok(())
    }
}
