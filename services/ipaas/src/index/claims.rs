//! Claims of the platform's services: what is known of each, and whether a ReplicaSet with pods mounts it.

use api_types::spec::VolumeAccess;
use api_types::storage::{ClaimPhase, SeenClaim};
use chrono::{DateTime, Utc};

use crate::app::names::VOLUME;
use crate::app::quantity::units;
use crate::index::wire;
use crate::index::workloads::Workload;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClaimRow {
    pub volume: String,
    pub requested_bytes: u64,
    pub capacity_bytes: Option<u64>,
    pub phase: ClaimPhase,
    pub storage_class: Option<String>,
    pub access: VolumeAccess,
    pub deleting: bool,
    pub created_at: DateTime<Utc>,
}

impl ClaimRow {
    #[must_use]
    pub fn read(claim: &wire::Claim) -> Self {
        let size =
            |sizes: &std::collections::BTreeMap<String, String>| sizes.get("storage").map(|text| units(text));
        let many = claim.spec.access_modes.iter().any(|mode| mode == "ReadWriteMany");
        Self {
            volume: claim.metadata.label(VOLUME).to_owned(),
            requested_bytes: size(&claim.spec.resources.requests).unwrap_or(0),
            capacity_bytes: size(&claim.status.capacity),
            phase: match claim.status.phase.as_str() {
                "Bound" => ClaimPhase::Bound,
                "Lost" => ClaimPhase::Lost,
                _ => ClaimPhase::Pending,
            },
            storage_class: claim
                .spec
                .storage_class_name
                .clone()
                .filter(|class| !class.is_empty()),
            access: if many {
                VolumeAccess::ManyNodes
            } else {
                VolumeAccess::OneNode
            },
            deleting: claim.metadata.deletion_timestamp.is_some(),
            created_at: claim.metadata.creation_timestamp.unwrap_or_default(),
        }
    }

    /// What the claim takes: what it got, or what it asks for where nothing was given yet.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.capacity_bytes.unwrap_or(self.requested_bytes)
    }
}

/// The claims of a service on a cluster, by name.
#[must_use]
pub fn seen(workload: &Workload) -> Vec<SeenClaim> {
    workload
        .claims
        .iter()
        .map(|(name, row)| SeenClaim {
            name: name.clone(),
            volume: row.volume.clone(),
            requested_bytes: row.requested_bytes,
            capacity_bytes: row.capacity_bytes,
            phase: row.phase,
            storage_class: row.storage_class.clone(),
            access: row.access,
            in_use: workload
                .replica_sets
                .values()
                .any(|set| set.lives() && set.claims.contains(name)),
            deleting: row.deleting,
            created_at: row.created_at,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::app::names::ServiceKey;
    use crate::index::workloads::WorkloadTable;

    #[test]
    fn a_claim_is_read_as_the_cluster_tells_it() {
        let claim: wire::Claim = serde_json::from_value(json!({
            "metadata": { "name": "web-data", "labels": { VOLUME: "data" },
                "creationTimestamp": "2026-01-01T00:00:00Z" },
            "spec": { "accessModes": ["ReadWriteMany"], "storageClassName": "nfs",
                "resources": { "requests": { "storage": "1Gi" } } },
            "status": { "phase": "Bound", "capacity": { "storage": "2Gi" } },
        }))
        .unwrap();
        let row = ClaimRow::read(&claim);
        assert_eq!((row.requested_bytes, row.bytes()), (1 << 30, 2 << 30));
        assert_eq!(
            (row.phase, row.access),
            (ClaimPhase::Bound, VolumeAccess::ManyNodes)
        );
        assert_eq!(
            (row.volume.as_str(), row.storage_class.as_deref()),
            ("data", Some("nfs"))
        );
        let waits = ClaimRow::read(&serde_json::from_value(json!({ "metadata": {} })).unwrap());
        assert_eq!((waits.phase, waits.capacity_bytes), (ClaimPhase::Pending, None));
    }

    #[test]
    fn a_claim_is_in_use_while_a_replica_set_with_pods_mounts_it() {
        let key = ServiceKey::new("shop", "test", "web");
        let mut table = WorkloadTable::default();
        table.change(&key, |workload| {
            workload.claims.insert("web-data".to_owned(), ClaimRow::default());
        });
        let mut set = |replicas: u32| {
            let set: wire::ReplicaSet = serde_json::from_value(json!({
                "metadata": { "name": "web-1" },
                "spec": { "replicas": replicas, "template": { "spec": { "volumes": [
                    { "name": "config-files", "configMap": { "name": "web-r1" } },
                    { "name": "data", "persistentVolumeClaim": { "claimName": "web-data" } } ] } } },
            }))
            .unwrap();
            table.upsert_replica_set(&key, &set);
            seen(table.get(&key).unwrap())[0].in_use
        };
        assert!(set(1));
        assert!(!set(0));
    }
}
