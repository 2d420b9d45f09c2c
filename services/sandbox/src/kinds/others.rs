//! The kinds of the smaller groups.

use k8s_openapi::api::{autoscaling, coordination, discovery, policy, rbac};

use super::names::Rule;
use super::typed::typed;
use super::{Kind, columns, defaults, schema, status, validate};
use crate::controllers;

pub static ENDPOINT_SLICE: Kind = Kind {
    id: 11,
    group: "discovery.k8s.io",
    name: "EndpointSlice",
    plural: "endpointslices",
    singular: "endpointslice",
    zero: r#"{"metadata":{},"endpoints":null,"ports":null}"#,
    typed: typed::<discovery::v1::EndpointSlice>,
    defaults: defaults::endpoint_slice,
    columns: columns::ENDPOINT_SLICE,
    ..Kind::BASE
};

pub static LEASE: Kind = Kind {
    id: 12,
    group: "coordination.k8s.io",
    name: "Lease",
    plural: "leases",
    singular: "lease",
    volatile: true,
    zero: r#"{"metadata":{},"spec":{}}"#,
    typed: typed::<coordination::v1::Lease>,
    columns: columns::LEASE,
    ..Kind::BASE
};

const RBAC: Kind = Kind {
    group: "rbac.authorization.k8s.io",
    validate_name: Rule::Path,
    ..Kind::BASE
};

pub static ROLE: Kind = Kind {
    id: 13,
    name: "Role",
    plural: "roles",
    singular: "role",
    typed: typed::<rbac::v1::Role>,
    columns: columns::ROLE,
    ..RBAC
};

pub static ROLE_BINDING: Kind = Kind {
    id: 14,
    name: "RoleBinding",
    plural: "rolebindings",
    singular: "rolebinding",
    schema: &schema::BINDING,
    typed: typed::<rbac::v1::RoleBinding>,
    defaults: defaults::role_binding,
    columns: columns::ROLE_BINDING,
    ..RBAC
};

pub static CLUSTER_ROLE: Kind = Kind {
    id: 15,
    name: "ClusterRole",
    plural: "clusterroles",
    singular: "clusterrole",
    namespaced: false,
    schema: &schema::CLUSTER_ROLE,
    typed: typed::<rbac::v1::ClusterRole>,
    columns: columns::ROLE,
    ..RBAC
};

pub static CLUSTER_ROLE_BINDING: Kind = Kind {
    id: 16,
    name: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    singular: "clusterrolebinding",
    namespaced: false,
    schema: &schema::BINDING,
    typed: typed::<rbac::v1::ClusterRoleBinding>,
    defaults: defaults::role_binding,
    columns: columns::ROLE_BINDING,
    ..RBAC
};

pub static POD_DISRUPTION_BUDGET: Kind = Kind {
    id: 21,
    group: "policy",
    name: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
    singular: "poddisruptionbudget",
    short_names: &["pdb"],
    subresources: &[status("PodDisruptionBudget")],
    generation: true,
    schema: &schema::WITH_CONDITIONS,
    zero: r#"{"metadata":{},"spec":{},"status":{"currentHealthy":0,"desiredHealthy":0,"disruptionsAllowed":0,"expectedPods":0}}"#,
    typed: typed::<policy::v1::PodDisruptionBudget>,
    validate: validate::disruption_budget,
    reconcile: Some(controllers::disruption::reconcile),
    columns: columns::POD_DISRUPTION_BUDGET,
    ..Kind::BASE
};

pub static HORIZONTAL_POD_AUTOSCALER: Kind = Kind {
    id: 22,
    group: "autoscaling",
    version: "v2",
    name: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
    singular: "horizontalpodautoscaler",
    short_names: &["hpa"],
    categories: &["all"],
    subresources: &[status("HorizontalPodAutoscaler")],
    schema: &schema::WITH_CONDITIONS,
    zero: r#"{"metadata":{},"spec":{"maxReplicas":0,"scaleTargetRef":{"kind":"","name":""}},"status":{"currentMetrics":null,"desiredReplicas":0}}"#,
    typed: typed::<autoscaling::v2::HorizontalPodAutoscaler>,
    defaults: defaults::horizontal_pod_autoscaler,
    columns: columns::HORIZONTAL_POD_AUTOSCALER,
    ..Kind::BASE
};
