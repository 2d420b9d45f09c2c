//! Singletons: services of which at most one replica may run anywhere. Pure.
//!
//! A cluster holds a singleton as long as its assignment is there, which goes only once a look after the removal found
//! nothing left. While another cluster holds it, it isn't started. A cluster that doesn't answer is out of the way only
//! when it is removed, when it answers again and is empty, or when somebody accepts the risk.

use api_types::services::SyncState;
use uuid::Uuid;

use crate::app::reconcile::sync::Sync;
use crate::db::{assignments, services};

/// The clusters where a singleton may still run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// By name.
    pub clusters: Vec<String>,
    /// One of them doesn't answer, so that nothing may come of waiting.
    pub silent: bool,
}

/// Whether a place keeps a singleton from starting elsewhere. An accepted risk counts only while the cluster can't be
/// asked: once it answers, it is simply emptied first.
#[must_use]
pub fn is_in_the_way(assignment: &assignments::Model, answers: bool) -> bool {
    answers || assignment.accepted_risk.is_none()
}

/// Holds a singleton back where it would start while it may run elsewhere. Where it runs already it may be changed, for
/// that starts no other.
pub fn hold_back(service: &services::Model, syncs: &mut [Sync<'_>]) {
    if !service.is_singleton() || service.deleting {
        return;
    }
    let holders: Vec<(Uuid, String, bool)> = syncs
        .iter()
        .filter(|sync| !sync.gone && is_in_the_way(&sync.assignment, sync.cluster.answers()))
        .map(|sync| (sync.cluster.id, sync.cluster.name.clone(), sync.cluster.answers()))
        .collect();
    for sync in syncs.iter_mut().filter(|sync| would_start(sync)) {
        let others = || holders.iter().filter(|(id, ..)| *id != sync.cluster.id);
        let fence = Fence {
            clusters: others().map(|(_, name, _)| name.clone()).collect(),
            silent: others().any(|(.., answers)| !answers),
        };
        if fence.clusters.is_empty() {
            continue;
        }
        sync.action = None;
        sync.wake_at = None;
        sync.wants_look = false;
        sync.state = SyncState::Waiting;
        sync.message = words(&fence);
        sync.fence = Some(fence);
    }
}

fn would_start(sync: &Sync<'_>) -> bool {
    sync.assignment.replicas > 0 && sync.observation.is_none_or(|seen| seen.replicas == 0)
}

fn words(fence: &Fence) -> String {
    let names = fence.clusters.join(", ");
    if fence.silent {
        format!(
            "waits: it may still run in {names}; it starts here when it is seen gone there, the cluster is removed, or \
             somebody accepts the risk"
        )
    } else {
        format!("waits until it is gone from {names}")
    }
}

/// Whether a singleton may be ended where it runs, as its next place is there to start it.
#[must_use]
pub fn may_break(service: &services::Model, syncs: &[Sync<'_>], unplaced: u32) -> bool {
    service.is_singleton()
        && unplaced == 0
        && syncs
            .iter()
            .any(|sync| sync.assignment.replicas > 0 && sync.cluster.answers())
}
