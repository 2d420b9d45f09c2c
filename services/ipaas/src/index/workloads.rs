//! The platform's own objects in one cluster, by service.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::fields::FieldsDigest;
use crate::app::names::{REVISION, ROLLOUT_NUMBER, SPEC_HASH, ServiceKey};
use crate::index::claims::ClaimRow;
use crate::index::wire;

/// The kinds that a service is made of, in the order they are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    PersistentVolumeClaim,
    ConfigMap,
    Secret,
    Service,
    Deployment,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::PersistentVolumeClaim,
        Self::ConfigMap,
        Self::Secret,
        Self::Service,
        Self::Deployment,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
            Self::Service => "Service",
            Self::Deployment => "Deployment",
        }
    }
}

/// An object within its namespace: `Deployment/web`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    pub kind: Kind,
    pub name: String,
}

impl ObjectName {
    #[must_use]
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind.name(), self.name)
    }
}

/// An object of ours as the cluster has it.
#[derive(Clone, Debug)]
pub struct ObjectRow {
    pub digest: FieldsDigest,
    pub created_at: DateTime<Utc>,
    round: u8,
}

#[derive(Clone, Debug, Default)]
pub struct DeploymentRow {
    pub generation: i64,
    pub observed_generation: i64,
    pub wanted: u32,
    pub replicas: u32,
    pub updated: u32,
    pub ready: u32,
    pub available: u32,
    pub revision: Option<i64>,
    pub spec_hash: Option<String>,
    pub rollout_number: String,
    pub progress_deadline_passed: Option<String>,
    /// Why pods can't be created: reason and message.
    pub replica_failure: Option<(String, String)>,
}

impl DeploymentRow {
    #[must_use]
    pub fn read(deployment: &wire::Deployment) -> Self {
        let metadata = &deployment.metadata;
        let status = &deployment.status;
        let condition = |kind: &str| status.conditions.iter().find(|condition| condition.kind == kind);
        Self {
            generation: metadata.generation,
            observed_generation: status.observed_generation,
            wanted: deployment.spec.replicas.unwrap_or(1),
            replicas: status.replicas,
            updated: status.updated_replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
            revision: metadata.annotation(REVISION).and_then(|text| text.parse().ok()),
            spec_hash: metadata.annotation(SPEC_HASH).map(str::to_owned),
            rollout_number: metadata.annotation(ROLLOUT_NUMBER).unwrap_or_default().to_owned(),
            progress_deadline_passed: condition("Progressing")
                .filter(|condition| condition.reason == "ProgressDeadlineExceeded")
                .map(|condition| condition.message.clone()),
            replica_failure: condition("ReplicaFailure")
                .filter(|condition| condition.is_true())
                .map(|condition| (condition.reason.clone(), condition.message.clone())),
        }
    }

    /// Whether its status speaks of what it asks for now.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.observed_generation >= self.generation
    }

    /// Whether every replica is of the newest template and available, and none of an older one is left.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_current()
            && self.updated == self.wanted
            && self.replicas == self.wanted
            && self.available == self.wanted
    }
}

#[derive(Clone, Debug, Default)]
pub struct ReplicaSetRow {
    pub rollout_number: String,
    /// The revision that its pods run.
    pub revision: Option<i64>,
    pub wanted: u32,
    pub replicas: u32,
    pub ready: u32,
    /// Claims that its pods mount.
    pub claims: Vec<String>,
    round: u8,
}

impl ReplicaSetRow {
    /// Whether it has pods, or is to have some.
    #[must_use]
    pub fn lives(&self) -> bool {
        self.wanted > 0 || self.replicas > 0
    }
}

/// What we left at the last apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    pub spec_hash: String,
    pub objects: BTreeMap<ObjectName, FieldsDigest>,
}

