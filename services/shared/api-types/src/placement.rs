//! Where replicas go, and why.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::spec::Resources;

/// How a service's replicas are divided over the clusters of its environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Placement {
    pub strategy: PlacementStrategy,
    /// Only these clusters; all of the environment's when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<String>,
    /// Every cluster gets at least this many replicas, as far as they reach.
    pub min_per_cluster: u32,
    /// At most so many percent of the replicas on one cluster, rounded up and at least one; from 1 to 100. Not for
    /// pinned replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_percent_per_cluster: Option<u32>,
    /// The same for all clusters of one zone of a region; those without a zone are not bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_percent_per_zone: Option<u32>,
    /// The same for all clusters of one region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_percent_per_region: Option<u32>,
    /// Taints of clusters that don't keep it away; at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Services of the same environment that it shares no cluster with, by name; at most 32. It holds both ways.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub avoid: Vec<String>,
    /// Who gets room first where it is scarce.
    #[serde(skip_serializing_if = "Priority::is_normal")]
    pub priority: Priority,
    /// At most one replica runs anywhere at any time: it ends before it starts elsewhere, and while it may still run on a
    /// cluster that doesn't answer, it starts elsewhere only when somebody accepts the risk. Not for more than one replica.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub singleton: bool,
}

/// Who gets room first where it is scarce.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    #[default]
    Normal,
    High,
}

impl Priority {
    #[must_use]
    pub fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

/// Accepts taints of clusters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Toleration {
    pub key: String,
    /// Only taints of this value; of any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum PlacementStrategy {
    /// In proportion to how many more replicas each cluster has room for.
    #[default]
    FreeCapacity,
    /// In proportion to these weights by cluster name, as far as each cluster has room.
    Weights { weights: BTreeMap<String, u32> },
    /// Exactly so many on each named cluster; the service's replica count is their sum.
    Pinned { replicas: BTreeMap<String, u32> },
}

/// Why a cluster holds as many replicas as it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlacementReason {
    /// `free_capacity`, `weights` or `pinned`.
    pub strategy: String,
    /// The votes this cluster had in the division: replicas it has room for (held ones included), or its weight.
    pub weight: u64,
    /// How many replicas of this service it had room for in all (held ones included); absent when unknown.
    pub capacity: Option<u64>,
    /// How many it held before the decision.
    pub previous: u32,
    /// What bound the result: `minimum`, `capacity`, `spread_limit`, `given_back`, `max_moves`, `returned`, `kept`, `not_ready`,
    /// `cordoned`, `taint`, `avoid`, `gpus`, `excluded`.
    #[serde(default)]
    pub bounds: Vec<String>,
    /// One sentence for a person.
    pub message: String,
}

/// What a placement would do; nothing is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlacementPreview {
    pub assignments: Vec<PlannedAssignment>,
    /// Replicas that fit nowhere.
    pub unplaced: u32,
    /// One sentence for a person.
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlannedAssignment {
    pub cluster: String,
    pub replicas: u32,
    pub reason: PlacementReason,
}

/// Asks what a placement would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPreview {
    /// The existing service whose replicas would be divided anew; absent for one that isn't there yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub replicas: u32,
    #[serde(default)]
    pub placement: Placement,
    #[serde(default)]
    pub resources: Resources,
}

/// Why a service's replicas are where they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlacementExplanation {
    /// Every cluster, by name.
    pub clusters: Vec<ClusterExplanation>,
    /// Replicas that fit nowhere.
    pub unplaced: u32,
    /// What would be decided now, in one sentence for a person.
    pub message: String,
}

/// Why one cluster holds replicas of a service, or holds none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterExplanation {
    pub cluster: String,
    pub region: String,
    pub zone: String,
    pub replicas: u32,
    /// As it was when that was decided; of a cluster without replicas as it is now.
    pub reason: PlacementReason,
    /// Since when it holds so many; absent where it holds none.
    pub decided_at: Option<DateTime<Utc>>,
}

/// What dividing a service's replicas anew would move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RebalancePlan {
    /// The largest first; none when it is balanced.
    pub moves: Vec<ReplicaMove>,
    /// Replicas that move in all.
    pub replicas: u32,
    /// What each cluster that holds any, or would, has then.
    pub assignments: Vec<PlannedAssignment>,
    /// Data on clusters where no replica is then; it stays there.
    #[serde(default)]
    pub volumes: Vec<VolumeLeft>,
}

/// Data on a cluster without its service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VolumeLeft {
    pub cluster: String,
    /// The claim: `web-data`.
    pub claim: String,
    pub bytes: u64,
}

/// Replicas that go from one cluster to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplicaMove {
    pub from: String,
    pub to: String,
    pub replicas: u32,
}

/// Asks to divide a service's replicas anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewRebalance {
    /// At most so many replicas move, those first that are most out of place; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_moves: Option<u32>,
}
