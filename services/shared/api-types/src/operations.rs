//! Operations: durable, visible pieces of work.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::OperationId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    pub id: OperationId,
    pub kind: OperationKind,
    pub state: OperationState,
    /// What it does, as in `release revision 4 of shop/production/web`.
    pub title: String,
    /// Where it stands, in words for a person.
    pub message: String,
    pub project: Option<String>,
    pub environment: Option<String>,
    pub service: Option<String>,
    pub cluster: Option<String>,
    /// The revision a release moves to.
    pub revision: Option<i64>,
    /// 0 to 100.
    pub progress: u8,
    pub steps: Vec<OperationStep>,
    pub requested_by: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    CreateService,
    ReleaseService,
    ScaleService,
    RestartService,
    DeleteService,
    /// A singleton starts elsewhere though it may still run on a cluster that doesn't answer.
    FailOverService,
    EvacuateCluster,
    /// Replicas that left a cluster move back to it, some at a time.
    FailBackCluster,
    RemoveCluster,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    Running,
    /// Everything that can be done is done; the rest waits for a cluster to return.
    Waiting,
    Succeeded,
    Failed,
    /// A newer operation on the same service took its place.
    Superseded,
}

/// What was asked for goes on as this operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationAccepted {
    pub operation: OperationId,
}

/// A part of an operation, usually one cluster's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationStep {
    /// What it is about: a cluster's name, or `placement`.
    pub name: String,
    pub state: StepState,
    /// `2 of 3 replicas ready`.
    pub message: String,
    pub done: u32,
    pub total: u32,
    pub updated_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    Pending,
    Running,
    Waiting,
    Succeeded,
    Failed,
}

/// Filters of the list of operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct OperationFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// States, comma-separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}