/// Everything of a service on a cluster but its pods.
#[derive(Clone, Debug, Default)]
pub struct Workload {
    pub deployment: Option<DeploymentRow>,
    pub replica_sets: BTreeMap<String, ReplicaSetRow>,
    pub objects: BTreeMap<ObjectName, ObjectRow>,
    pub claims: BTreeMap<String, ClaimRow>,
    pub remembered: Option<Remembered>,
    /// What somebody else changed or deleted, as it was found out last.
    pub drift: Vec<String>,
}

/// An object that isn't as we left it, by the watch; to be looked at before it is called drift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    pub object: ObjectName,
    pub missing: bool,
}

impl Workload {
    /// Whether any object is there; claims outlive a service, so they don't count.
    #[must_use]
    pub fn has_objects(&self) -> bool {
        let is_claim = |object: &ObjectName| object.kind == Kind::PersistentVolumeClaim;
        !self.replica_sets.is_empty() || !self.objects.keys().all(is_claim)
    }

    /// Whether nothing of it is left, or only claims are.
    #[must_use]
    pub fn is_only_claims(&self) -> bool {
        !self.has_objects() && self.remembered.is_none() && self.drift.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.claims.is_empty() && self.is_only_claims()
    }

    /// What isn't as it was left.
    #[must_use]
    pub fn suspicions(&self) -> Vec<Suspicion> {
        let Some(remembered) = &self.remembered else {
            return Vec::new();
        };
        remembered
            .objects
            .iter()
            .filter_map(|(object, left)| {
                let found = self.objects.get(object);
                (found.map(|row| row.digest) != Some(*left)).then(|| Suspicion {
                    object: object.clone(),
                    missing: found.is_none(),
                })
            })
            .collect()
    }

    /// The ReplicaSet of the newest template.
    #[must_use]
    pub fn newest_replica_set(&self) -> Option<&ReplicaSetRow> {
        let number = &self.deployment.as_ref()?.rollout_number;
        self.replica_sets
            .values()
            .find(|row| !number.is_empty() && row.rollout_number == *number)
    }

    /// Revisions whose config and secrets pods may still need.
    #[must_use]
    pub fn revisions_in_use(&self) -> Vec<i64> {
        let of_sets = self
            .replica_sets
            .values()
            .filter(|row| row.lives())
            .filter_map(|row| row.revision);
        let of_deployment = self.deployment.as_ref().and_then(|row| row.revision);
        of_sets.chain(of_deployment).collect()
    }
}

/// What is kept of an object beside its digest.
#[derive(Clone, Debug)]
pub enum Detail {
    None,
    Deployment(DeploymentRow),
    Claim(ClaimRow),
}

impl Detail {
    /// Reads it; nothing where the object can't be read as one of its kind.
    #[must_use]
    pub fn read(kind: Kind, object: &Value) -> Self {
        let read = match kind {
            Kind::Deployment => wire::Deployment::deserialize(object)
                .map(|deployment| Self::Deployment(DeploymentRow::read(&deployment))),
            Kind::PersistentVolumeClaim => {
                wire::Claim::deserialize(object).map(|claim| Self::Claim(ClaimRow::read(&claim)))
            }
            Kind::ConfigMap | Kind::Secret | Kind::Service => Ok(Self::None),
        };
        read.unwrap_or(Self::None)
    }
}

#[derive(Debug, Default)]
pub struct WorkloadTable {
    workloads: BTreeMap<ServiceKey, Workload>,
    rounds: [u8; 6],
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    Objects(Kind),
    ReplicaSets,
}

impl Listed {
    fn place(self) -> usize {
        match self {
            Self::Objects(kind) => kind as usize,
            Self::ReplicaSets => 5,
        }
    }
}

impl WorkloadTable {
    #[must_use]
    pub fn get(&self, key: &ServiceKey) -> Option<&Workload> {
        self.workloads.get(key)
    }

    pub fn all(&self) -> impl Iterator<Item = (&ServiceKey, &Workload)> {
        self.workloads.iter()
    }

