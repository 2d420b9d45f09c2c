//! Emptying a cluster: the plan, the order, and taking the cluster back.
//!
//! An order only says that the cluster holds nothing from now on. The loops do the rest as with every other
//! decision: room elsewhere is reserved, what is there stays until its new places are ready, and what a cluster
//! that was away still runs is taken away when it returns.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use api_types::clusters::{Cluster, ClusterState};
use api_types::common::{FieldError, OperationId};
use api_types::evacuations::{EvacuationPlan, Handover, NewEvacuation, PlannedDestination, PlannedMove};
use api_types::operations::{OperationAccepted, OperationKind, OperationState};
use api_types::placement::PlannedAssignment;
use auth::Caller;
use chrono::{DateTime, Utc};
use platform::text::counted;
use platform::{ApiError, ApiResult};
use serde_json::json;
use uuid::Uuid;

use crate::app::clusters::{locked, missing, present};
use crate::app::failbacks;
use crate::app::operations as operation_logic;
use crate::app::reconcile::applicant::Seen;
use crate::app::reconcile::fleet::{ClusterView, Fleet};
use crate::app::reconcile::places;
use crate::app::reconcile::sync::Pace;
use crate::app::reservations::reserve;
use crate::db::clusters::{EvacuationOrder, Scope};
use crate::db::columns::word;
use crate::db::{
    Connection, DbErr, Record, Unit, assignments, cluster_states, clusters, departures, environments,
    operations, services,
};
use crate::state::AppState;

/// Moves told in a plan.
const MOVES: usize = 500;
/// Services named in a refusal.
const NAMED: usize = 20;
const LONGEST_REASON: usize = 500;

/// What an evacuation of `name` would do now.
pub async fn plan(state: &AppState, name: &str) -> ApiResult<EvacuationPlan> {
    let database = &state.foundation.database;
    let cluster = clusters::find(database, name)
        .await?
        .ok_or_else(|| missing(name))?;
    let ground = Ground::load(database, &cluster).await?;
    let (pace, now) = (state.config.pace(), state.now());
    // Thousands of decisions: not beside those who wait for an answer.
    tokio::task::spawn_blocking(move || ground.plan(pace, now))
        .await
        .map_err(ApiError::internal)
}

/// What a plan is made from.
struct Ground {
    cluster: Uuid,
    fleet: Fleet,
    environments: Vec<environments::Model>,
    /// By priority, the highest first, then by path.
    services: Vec<services::Model>,
    assignments: HashMap<Uuid, Vec<assignments::Model>>,
}

impl Ground {
    async fn load(connection: &impl Connection, cluster: &clusters::Model) -> Result<Self, DbErr> {
        let mut fleet = Fleet::of(&clusters::all(connection).await?)?;
        for view in &mut fleet.clusters {
            if view.id == cluster.id {
                view.evacuating = Some(Scope::Everything);
            }
        }
        reserve(connection, &mut fleet).await?;
        let ids = assignments::services_on(connection, cluster.id).await?;
        let mut services = services::find_many(connection, &ids, false).await?;
        services.retain(|service| !service.deleting);
        services.sort_by_cached_key(|service| (Reverse(service.priority()), service.path()));
        let mut by_service: HashMap<Uuid, Vec<_>> = HashMap::new();
        for row in assignments::of_services(connection, &ids).await? {
            by_service.entry(row.service_id).or_default().push(row);
        }
        Ok(Self {
            cluster: cluster.id,
            fleet,
            environments: environments::all(connection).await?,
            services,
            assignments: by_service,
        })
    }

