//! Clusters: the registry's view and what was observed of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::ClusterId;
use crate::evacuations::Evacuation;
use crate::failbacks::Failback;

/// One Kubernetes cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cluster {
    pub id: ClusterId,
    /// A DNS label.
    pub name: String,
    pub region: String,
    pub zone: String,
    pub labels: BTreeMap<String, String>,
    /// True: it gets no new replicas, and keeps those it has.
    pub cordoned: bool,
    /// What keeps away services that don't tolerate it.
    pub taints: Vec<Taint>,
    pub prometheus_url: Option<String>,
    /// Its health, or that it is being removed.
    pub state: ClusterState,
    /// Why it is in this state, in words for a person.
    pub state_reason: String,
    pub state_since: DateTime<Utc>,
    /// What to show of it in one word: its state, unless it is being emptied or is empty.
    pub status: ClusterStatus,
    /// Who says whether it is alive. One that was never heard doesn't count yet.
    pub witnesses: Vec<Witness>,
    /// What was seen at `observed.observed_at`; absent until it was first reached.
    pub observed: Option<ClusterObservation>,
    /// Present while it is emptied, and until it is taken back.
    pub evacuation: Option<Evacuation>,
    /// What left it by an evacuation and could move back; absent when nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failback: Option<Failback>,
    /// Services with replicas assigned here, and those replicas.
    pub services: u64,
    pub assigned_replicas: u64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Keeps services off a cluster that don't tolerate it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Taint {
    /// `dedicated` or `example.com/dedicated`.
    pub key: String,
    #[serde(default)]
    pub value: String,
    #[serde(default)]
    pub effect: TaintEffect,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaintEffect {
    /// The cluster gets no new replicas of them, and keeps those it has.
    #[default]
    NoPlacement,
    /// Those it has move away as well, as soon as they are ready elsewhere.
    Evict,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClusterState {
    /// Registered, not reached yet.
    Pending,
    Ready,
    /// One of its two witnesses is silent, or nobody can look: it gets no new replicas, and nothing moves.
    Suspect,
    /// All its witnesses are silent for 30 s or more. Nothing that was observed of it counts as ready.
    Unreachable,
    /// It answers again. It keeps what it has, and gets new replicas once it was well for long enough.
    Recovering,
    /// What it holds moves to other clusters. Only as `status` and in the history.
    Evacuating,
    /// It was emptied, and gets nothing until it is taken back. Only as `status` and in the history.
    Evacuated,
    /// Being removed: its objects go first.
    Removing,
}

/// A state with its reason and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterStatus {
    pub state: ClusterState,
    /// In words for a person; may be empty.
    pub reason: String,
    pub since: DateTime<Utc>,
}

/// A change of a cluster's status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterStateChange {
    pub state: ClusterState,
    pub reason: String,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WitnessKind {
    /// ipaas asks its API server.
    Probe,
    /// The agent inside it renews a Lease there and reports.
    Agent,
}

/// Who says whether a cluster is alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Witness {
    pub kind: WitnessKind,
    /// It says that the cluster is alive, and did so lately.
    pub fresh: bool,
    /// False: it was never heard, so its silence means nothing yet.
    pub counts: bool,
    /// When it last said that the cluster is alive.
    pub heard_at: Option<DateTime<Utc>>,
    /// What it complains of; empty when nothing.
    pub message: String,
}

/// What an agent says of its cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Heartbeat {
    /// Milliseconds since it last renewed its Lease; absent when it never did.
    pub lease_age_ms: Option<u64>,
    /// Why it could not renew it just now.
    pub error: Option<String>,
}

/// Asks for an agent's token, and for what to apply to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClusterAgent {
    /// The portal's address as it is reached from inside the cluster: `https://longshore.example.com`.
    pub portal_url: String,
    /// The image that the agent runs from; it must have `longshore` on its path.
    pub image: String,
}

/// A new token of a cluster's agent. Those given before are no longer good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterAgentInstallation {
    /// Told this once.
    #[schema(format = Password)]
    pub token: String,
    /// For `kubectl apply -f -` on the cluster, as YAML; the token is in it.
    #[schema(format = Password)]
    pub manifest: String,
}

