//! Carries a placement decision into the assignments. Pure.

use std::collections::BTreeMap;

use api_types::placement::{Placement, PlacementReason, PlacementStrategy};
use chrono::{DateTime, Utc};

use crate::app::placement::capacity::Ask;
use crate::app::placement::{self, Candidate, Decision, Request};
use crate::app::reconcile::fleet::{ClusterView, Fleet};
use crate::db::columns::StoredReason;
use crate::db::{assignments, environments, observations, services};

/// The assignments after a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub assignments: Vec<assignments::Model>,
    pub unplaced: u32,
    pub message: String,
}

/// What one replica asks for.
#[must_use]
pub fn ask(service: &services::Model) -> Ask {
    Ask {
        cpu_millicores: service.cpu_millicores.max(0) as u64,
        memory_bytes: service.memory_bytes.max(0) as u64,
    }
}

/// Why a cluster can't hold replicas of the service, if it can't.
fn excluded(
    placement: &Placement,
    environment: &environments::Model,
    cluster: &ClusterView,
) -> Option<&'static str> {
    let chosen = &placement.clusters;
    if cluster.removing {
        Some("the cluster is being removed")
    } else if cluster
        .evacuating
        .as_ref()
        .is_some_and(|scope| scope.covers(environment))
    {
        Some("the cluster is being evacuated")
    } else if !environment.spans(&cluster.name) {
        Some("it is not one of the environment's clusters")
    } else if !chosen.is_empty() && !chosen.contains(&cluster.name) {
        Some("it is not among the clusters chosen for the service")
    } else {
        None
    }
}

/// Every cluster as a place for the service.
pub fn candidates(
    placement: &Placement,
    ask: Ask,
    environment: &environments::Model,
    fleet: &Fleet,
    held: &BTreeMap<uuid::Uuid, u32>,
) -> Vec<Candidate> {
    fleet
        .clusters
        .iter()
        .map(|cluster| {
            let held = held.get(&cluster.id).copied().unwrap_or(0);
            Candidate {
                name: cluster.name.clone(),
                ready: cluster.answers(),
                cordoned: cluster.cordoned || cluster.is_closed(),
                excluded: excluded(placement, environment, cluster),
                capacity: fleet.room(cluster, ask).map(|room| room + u64::from(held)),
                held,
            }
        })
        .collect()
}

/// Whether a decision could differ from what is assigned. Anything that holds as many replicas as are
/// wanted where it may hold them stays as it is, so there is nothing to decide.
#[must_use]
pub fn needs_decision(
    service: &services::Model,
    environment: &environments::Model,
    fleet: &Fleet,
    assignments: &[assignments::Model],
) -> bool {
    let assigned: i64 = assignments
        .iter()
        .map(|assignment| i64::from(assignment.replicas))
        .sum();
    let misplaced = || {
        assignments.iter().any(|assignment| {
            assignment.replicas > 0
                && fleet
                    .by_id(assignment.cluster_id)
                    .is_none_or(|cluster| excluded(&service.placement.0, environment, cluster).is_some())
        })
    };
    let placement = &service.placement.0;
    let pinned_otherwise = || match &placement.strategy {
        PlacementStrategy::Pinned { replicas } => assignments.iter().any(|assignment| {
            let pinned = fleet
                .by_id(assignment.cluster_id)
                .and_then(|cluster| replicas.get(&cluster.name))
                .copied()
                .unwrap_or(0);
            assignment.replicas as u32 != pinned
        }),
        PlacementStrategy::Weights { weights } => assignments.iter().any(|assignment| {
            assignment.replicas > 0
                && fleet
                    .by_id(assignment.cluster_id)
                    .is_none_or(|cluster| weights.get(&cluster.name).copied().unwrap_or(0) == 0)
        }),
        PlacementStrategy::FreeCapacity => false,
    };
    assigned != i64::from(service.replicas)
        || service.unplaced > 0
        || service.place_afresh
        || placement.min_per_cluster > 0
        || misplaced()
        || pinned_otherwise()
}

/// Decides, without changing anything.
#[must_use]
pub fn decide(
    service: &services::Model,
    environment: &environments::Model,
    fleet: &Fleet,
    held: &BTreeMap<uuid::Uuid, u32>,
) -> Decision {
    placement::decide(
        Request {
            placement: &service.placement.0,
            replicas: service.replicas.max(0) as u32,
            seed: &service.path(),
            afresh: service.place_afresh,
        },
        &candidates(&service.placement.0, ask(service), environment, fleet, held),
    )
}

