//! Claims of storage as they are seen on clusters.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::ClusterId;
use crate::spec::VolumeAccess;

/// Whether a claim has its storage, as Kubernetes says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimPhase {
    /// Nothing was found or made for it yet.
    #[default]
    Pending,
    Bound,
    /// The volume behind it is gone.
    Lost,
}

/// A claim of a service's volume on one cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SeenClaim {
    /// `web-data`.
    pub name: String,
    /// The volume that it was made for: `data`.
    pub volume: String,
    /// What is asked for.
    pub requested_bytes: u64,
    /// What the cluster gave; absent until it is bound.
    #[serde(default)]
    pub capacity_bytes: Option<u64>,
    pub phase: ClaimPhase,
    #[serde(default)]
    pub storage_class: Option<String>,
    pub access: VolumeAccess,
    /// Whether replicas that run, or are to run, mount it.
    pub in_use: bool,
    /// It is being deleted; it goes when nothing uses it any more.
    pub deleting: bool,
    pub created_at: DateTime<Utc>,
}

/// The same as ipaas tells it to cluster-mgr.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ObservedClaim {
    pub cluster_id: ClusterId,
    pub cluster: String,
    pub project: String,
    pub environment: String,
    pub service: String,
    pub claim: SeenClaim,
}

/// A claim, and what the platform thinks of it. Claims stay until somebody deletes them: also when the service leaves the
/// cluster, gives up the volume, or is deleted itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VolumeClaim {
    pub cluster: String,
    pub project: String,
    pub environment: String,
    pub service: String,
    pub claim: SeenClaim,
    /// Whether the service has this volume and is placed on this cluster. What is not wanted is kept for its data.
    pub wanted: bool,
    /// When the cluster was last known to have it so.
    pub observed_at: Option<DateTime<Utc>>,
    /// The cluster doesn't answer; this is how it was.
    pub stale: bool,
}

/// Narrows the list; all of the environment when empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct VolumeFilter {
    /// A service's name, also of one that is gone.
    pub service: Option<String>,
}

/// Says that a claim and its data shall go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VolumeDeletion {
    /// The claim's name once more.
    pub confirm: String,
}
