//! The record of every change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::AuditId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditRecord {
    pub id: AuditId,
    pub at: DateTime<Utc>,
    /// The user's name; what was typed, for a sign-in that failed.
    pub actor: String,
    /// How they came in: `session`, `token`, `anonymous`.
    pub via: String,
    /// The operation of the API: `create_service`.
    pub action: String,
    pub method: String,
    pub path: String,
    pub project: Option<String>,
    pub environment: Option<String>,
    /// What it was done on: `service/web`.
    pub target: String,
    /// The request's body, secrets taken out.
    #[schema(value_type = Option<Object>)]
    pub request: Option<serde_json::Value>,
    pub outcome: AuditOutcome,
    /// HTTP status; absent while unknown.
    pub status: Option<u16>,
    /// The error's code and message, when refused or failed.
    pub error: Option<String>,
    pub request_id: String,
    pub remote_address: String,
    pub duration_ms: Option<i64>,
}

/// A record with what the change was made on. Secrets, and what is only observed, are left out of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditDetail {
    pub record: AuditRecord,
    /// The object as it was; absent for what was made, or could not be read.
    #[schema(value_type = Option<Object>)]
    pub before: Option<serde_json::Value>,
    /// The object as it became; absent for what is gone, was not changed, or could not be read.
    #[schema(value_type = Option<Object>)]
    pub after: Option<serde_json::Value>,
}

/// How an audit is written out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditFormat {
    /// A header, then a line a record.
    Csv,
    /// A JSON object a line, with `before` and `after`.
    #[default]
    Jsonl,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// Taken; how it ended was never learned (still running, or the portal stopped meanwhile).
    Unknown,
    Succeeded,
    /// Turned away: no permission, bad input, conflict.
    Refused,
    /// Something broke.
    Failed,
}

/// Filters of the audit list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct AuditFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What it was done on: `service/web`, or only `service` for all of a kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Outcomes, comma-separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}
