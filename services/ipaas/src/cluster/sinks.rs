//! From what a cluster says to the tables, and word of it to whoever follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, RwLock};
use serde::Deserialize as _;
use serde_json::Value;
use tokio::sync::Notify;

use crate::app::changes::ChangeLog;
use crate::app::fields::{FieldReader, FieldsDigest};
use crate::app::gpu::GpuResource;
use crate::app::names::ServiceKey;
use crate::cluster::follow::Sink;
use crate::index::nodes::NodeTable;
use crate::index::pods::PodTable;
use crate::index::wire;
use crate::index::workloads::{Detail, Kind, Listed, ObjectName, WorkloadTable};

/// What is known of one cluster.
#[derive(Debug)]
pub struct Tables {
    pub pods: RwLock<PodTable>,
    pub nodes: RwLock<NodeTable>,
    pub workloads: RwLock<WorkloadTable>,
}

impl Tables {
    /// Empty ones, in which `gpu` counts as GPUs.
    #[must_use]
    pub fn new(gpu: &GpuResource) -> Self {
        Self {
            pods: RwLock::new(PodTable::new(gpu.clone())),
            nodes: RwLock::new(NodeTable::new(gpu.clone())),
            workloads: RwLock::default(),
        }
    }
}

/// Services whose objects changed and are to be compared with what was left.
#[derive(Debug, Default)]
pub struct Dirty {
    keys: Mutex<std::collections::BTreeSet<ServiceKey>>,
    pub woken: Notify,
}

impl Dirty {
    pub fn add(&self, key: ServiceKey) {
        self.keys.lock().insert(key);
        self.woken.notify_one();
    }

    pub fn take(&self) -> Vec<ServiceKey> {
        std::mem::take(&mut *self.keys.lock()).into_iter().collect()
    }
}

/// What every sink of a cluster shares.
#[derive(Clone)]
pub struct Target {
    pub cluster: Arc<str>,
    pub tables: Arc<Tables>,
    pub dirty: Arc<Dirty>,
    pub changes: Arc<ChangeLog>,
    pub fields: FieldReader,
    /// While the cluster is read for the first time nothing of it is told; that it was read is.
    pub quiet: Arc<AtomicBool>,
}

impl Target {
    fn objects_changed(&self, key: &ServiceKey) {
        self.dirty.add(key.clone());
        if !self.quiet.load(Ordering::Acquire) {
            self.changes.workload_changed(&self.cluster, key);
        }
    }

    /// From now on every change is told. Whoever follows is to read the cluster after this.
    pub fn tell(&self) {
        self.quiet.store(false, Ordering::Release);
    }

    fn pods_changed(&self, key: Option<&ServiceKey>) {
        if self.quiet.load(Ordering::Acquire) {
            return;
        }
        self.changes.pods_changed(&self.cluster, key);
        if let Some(key) = key {
            self.changes.workload_changed(&self.cluster, key);
        }
    }

    /// Takes an object of ours as it is now; also what an apply answered with. What isn't ours is
    /// passed over.
    pub fn take_object(&self, kind: Kind, object: &Value) -> Option<ServiceKey> {
        let bare = wire::Bare::deserialize(object).ok()?.metadata;
        let key = ServiceKey::of_labels(&bare.labels, &bare.namespace)?;
        let digest = FieldsDigest::of(&self.fields.read(object));
        self.tables.workloads.write().upsert_object(
            &key,
            ObjectName::new(kind, bare.name),
            digest,
            bare.creation_timestamp.unwrap_or_default(),
            Detail::read(kind, object),
        );
        Some(key)
    }
}

pub struct PodSink(pub Target);

impl Sink for PodSink {
    type Object = wire::Pod;

    fn version(object: &wire::Pod) -> &str {
        &object.metadata.resource_version
    }

    fn begin(&self) {
        self.0.tables.pods.write().begin_list();
    }

    fn page(&self, objects: Vec<wire::Pod>) {
        let mut touched: Vec<Option<ServiceKey>> = {
            let mut table = self.0.tables.pods.write();
            objects.iter().map(|pod| table.upsert(pod)).collect()
        };
        touched.sort();
        touched.dedup();
        for key in touched {
            self.0.pods_changed(key.as_ref());
        }
    }