    /// Changes a service's entry, made when absent, dropped when nothing is left in it.
    pub fn change<T>(&mut self, key: &ServiceKey, change: impl FnOnce(&mut Workload) -> T) -> T {
        let workload = self.workloads.entry(key.clone()).or_default();
        let outcome = change(workload);
        if workload.is_empty() {
            self.workloads.remove(key);
        }
        outcome
    }

    /// A list begins; what it doesn't name goes at [`Self::finish_list`], not before.
    pub fn begin_list(&mut self, listed: Listed) {
        let round = &mut self.rounds[listed.place()];
        *round = round.wrapping_add(1);
    }

    /// The list is complete. Returns the services that lost something.
    pub fn finish_list(&mut self, listed: Listed) -> Vec<ServiceKey> {
        let round = self.rounds[listed.place()];
        let mut changed = Vec::new();
        self.workloads.retain(|key, workload| {
            let before = workload.objects.len() + workload.replica_sets.len();
            match listed {
                Listed::Objects(kind) => {
                    workload
                        .objects
                        .retain(|name, row| name.kind != kind || row.round == round);
                    let there = &workload.objects;
                    workload.claims.retain(|name, _| {
                        there.contains_key(&ObjectName::new(Kind::PersistentVolumeClaim, name.as_str()))
                    });
                    if kind == Kind::Deployment && !workload.objects.keys().any(|name| name.kind == kind) {
                        workload.deployment = None;
                    }
                }
                Listed::ReplicaSets => workload.replica_sets.retain(|_, row| row.round == round),
            }
            if workload.objects.len() + workload.replica_sets.len() != before {
                changed.push(key.clone());
            }
            !workload.is_empty()
        });
        changed
    }

    pub fn upsert_object(
        &mut self,
        key: &ServiceKey,
        object: ObjectName,
        digest: FieldsDigest,
        created_at: DateTime<Utc>,
        detail: Detail,
    ) {
        let round = self.rounds[Listed::Objects(object.kind).place()];
        self.change(key, |workload| {
            match detail {
                Detail::None => {}
                Detail::Deployment(row) => workload.deployment = Some(row),
                Detail::Claim(row) => {
                    workload.claims.insert(object.name.clone(), row);
                }
            }
            workload.objects.insert(
                object,
                ObjectRow {
                    digest,
                    created_at,
                    round,
                },
            );
        });
    }

    pub fn remove_object(&mut self, key: &ServiceKey, object: &ObjectName) {
        self.change(key, |workload| {
            workload.objects.remove(object);
            match object.kind {
                Kind::Deployment => workload.deployment = None,
                Kind::PersistentVolumeClaim => {
                    workload.claims.remove(&object.name);
                }
                Kind::ConfigMap | Kind::Secret | Kind::Service => {}
            }
        });
    }

    pub fn upsert_replica_set(&mut self, key: &ServiceKey, set: &wire::ReplicaSet) {
        let row = ReplicaSetRow {
            rollout_number: set
                .metadata
                .annotation(ROLLOUT_NUMBER)
                .unwrap_or_default()
                .to_owned(),
            revision: set.spec.template.metadata.label(REVISION).parse().ok(),
            wanted: set.spec.replicas.unwrap_or(1),
            replicas: set.status.replicas,
            ready: set.status.ready_replicas,
            claims: set.spec.template.spec.claims().map(str::to_owned).collect(),
            round: self.rounds[Listed::ReplicaSets.place()],
        };
        self.change(key, |workload| {
            workload.replica_sets.insert(set.metadata.name.clone(), row);
        });
    }

