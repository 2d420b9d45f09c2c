//! Columns that hold JSON, and words kept as text.

use std::collections::BTreeMap;

use api_types::autoscaling::{AutoscalingDecision, AutoscalingPolicy};
use api_types::clusters::{ClusterObservation, Taint};
use api_types::fencing::AcceptedRisk;
use api_types::operations::OperationStep;
use api_types::placement::{Placement, PlacementReason};
use api_types::services::WorkloadObservation;
use api_types::spec::ServiceSpec;
use api_types::storage::SeenClaim;
use chrono::{DateTime, Utc};
use sea_orm::{DbErr, FromJsonQueryResult};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! json_column {
    ($($name:ident($inner:ty)),+ $(,)?) => {
        $(
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
            #[serde(transparent)]
            pub struct $name(pub $inner);
        )+
    };
}

json_column! {
    Labels(BTreeMap<String, String>),
    Names(Vec<String>),
    StoredClaim(SeenClaim),
    StoredClusterObservation(ClusterObservation),
    StoredDecision(AutoscalingDecision),
    StoredObservation(WorkloadObservation),
    StoredPlacement(Placement),
    StoredPolicy(AutoscalingPolicy),
    StoredReason(PlacementReason),
    StoredRisk(AcceptedRisk),
    // Secrets' values are sealed in it; see `app::secrets`.
    StoredSpec(ServiceSpec),
    Steps(Vec<OperationStep>),
    Taints(Vec<Taint>),
}

/// When clusters gave replicas of a service back because no node took them, by the cluster's id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct GivenBack(pub BTreeMap<Uuid, DateTime<Utc>>);

/// Replicas of a service that move back to a cluster with the next decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Returning {
    pub cluster: Uuid,
    pub replicas: u32,
}

/// The word that stands for a value on the wire, which is also how it is kept.
pub fn word<T: Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        other => unreachable!("only enums without fields are kept as words, not {other:?}"),
    }
}

/// Reads a kept word.
///
/// # Errors
/// When the word is none of the type's, as after a downgrade.
pub fn read_word<T: DeserializeOwned>(word: &str) -> Result<T, DbErr> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|error| DbErr::Custom(format!("the stored word `{word}` can't be read: {error}")))
}
