//! Moving back what left a cluster, once that is in use again: a share at a time, the next when the last is ready.
//!
//! An order only says whose replicas move, and how many at a time. The loop (`tasks::failback`) keeps it to what the
//! environments want (`app::failback`) and hands out the shares; that each replica stays where it is until it is ready at
//! home is the loops' usual way.

use std::cmp::Reverse;
use std::collections::HashMap;

use api_types::clusters::{Cluster, ClusterState};
use api_types::common::{FieldError, OperationId};
use api_types::failbacks::{FailbackPlan, NewFailback, PlannedReturn};
use api_types::operations::{OperationAccepted, OperationKind};
use api_types::projects::FailbackPolicy;
use auth::Caller;
use chrono::{DateTime, Utc};
use platform::{ApiError, ApiResult};
use uuid::Uuid;

use crate::app::clusters::{locked, missing, present, save};
use crate::app::failback::{Absent, Away, asked, permits, revised};
use crate::app::failover;
use crate::app::operations::{begin_on_cluster, ourselves, supersede};
use crate::app::volumes;
use crate::db::clusters::{FailbackOrder, Return};
use crate::db::{Connection, DbErr, Unit, assignments, clusters, departures, environments, services};
use crate::state::AppState;

/// Moves told in a plan.
const MOVES: usize = 500;

/// A service that left a cluster.
#[derive(Clone, Debug)]
pub struct Gone {
    pub service: services::Model,
    pub departure: departures::Model,
    /// Its environment's.
    pub policy: FailbackPolicy,
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

    #[must_use]
    pub fn is_of(&self, one: &Return) -> bool {
        one.is_of(&self.service.project, &self.service.environment)
    }
}

/// The policies of all environments.
#[derive(Clone, Debug)]
pub struct Policies(HashMap<(String, String), FailbackPolicy>);

impl Policies {
    pub async fn load(connection: &impl Connection) -> Result<Self, DbErr> {
        let all = environments::all(connection).await?.into_iter();
        all.map(|row| {
            let policy = row.failback_policy()?;
            Ok(((row.project, row.name), policy))
        })
        .collect::<Result<_, DbErr>>()
        .map(Self)
    }

    /// None when there is no such environment.
    #[must_use]
    pub fn of(&self, project: &str, environment: &str) -> Option<FailbackPolicy> {
        self.0.get(&(project.to_owned(), environment.to_owned())).copied()
    }
}

/// What left clusters and is not back, by cluster and environment.
pub async fn absent(
    connection: &impl Connection,
    policies: &Policies,
) -> Result<HashMap<Uuid, Vec<Absent>>, DbErr> {
    let mut by_cluster: HashMap<Uuid, Vec<Absent>> = HashMap::new();
    for sum in departures::sums(connection).await? {
        let Some(policy) = policies.of(&sum.project, &sum.environment) else {
            continue;
        };
        by_cluster.entry(sum.cluster_id).or_default().push(Absent {
            policy,
            services: sum.services.max(0).unsigned_abs(),
            replicas: sum.replicas.max(0).unsigned_abs(),
            stopped: sum.unstopped == 0,
            project: sum.project,
            environment: sum.environment,
        });
    }
    Ok(by_cluster)
}

