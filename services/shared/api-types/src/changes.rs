//! The streams that tell who follows them what to look at again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A line of a change stream (NDJSON between services, the data of a server-sent event to a browser).
/// It carries no state: the receiver reads what changed from where it lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ChangeLine {
    /// The follower's cursor is unknown or too old: read everything again, then go on from `cursor`.
    Reset {
        cursor: String,
    },
    Change(Change),
    /// Nothing happened; sent every few seconds, so that silence means a broken connection.
    Alive {
        cursor: String,
    },
}

/// Something changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Resume after this.
    pub cursor: String,
    pub topic: Topic,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Id or name of what changed, where the other fields don't say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    Clusters,
    Projects,
    Services,
    Operations,
    /// What is seen of a service's Deployment on a cluster.
    Workloads,
    Pods,
    Audit,
}