/// Decides anew, keeping what doesn't change, and reserves the room for what is new.
///
/// What moves is held where it was until its new place is ready; what is only fewer goes at once.
#[must_use]
pub fn place(
    service: &services::Model,
    environment: &environments::Model,
    fleet: &mut Fleet,
    before: &[assignments::Model],
    now: DateTime<Utc>,
) -> Placed {
    let held: BTreeMap<_, _> = before
        .iter()
        .map(|assignment| (assignment.cluster_id, assignment.replicas.max(0) as u32))
        .collect();
    let decision = decide(service, environment, fleet, &held);
    let mut after = before.to_vec();
    // A cluster that is gone from the registry holds nothing any more.
    after.retain(|assignment| fleet.by_id(assignment.cluster_id).is_some());
    // The decision is in the order of the fleet's clusters.
    let ids: Vec<_> = fleet.clusters.iter().map(|cluster| cluster.id).collect();
    for (cluster, place) in ids.into_iter().zip(decision.places) {
        let replicas = place.replicas as i32;
        match after
            .iter_mut()
            .find(|assignment| assignment.cluster_id == cluster)
        {
            Some(assignment) if assignment.replicas == replicas => {}
            Some(assignment) => {
                fleet.reserve(
                    cluster,
                    ask(service),
                    replicas.saturating_sub(assignment.wanted_now() as i32).max(0) as u32,
                );
                assignment.hold = assignment.wanted_now() as i32;
                assignment.replicas = replicas;
                assignment.reason = StoredReason(place.reason);
                assignment.decided_at = now;
                assignment.epoch += 1;
                assignment.removed_at = None;
            }
            None if replicas > 0 => {
                fleet.reserve(cluster, ask(service), place.replicas);
                after.push(assigned(
                    service,
                    cluster,
                    replicas,
                    StoredReason(place.reason),
                    now,
                ));
            }
            None => {}
        }
    }
    settle_holds(service, before, &mut after);
    Placed {
        assignments: after,
        unplaced: decision.unplaced,
        message: decision.message,
    }
}

/// Lets go at once of what is only fewer: when no more went away than fewer are wanted, nothing moves.
fn settle_holds(service: &services::Model, before: &[assignments::Model], after: &mut [assignments::Model]) {
    let was = |assignment: &assignments::Model| {
        before
            .iter()
            .find(|earlier| earlier.cluster_id == assignment.cluster_id)
            .map_or(0, |earlier| earlier.replicas)
    };
    let total: i32 = before.iter().map(|assignment| assignment.replicas).sum();
    let fewer = (total - service.replicas).max(0);
    let gone: i32 = after
        .iter()
        .map(|assignment| (was(assignment) - assignment.replicas).max(0))
        .sum();
    for assignment in after.iter_mut() {
        let shrank_now = assignment.replicas < was(assignment);
        if assignment.hold <= assignment.replicas || (shrank_now && gone <= fewer) {
            assignment.hold = 0;
        }
    }
}

/// Takes what is seen on clusters where nothing is assigned to be taken away there.
pub fn adopt_strays(
    service: &services::Model,
    seen: &[observations::Model],
    fleet: &Fleet,
    assignments: &mut Vec<assignments::Model>,
    now: DateTime<Utc>,
) {
    for row in seen.iter().filter(|row| row.present) {
        let known = assignments
            .iter()
            .any(|assignment| assignment.cluster_id == row.cluster_id);
        if known || fleet.by_id(row.cluster_id).is_none() {
            continue;
        }
        let reason = PlacementReason {
            strategy: String::new(),
            weight: 0,
            capacity: None,
            previous: row.replicas.max(0) as u32,
            bounds: Vec::new(),
            message: "found there though nothing is assigned there; it is removed".to_owned(),
        };
        assignments.push(assigned(service, row.cluster_id, 0, StoredReason(reason), now));
    }
}

/// A new assignment.
pub fn assigned(
    service: &services::Model,
    cluster_id: uuid::Uuid,
    replicas: i32,
    reason: StoredReason,
    now: DateTime<Utc>,
) -> assignments::Model {
    assignments::Model {
        service_id: service.id,
        cluster_id,
        replicas,
        reason,
        decided_at: now,
        epoch: 1,
        hold: 0,
        removed_at: None,
        applied_hash: None,
        applied_at: None,
        failed_hash: None,
        error_code: None,
        error: None,
        refused: false,
        attempts: 0,
        retry_at: None,
        drift_at: None,
        drift: None,
    }
}
