//! Projects and their environments.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::common::{EnvironmentId, ProjectId};

/// The namespace of an environment in its clusters.
#[must_use]
pub fn namespace(project: &str, environment: &str) -> String {
    format!("{project}-{environment}")
}

/// A business line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Project {
    pub id: ProjectId,
    /// A DNS label, at most 40 characters.
    pub name: String,
    pub display_name: String,
    pub description: String,
    pub environments: Vec<String>,
    pub services: u64,
    pub quota: Quota,
    /// What its services ask for together, of the quota.
    pub requested: Requested,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What the services of a project may ask for together; without a limit where absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quota {
    pub cpu_millicores: Option<u64>,
    pub memory_bytes: Option<u64>,
    /// Replicas of all services.
    pub pods: Option<u64>,
    pub gpus: Option<u64>,
    /// Of volumes, on all clusters together.
    pub storage_bytes: Option<u64>,
}

/// What services ask for: the replicas that are wanted, times what one requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Requested {
    pub cpu_millicores: u64,
    pub memory_bytes: u64,
    pub pods: u64,
    pub gpus: u64,
    /// Of volumes on every cluster that may come to hold them, and of claims that are kept.
    pub storage_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    pub name: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub description: String,
}

/// A change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectPatch {
    pub display_name: Option<String>,
    pub description: Option<String>,
}

/// A namespace `{project}-{environment}` on a set of clusters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    pub id: EnvironmentId,
    pub project: String,
    /// A DNS label, at most 20 characters: `dev`, `test`, `staging`, `production`.
    pub name: String,
    /// `{project}-{environment}`.
    pub namespace: String,
    /// The clusters it spans, by name; every cluster when empty.
    pub clusters: Vec<String>,
    pub failover: Failover,
    pub failback: FailbackPolicy,
    pub services: u64,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnvironment {
    pub name: String,
    #[serde(default)]
    pub clusters: Vec<String>,
    #[serde(default)]
    pub failover: Failover,
    #[serde(default)]
    pub failback: FailbackPolicy,
}

/// What happens to the replicas on a cluster that is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failover {
    /// A person orders the evacuation.
    #[default]
    Confirm,
    /// They move by themselves once the cluster was unreachable for the grace period, unless many clusters are.
    Automatic,
}

/// What happens to replicas that an evacuation moved off a cluster, once that is in use again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FailbackPolicy {
    pub mode: FailbackMode,
    /// Minutes for which the cluster has to be Ready before they move by themselves, at most 10,080 (a week); 0: at once.
    #[schema(maximum = 10_080)]
    pub after_minutes: u32,
    /// At most so many percent of the environment's replicas that left the cluster move at a time, from 1 to 100; the next
    /// when those are ready.
    #[schema(minimum = 1, maximum = 100)]
    pub percent: u32,
}

impl Default for FailbackPolicy {
    fn default() -> Self {
        Self {
            mode: FailbackMode::default(),
            after_minutes: 30,
            percent: 25,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailbackMode {
    /// They stay where they are; nobody is offered to move them back.
    Never,
    /// A person orders it.
    #[default]
    Confirm,
    /// They move by themselves once the cluster was Ready for long enough.
    Automatic,
}

/// A change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnvironmentPatch {
    pub clusters: Option<Vec<String>>,
    pub failover: Option<Failover>,
    pub failback: Option<FailbackPolicy>,
}
