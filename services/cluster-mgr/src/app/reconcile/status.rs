//! One state, one word: what a service's places add up to. Pure.

use api_types::services::{Problem, RolloutState, ServiceState, ServiceStatus, SyncState};
use chrono::{DateTime, Utc};
use platform::text::counted;

use crate::app::reconcile::sync::{Sync, explain};
use crate::db::{DbErr, services};

/// What the places add up to.
struct Sum<'a> {
    ready: u32,
    updated: u32,
    unknown: u32,
    /// Clusters whose replicas are unknown.
    silent: Vec<&'a str>,
    /// What is wrong where the clusters answer.
    wrong: Vec<String>,
    /// A rollout gave up, or was refused.
    gave_up: bool,
    /// Places that answer and aren't as wanted.
    unsettled: bool,
}

/// What is true of a service beside its places.
pub struct Context<'a> {
    pub unplaced: u32,
    pub placement_message: &'a str,
    /// Something that was asked for is under way.
    pub operating: bool,
    /// Before this moment nobody knows whether it stays well; only for what got well by itself.
    pub well_until: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
}

/// The status, its `since` kept while the state stays; trouble that gets better or worse began when it began.
pub fn derive(
    service: &services::Model,
    syncs: &[Sync<'_>],
    context: &Context<'_>,
) -> Result<ServiceStatus, DbErr> {
    let before = service.status()?;
    let sum = add_up(service, syncs, context);
    let (mut state, mut message) = judge(service, syncs, context, &sum);
    // What crashes again and again starts each time, and may be ready for a moment.
    let is_trouble = |state| matches!(state, ServiceState::Failed | ServiceState::Degraded);
    if is_trouble(before.state)
        && matches!(state, ServiceState::Running | ServiceState::Progressing)
        && context.well_until.is_some_and(|until| until > context.now)
    {
        (state, message) = (before.state, before.message);
    }
    Ok(ServiceStatus {
        state,
        message,
        ready: sum.ready,
        updated: sum.updated,
        wanted: service.replicas.max(0) as u32,
        unknown: sum.unknown,
        since: if before.state == state || is_trouble(before.state) && is_trouble(state) {
            before.since
        } else {
            context.now
        },
        observed_at: None,
    })
}

fn add_up<'a>(service: &services::Model, syncs: &'a [Sync<'_>], context: &Context<'_>) -> Sum<'a> {
    let mut sum = Sum {
        ready: 0,
        updated: 0,
        unknown: 0,
        silent: Vec::new(),
        wrong: Vec::new(),
        gave_up: false,
        unsettled: false,
    };
    for sync in syncs {
        let wanted = sync.assignment.wanted_now();
        if !sync.cluster.answers() {
            let may_run = sync.assignment.applied_at.is_some() || sync.observation.is_some();
            if wanted > 0 && may_run {
                sum.unknown += wanted;
                sum.silent.push(&sync.cluster.name);
            } else if wanted > 0 {
                sum.unsettled = true;
            }
            continue;
        }
        if let Some(seen) = sync.observation {
            sum.ready += seen.ready;
            if sync.current {
                let complete = seen.rollout == RolloutState::Complete;
                let at_least = if complete { seen.updated.min(seen.ready) } else { 0 };
                sum.updated += seen.updated_ready.max(at_least);
            }
        }
        if wanted == 0 || service.deleting {
            continue;
        }
        sum.unsettled |= sync.state != SyncState::Synced;
        if sync.state == SyncState::Failed {
            sum.gave_up = true;
            sum.wrong.push(format!("{}: {}", sync.cluster.name, sync.message));
        } else if let Some(problem) = telling(sync, context.operating) {
            sum.wrong
                .push(format!("{}: {}", sync.cluster.name, explain(problem)));
        } else if let Some(error) = &sync.assignment.error {
            sum.wrong
                .push(format!("{}: {error}; it is tried again", sync.cluster.name));
        } else if !context.operating && fell_short(sync) {
            sum.wrong.push(format!("{}: {}", sync.cluster.name, sync.message));
        }
    }
    if context.unplaced > 0 && !service.deleting {
        sum.wrong.push(context.placement_message.to_owned());
    }
    sum
}

