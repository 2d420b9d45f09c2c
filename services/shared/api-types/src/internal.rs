//! What services say to each other under `/internal/v1`; never seen by users.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clusters::{ClusterObservation, ConnectionCheck};
use crate::common::ClusterId;
use crate::pods::PodPhase;
use crate::services::WorkloadObservation;
use crate::spec::ServiceSpec;
use crate::storage::ObservedClaim;

/// Gives ipaas a cluster to connect to. Checked before it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PutConnection {
    pub name: String,
    #[schema(format = Password)]
    pub kubeconfig: String,
}

/// A connection of ipaas, and what its probes say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Connection {
    pub id: ClusterId,
    pub name: String,
    pub check: ConnectionCheck,
    /// Whether the last probe was answered.
    pub reachable: bool,
    /// The last probe's error; or, of one that is reachable, that it throttles us.
    pub error: Option<String>,
    pub last_probe_at: Option<DateTime<Utc>>,
    pub last_success_at: Option<DateTime<Utc>>,
    /// Begin of the present run of good (or bad) probes.
    pub reachable_since: Option<DateTime<Utc>>,
    /// Whether the index of this cluster is complete.
    pub synced: bool,
    pub observed: Option<ClusterObservation>,
}

/// What one cluster should run of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DesiredWorkload {
    pub project: String,
    pub environment: String,
    pub service: String,
    pub revision: i64,
    pub replicas: u32,
    /// With the secrets' values.
    pub spec: ServiceSpec,
    /// A change of it restarts every replica.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted_at: Option<DateTime<Utc>>,
    /// The old replica ends before a new one starts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub singleton: bool,
    /// Digest of all of the above, made by cluster-mgr; comes back in the observation.
    pub hash: String,
}

/// What an apply did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Applied {
    /// Objects written: `Deployment/web`.
    pub applied: Vec<String>,
    /// Objects removed since the desired state no longer has them.
    pub pruned: Vec<String>,
    /// Fields that other managers held and that were taken back.
    pub taken_over: Vec<String>,
}

/// A workload seen on a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ObservedWorkload {
    pub cluster_id: ClusterId,
    pub cluster: String,
    pub project: String,
    pub environment: String,
    pub service: String,
    pub observation: WorkloadObservation,
    /// Whether any object of it is still there. False only when the cluster answered that none is.
    pub present: bool,
}

/// What of the workloads is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkloadQuery {
    /// These services, on every cluster.
    Services(Vec<ServicePlace>),
    /// Everything on these clusters. Nothing is said of the others.
    Clusters(Vec<ClusterId>),
}

/// What ipaas sees, of all services or of those that were asked about, at one cursor of its change stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkloadSnapshot {
    pub cursor: String,
    pub workloads: Vec<ObservedWorkload>,
    /// Claims of these services' volumes, also of services that have nothing else there.
    #[serde(default)]
    pub claims: Vec<ObservedClaim>,
    /// Clusters that answer and whose part is whole: what isn't listed of them isn't there.
    #[serde(default)]
    pub complete: Vec<ClusterId>,
}

/// Asks what one cluster's pods use. The number of queries does not depend on the number of services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeasurementQuery {
    /// Of the cluster's Prometheus; without one nothing is measured.
    pub prometheus_url: Option<String>,
    pub queries: Vec<String>,
    pub services: Vec<ServicePlace>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub struct ServicePlace {
    pub project: String,
    pub environment: String,
    pub service: String,
}

/// Asks what the pods of one service used on one cluster over a time, those that are gone by now among them. Times are
/// seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RangeQuery {
    /// Of the cluster's Prometheus; without one nothing is known.
    pub prometheus_url: Option<String>,
    /// Says by its series which pods ran. Where it has some, other pods don't count: a Prometheus goes on for minutes
    /// with the last value of a pod that is gone.
    pub running: String,
    pub queries: Vec<String>,
    pub service: ServicePlace,
    /// The first moment.
    pub from: i64,
    /// The last moment at most.
    pub to: i64,
    /// From one moment to the next.
    pub step_seconds: u32,
}

/// What one service used on one cluster, as far as the cluster's Prometheus answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RangeMeasurements {
    /// Of the query that says which pods ran.
    pub running: RangeResult,
    /// In the order of the queries.
    pub queries: Vec<RangeResult>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RangeResult {
    /// Why there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Those at which there was something, oldest first.
    pub moments: Vec<Moment>,
}

/// What a query gave for a service at a moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Moment {
    pub at: i64,
    /// Pods that have a value.
    pub pods: u32,
    /// The sum over them.
    pub of_pods: f64,
    /// Of the service as a whole, or of the one series without labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
}

/// What one cluster's pods use, as far as its Prometheus answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Measurements {
    /// The pods are those of an earlier time; the cluster doesn't answer.
    pub stale: bool,
    /// In the order of the queries.
    pub queries: Vec<QueryResult>,
    /// In the order of the services that were asked for.
    pub services: Vec<MeasuredService>,
    /// Every claim of ours on the cluster, whosever it is.
    #[serde(default)]
    pub claims: Vec<MeasuredClaim>,
}

/// What a claim takes. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeasuredClaim {
    pub place: ServicePlace,
    pub name: String,
    pub bytes: u64,
    pub created_at: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueryResult {
    /// Why there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Of the one series without labels, or the scalar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeasuredService {
    pub pods: Vec<MeasuredPod>,
    /// Of the service as a whole: the position of the query, and the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(usize, f64)>,
}

/// Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MeasuredPod {
    pub phase: PodPhase,
    pub stopping: bool,
    pub ready: bool,
    pub created_at: i64,
    /// When it stopped being ready, or was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unready_since: Option<i64>,
    /// What it asks for.
    pub cpu_millicores: u32,
    pub memory_bytes: u64,
    #[serde(default)]
    pub gpus: u32,
    /// The position of the query, and the value.
    pub values: Vec<(usize, f64)>,
}
