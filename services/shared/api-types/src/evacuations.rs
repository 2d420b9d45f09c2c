//! Emptying a cluster: for maintenance while it answers, or because it doesn't.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::OperationId;
use crate::placement::{PlannedAssignment, Priority};

/// A cluster whose replicas move to the others, and that gets none until it is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evacuation {
    /// Whose replicas leave, each `project/environment`; everybody's when empty.
    pub environments: Vec<String>,
    /// Nobody ordered it: the cluster was away for long enough, and these environments fail over by themselves.
    pub automatic: bool,
    /// Everything that it held is ready elsewhere.
    pub complete: bool,
    /// Services that still have replicas there which were not taken over.
    pub services_left: u64,
    /// Singletons that may still run there, each `project/environment/service`: they start elsewhere when they are seen gone,
    /// the cluster is removed, or somebody accepts the risk. At most 100.
    #[serde(default)]
    pub singletons_left: Vec<String>,
    pub reason: String,
    pub operation: OperationId,
    pub requested_by: String,
    pub requested_at: DateTime<Utc>,
}

/// Asks to evacuate a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewEvacuation {
    /// Why, for those who read it later; at most 500 characters.
    pub reason: String,
    /// Begin though some replicas fit nowhere else. Those stay where they are until there is room.
    pub accept_unplaced: bool,
    /// Move services whose data can't follow too: they start elsewhere with empty volumes, and their data stays here.
    pub include_stored: bool,
}

/// How a plan is to be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct PlanOptions {
    /// As if services whose data can't follow were to move too.
    pub include_stored: bool,
}

/// What an evacuation would do now; nothing is stored, and nothing is promised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvacuationPlan {
    /// Services with replicas there, and those replicas.
    pub services: u64,
    pub replicas: u64,
    /// Services of which replicas fit nowhere else, and those replicas.
    pub services_unplaced: u64,
    pub replicas_unplaced: u64,
    /// Singletons that start elsewhere only when they are seen gone, or somebody accepts the risk.
    #[serde(default)]
    pub services_fenced: u64,
    /// Services that stay because their data can't follow. They are not among the above.
    #[serde(default)]
    pub services_stored: u64,
    /// What each destination gets in all, most first.
    pub destinations: Vec<PlannedDestination>,
    /// Service by service: first those that stay with their data and those that don't fit, then by priority, in which order they get room, and by path. At
    /// most 500.
    pub moves: Vec<PlannedMove>,
}

/// One cluster's part of an evacuation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedDestination {
    pub cluster: String,
    pub services: u64,
    pub replicas: u64,
}

/// In which order a service's replicas end in one place and start in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Handover {
    /// They go once their replacements are ready.
    #[default]
    MakeBeforeBreak,
    /// A singleton ends before it starts elsewhere.
    BreakBeforeMake,
    /// It stays, as its data can't follow.
    Stays,
    /// A singleton that may still run there: it starts elsewhere when it is seen gone, the cluster is removed, or somebody
    /// accepts the risk.
    Fenced,
}

/// Where one service's replicas go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedMove {
    pub project: String,
    pub environment: String,
    pub service: String,
    pub priority: Priority,
    /// Replicas on the cluster that is emptied.
    pub replicas: u32,
    /// The clusters that get more than they have, with how many each holds then.
    pub to: Vec<PlannedAssignment>,
    /// Replicas of it that fit nowhere.
    pub unplaced: u32,
    #[serde(default)]
    pub handover: Handover,
    /// Its data on the cluster that is emptied, which stays there.
    #[serde(default)]
    pub volumes: Vec<StoredVolume>,
    /// One sentence for a person.
    pub message: String,
}

/// Data that stays on a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoredVolume {
    /// The claim: `web-data`.
    pub claim: String,
    pub bytes: u64,
}