/// What ipaas saw of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClusterObservation {
    pub observed_at: DateTime<Utc>,
    /// True: its source is unreachable, the numbers are old.
    pub stale: bool,
    /// The API server's version: `v1.33.1`.
    pub kubernetes_version: String,
    pub nodes: u32,
    pub nodes_ready: u32,
    pub pods: u32,
    /// What the nodes can give to pods, those that take only pods with GPUs included.
    pub allocatable: ResourceAmounts,
    /// What the pods on them ask for.
    pub requested: ResourceAmounts,
    /// What is in use; absent where the cluster has no metrics API.
    pub used: Option<ResourceAmounts>,
    /// The most that any one ready node can give to any pod, each figure for itself; absent while unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_node: Option<ResourceAmounts>,
    /// The part of it on nodes that a taint keeps for pods that ask for GPUs; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_nodes: Option<GpuNodes>,
    /// What is free node by node, which placement rests on; absent while unknown, and in replies to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<FreeRoom>,
}

/// Ready nodes that take only pods that ask for GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GpuNodes {
    pub nodes: u32,
    pub allocatable: ResourceAmounts,
    pub requested: ResourceAmounts,
    /// The most that any one of them can give, each figure for itself.
    pub largest_node: ResourceAmounts,
}

/// Room on the nodes that take pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FreeRoom {
    /// Nodes by what is free on each; full ones are left out. Where nodes are of more than 64 kinds, their amounts
    /// are rounded down until they are of fewer.
    pub nodes: Vec<FreeNodes>,
    /// What pods ask for that no node was found for yet.
    pub waiting: ResourceAmounts,
}

/// So many nodes with so much free on each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FreeNodes {
    pub nodes: u32,
    pub free: ResourceAmounts,
    /// They take only pods that ask for GPUs.
    #[serde(default)]
    pub gpus_only: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ResourceAmounts {
    pub cpu_millicores: u64,
    pub memory_bytes: u64,
    pub pods: u64,
    /// Whole GPUs. Of what is in use always 0: nothing measures them.
    pub gpus: u64,
}

impl ResourceAmounts {
    /// Each figure by itself.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    /// Each figure by itself, never below 0.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.with(other, u64::saturating_sub)
    }

    /// Each figure by itself.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        self.with(other, u64::max)
    }

    fn with(self, other: Self, figure: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            cpu_millicores: figure(self.cpu_millicores, other.cpu_millicores),
            memory_bytes: figure(self.memory_bytes, other.memory_bytes),
            pods: figure(self.pods, other.pods),
            gpus: figure(self.gpus, other.gpus),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCluster {
    pub name: String,
    pub region: String,
    #[serde(default)]
    pub zone: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The whole kubeconfig as YAML; its current context is used. It never comes back in a reply.
    #[schema(format = Password)]
    pub kubeconfig: String,
    #[serde(default)]
    pub prometheus_url: Option<String>,
}

/// A change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterPatch {
    pub region: Option<String>,
    pub zone: Option<String>,
    pub labels: Option<BTreeMap<String, String>>,
    pub cordoned: Option<bool>,
    /// All of them; at most 32.
    pub taints: Option<Vec<Taint>>,
    pub prometheus_url: Option<String>,
}

/// How a cluster is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ClusterRemoval {
    /// Move the services that have replicas there to other clusters first; refused without it when there are any.
    pub force: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Kubeconfig {
    #[schema(format = Password)]
    pub kubeconfig: String,
}

/// What a kubeconfig turned out to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectionCheck {
    /// The API server's address.
    pub server: String,
    pub kubernetes_version: String,
    /// UID of the namespace `kube-system`: the same cluster has the same.
    pub cluster_uid: String,
    pub nodes: u32,
    /// Rights it must have, each with whether it does.
    pub rights: Vec<Right>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Right {
    /// `patch deployments.apps`.
    pub action: String,
    pub allowed: bool,
}

/// One node of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Node {
    pub name: String,
    pub ready: bool,
    /// Why it is not ready, or its pressure conditions.
    pub message: String,
    pub unschedulable: bool,
    pub kubelet_version: String,
    pub internal_ip: String,
    pub roles: Vec<String>,
    pub allocatable: ResourceAmounts,
    pub requested: ResourceAmounts,
    pub used: Option<ResourceAmounts>,
    pub created_at: DateTime<Utc>,
    pub observed_at: DateTime<Utc>,
    pub stale: bool,
}
