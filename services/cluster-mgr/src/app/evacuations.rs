//! Emptying a cluster: the plan, the order, and taking the cluster back.
//!
//! An order only says that the cluster holds nothing from now on. The loops do the rest as with every other
//! decision: room elsewhere is reserved, what is there stays until its new places are ready, and what a cluster
//! that was away still runs is taken away when it returns.

mod plan;
pub mod staying;

use api_types::clusters::{Cluster, ClusterState};
use api_types::common::{FieldError, OperationId};
use api_types::evacuations::{EvacuationPlan, NewEvacuation, PlanOptions};
use api_types::operations::{OperationAccepted, OperationKind};
use auth::Caller;
use chrono::{DateTime, Utc};
use platform::text::counted;
use platform::{ApiError, ApiResult};
use serde_json::json;
use uuid::Uuid;

pub use self::plan::plan;
use crate::app::clusters::{locked, present, save};
use crate::app::failbacks;
use crate::app::operations::{begin_on_cluster, ourselves, supersede};
use crate::db::clusters::{EvacuationOrder, Scope};
use crate::db::{DbErr, Record, Unit, assignments, cluster_states, clusters, departures};
use crate::state::AppState;

/// Services named in a refusal.
const NAMED: usize = 20;
const LONGEST_REASON: usize = 500;

/// Orders the evacuation of a cluster; the same again gives the same operation.
///
/// # Errors
/// 409 `evacuation_incomplete` when replicas fit nowhere else and that was not accepted.
pub async fn begin(
    state: &AppState,
    caller: &Caller,
    name: &str,
    new: NewEvacuation,
) -> ApiResult<OperationAccepted> {
    if new.reason.chars().count() > LONGEST_REASON {
        return Err(ApiError::fields(vec![FieldError {
            field: "reason".to_owned(),
            message: format!("at most {LONGEST_REASON} characters"),
        }]));
    }
    let options = PlanOptions {
        include_stored: new.include_stored,
    };
    let plan = plan(state, name, options).await?;
    let mut unit = state.unit().await?;
    let mut row = locked(&unit, name).await?;
    if let Some(order) = row
        .evacuation
        .as_ref()
        .filter(|order| order.scope == Scope::Everything)
    {
        return Ok(OperationAccepted {
            operation: OperationId(order.operation),
        });
    }
    if plan.replicas_unplaced > 0 && !new.accept_unplaced {
        return Err(incomplete(name, &plan));
    }
    let now = state.now();
    if let Some(narrower) = row.evacuation.take() {
        let message = "the whole cluster is evacuated";
        supersede(&mut unit, narrower.operation, message, now).await?;
    }
    let wanted = Wanted {
        scope: Scope::Everything,
        include_stored: new.include_stored,
        reason: new.reason,
    };
    let operation = order(&mut unit, &mut row, wanted, caller, now).await?;
    unit.commit().await?;
    state.work.registry.wake();
    Ok(OperationAccepted {
        operation: OperationId(operation),
    })
}

/// Orders the evacuation of what fails over by itself off a cluster that was away for long enough.
///
/// # Errors
/// The database's.
pub async fn begin_automatic(
    state: &AppState,
    unit: &mut Unit,
    cluster: Uuid,
    environments: Vec<(String, String)>,
) -> Result<(), DbErr> {
    let Some(mut row) = clusters::find_by_id_locked(&**unit, cluster).await? else {
        return Ok(());
    };
    if row.evacuation.is_some() || row.is_removing() || row.health()? != ClusterState::Unreachable {
        return Ok(());
    }
    let wanted = Wanted {
        scope: Scope::Environments(environments),
        include_stored: false,
        reason: row.state_reason.clone(),
    };
    order(unit, &mut row, wanted, &ourselves(), state.now()).await?;
    tracing::warn!(cluster.name = %row.name, "a lost cluster is evacuated by itself");
    Ok(())
}

/// What is to leave, and why.
struct Wanted {
    scope: Scope,
    include_stored: bool,
    reason: String,
}

