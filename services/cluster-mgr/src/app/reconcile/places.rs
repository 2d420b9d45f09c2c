//! Carries a placement decision into the assignments. Pure.

use api_types::placement::{PlacementReason, PlacementStrategy};
use chrono::{DateTime, Utc};

use crate::app::placement::rebalance::{bring_back, limited};
use crate::app::placement::spread::{self, Share};
use crate::app::placement::{self, Request};
use crate::app::reconcile::applicant::{Applicant, Seen, excluded};
use crate::app::reconcile::fleet::Fleet;
use crate::app::reconcile::sync::later;
use crate::db::columns::{GivenBack, StoredReason};
use crate::db::{assignments, environments, observations, services};

/// The assignments after a decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    pub assignments: Vec<assignments::Model>,
    /// Clusters that gave replicas back because no node took them, and when; for a while they get no new ones.
    pub given_back: Option<GivenBack>,
    pub unplaced: u32,
    pub message: String,
}

/// Whether a decision could differ from what is assigned. Anything that holds as many replicas as are
/// wanted where it may hold them stays as it is, so there is nothing to decide.
#[must_use]
pub fn needs_decision(
    service: &services::Model,
    environment: &environments::Model,
    fleet: &Fleet,
    assignments: &[assignments::Model],
    seen: &Seen<'_>,
) -> bool {
    let assigned: i64 = assignments
        .iter()
        .map(|assignment| i64::from(assignment.replicas))
        .sum();
    let misplaced = || {
        assignments.iter().any(|assignment| {
            assignment.replicas > 0
                && fleet.by_id(assignment.cluster_id).is_none_or(|cluster| {
                    excluded(&service.placement.0, environment, service.keeps_data, cluster).is_some()
                })
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
    let over_limit = || {
        let shares = assignments.iter().filter_map(|assignment| {
            let cluster = fleet.by_id(assignment.cluster_id)?;
            cluster.answers().then_some(Share {
                region: &cluster.region,
                zone: &cluster.zone,
                replicas: assignment.replicas.unsigned_abs(),
            })
        });
        spread::is_exceeded(placement, service.replicas.unsigned_abs(), shares)
    };
    let pinned = matches!(placement.strategy, PlacementStrategy::Pinned { .. });
    assigned != i64::from(service.replicas)
        || service.unplaced > 0
        || service.place_afresh
        || service.returning.is_some()
        || placement.min_per_cluster > 0
        || !placement.avoid.is_empty()
        || misplaced()
        || pinned_otherwise()
        || !pinned && (seen.any_stuck(assignments) || over_limit())
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
    seen: &Seen<'_>,
) -> Placed {
    let now = seen.now;
    let applicant = Applicant::of(service, environment, before, seen);
    let mut candidates = applicant.candidates(fleet);
    let returning = service.returning.and_then(|returning| {
        let home = fleet
            .clusters
            .iter()
            .position(|cluster| cluster.id == returning.cluster)?;
        let before = candidates[home].held;
        bring_back(&mut candidates, home, returning.replicas);
        Some((home, before))
    });
    let path = service.path();
    let decision = placement::decide(
        Request {
            placement: &service.placement.0,
            replicas: service.replicas.max(0) as u32,
            seed: &path,
            afresh: service.place_afresh,
        },
        &candidates,
    );
    let mut after = before.to_vec();
    // A cluster that is gone from the registry holds nothing any more.
    after.retain(|assignment| fleet.by_id(assignment.cluster_id).is_some());
    let mut given_back = service.given_back.clone().unwrap_or_default();
    given_back
        .0
        .retain(|_, at| later(*at, seen.pace.give_back_pause) > now);
    let target: Vec<u32> = decision.replicas().collect();
    let counts = match service.most_moves {
        Some(most) if service.place_afresh => {
            let held: Vec<u32> = candidates.iter().map(|candidate| candidate.held).collect();
            limited(&held, &target, most.unsigned_abs())
        }
        _ => target.clone(),
    };
    let reason = |index: usize| {
        let mut reason = decision.reason(index);
        if counts[index] != target[index] {
            reason.bounds.push("max_moves".to_owned());
            reason.message = format!(
                "{} for now, since few were to move; else {}",
                counts[index], reason.message
            );
        }
        if let Some((home, before)) = returning
            && home == index
            && counts[index] > before
        {
            reason.previous = before;
            reason.bounds.retain(|bound| bound != "kept");
            reason.bounds.push("returned".to_owned());
            reason.message = format!(
                "{}, as it is in use again and held them before it was evacuated",
                counts[index]
            );
        }
        StoredReason(reason)
    };
    let mut promised = Vec::new();
    // The decision is in the order of the fleet's clusters.
    for (index, (cluster, count)) in fleet.clusters.iter().zip(counts.iter().copied()).enumerate() {
        let replicas = count as i32;
        if candidates[index].stuck > 0 && count < candidates[index].held {
            given_back.0.insert(cluster.id, now);
        }
        match after
            .iter_mut()
            .find(|assignment| assignment.cluster_id == cluster.id)
        {
            Some(assignment) if assignment.replicas == replicas => {}
            Some(assignment) => {
                promised.push((cluster.id, count.saturating_sub(assignment.wanted_now())));
                assignment.hold = assignment.wanted_now() as i32;
                assignment.replicas = replicas;
                assignment.reason = reason(index);
                assignment.decided_at = now;
                assignment.epoch += 1;
                assignment.removed_at = None;
                if replicas > 0 {
                    assignment.accepted_risk = None;
                }
            }
            None if replicas > 0 => {
                promised.push((cluster.id, count));
                after.push(assigned(service, cluster.id, replicas, reason(index), now));
            }
            None => {}
        }
    }
    let (unplaced, message) = (decision.unplaced, decision.message);
    for (cluster, more) in promised {
        fleet.reserve(cluster, applicant.ask, more);
    }
    let holders = after.iter().filter(|assignment| assignment.replicas > 0);
    fleet
        .reservations
        .neighbours
        .moved(&applicant.place, holders.map(|assignment| assignment.cluster_id));
    settle_holds(service, before, &mut after);
    Placed {
        assignments: after,
        given_back: Some(given_back).filter(|given| !given.0.is_empty()),
        unplaced,
        message,
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
        accepted_risk: None,
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
