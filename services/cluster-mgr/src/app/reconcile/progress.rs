//! Where an operation on a service stands. Pure.

use api_types::operations::{OperationKind, OperationState, OperationStep, StepState};
use api_types::services::SyncState;
use chrono::{DateTime, Utc};
use platform::text::counted;

use crate::app::reconcile::sync::Sync;
use crate::db::columns::{Steps, read_word, word};
use crate::db::{DbErr, operations, services};

/// The step that tells where the replicas go.
pub const PLACEMENT: &str = "placement";

/// What the places say of the operation.
pub struct Context<'a> {
    pub unplaced: u32,
    /// What the placement said, when it was decided anew.
    pub placement_message: Option<&'a str>,
    /// Nothing of the deleted service is left anywhere.
    pub gone: bool,
    pub now: DateTime<Utc>,
}

/// The operation as it stands now. Once it is over it stays so.
pub fn advance(
    operation: &operations::Model,
    service: &services::Model,
    syncs: &[Sync<'_>],
    context: &Context<'_>,
) -> Result<operations::Model, DbErr> {
    let mut next = operation.clone();
    if operation.finished_at.is_some() {
        return Ok(next);
    }
    let kind: OperationKind = read_word(&operation.kind)?;
    let mut steps = Vec::new();
    if kind != OperationKind::DeleteService {
        steps.push(placement(operation, service, context));
    }
    steps.extend(
        syncs
            .iter()
            .filter(|sync| !sync.gone)
            .map(|sync| place(operation, service, sync, context.now)),
    );
    // A place that is gone was taken away, which is what was wanted of it.
    for earlier in &operation.steps.0 {
        if earlier.name != PLACEMENT && steps.iter().all(|step| step.name != earlier.name) {
            steps.push(settle(
                earlier,
                OperationStep {
                    state: StepState::Succeeded,
                    message: "removed".to_owned(),
                    done: earlier.total,
                    ..earlier.clone()
                },
                context.now,
            ));
        }
    }
    let state = sum_up(&steps, context.gone);
    next.message = tell(kind, service, state, &steps);
    next.progress = percent(&steps, state);
    next.state = word(state);
    next.steps = Steps(steps);
    if !matches!(state, OperationState::Running | OperationState::Waiting) {
        next.finished_at = Some(context.now);
    }
    if next != *operation {
        next.updated_at = context.now;
    }
    Ok(next)
}

/// Keeps the time of a step that didn't change.
fn settle(earlier: &OperationStep, mut step: OperationStep, now: DateTime<Utc>) -> OperationStep {
    step.updated_at = earlier.updated_at;
    if step != *earlier {
        step.updated_at = now;
    }
    step
}

fn with_time(operation: &operations::Model, mut step: OperationStep, now: DateTime<Utc>) -> OperationStep {
    match operation.steps.0.iter().find(|earlier| earlier.name == step.name) {
        Some(earlier) => settle(earlier, step, now),
        None => {
            step.updated_at = now;
            step
        }
    }
}

fn placement(
    operation: &operations::Model,
    service: &services::Model,
    context: &Context<'_>,
) -> OperationStep {
    let total = service.replicas.max(0) as u32;
    let earlier = operation.steps.0.iter().find(|step| step.name == PLACEMENT);
    let message = match (context.placement_message, earlier) {
        (Some(message), _) => message.to_owned(),
        (None, Some(earlier)) => earlier.message.clone(),
        (None, None) => "the replicas stay where they are".to_owned(),
    };
    with_time(
        operation,
        OperationStep {
            name: PLACEMENT.to_owned(),
            state: if context.unplaced == 0 {
                StepState::Succeeded
            } else {
                StepState::Waiting
            },
            message,
            done: total.saturating_sub(context.unplaced),
            total,
            updated_at: context.now,
        },
        context.now,
    )
}

fn place(
    operation: &operations::Model,
    service: &services::Model,
    sync: &Sync<'_>,
    now: DateTime<Utc>,
) -> OperationStep {
    let name = &sync.cluster.name;
    let earlier = operation.steps.0.iter().find(|step| step.name == *name);
    let leaves = service.deleting || sync.assignment.replicas == 0;
    let total = if leaves {
        // At least one, so that a removal counts for something.
        earlier.map_or(sync.assignment.hold.max(1) as u32, |earlier| earlier.total.max(1))
    } else {
        sync.assignment.replicas.max(0) as u32
    };
    // What succeeded once is done: a pod that falls over later is no part of the operation.
    if let Some(earlier) = earlier
        && earlier.state == StepState::Succeeded
        && earlier.total == total
        && !leaves
        && sync.assignment.hold == 0
    {
        return earlier.clone();
    }
    let ready = match sync.observation {
        Some(seen) if sync.current && sync.cluster.answers() => seen
            .updated_ready
            .max(if sync.state == SyncState::Synced { total } else { 0 }),
        _ => 0,
    };
    let (state, message) = if leaves && service.is_singleton() && !service.deleting && !sync.cluster.answers()
    {
        (
            StepState::Waiting,
            "the cluster doesn't answer; it may still run there".to_owned(),
        )
    } else if leaves && sync.assignment.hold > 0 && !service.deleting {
        (
            StepState::Running,
            format!("keeps {} until their new places are ready", sync.assignment.hold),
        )
    } else {
        let state = match sync.state {
            SyncState::Synced if sync.assignment.hold > 0 => StepState::Running,
            SyncState::Synced => StepState::Succeeded,
            SyncState::Failed => StepState::Failed,
            SyncState::Waiting => StepState::Waiting,
            SyncState::Pending => StepState::Pending,
            SyncState::Progressing | SyncState::Removing => StepState::Running,
        };
        (state, sync.message.clone())
    };
    with_time(
        operation,
        OperationStep {
            name: name.clone(),
            state,
            message,
            done: if leaves { 0 } else { ready.min(total) },
            total,
            updated_at: now,
        },
        now,
    )
}

fn sum_up(steps: &[OperationStep], gone: bool) -> OperationState {
    let any = |state: StepState| steps.iter().any(|step| step.state == state);
    if gone {
        OperationState::Succeeded
    } else if any(StepState::Running) || any(StepState::Pending) {
        OperationState::Running
    } else if any(StepState::Failed) {
        OperationState::Failed
    } else if any(StepState::Waiting) {
        OperationState::Waiting
    } else if steps.iter().all(|step| step.name == PLACEMENT) && steps.iter().any(|step| step.total > 0) {
        // Placed, but no cluster has its part yet.
        OperationState::Running
    } else if steps.is_empty() {
        OperationState::Running
    } else {
        OperationState::Succeeded
    }
}

fn percent(steps: &[OperationStep], state: OperationState) -> i16 {
    if state == OperationState::Succeeded {
        return 100;
    }
    let places = || steps.iter().filter(|step| step.name != PLACEMENT);
    let total: u64 = places().map(|step| u64::from(step.total)).sum();
    let done: u64 = places().map(|step| u64::from(step.done)).sum();
    (done * 100).checked_div(total).unwrap_or(0).min(99) as i16
}

fn tell(
    kind: OperationKind,
    service: &services::Model,
    state: OperationState,
    steps: &[OperationStep],
) -> String {
    let of = |wanted: StepState| {
        steps
            .iter()
            .filter(move |step| step.state == wanted)
            .map(|step| {
                if step.name == PLACEMENT {
                    step.message.clone()
                } else {
                    format!("{}: {}", step.name, step.message)
                }
            })
            .collect::<Vec<_>>()
            .join("; ")
    };
    let ready = || {
        let places = || steps.iter().filter(|step| step.name != PLACEMENT);
        let done: u32 = places().map(|step| step.done).sum();
        let total: u32 = places().map(|step| step.total).sum();
        format!("{done} of {} ready", counted(total, "replica"))
    };
    match state {
        OperationState::Running => {
            let failed = of(StepState::Failed);
            let running = steps
                .iter()
                .find(|step| matches!(step.state, StepState::Running | StepState::Pending));
            let mut text = match (kind, running) {
                (OperationKind::DeleteService, _) => "being removed from its clusters".to_owned(),
                (_, Some(step)) if step.total > 0 && step.message.contains(';') => {
                    format!("{}: {}", step.name, step.message)
                }
                _ => ready(),
            };
            let waiting = of(StepState::Waiting);
            for more in [failed, waiting] {
                if !more.is_empty() {
                    text = format!("{text}; {more}");
                }
            }
            text
        }
        OperationState::Waiting => format!("everything else is done; {}", of(StepState::Waiting)),
        OperationState::Failed => {
            let mut text = of(StepState::Failed);
            if matches!(
                kind,
                OperationKind::ReleaseService | OperationKind::RestartService
            ) {
                text.push_str(". What ran before keeps serving; release a revision that works, or roll back");
            }
            text
        }
        OperationState::Succeeded => match kind {
            OperationKind::DeleteService => "nothing of it is left on any cluster".to_owned(),
            OperationKind::CreateService | OperationKind::ReleaseService => {
                format!("revision {} runs with {}", service.revision, ready())
            }
            _ => ready(),
        },
        OperationState::Superseded => "a newer operation took its place".to_owned(),
    }
}
