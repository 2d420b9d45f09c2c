//! How far each cluster is on the way to what it should run, and what to do next there. Pure.

use std::time::Duration;

use api_types::clusters::ClusterState;
use api_types::services::{Problem, RolloutState, SyncState, WorkloadObservation};
use chrono::{DateTime, Utc};
use platform::text::counted;

use crate::app::reconcile::fence::Fence;
use crate::app::reconcile::fleet::ClusterView;
use crate::app::workload;
use crate::db::{assignments, observations};

/// What is to be done on a cluster now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Bring it to this desired state (by digest); with what drifted when that is why.
    Apply {
        hash: String,
        replicas: u32,
        drift: Option<String>,
    },
    Remove,
}

/// One cluster's part of a service.
#[derive(Clone, Debug)]
pub struct Sync<'a> {
    pub cluster: &'a ClusterView,
    pub assignment: assignments::Model,
    pub observation: Option<&'a WorkloadObservation>,
    /// When what is seen there last changed.
    pub changed_at: Option<DateTime<Utc>>,
    pub state: SyncState,
    pub message: String,
    pub action: Option<Action>,
    /// Look again then, whatever happens.
    pub wake_at: Option<DateTime<Utc>>,
    /// Whether what is seen there is of the desired state.
    pub current: bool,
    /// Nothing of the service is there any more; the assignment can go.
    pub gone: bool,
    /// A fresh look at the cluster is needed to go on.
    pub wants_look: bool,
    /// What keeps a singleton from starting here.
    pub fence: Option<Fence>,
}

/// When ipaas was last asked for everything, and which clusters' part of the answer was whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    pub at: Option<DateTime<Utc>>,
    pub complete: std::collections::HashSet<uuid::Uuid>,
}

impl Look {
    /// Whether a cluster was wholly seen after a moment.
    fn saw_since(&self, cluster: uuid::Uuid, moment: DateTime<Utc>) -> bool {
        self.at.is_some_and(|at| at > moment) && self.complete.contains(&cluster)
    }
}

/// How long things may take before they are done again.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// An apply should be seen within this; otherwise it is repeated.
    pub echo: Duration,
    /// Drift is put right at most this often.
    pub drift: Duration,
    /// A removal whose pods stay is repeated.
    pub removal: Duration,
    /// A look for what a removal left.
    pub look: Duration,
    /// What was in trouble counts as running only after it was well for so long.
    pub settle: Duration,
    /// Replicas that no node takes for so long go elsewhere.
    pub give_back: Duration,
    /// For so long after that their cluster gets no new ones of the service.
    pub give_back_pause: Duration,
}

pub struct Question<'a> {
    pub service: &'a crate::db::services::Model,
    pub spec: &'a api_types::spec::ServiceSpec,
    pub look: &'a Look,
    pub pace: Pace,
    pub now: DateTime<Utc>,
}

/// Judges one place.
pub fn judge<'a>(
    question: &Question<'_>,
    cluster: &'a ClusterView,
    assignment: assignments::Model,
    seen: Option<&'a observations::Model>,
) -> Sync<'a> {
    let seen = seen.filter(|row| row.present);
    let sync = Sync {
        cluster,
        assignment,
        observation: seen.map(|row| &row.observation.0),
        changed_at: seen.map(|row| row.changed_at),
        state: SyncState::Pending,
        message: String::new(),
        action: None,
        wake_at: None,
        current: false,
        gone: false,
        wants_look: false,
        fence: None,
    };
    if question.service.deleting || sync.assignment.wanted_now() == 0 {
        removal(question, sync)
    } else {
        presence(question, sync)
    }
}

pub fn later(moment: DateTime<Utc>, wait: Duration) -> DateTime<Utc> {
    moment + chrono::Duration::from_std(wait).unwrap_or(chrono::Duration::zero())
}

fn removal<'a>(question: &Question<'_>, mut sync: Sync<'a>) -> Sync<'a> {
    let now = question.now;
    sync.state = SyncState::Removing;
    if !sync.cluster.answers() {
        sync.gone = sync.cluster.is_given_up();
        sync.state = SyncState::Waiting;
        sync.message = "the cluster doesn't answer; what is there is removed when it returns".to_owned();
        return sync;
    }
    let Some(removed_at) = sync.assignment.removed_at else {
        return attempt(question, sync, Action::Remove, "to be removed");
    };
    if sync.observation.is_none() && question.look.saw_since(sync.cluster.id, removed_at) {
        sync.gone = true;
        return sync;
    }
    sync.message = match sync.observation {
        Some(_) => "waits until its pods are gone".to_owned(),
        None => "being removed".to_owned(),
    };
    let again = later(removed_at, question.pace.removal);
    if now >= again && sync.observation.is_some() {
        sync.action = Some(Action::Remove);
    }
    sync.wants_look = true;
    sync.wake_at = Some(later(now, question.pace.look));
    sync
}

