//! Emptying a cluster: for maintenance while it answers, or because it doesn't.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// What each destination gets in all, most first.
    pub destinations: Vec<PlannedDestination>,
    /// Service by service: first those that don't fit, then by priority, in which order they get room, and by path. At
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
    /// One sentence for a person.
    pub message: String,
}
