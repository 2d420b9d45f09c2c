//! What is wanted against what is there: the decision of one turn for one service. Pure.
//!
//! Gather (the tasks do it) → place → judge each place → derive status and operation → say what to do
//! and what to write. The same inputs give the same outcome, and an outcome that was carried out gives
//! an empty one, so a turn can be cut off anywhere and done again.

pub mod applicant;
pub mod fence;
pub mod fleet;
pub mod neighbours;
pub mod places;
pub mod progress;
pub mod status;
pub mod sync;

#[cfg(test)]
mod tests;

use api_types::services::{ServiceState, SyncState};
use api_types::spec::ServiceSpec;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::{DbErr, assignments, environments, observations, operations, services};
use applicant::Seen;
use fleet::{Fleet, Reservations};
use sync::{Action, Look, Pace, Question, Sync};

/// Everything about one service.
#[derive(Clone, Debug)]
pub struct Subject {
    pub service: services::Model,
    /// The spec of the revision that should run, as kept.
    pub spec: ServiceSpec,
    pub environment: environments::Model,
    pub assignments: Vec<assignments::Model>,
    pub observations: Vec<observations::Model>,
    /// The newest operation, while it goes on.
    pub operation: Option<operations::Model>,
}

impl Subject {
    /// Whether placing it could change something, for which the room on the clusters has to be known.
    #[must_use]
    pub fn needs_decision(&self, fleet: &Fleet, pace: Pace, now: DateTime<Utc>) -> bool {
        let seen = self.seen(pace, now);
        !self.service.deleting
            && places::needs_decision(&self.service, &self.environment, fleet, &self.assignments, &seen)
    }

    /// Whether what others have a claim to was added up since the service said whom it avoids.
    #[must_use]
    pub fn is_known_to(&self, reservations: &Reservations) -> bool {
        let declared = &self.service.placement.0.avoid;
        reservations.neighbours.know(&self.service.place(), declared)
    }

    fn seen(&self, pace: Pace, now: DateTime<Utc>) -> Seen<'_> {
        Seen {
            observations: &self.observations,
            pace,
            now,
        }
    }
}

/// What to write and what to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub service: Option<services::Model>,
    /// New or changed.
    pub assignments: Vec<assignments::Model>,
    /// Clusters whose assignment goes.
    pub removed: Vec<Uuid>,
    pub operation: Option<operations::Model>,
    pub actions: Vec<(Uuid, Action)>,
    pub wake_at: Option<DateTime<Utc>>,
    pub wants_look: bool,
    /// Nothing of a service that is being deleted is left.
    pub gone: bool,
}

impl Outcome {
    /// Whether anything is to be written.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.service.is_some()
            || !self.assignments.is_empty()
            || !self.removed.is_empty()
            || self.operation.is_some()
            || self.gone
    }
}

