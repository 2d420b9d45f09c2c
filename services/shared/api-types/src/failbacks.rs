//! Moving replicas back to a cluster that was evacuated and is in use again.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::common::OperationId;
use crate::evacuations::StoredVolume;

/// What left a cluster by an evacuation and has not returned, of environments that may move back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Failback {
    pub services_left: u64,
    pub replicas_left: u64,
    /// Moves them back now; absent while nothing moves.
    pub operation: Option<OperationId>,
}

/// Asks to move replicas back, those of all environments but those that never do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewFailback {
    /// At most so many percent of each environment's replicas at a time, from 1 to 100; the next when those are ready.
    /// What each environment says when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
}

/// What moving back would do now; nothing is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailbackPlan {
    pub services: u64,
    pub replicas: u64,
    /// In the order in which they move; at most 500.
    pub moves: Vec<PlannedReturn>,
}

/// One service's replicas that return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedReturn {
    pub project: String,
    pub environment: String,
    pub service: String,
    /// As far as there is room and nothing else stands in the way.
    pub replicas: u32,
    /// At most so many percent of its environment's replicas move at a time, unless another share is asked for.
    pub percent: u32,
    /// Its data on the cluster, as it was when it left: what it finds there.
    #[serde(default)]
    pub volumes: Vec<StoredVolume>,
}