/// The action, unless an earlier try failed and its time hasn't come.
fn attempt<'a>(question: &Question<'_>, mut sync: Sync<'a>, action: Action, otherwise: &str) -> Sync<'a> {
    sync.message = match &sync.assignment.error {
        Some(error) => format!("{error}; it is tried again"),
        None => otherwise.to_owned(),
    };
    match sync.assignment.retry_at {
        Some(retry_at) if retry_at > question.now => sync.wake_at = Some(retry_at),
        _ => sync.action = Some(action),
    }
    sync
}

fn presence<'a>(question: &Question<'_>, mut sync: Sync<'a>) -> Sync<'a> {
    let replicas = sync.assignment.wanted_now();
    let hash = workload::desired(question.service, question.spec, replicas).hash;
    sync.current = sync
        .observation
        .is_some_and(|seen| seen.desired_hash.as_deref() == Some(hash.as_str()));
    if !sync.cluster.answers() {
        sync.state = SyncState::Waiting;
        sync.message = if sync.cluster.health == ClusterState::Pending {
            "the cluster was not reached yet".to_owned()
        } else if sync.current && sync.assignment.applied_hash.as_ref() == Some(&hash) {
            "the cluster doesn't answer; what is known of it is old".to_owned()
        } else {
            "the cluster doesn't answer; it is brought up to date when it returns".to_owned()
        };
        return sync;
    }
    let apply = |drift: Option<String>| Action::Apply {
        hash: hash.clone(),
        replicas,
        drift,
    };
    if sync.assignment.applied_hash.as_ref() != Some(&hash) {
        // A refusal is of the state that was refused; another one is tried at once.
        if sync.assignment.failed_hash.as_ref() != Some(&hash) {
            sync.assignment.clear_error();
        }
        let refused = sync.assignment.refused;
        let mut sync = attempt(question, sync, apply(None), "to be applied");
        if refused {
            sync.state = SyncState::Failed;
            sync.message = sync.assignment.error.clone().unwrap_or_default();
        }
        return sync;
    }
    let applied_at = sync.assignment.applied_at.unwrap_or(question.now);
    if let Some(drift) = drifted(&sync, replicas, question, applied_at) {
        let due = later(applied_at, question.pace.drift);
        sync.state = SyncState::Progressing;
        sync.message = format!("put right: {drift}");
        if question.now >= due {
            sync = attempt(question, sync, apply(Some(drift)), "");
        } else {
            sync.wake_at = Some(due);
        }
        return sync;
    }
    let Some(seen) = sync.observation.filter(|_| sync.current) else {
        sync.state = SyncState::Progressing;
        sync.message = "applied; waiting to see it".to_owned();
        sync.wants_look = true;
        sync.wake_at = Some(later(question.now, question.pace.look));
        return sync;
    };
    observed(seen, replicas, &mut sync);
    sync
}

/// What differs on the cluster from what was applied there, if anything does.
fn drifted(
    sync: &Sync<'_>,
    replicas: u32,
    question: &Question<'_>,
    applied_at: DateTime<Utc>,
) -> Option<String> {
    let echoed = question.now >= later(applied_at, question.pace.echo)
        && question
            .look
            .saw_since(sync.cluster.id, later(applied_at, question.pace.echo));
    match sync.observation {
        Some(seen) if sync.current => {
            if !seen.drift.is_empty() {
                Some(seen.drift.join(", "))
            } else if seen.replicas != replicas {
                Some(format!(
                    "Deployment/{}: {} instead of {replicas}",
                    question.service.name,
                    counted(seen.replicas, "replica")
                ))
            } else {
                None
            }
        }
        Some(_) if echoed => Some("another desired state than the one applied".to_owned()),
        None if echoed => Some("its objects are gone".to_owned()),
        _ => None,
    }
}

fn observed(seen: &WorkloadObservation, replicas: u32, sync: &mut Sync<'_>) {
    let ready = seen.ready.min(replicas);
    let progress = format!("{ready} of {} ready", counted(replicas, "replica"));
    match seen.rollout {
        RolloutState::Failed => {
            sync.state = SyncState::Failed;
            sync.message = match seen.problems.first() {
                Some(problem) => explain(problem),
                None => format!("the rollout made no progress within its deadline; {progress}"),
            };
        }
        RolloutState::Complete if seen.ready >= replicas && seen.updated >= replicas => {
            sync.state = SyncState::Synced;
            sync.message = progress;
        }
        RolloutState::Complete | RolloutState::Progressing => {
            sync.state = SyncState::Progressing;
            sync.message = match seen.problems.first() {
                Some(problem) => format!("{progress}; {}", explain(problem)),
                None => progress,
            };
        }
    }
}

/// A problem in one sentence.
#[must_use]
pub fn explain(problem: &Problem) -> String {
    let mut text = problem.reason.clone();
    if !problem.message.is_empty() {
        text = format!("{text}: {}", problem.message.trim_end_matches('.'));
    }
    if !problem.advice.is_empty() {
        text = format!("{text}. {}", problem.advice);
    }
    text
}
