//! Moving back what left a cluster, once that is in use again: a share at a time, the next when the last is ready.
//!
//! An order only says how much may move at a time. The loop (`tasks::failback`) hands out the shares; that each replica
//! stays where it is until it is ready at home is the loops' usual way.

use std::cmp::Reverse;
use std::collections::HashMap;

use api_types::clusters::{Cluster, ClusterState};
use api_types::common::{FieldError, OperationId};
use api_types::failbacks::{FailbackPlan, NewFailback, PlannedReturn};
use api_types::operations::{OperationAccepted, OperationKind};
use auth::Caller;
use chrono::{DateTime, Utc};
use platform::text::counted;
use platform::{ApiError, ApiResult};
use uuid::Uuid;

use crate::app::clusters::{locked, missing, present};
use crate::app::evacuations::{ourselves, save, supersede};
use crate::app::failback::Away;
use crate::app::operations;
use crate::db::clusters::FailbackOrder;
use crate::db::{Connection, DbErr, Unit, assignments, clusters, departures, services};
use crate::state::AppState;

/// Moves told in a plan.
const MOVES: usize = 500;

/// A service that left a cluster.
#[derive(Clone, Debug)]
pub struct Gone {
    pub service: services::Model,
    pub departure: departures::Model,
    /// Replicas that the cluster holds of it now.
    pub holds: u32,
}

impl Gone {
    #[must_use]
    pub fn away(&self) -> Away {
        Away {
            held: self.departure.replicas.max(0).unsigned_abs(),
            holds: self.holds,
        }
    }
}

/// What left a cluster, back or not, in the order in which it moves back: the highest priority first, then by path.
/// `lock` when the services are going to be changed.
pub async fn gone(connection: &impl Connection, cluster: Uuid, lock: bool) -> Result<Vec<Gone>, DbErr> {
    let rows = departures::of_cluster(connection, cluster).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.service_id).collect();
    let mut services: HashMap<Uuid, services::Model> = services::find_many(connection, &ids, lock)
        .await?
        .into_iter()
        .filter(|service| !service.deleting)
        .map(|service| (service.id, service))
        .collect();
    let holds: HashMap<Uuid, u32> = assignments::of_services(connection, &ids)
        .await?
        .into_iter()
        .filter(|row| row.cluster_id == cluster)
        .map(|row| (row.service_id, row.replicas.max(0).unsigned_abs()))
        .collect();
    let mut gone: Vec<Gone> = rows
        .into_iter()
        .filter_map(|departure| {
            Some(Gone {
                service: services.remove(&departure.service_id)?,
                holds: holds.get(&departure.service_id).copied().unwrap_or(0),
                departure,
            })
        })
        .collect();
    gone.sort_by_cached_key(|one| (Reverse(one.service.priority()), one.service.path()));
    Ok(gone)
}

/// What would move back now.
pub async fn plan(state: &AppState, name: &str) -> ApiResult<FailbackPlan> {
    let database = &state.foundation.database;
    let cluster = clusters::find(database, name)
        .await?
        .ok_or_else(|| missing(name))?;
    let mut moves: Vec<PlannedReturn> = gone(database, cluster.id, false)
        .await?
        .into_iter()
        .map(|one| PlannedReturn {
            replicas: one.away().left(),
            project: one.service.project,
            environment: one.service.environment,
            service: one.service.name,
        })
        .filter(|one| one.replicas > 0)
        .collect();
    let (services, replicas) = (moves.len() as u64, sum(&moves));
    moves.truncate(MOVES);
    Ok(FailbackPlan {
        services,
        replicas,
        percent: state.config.failback_percent(),
        moves,
    })
}

fn sum(moves: &[PlannedReturn]) -> u64 {
    moves.iter().map(|one| u64::from(one.replicas)).sum()
}