    fn plan(mut self, pace: Pace, now: DateTime<Utc>) -> EvacuationPlan {
        let mut plan = EvacuationPlan {
            services: 0,
            replicas: 0,
            services_unplaced: 0,
            replicas_unplaced: 0,
            services_fenced: 0,
            destinations: Vec::new(),
            moves: Vec::new(),
        };
        // What no node takes is given back in its own time.
        let seen = Seen {
            observations: &[],
            pace,
            now,
        };
        // The priority of the first that got room.
        let mut first_served = None;
        let mut destinations: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for service in std::mem::take(&mut self.services) {
            let Some((mut one, gets)) = self.plan_one(&service, &seen) else {
                continue;
            };
            if one.unplaced > 0 && first_served.is_some_and(|highest| highest > one.priority) {
                one.message.push_str("; services of higher priority went first");
            }
            if !gets.is_empty() {
                first_served = first_served.or(Some(one.priority));
            }
            plan.services += 1;
            plan.replicas += u64::from(one.replicas);
            plan.services_unplaced += u64::from(one.unplaced > 0);
            plan.replicas_unplaced += u64::from(one.unplaced);
            plan.services_fenced += u64::from(one.handover == Handover::Fenced);
            for (cluster, more) in gets {
                let sum = destinations.entry(cluster).or_default();
                sum.0 += 1;
                sum.1 += u64::from(more);
            }
            plan.moves.push(one);
        }
        // A stable sort: by priority and path within each part.
        plan.moves
            .sort_by_key(|one| (one.unplaced == 0, one.handover != Handover::Fenced));
        plan.moves.truncate(MOVES);
        plan.destinations = destinations
            .into_iter()
            .map(|(cluster, (services, replicas))| PlannedDestination {
                cluster,
                services,
                replicas,
            })
            .collect();
        plan.destinations.sort_by_key(|one| Reverse(one.replicas));
        plan
    }

    /// One service's move, and how many more replicas each destination gets.
    fn plan_one(
        &mut self,
        service: &services::Model,
        seen: &Seen<'_>,
    ) -> Option<(PlannedMove, Vec<(String, u32)>)> {
        let before = self.assignments.remove(&service.id)?;
        let environment = self
            .environments
            .iter()
            .find(|row| row.project == service.project && row.name == service.environment)?;
        let here = before.iter().find(|row| row.cluster_id == self.cluster)?;
        let leaving = here.wanted_now();
        if leaving == 0 {
            return None;
        }
        let placed = places::place(service, environment, &mut self.fleet, &before, seen);
        let mut to = Vec::new();
        let mut gets = Vec::new();
        for row in &placed.assignments {
            let had = before
                .iter()
                .find(|earlier| earlier.cluster_id == row.cluster_id)
                .map_or(0, |earlier| earlier.replicas);
            let Some(cluster) = self.fleet.by_id(row.cluster_id).filter(|_| row.replicas > had) else {
                continue;
            };
            gets.push((cluster.name.clone(), (row.replicas - had).unsigned_abs()));
            to.push(PlannedAssignment {
                cluster: cluster.name.clone(),
                replicas: row.replicas.unsigned_abs(),
                reason: row.reason.0.clone(),
            });
        }
        let handover = self.handover(service);
        let mut message = placed.message;
        if handover == Handover::Fenced {
            message.push_str(
                "; it may still run there, and starts elsewhere when it is seen gone or somebody accepts the risk",
            );
        }
        let one = PlannedMove {
            project: service.project.clone(),
            environment: service.environment.clone(),
            service: service.name.clone(),
            priority: service.priority(),
            replicas: leaving,
            to,
            unplaced: placed.unplaced,
            handover,
            message,
        };
        Some((one, gets))
    }

    fn handover(&self, service: &services::Model) -> Handover {
        let answers = |cluster: Uuid| self.fleet.by_id(cluster).is_some_and(ClusterView::answers);
        if !service.is_singleton() {
            Handover::MakeBeforeBreak
        } else if answers(self.cluster) {
            Handover::BreakBeforeMake
        } else {
            Handover::Fenced
        }
    }
}

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
    let plan = plan(state, name).await?;
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
    let operation = order(&mut unit, &mut row, Scope::Everything, new.reason, caller, now).await?;
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
    let reason = row.state_reason.clone();
    let scope = Scope::Environments(environments);
    order(unit, &mut row, scope, reason, &ourselves(), state.now()).await?;
    tracing::warn!(cluster.name = %row.name, "a lost cluster is evacuated by itself");
    Ok(())
}

/// Who does what nobody asked for.
pub(crate) fn ourselves() -> Caller {
    Caller {
        subject: "longshore".to_owned(),
        name: "longshore".to_owned(),
        grants: Vec::new(),
    }
}