    fn finish(&self) {
        let gone = self.0.tables.pods.write().finish_list();
        for key in gone {
            self.0.pods_changed(Some(&key));
        }
    }

    fn changed(&self, pod: wire::Pod) {
        let key = self.0.tables.pods.write().upsert(&pod);
        self.0.pods_changed(key.as_ref());
    }

    fn removed(&self, pod: wire::Pod) {
        let key = self
            .0
            .tables
            .pods
            .write()
            .remove(&pod.metadata.namespace, &pod.metadata.name);
        self.0.pods_changed(key.as_ref());
    }
}

pub struct NodeSink(pub Target);

impl Sink for NodeSink {
    type Object = wire::Node;

    fn version(object: &wire::Node) -> &str {
        &object.metadata.resource_version
    }

    fn begin(&self) {
        self.0.tables.nodes.write().begin_list();
    }

    fn page(&self, objects: Vec<wire::Node>) {
        let mut table = self.0.tables.nodes.write();
        objects.iter().for_each(|node| table.upsert(node));
    }

    fn finish(&self) {
        self.0.tables.nodes.write().finish_list();
    }

    fn changed(&self, node: wire::Node) {
        self.0.tables.nodes.write().upsert(&node);
    }

    fn removed(&self, node: wire::Node) {
        self.0.tables.nodes.write().remove(&node.metadata.name);
    }
}

/// Objects of one kind that a service is made of.
pub struct ObjectSink {
    pub target: Target,
    pub kind: Kind,
}

impl Sink for ObjectSink {
    type Object = Value;

    fn version(object: &Value) -> &str {
        object
            .pointer("/metadata/resourceVersion")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn begin(&self) {
        self.target
            .tables
            .workloads
            .write()
            .begin_list(Listed::Objects(self.kind));
    }

    fn page(&self, objects: Vec<Value>) {
        for object in objects {
            self.changed(object);
        }
    }

    fn finish(&self) {
        let gone = self
            .target
            .tables
            .workloads
            .write()
            .finish_list(Listed::Objects(self.kind));
        for key in gone {
            self.target.objects_changed(&key);
        }
    }

    fn changed(&self, object: Value) {
        if let Some(key) = self.target.take_object(self.kind, &object) {
            self.target.objects_changed(&key);
        }
    }

    fn removed(&self, object: Value) {
        let Ok(wire::Bare { metadata }) = wire::Bare::deserialize(&object) else {
            return;
        };
        let Some(key) = ServiceKey::of_labels(&metadata.labels, &metadata.namespace) else {
            return;
        };
        let name = ObjectName::new(self.kind, metadata.name);
        self.target.tables.workloads.write().remove_object(&key, &name);
        self.target.objects_changed(&key);
    }
}

pub struct ReplicaSetSink(pub Target);

impl Sink for ReplicaSetSink {
    type Object = wire::ReplicaSet;

    fn version(object: &wire::ReplicaSet) -> &str {
        &object.metadata.resource_version
    }

    fn begin(&self) {
        self.0.tables.workloads.write().begin_list(Listed::ReplicaSets);
    }

    fn page(&self, objects: Vec<wire::ReplicaSet>) {
        for object in objects {
            self.changed(object);
        }
    }

    fn finish(&self) {
        let gone = self.0.tables.workloads.write().finish_list(Listed::ReplicaSets);
        for key in gone {
            self.0.objects_changed(&key);
        }
    }

    fn changed(&self, set: wire::ReplicaSet) {
        let Some(key) = ServiceKey::of_labels(&set.metadata.labels, &set.metadata.namespace) else {
            return;
        };
        self.0.tables.workloads.write().upsert_replica_set(&key, &set);
        self.0.objects_changed(&key);
    }

    fn removed(&self, set: wire::ReplicaSet) {
        let Some(key) = ServiceKey::of_labels(&set.metadata.labels, &set.metadata.namespace) else {
            return;
        };
        self.0
            .tables
            .workloads
            .write()
            .remove_replica_set(&key, &set.metadata.name);
        self.0.objects_changed(&key);
    }
}