/// Writes the order down; its operation.
async fn order(
    unit: &mut Unit,
    row: &mut clusters::Model,
    wanted: Wanted,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<Uuid, DbErr> {
    let title = format!("evacuate cluster {}", row.name);
    let operation = begin_on_cluster(unit, OperationKind::EvacuateCluster, title, row, caller, now).await?;
    failbacks::stop(unit, row, "the cluster is evacuated again", now).await?;
    let Wanted {
        scope,
        include_stored,
        reason,
    } = wanted;
    let leaving = assignments::leaving(&**unit, row.id, &scope, include_stored).await?;
    departures::note(&**unit, row.id, &leaving, now).await?;
    row.evacuation = Some(EvacuationOrder {
        operation: operation.id,
        automatic: scope != Scope::Everything,
        scope,
        include_stored,
        reason,
        by: caller.name.clone(),
        at: now,
        completed_at: None,
    });
    note(unit, row).await?;
    save(unit, row, caller, now).await?;
    Ok(operation.id)
}

fn incomplete(name: &str, plan: &EvacuationPlan) -> ApiError {
    let paths: Vec<String> = plan
        .moves
        .iter()
        .filter(|one| one.unplaced > 0)
        .take(NAMED)
        .map(|one| format!("{}/{}/{}", one.project, one.environment, one.service))
        .collect();
    ApiError::conflict(
        "evacuation_incomplete",
        format!(
            "there is no room elsewhere for {} of {} on cluster {name}; make room, or accept that they stay until there is",
            counted(plan.replicas_unplaced, "replica"),
            counted(plan.services_unplaced, "service")
        ),
    )
    .with_details(json!({
        "services": paths, "total": plan.services_unplaced, "replicas": plan.replicas_unplaced,
    }))
}

/// Takes a cluster back: it may get replicas again. What moved stays where it is; what nobody took over yet
/// stays here for good.
pub async fn end(state: &AppState, caller: &Caller, name: &str) -> ApiResult<Cluster> {
    let mut unit = state.unit().await?;
    let mut row = locked(&unit, name).await?;
    lift(&mut unit, &mut row, caller, state.now()).await?;
    let cluster = present(state, &*unit, &row).await?;
    unit.commit().await?;
    Ok(cluster)
}

/// The same for one that left by itself and has been well for long enough.
///
/// # Errors
/// The database's.
pub async fn end_automatic(state: &AppState, unit: &mut Unit, cluster: Uuid) -> Result<(), DbErr> {
    let Some(mut row) = clusters::find_by_id_locked(&**unit, cluster).await? else {
        return Ok(());
    };
    let by_itself = row.evacuation.as_ref().is_some_and(|order| order.automatic);
    if by_itself && !row.is_removing() && row.health()? == ClusterState::Ready {
        lift(unit, &mut row, &ourselves(), state.now()).await?;
        tracing::info!(cluster.name = %row.name, "a cluster that was evacuated by itself is taken back");
    }
    Ok(())
}

async fn lift(
    unit: &mut Unit,
    row: &mut clusters::Model,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(order) = row.evacuation.take() else {
        return Ok(());
    };
    let message = "the cluster was taken back before everything had moved";
    supersede(unit, order.operation, message, now).await?;
    staying::keep_what_is_left(unit, row.id, now).await?;
    let reason = format!("taken back by {}", caller.name);
    cluster_states::note(&**unit, row.id, row.health()?, &reason, now).await?;
    save(unit, row, caller, now).await
}

/// Writes the cluster's status into its history.
async fn note(unit: &Unit, row: &clusters::Model) -> Result<(), DbErr> {
    let status = row.status()?;
    cluster_states::note(&**unit, row.id, status.state, &status.reason, status.since).await
}

/// Notes that everything an order is about is ready elsewhere.
///
/// # Errors
/// The database's.
pub async fn complete(
    unit: &mut Unit,
    cluster: Uuid,
    operation: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(mut row) = clusters::find_by_id_locked(&**unit, cluster).await? else {
        return Ok(());
    };
    let Some(order) = row
        .evacuation
        .as_mut()
        .filter(|order| order.operation == operation)
    else {
        return Ok(());
    };
    order.completed_at = Some(now);
    note(unit, &row).await?;
    clusters::save(&**unit, &row).await?;
    unit.record(Record::cluster(&row.name));
    Ok(())
}