/// What left a cluster, back or not, in the order in which it moves back: the highest priority first, then by path.
/// `lock` when the services are going to be changed.
pub async fn gone(connection: &impl Connection, cluster: Uuid, lock: bool) -> Result<Vec<Gone>, DbErr> {
    let rows = departures::of_cluster(connection, cluster).await?;
    let policies = Policies::load(connection).await?;
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
            let service = services.remove(&departure.service_id)?;
            Some(Gone {
                policy: policies.of(&service.project, &service.environment)?,
                service,
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
    let mut stored = volumes::stored_on(database, cluster.id).await?;
    let mut moves: Vec<PlannedReturn> = gone(database, cluster.id, false)
        .await?
        .into_iter()
        .filter(|one| permits(one.policy.mode, false))
        .map(|one| PlannedReturn {
            replicas: one.away().left(),
            percent: one.policy.percent,
            volumes: stored.remove(&one.service.id).unwrap_or_default(),
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
        moves,
    })
}

fn sum(moves: &[PlannedReturn]) -> u64 {
    moves.iter().map(|one| u64::from(one.replicas)).sum()
}

/// Orders that what left moves back, where its environment doesn't forbid that; the same again gives the same operation.
///
/// # Errors
/// 409 `cluster_evacuating`, `cluster_not_ready`, or `nothing_to_return`.
pub async fn begin(
    state: &AppState,
    caller: &Caller,
    name: &str,
    new: NewFailback,
) -> ApiResult<OperationAccepted> {
    if new.percent.is_some_and(|percent| !(1..=100).contains(&percent)) {
        return Err(ApiError::fields(vec![FieldError {
            field: "percent".to_owned(),
            message: "must be from 1 to 100".to_owned(),
        }]));
    }
    let mut unit = state.unit().await?;
    let mut row = locked(&unit, name).await?;
    if row.evacuation.is_some() {
        return Err(ApiError::conflict(
            "cluster_evacuating",
            format!("cluster {name} is evacuated; take it back into use first"),
        ));
    }
    if row.failback.is_none() && row.health()? != ClusterState::Ready {
        return Err(ApiError::conflict(
            "cluster_not_ready",
            format!("cluster {name} gets no replicas yet: {}", row.state_reason),
        ));
    }
    let policies = Policies::load(&*unit).await?;
    let absent = absent(&*unit, &policies)
        .await?
        .remove(&row.id)
        .unwrap_or_default();
    let wanted = asked(under_way(&row), &absent, new.percent);
    let operation = order(&mut unit, &mut row, wanted, caller, state.now()).await?;
    let Some(operation) = operation else {
        return Err(ApiError::conflict(
            "nothing_to_return",
            format!("nothing is known to have left cluster {name} that is not back and may return"),
        ));
    };
    unit.commit().await?;
    state.work.failback.wake();
    Ok(OperationAccepted {
        operation: OperationId(operation),
    })
}

/// What moves back by the policies of now, where that is not what is under way.
#[must_use]
pub fn due(
    row: &clusters::Model,
    standing: failover::Standing,
    absent: &[Absent],
    policies: &Policies,
    now: DateTime<Utc>,
) -> Option<Vec<Return>> {
    let policy_of = |one: &Return| policies.of(&one.project, &one.environment);
    let well_for = |wait| row.evacuation.is_none() && failover::may_return(standing, wait, now);
    let known = match &row.failback {
        Some(order) if order.environments.is_empty() => asked(&[], absent, None),
        _ => under_way(row).to_vec(),
    };
    let wanted = revised(&known, absent, policy_of, well_for);
    (wanted != under_way(row)).then_some(wanted)
}

fn under_way(row: &clusters::Model) -> &[Return] {
    row.failback
        .as_ref()
        .map(|order| order.environments.as_slice())
        .unwrap_or_default()
}

/// Orders what moves back by the environments' policies, unless somebody ordered otherwise meanwhile.
///
/// # Errors
/// The database's.
pub async fn revise(
    state: &AppState,
    unit: &mut Unit,
    seen: &clusters::Model,
    wanted: Vec<Return>,
) -> Result<(), DbErr> {
    let Some(mut row) = clusters::find_by_id_locked(&**unit, seen.id).await? else {
        return Ok(());
    };
    let same = row.failback == seen.failback && row.evacuation.is_none() && !row.is_removing();
    if same {
        order(unit, &mut row, wanted, &ourselves(), state.now()).await?;
    }
    Ok(())
}

/// Writes down whose replicas move back; the operation, unless there are none.
async fn order(
    unit: &mut Unit,
    row: &mut clusters::Model,
    environments: Vec<Return>,
    caller: &Caller,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, DbErr> {
    if environments.is_empty() {
        if row.failback.is_some() {
            let message = "no environment wants its replicas to move back any more; what has moved stays";
            stop(unit, row, message, now).await?;
            save(unit, row, caller, now).await?;
        }
        return Ok(None);
    }
    let before = row.failback.take();
    let known = before
        .as_ref()
        .map(|order| order.environments.as_slice())
        .unwrap_or_default();
    for one in &environments {
        if !known
            .iter()
            .any(|known| known.is_of(&one.project, &one.environment))
        {
            departures::rest(&**unit, row.id, &one.project, &one.environment).await?;
        }
    }
    let unchanged = known == environments;
    let operation = match before {
        Some(order) => order.operation,
        None => {
            let title = format!("move replicas back to cluster {}", row.name);
            let operation =
                begin_on_cluster(unit, OperationKind::FailBackCluster, title, row, caller, now).await?;
            operation.id
        }
    };
    row.failback = Some(FailbackOrder {
        operation,
        environments,
    });
    if !unchanged {
        save(unit, row, caller, now).await?;
    }
    Ok(Some(operation))
}

/// Stops moving back. What has moved stays, and what is away waits for a person.
pub async fn end(state: &AppState, caller: &Caller, name: &str) -> ApiResult<Cluster> {
    let mut unit = state.unit().await?;
    let mut row = locked(&unit, name).await?;
    let now = state.now();
    if row.failback.is_some() {
        let message = format!("stopped by {}; what has moved stays", caller.name);
        stop(&mut unit, &mut row, &message, now).await?;
        departures::stop(&*unit, row.id).await?;
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