    pub fn remove_replica_set(&mut self, key: &ServiceKey, name: &str) {
        self.change(key, |workload| {
            workload.replica_sets.remove(name);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fields::Fields;

    fn key() -> ServiceKey {
        ServiceKey::new("shop", "test", "web")
    }

    fn digest(text: &str) -> FieldsDigest {
        FieldsDigest::of(&Fields::from([(text.to_owned(), String::new())]))
    }

    fn with_deployment(table: &mut WorkloadTable, left: &str) {
        table.upsert_object(
            &key(),
            ObjectName::new(Kind::Deployment, "web"),
            digest(left),
            Utc::now(),
            Detail::Deployment(DeploymentRow::default()),
        );
    }

    #[test]
    fn what_differs_or_is_gone_is_suspected() {
        let mut table = WorkloadTable::default();
        with_deployment(&mut table, "a");
        let remembered = Remembered {
            spec_hash: "h".into(),
            objects: [
                (ObjectName::new(Kind::Deployment, "web"), digest("a")),
                (ObjectName::new(Kind::Service, "web"), digest("s")),
            ]
            .into(),
        };
        table.change(&key(), |workload| workload.remembered = Some(remembered));
        let suspicions = table.get(&key()).unwrap().suspicions();
        assert_eq!(suspicions.len(), 1);
        assert!(suspicions[0].missing);
        assert_eq!(suspicions[0].object.to_string(), "Service/web");
        with_deployment(&mut table, "b");
        assert_eq!(table.get(&key()).unwrap().suspicions().len(), 2);
    }

    #[test]
    fn a_list_of_one_kind_drops_only_that_kind_and_only_at_its_end() {
        let mut table = WorkloadTable::default();
        table.begin_list(Listed::Objects(Kind::Deployment));
        with_deployment(&mut table, "a");
        table.upsert_object(
            &key(),
            ObjectName::new(Kind::Service, "web"),
            digest("s"),
            Utc::now(),
            Detail::None,
        );
        assert!(table.finish_list(Listed::Objects(Kind::Deployment)).is_empty());
        table.begin_list(Listed::Objects(Kind::Deployment));
        assert!(table.get(&key()).unwrap().deployment.is_some());
        assert_eq!(table.finish_list(Listed::Objects(Kind::Deployment)), [key()]);
        let workload = table.get(&key()).unwrap();
        assert!(workload.deployment.is_none());
        assert_eq!(workload.objects.len(), 1);
        table.remove_object(&key(), &ObjectName::new(Kind::Service, "web"));
        assert!(table.get(&key()).is_none());
    }

    #[test]
    fn claims_outlive_their_service_and_count_for_nothing_of_it() {
        let mut table = WorkloadTable::default();
        with_deployment(&mut table, "a");
        let claim = ObjectName::new(Kind::PersistentVolumeClaim, "web-data");
        table.upsert_object(
            &key(),
            claim,
            digest("c"),
            Utc::now(),
            Detail::Claim(ClaimRow::default()),
        );
        assert!(!table.get(&key()).unwrap().is_only_claims());
        table.remove_object(&key(), &ObjectName::new(Kind::Deployment, "web"));
        let left = table.get(&key()).unwrap();
        assert!(left.is_only_claims() && !left.has_objects());
        assert_eq!(left.claims.len(), 1);
        // A list of claims that doesn't name it any more.
        let listed = Listed::Objects(Kind::PersistentVolumeClaim);
        table.begin_list(listed);
        assert_eq!(table.finish_list(listed), [key()]);
        assert!(table.get(&key()).is_none());
    }

    #[test]
    fn config_is_in_use_while_a_replica_set_with_pods_needs_it() {
        let mut table = WorkloadTable::default();
        with_deployment(&mut table, "a");
        for (name, revision, replicas) in [("web-1", "1", 0), ("web-2", "2", 1), ("web-3", "3", 2)] {
            let set: wire::ReplicaSet = serde_json::from_value(serde_json::json!({
                "metadata": { "name": name },
                "spec": { "replicas": replicas,
                    "template": { "metadata": { "labels": { REVISION: revision } } } },
            }))
            .unwrap();
            table.upsert_replica_set(&key(), &set);
        }
        assert_eq!(table.get(&key()).unwrap().revisions_in_use(), [2, 3]);
    }
}