/// The problem that matters, unless it is only that pods are still starting.
fn telling<'a>(sync: &Sync<'a>, operating: bool) -> Option<&'a Problem> {
    if sync.state == SyncState::Synced {
        return None;
    }
    let starting = |problem: &Problem| {
        matches!(
            problem.reason.as_str(),
            "ReadinessFailed" | "StartupFailed" | "Unready" | "ContainerCreating"
        )
    };
    sync.observation?
        .problems
        .iter()
        .find(|problem| !(operating && starting(problem)))
}

/// Nothing is under way, the rollout is over, and yet replicas aren't ready.
fn fell_short(sync: &Sync<'_>) -> bool {
    sync.current
        && sync.state == SyncState::Progressing
        && sync
            .observation
            .is_some_and(|seen| seen.rollout == RolloutState::Complete && seen.drift.is_empty())
}

fn judge(
    service: &services::Model,
    syncs: &[Sync<'_>],
    context: &Context<'_>,
    sum: &Sum<'_>,
) -> (ServiceState, String) {
    if service.deleting {
        return deleting(syncs);
    }
    let silence = || {
        let names = sum.silent.join(", ");
        let (does, its) = if sum.silent.len() == 1 {
            ("doesn't", "its")
        } else {
            ("don't", "their")
        };
        format!(
            "{names} {does} answer: what is known of {its} {} is old",
            counted(sum.unknown, "replica")
        )
    };
    if service.replicas == 0 {
        let seen = syncs.iter().any(|sync| sync.observation.is_some());
        return match (seen, sum.unknown > 0) {
            (_, true) => (ServiceState::Unknown, silence()),
            (true, false) if !syncs.is_empty() => (ServiceState::Progressing, "stopping".to_owned()),
            _ => (ServiceState::Stopped, String::new()),
        };
    }
    let wanted = service.replicas.max(0) as u32;
    let wrong = || {
        let mut text = sum.wrong.join("; ");
        if sum.unknown > 0 {
            text = format!("{text}; {}", silence());
        } else if sum.ready > sum.updated && sum.ready > 0 {
            text = format!(
                "{text}. The {} of the revision before keep serving",
                counted(sum.ready - sum.updated, "replica")
            );
        }
        text
    };
    if !sum.wrong.is_empty() {
        let state = if sum.ready == 0 && sum.unknown == 0 || sum.gave_up {
            ServiceState::Failed
        } else {
            ServiceState::Degraded
        };
        return (state, wrong());
    }
    let fenced = |sync: &&Sync<'_>| sync.fence.as_ref().is_some_and(|fence| fence.silent);
    if let Some(sync) = syncs.iter().find(fenced) {
        return (
            ServiceState::Unknown,
            format!("{}: {}", sync.cluster.name, sync.message),
        );
    }
    let held = syncs.iter().any(|sync| sync.assignment.hold > 0);
    let removing = syncs
        .iter()
        .any(|sync| sync.assignment.wanted_now() == 0 && sync.cluster.answers());
    if sum.unsettled || held || removing && context.operating || syncs.is_empty() {
        let mut text = format!(
            "{} of {} ready on revision {}",
            sum.updated.min(wanted),
            counted(wanted, "replica"),
            service.revision
        );
        if sum.unknown > 0 {
            text = format!("{text}; {}", silence());
        }
        return (ServiceState::Progressing, text);
    }
    if sum.unknown > 0 {
        return (ServiceState::Unknown, silence());
    }
    (ServiceState::Running, String::new())
}

fn deleting(syncs: &[Sync<'_>]) -> (ServiceState, String) {
    let waits: Vec<&str> = syncs
        .iter()
        .filter(|sync| sync.state == SyncState::Waiting)
        .map(|sync| sync.cluster.name.as_str())
        .collect();
    if waits.is_empty() {
        return (ServiceState::Progressing, "being deleted".to_owned());
    }
    let text = format!(
        "being deleted; what is on {} is removed when it answers again",
        waits.join(", ")
    );
    if waits.len() == syncs.len() {
        (ServiceState::Unknown, text)
    } else {
        (ServiceState::Progressing, text)
    }
}