/// Orders that what left moves back; the same again gives the same operation.
///
/// # Errors
/// 409 `cluster_evacuating`, `cluster_not_ready`, or `nothing_to_return`.
pub async fn begin(
    state: &AppState,
    caller: &Caller,
    name: &str,
    new: NewFailback,
) -> ApiResult<OperationAccepted> {
    let percent = new.percent.unwrap_or(state.config.failback_percent());
    if !(1..=100).contains(&percent) {
        return Err(ApiError::fields(vec![FieldError {
            field: "percent".to_owned(),
            message: "must be from 1 to 100".to_owned(),
        }]));
    }
    let mut unit = state.unit().await?;
    let mut row = locked(&unit, name).await?;
    if let Some(order) = row.failback {
        return Ok(OperationAccepted {
            operation: OperationId(order.operation),
        });
    }
    if row.evacuation.is_some() {
        return Err(ApiError::conflict(
            "cluster_evacuating",
            format!("cluster {name} is evacuated; take it back into use first"),
        ));
    }
    if row.health()? != ClusterState::Ready {
        return Err(ApiError::conflict(
            "cluster_not_ready",
            format!("cluster {name} gets no replicas yet: {}", row.state_reason),
        ));
    }
    let operation = order(&mut unit, &mut row, percent, caller, state.now()).await?;
    let Some(operation) = operation else {
        return Err(ApiError::conflict(
            "nothing_to_return",
            format!("nothing is known to have left cluster {name} that is not back"),
        ));
    };
    unit.commit().await?;
    state.work.failback.wake();
    Ok(OperationAccepted {
        operation: OperationId(operation),
    })
}

/// The same for a cluster that has been Ready for long enough, where that is wanted.
///
/// # Errors
/// The database's.
pub async fn begin_automatic(state: &AppState, unit: &mut Unit, cluster: Uuid) -> Result<(), DbErr> {
    let Some(mut row) = clusters::find_by_id_locked(&**unit, cluster).await? else {
        return Ok(());
    };
    let idle = row.failback.is_none() && row.evacuation.is_none() && !row.is_removing();
    if idle && row.health()? == ClusterState::Ready {
        let percent = state.config.failback_percent();
        order(unit, &mut row, percent, &ourselves(), state.now()).await?;
    }
    Ok(())
}

/// Writes the order down; its operation, unless nothing is away.
async fn order(
    unit: &mut Unit,
    row: &mut clusters::Model,
    percent: u32,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, DbErr> {
    let away = departures::sums(&**unit).await?;
    let Some(away) = away.into_iter().find(|sum| sum.cluster_id == row.id) else {
        return Ok(None);
    };
    departures::rest(&**unit, row.id).await?;
    let mut operation = operations::new(
        OperationKind::FailBackCluster,
        format!(
            "move {} back to cluster {}, {percent} % at a time",
            counted(away.replicas, "replica"),
            row.name
        ),
        caller,
        now,
    );
    operation.cluster = Some(row.name.clone());
    operation.cluster_id = Some(row.id);
    operations::insert(unit, &operation).await?;
    row.failback = Some(FailbackOrder {
        operation: operation.id,
        percent,
        replicas: away.replicas.max(0).unsigned_abs(),
    });
    save(unit, row, caller, now).await?;
    Ok(Some(operation.id))
}

/// Stops moving back. What has moved stays.
pub async fn end(state: &AppState, caller: &Caller, name: &str) -> ApiResult<Cluster> {
    let mut unit = state.unit().await?;
    let mut row = locked(&unit, name).await?;
    let now = state.now();
    if row.failback.is_some() {
        let message = format!("stopped by {}; what has moved stays", caller.name);
        stop(&mut unit, &mut row, &message, now).await?;
        save(&mut unit, &mut row, caller, now).await?;
    }
    let cluster = present(state, &*unit, &row).await?;
    unit.commit().await?;
    Ok(cluster)
}

/// Takes an order away, if there is one. The caller saves the cluster.
///
/// # Errors
/// The database's.
pub async fn stop(
    unit: &mut Unit,
    row: &mut clusters::Model,
    message: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if let Some(order) = row.failback.take() {
        supersede(unit, order.operation, message, now).await?;
    }
    Ok(())
}
