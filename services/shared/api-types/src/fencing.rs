//! Singletons on clusters that don't answer: who accepted that one may run twice, and why.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Accepts that a singleton may run twice, so that it starts elsewhere at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAcceptedRisk {
    /// The clusters where it may still run, by name; none of them answers. Others stay in the way.
    pub clusters: Vec<String>,
    /// Why that is no danger, in words that others can judge later; from 20 to 500 characters.
    pub reason: String,
}

/// Somebody accepted that a singleton may still run on a cluster while it runs elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AcceptedRisk {
    pub reason: String,
    /// By name.
    pub by: String,
    pub at: DateTime<Utc>,
}
