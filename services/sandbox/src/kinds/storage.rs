//! Volumes: stored, and bound as soon as they are claimed.

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::api::storage::v1 as storage;

use super::typed::typed;
use super::{Kind, columns, defaults, schema, status};
use crate::controllers;

pub static PERSISTENT_VOLUME: Kind = Kind {
    id: 23,
    name: "PersistentVolume",
    plural: "persistentvolumes",
    singular: "persistentvolume",
    short_names: &["pv"],
    namespaced: false,
    subresources: &[status("PersistentVolume")],
    schema: &schema::WITH_CONDITIONS,
    zero: r#"{"metadata":{},"spec":{},"status":{}}"#,
    typed: typed::<core::PersistentVolume>,
    defaults: defaults::persistent_volume,
    columns: columns::PERSISTENT_VOLUME,
    ..Kind::BASE
};

pub static PERSISTENT_VOLUME_CLAIM: Kind = Kind {
    id: 24,
    name: "PersistentVolumeClaim",
    plural: "persistentvolumeclaims",
    singular: "persistentvolumeclaim",
    short_names: &["pvc"],
    subresources: &[status("PersistentVolumeClaim")],
    schema: &schema::WITH_CONDITIONS,
    zero: r#"{"metadata":{},"spec":{"resources":{}},"status":{}}"#,
    typed: typed::<core::PersistentVolumeClaim>,
    defaults: defaults::persistent_volume_claim,
    reconcile: Some(controllers::volumes::reconcile),
    columns: columns::PERSISTENT_VOLUME_CLAIM,
    ..Kind::BASE
};

pub static STORAGE_CLASS: Kind = Kind {
    id: 25,
    group: "storage.k8s.io",
    name: "StorageClass",
    plural: "storageclasses",
    singular: "storageclass",
    short_names: &["sc"],
    namespaced: false,
    zero: r#"{"metadata":{},"provisioner":""}"#,
    typed: typed::<storage::StorageClass>,
    defaults: defaults::storage_class,
    columns: columns::STORAGE_CLASS,
    ..Kind::BASE
};
