//! Pods, their containers, logs and events.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A pod in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pod {
    pub cluster: String,
    pub namespace: String,
    pub name: String,
    /// Absent for pods that the platform does not run.
    pub project: Option<String>,
    pub environment: Option<String>,
    pub service: Option<String>,
    pub revision: Option<i64>,
    pub phase: PodPhase,
    /// What a person wants to read: `Running`, `CrashLoopBackOff`, `Terminating`.
    pub status: String,
    pub ready: bool,
    pub containers_ready: u32,
    pub containers: u32,
    pub restarts: u32,
    pub node: Option<String>,
    pub ip: Option<String>,
    pub image: String,
    pub created_at: DateTime<Utc>,
    pub observed_at: DateTime<Utc>,
    /// True: its cluster doesn't answer; what is shown is old.
    pub stale: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PodPhase {
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
}

/// A pod with all that is asked when someone looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PodDetail {
    pub pod: Pod,
    pub containers: Vec<Container>,
    pub conditions: Vec<PodCondition>,
    /// Advice drawn from the states of the containers.
    pub problems: Vec<crate::services::Problem>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Container {
    pub name: String,
    pub image: String,
    pub ready: bool,
    pub restarts: u32,
    /// `running`, `waiting`, `terminated`.
    pub state: String,
    pub reason: Option<String>,
    pub message: Option<String>,
    pub exit_code: Option<i32>,
    pub started_at: Option<DateTime<Utc>>,
    /// How it ended the last time, when it was restarted.
    pub last_termination: Option<Termination>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Termination {
    pub reason: String,
    pub exit_code: i32,
    pub message: Option<String>,
    pub finished_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PodCondition {
    pub kind: String,
    pub status: String,
    pub reason: Option<String>,
    pub message: Option<String>,
}

/// A Kubernetes event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    pub cluster: String,
    pub namespace: String,
    /// `Normal` or `Warning`.
    pub kind: String,
    pub reason: String,
    pub message: String,
    /// `Pod/web-7c9f-x2x1`.
    pub object: String,
    pub source: String,
    pub count: u32,
    pub first_seen: Option<DateTime<Utc>>,
    pub last_seen: Option<DateTime<Utc>>,
}

/// Filters of the list of pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct PodFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Statuses, comma-separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only pods that are ready, or only those that are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
}