/// Decides one service's turn. Room for what is placed anew is reserved in `fleet`.
pub fn reconcile(
    subject: &Subject,
    fleet: &mut Fleet,
    look: &Look,
    pace: Pace,
    now: DateTime<Utc>,
) -> Result<Outcome, DbErr> {
    let mut service = subject.service.clone();
    let mut unplaced = service.unplaced.max(0) as u32;
    let mut message = None;
    let mut assignments = subject.assignments.clone();
    let seen = subject.seen(pace, now);
    if service.deleting {
        unplaced = 0;
    } else if subject.needs_decision(fleet, pace, now) {
        let placed = places::place(&service, &subject.environment, fleet, &assignments, &seen);
        unplaced = placed.unplaced;
        message = Some(placed.message);
        assignments = placed.assignments;
        service.given_back = placed.given_back;
        service.place_afresh = false;
        service.most_moves = None;
        service.returning = None;
    }
    service.unplaced = unplaced as i32;
    places::adopt_strays(&service, &subject.observations, fleet, &mut assignments, now);
    let give_back_at = seen.due(&assignments);

    let question = Question {
        service: &service,
        spec: &subject.spec,
        look,
        pace,
        now,
    };
    let judge_all = |assignments: Vec<assignments::Model>| -> Vec<Sync<'_>> {
        assignments
            .into_iter()
            .filter_map(|assignment| {
                let cluster = fleet.by_id(assignment.cluster_id)?;
                let seen = subject
                    .observations
                    .iter()
                    .find(|row| row.cluster_id == assignment.cluster_id);
                Some(sync::judge(&question, cluster, assignment, seen))
            })
            .collect()
    };
    let mut syncs = judge_all(assignments);
    if let_go(&service, &mut syncs, unplaced) {
        let released = syncs.into_iter().map(|sync| sync.assignment).collect();
        syncs = judge_all(released);
    }
    fence::hold_back(&service, &mut syncs);
    syncs.sort_by(|a, b| a.cluster.name.cmp(&b.cluster.name));

    let gone = service.deleting && syncs.iter().all(|sync| sync.gone);
    let operation = subject
        .operation
        .as_ref()
        .map(|operation| {
            progress::advance(
                operation,
                &service,
                &syncs,
                &progress::Context {
                    unplaced,
                    placement_message: message.as_deref(),
                    gone,
                    now,
                },
            )
        })
        .transpose()?;
    let operating = operation
        .as_ref()
        .is_some_and(|operation| operation.finished_at.is_none());
    if !operating {
        service.operation_id = None;
    }
    let well_until = syncs
        .iter()
        .filter_map(|sync| sync.changed_at)
        .max()
        .filter(|_| subject.operation.is_none())
        .map(|changed_at| sync::later(changed_at, pace.settle));
    let status = status::derive(
        &service,
        &syncs,
        &status::Context {
            unplaced,
            placement_message: message.as_deref().unwrap_or_default(),
            operating,
            well_until,
            now,
        },
    )?;
    service.set_status(&status);

    let mut outcome = Outcome {
        gone,
        service: (service != subject.service && !gone).then_some(service),
        operation: operation.filter(|next| subject.operation.as_ref() != Some(next)),
        wake_at: well_until
            .filter(|until| {
                *until > now && matches!(status.state, ServiceState::Failed | ServiceState::Degraded)
            })
            .into_iter()
            .chain(give_back_at)
            .min(),
        ..Outcome::default()
    };
    for sync in syncs {
        outcome.take(subject, sync);
    }
    // An assignment on a cluster that is no longer registered has nothing to come back to.
    outcome.removed.extend(
        subject
            .assignments
            .iter()
            .map(|assignment| assignment.cluster_id)
            .filter(|cluster| fleet.by_id(*cluster).is_none()),
    );
    Ok(outcome)
}

impl Outcome {
    fn take(&mut self, subject: &Subject, sync: Sync<'_>) {
        let cluster = sync.cluster.id;
        self.wants_look |= sync.wants_look;
        self.wake_at = [self.wake_at, sync.wake_at].into_iter().flatten().min();
        if let Some(action) = sync.action {
            self.actions.push((cluster, action));
        }
        let before = subject
            .assignments
            .iter()
            .find(|assignment| assignment.cluster_id == cluster);
        if sync.gone {
            if before.is_some() {
                self.removed.push(cluster);
            }
        } else if before != Some(&sync.assignment) {
            self.assignments.push(sync.assignment);
        }
    }
}

/// Releases what was held until the new places are ready, once they are; tells whether anything was.
fn let_go(service: &services::Model, syncs: &mut [Sync<'_>], unplaced: u32) -> bool {
    let ready = |sync: &Sync<'_>| {
        let wanted = sync.assignment.replicas.max(0) as u32;
        sync.observation
            .is_some_and(|seen| sync.current && seen.ready >= wanted)
    };
    let seen_ready = |sync: &Sync<'_>| {
        let wanted = sync.assignment.replicas.max(0) as u32;
        sync.observation.is_some_and(|seen| seen.ready >= wanted)
    };
    let taken_over = unplaced == 0
        && syncs
            .iter()
            .filter(|sync| sync.assignment.replicas > 0)
            .all(|sync| {
                if sync.cluster.answers() {
                    sync.state == SyncState::Synced || sync.assignment.hold > 0 && ready(sync)
                } else {
                    // Lost before it took over, it took nothing over; lost after that, its loss is no reason to wait.
                    seen_ready(sync)
                }
            });
    let may_break = fence::may_break(service, syncs, unplaced);
    let mut released = false;
    for sync in syncs.iter_mut().filter(|sync| sync.assignment.hold > 0) {
        // Where nothing is ready there is nothing to protect.
        let useless = sync.cluster.answers() && sync.observation.is_none_or(|seen| seen.ready == 0);
        let breaks = may_break && (sync.cluster.answers() || sync.cluster.is_given_up());
        if service.deleting || service.replicas == 0 || taken_over || useless || breaks {
            sync.assignment.hold = 0;
            released = true;
        }
    }
    released
}
