//! Services, their revisions, and where their replicas are.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::{OperationId, ServiceId};
use crate::fencing::AcceptedRisk;
use crate::placement::{Placement, PlacementReason};
use crate::spec::ServiceSpec;

/// What a team runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Service {
    pub id: ServiceId,
    pub project: String,
    pub environment: String,
    /// A DNS label, at most 50 characters.
    pub name: String,
    pub kind: ServiceKind,
    pub description: String,
    /// Replicas wanted over all clusters.
    pub replicas: u32,
    pub placement: Placement,
    /// The revision that should run.
    pub revision: i64,
    /// The newest revision, released or not.
    pub latest_revision: i64,
    /// The image of `revision`.
    pub image: String,
    pub status: ServiceStatus,
    /// The operation that is bringing it there, if one is under way.
    pub operation: Option<OperationId>,
    /// True: deletion was asked for and goes on until no cluster has anything of it.
    pub deleting: bool,
    /// For `If-Match`.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub updated_by: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ServiceKind {
    #[default]
    Deployment,
}

/// One state, one word, everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// All wanted replicas are ready on the wanted revision.
    Running,
    /// On its way, and moving.
    Progressing,
    /// Some replicas are ready, and something is wrong.
    Degraded,
    /// No replica is ready, or the rollout gave up.
    Failed,
    /// No replicas are wanted.
    Stopped,
    /// A cluster that matters doesn't answer: what is known is old.
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceStatus {
    pub state: ServiceState,
    /// What is wrong and what to do about it, or what is under way; empty when all is well.
    pub message: String,
    pub ready: u32,
    /// Ready replicas that run the wanted revision.
    pub updated: u32,
    pub wanted: u32,
    /// Replicas on clusters that don't answer. Never counted as ready.
    pub unknown: u32,
    /// Since when it is in this state; in trouble, since that began, better or worse as it became.
    pub since: DateTime<Utc>,
    /// The oldest observation that this rests on.
    pub observed_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewService {
    pub name: String,
    #[serde(default)]
    pub kind: ServiceKind,
    #[serde(default)]
    pub description: String,
    #[serde(default = "one")]
    pub replicas: u32,
    #[serde(default)]
    pub placement: Placement,
    pub spec: ServiceSpec,
    /// Kept with revision 1.
    #[serde(default)]
    pub comment: String,
}

fn one() -> u32 {
    1
}

/// A change beside the spec; what is absent stays. Needs `If-Match`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServicePatch {
    pub description: Option<String>,
    pub replicas: Option<u32>,
    pub placement: Option<Placement>,
}

/// What goes with a service that is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ServiceDeletion {
    /// The claims of its volumes too, on every cluster, and so its data. They stay otherwise.
    pub delete_volumes: bool,
}

/// A service, and the operation that carries out what was asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ServiceAccepted {
    pub service: Service,
    pub operation: Option<OperationId>,
}

/// An immutable, numbered version of the whole spec.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Revision {
    pub number: i64,
    pub spec: ServiceSpec,
    pub comment: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    /// Whether this is the revision that should run.
    pub current: bool,
}

/// A revision in a list: without its spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevisionSummary {
    pub number: i64,
    pub image: String,
    pub comment: String,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
    pub current: bool,
    /// Names of the parts that differ from the revision before: `image`, `env`, `resources`.
    pub changed: Vec<String>,
}

/// A new revision; needs `If-Match`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRevision {
    pub spec: ServiceSpec,
    #[serde(default)]
    pub comment: String,
    /// Whether to release it at once.
    #[serde(default = "yes")]
    pub release: bool,
}

fn yes() -> bool {
    true
}

/// Asks what a spec would change as a new revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRevisionPreview {
    pub spec: ServiceSpec,
}

/// Moves a service to a revision: an existing one, or a new one that differs only in its image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRelease {
    /// Roll back (or forward) to this revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
    /// Replace the image of the current revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[serde(default)]
    pub comment: String,
}

/// What differs between two revisions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RevisionDiff {
    pub from: i64,
    pub to: i64,
    pub changes: Vec<SpecChange>,
    /// The same as a unified diff of the two specs as YAML. Secrets show as fingerprints.
    pub unified: String,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SpecChange {
    /// `env[LOG_LEVEL].value`.
    pub path: String,
    /// `added`, `removed`, `changed`.
    pub kind: ChangeKind,
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Added,
    Removed,
    Changed,
}

/// How many replicas of a service a cluster holds, why, and what is seen there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Assignment {
    pub cluster: String,
    pub region: String,
    /// Whether the cluster answers now.
    pub cluster_ready: bool,
    pub replicas: u32,
    pub reason: PlacementReason,
    pub decided_at: DateTime<Utc>,
    /// Where this cluster is on the way to the wanted state.
    pub sync: SyncState,
    /// What stands in the way, in words for a person.
    pub message: String,
    /// What was seen; absent when nothing was yet.
    pub observed: Option<WorkloadObservation>,
    /// The clusters where a singleton may still run, so that it is not started here yet.
    #[serde(default)]
    pub waits_for: Vec<String>,
    /// Somebody accepted that it may still run here while it runs elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_risk: Option<AcceptedRisk>,
}

/// How far a cluster has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// To be applied.
    Pending,
    /// Applied; the cluster is rolling it out.
    Progressing,
    /// As wanted.
    Synced,
    /// The rollout gave up or can't work.
    Failed,
    /// The cluster doesn't answer; it is done when it returns.
    Waiting,
    /// Being taken off this cluster.
    Removing,
}

/// What a cluster shows of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkloadObservation {
    pub observed_at: DateTime<Utc>,
    /// True: the cluster doesn't answer, the numbers are old.
    pub stale: bool,
    /// The revision that its Deployment asks for.
    pub revision: Option<i64>,
    /// Digest of the desired state that was last applied there.
    pub desired_hash: Option<String>,
    /// Replicas that its Deployment asks for.
    pub replicas: u32,
    /// Replicas made from its newest pod template, ready or not. 0 while the cluster has not taken note
    /// of the last apply yet.
    pub updated: u32,
    /// Those of `updated` that are ready.
    #[serde(default)]
    pub updated_ready: u32,
    /// Ready replicas of any revision.
    pub ready: u32,
    /// Those of `ready` that have been ready long enough (`min_ready_seconds`).
    pub available: u32,
    /// Whether the cluster says that the rollout is over.
    pub rollout: RolloutState,
    /// Pods that no node takes, and since when the first of them waits.
    #[serde(default)]
    pub unschedulable: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unschedulable_since: Option<DateTime<Utc>>,
    /// What is wrong with the pods, most telling first.
    pub problems: Vec<Problem>,
    /// Objects that somebody else changed or deleted: `Deployment/web: spec.replicas`.
    #[serde(default)]
    pub drift: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RolloutState {
    Progressing,
    Complete,
    /// The progress deadline passed.
    Failed,
}

/// Something wrong with pods of a service, with advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`, `ReadinessFailed`, `OOMKilled`, ….
    pub reason: String,
    /// What the cluster says.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// Pods that it is true of, and one of them by name.
    pub pods: u32,
    pub example_pod: String,
}

/// Which revision to compare with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct DiffQuery {
    /// The other revision; the one before when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<i64>,
}

/// Filters of the list of services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ServiceFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// States, comma-separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Only services with replicas on this cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
}
