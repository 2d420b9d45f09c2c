//! The kinds of the `apps` group.

use k8s_openapi::api::apps::v1 as api;

use super::typed::typed;
use super::{Kind, SCALE, columns, defaults, schema, status, validate};
use crate::controllers;

const APPS: Kind = Kind {
    group: "apps",
    categories: &["all"],
    generation: true,
    ..Kind::BASE
};

pub static DEPLOYMENT: Kind = Kind {
    id: 9,
    name: "Deployment",
    plural: "deployments",
    singular: "deployment",
    short_names: &["deploy"],
    subresources: &[status("Deployment"), SCALE],
    schema: &schema::WORKLOAD,
    zero: r#"{"metadata":{},"spec":{"selector":null,"strategy":{},"template":{"metadata":{},"spec":{"containers":null}}},"status":{}}"#,
    typed: typed::<api::Deployment>,
    defaults: defaults::deployment,
    validate: validate::deployment,
    reconcile: Some(controllers::deployment::reconcile),
    columns: columns::DEPLOYMENT,
    ..APPS
};

pub static REPLICA_SET: Kind = Kind {
    id: 10,
    name: "ReplicaSet",
    plural: "replicasets",
    singular: "replicaset",
    short_names: &["rs"],
    subresources: &[status("ReplicaSet"), SCALE],
    selectable: &["status.replicas"],
    schema: &schema::WORKLOAD,
    zero: r#"{"metadata":{},"spec":{"selector":null,"template":{"metadata":{},"spec":{"containers":null}}},"status":{"replicas":0}}"#,
    typed: typed::<api::ReplicaSet>,
    defaults: defaults::replica_set,
    validate: validate::replica_set,
    reconcile: Some(controllers::replica_set::reconcile),
    columns: columns::REPLICA_SET,
    ..APPS
};

pub static STATEFUL_SET: Kind = Kind {
    id: 17,
    name: "StatefulSet",
    plural: "statefulsets",
    singular: "statefulset",
    short_names: &["sts"],
    subresources: &[status("StatefulSet"), SCALE],
    schema: &schema::STATEFUL_SET,
    zero: r#"{"metadata":{},"spec":{"selector":null,"serviceName":"","template":{"metadata":{},"spec":{"containers":null}},"updateStrategy":{}},"status":{"availableReplicas":0,"replicas":0}}"#,
    typed: typed::<api::StatefulSet>,
    defaults: defaults::stateful_set,
    validate: validate::stateful_set,
    reconcile: Some(controllers::stateful_set::reconcile),
    columns: columns::STATEFUL_SET,
    ..APPS
};

pub static CONTROLLER_REVISION: Kind = Kind {
    id: 18,
    name: "ControllerRevision",
    plural: "controllerrevisions",
    singular: "controllerrevision",
    categories: &[],
    generation: false,
    zero: r#"{"metadata":{},"revision":0}"#,
    typed: typed::<api::ControllerRevision>,
    columns: columns::CONTROLLER_REVISION,
    ..APPS
};