/// Writes the order down; its operation.
async fn order(
    unit: &mut Unit,
    row: &mut clusters::Model,
    scope: Scope,
    reason: String,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<Uuid, DbErr> {
    let mut operation = operation_logic::new(
        OperationKind::EvacuateCluster,
        format!("evacuate cluster {}", row.name),
        caller,
        now,
    );
    operation.cluster = Some(row.name.clone());
    operation.cluster_id = Some(row.id);
    operation_logic::insert(unit, &operation).await?;
    failbacks::stop(unit, row, "the cluster is evacuated again", now).await?;
    let leaving = assignments::leaving(&**unit, row.id, &scope).await?;
    departures::note(&**unit, row.id, &leaving, now).await?;
    row.evacuation = Some(EvacuationOrder {
        operation: operation.id,
        automatic: scope != Scope::Everything,
        scope,
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

/// Saves a cluster with a new version, as what is wanted of it changed.
pub(crate) async fn save(
    unit: &mut Unit,
    row: &mut clusters::Model,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    row.version += 1;
    row.updated_at = now;
    row.updated_by.clone_from(&caller.name);
    clusters::save(&**unit, row).await?;
    unit.record(Record::cluster(&row.name).intended());
    Ok(())
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
    keep_what_is_left(unit, row.id, now).await?;
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

/// Ends an operation whose order is taken away.
pub(crate) async fn supersede(
    unit: &mut Unit,
    operation: Uuid,
    message: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Some(mut operation) = operations::find(&**unit, operation).await? else {
        return Ok(());
    };
    if operation.finished_at.is_none() {
        operation.state = word(OperationState::Superseded);
        operation.message = message.to_owned();
        operation.updated_at = now;
        operation.finished_at = Some(now);
        operations::save(&**unit, &operation).await?;
        unit.record(Record::operation(&operation));
    }
    Ok(())
}

/// Assigns replicas that fit nowhere else to the place that holds them; whether there were any. Pure.
pub(crate) fn keep_here(
    service: &mut services::Model,
    row: &mut assignments::Model,
    now: DateTime<Utc>,
) -> bool {
    let back = service.unplaced.min(row.hold - row.replicas);
    if back <= 0 {
        return false;
    }
    row.replicas += back;
    row.decided_at = now;
    row.epoch += 1;
    row.removed_at = None;
    if row.hold <= row.replicas {
        row.hold = 0;
    }
    service.unplaced -= back;
    true
}

/// A singleton that was to leave `cluster` and waited for that stays there, since it was not started elsewhere; whether
/// there was one. Pure.
pub(crate) fn stay(
    service: &mut services::Model,
    rows: &mut [assignments::Model],
    cluster: Uuid,
    now: DateTime<Utc>,
) -> bool {
    let waited = |row: &assignments::Model| {
        row.cluster_id == cluster && row.replicas == 0 && row.hold > 0 && row.accepted_risk.is_none()
    };
    if !service.is_singleton() || !rows.iter().any(waited) {
        return false;
    }
    for row in rows {
        let replicas = i32::from(row.cluster_id == cluster);
        if row.replicas != replicas {
            row.replicas = replicas;
            row.decided_at = now;
            row.epoch += 1;
            row.removed_at = None;
        }
        row.hold = 0;
    }
    service.unplaced = 0;
    true
}

/// Replicas that fit nowhere else were held here, and are assigned here again.
async fn keep_what_is_left(unit: &Unit, cluster: Uuid, now: DateTime<Utc>) -> Result<(), DbErr> {
    let ids = assignments::services_on(&**unit, cluster).await?;
    // Services before their assignments, as the loops lock them.
    let mut services: HashMap<Uuid, services::Model> = services::find_many(&**unit, &ids, true)
        .await?
        .into_iter()
        .filter(|service| service.unplaced > 0 || service.is_singleton())
        .map(|service| (service.id, service))
        .collect();
    let waiting: Vec<Uuid> = services.keys().copied().collect();
    let mut rows = assignments::find_many(&**unit, &waiting, true).await?;
    // They come by service.
    for places in rows.chunk_by_mut(|a, b| a.service_id == b.service_id) {
        let Some(service) = services.get_mut(&places[0].service_id) else {
            continue;
        };
        let kept = if service.is_singleton() {
            stay(service, places, cluster, now)
        } else {
            let here = places.iter_mut().find(|row| row.cluster_id == cluster);
            here.is_some_and(|row| keep_here(service, row, now))
        };
        if !kept {
            continue;
        }
        for row in places.iter() {
            assignments::save(&**unit, row).await?;
        }
        services::save(&**unit, service).await?;
    }
    Ok(())
}
