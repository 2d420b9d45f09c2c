//! Is anything wrong, where, and since when.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clusters::Cluster;
use crate::operations::Operation;
use crate::services::Service;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    pub services: StateCounts,
    pub replicas_wanted: u64,
    pub replicas_ready: u64,
    pub replicas_unknown: u64,
    pub clusters: Vec<Cluster>,
    /// Services that need someone, worst first, at most 20.
    pub attention: Vec<Service>,
    /// The newest operations, at most 10.
    pub recent_operations: Vec<Operation>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct StateCounts {
    pub running: u64,
    pub progressing: u64,
    pub degraded: u64,
    pub failed: u64,
    pub stopped: u64,
    pub unknown: u64,
}
