//! What every cluster has from its first moment: namespaces, nodes, the API server's own service,
//! the built-in roles.

use std::sync::Arc;

use serde_json::{Value, json};

use super::nodes;
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::kinds::KindRef;
use crate::kinds::core::{ENDPOINTS, NAMESPACE, SERVICE};
use crate::kinds::others::{CLUSTER_ROLE, CLUSTER_ROLE_BINDING, ENDPOINT_SLICE};
use crate::kinds::storage::STORAGE_CLASS;
use crate::registry::{Options, create};

const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
const GROUP: &str = "rbac.authorization.k8s.io";

pub fn run(cluster: &Arc<Cluster>) -> ApiResult<()> {
    for name in NAMESPACES {
        ensure(cluster, &NAMESPACE, "", json!({"metadata": {"name": name}}))?;
    }
    nodes::ensure_all(cluster)?;
    roles(cluster)?;
    let class = json!({
        "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": super::volumes::PROVISIONER,
        "allowVolumeExpansion": true,
    });
    ensure(cluster, &STORAGE_CLASS, "", class)?;
    for service in cluster.store.list(&SERVICE, None).0 {
        retake(cluster, &service.value());
    }
    let port = cluster.server.port();
    let address = cluster.addresses.node(3999).to_string();
    let ports = json!([{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}]);
    ensure(
        cluster,
        &SERVICE,
        "default",
        json!({
            "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {"type": "ClusterIP", "ports": ports},
        }),
    )?;
    let ports = json!([{"name": "https", "port": port, "protocol": "TCP"}]);
    ensure(
        cluster,
        &ENDPOINTS,
        "default",
        json!({"metadata": {"name": "kubernetes", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
            "subsets": [{"addresses": [{"ip": address}], "ports": ports}]}),
    )?;
    ensure(
        cluster,
        &ENDPOINT_SLICE,
        "default",
        json!({"metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "addressType": "IPv4", "endpoints": [{"addresses": [address], "conditions": {"ready": true}}], "ports": ports}),
    )
}

/// Addresses and ports that services hold since before a restart.
fn retake(cluster: &Cluster, service: &Value) {
    let address = crate::json::text(service, "/spec/clusterIP");
    if let Ok(address) = address.parse() {
        cluster.addresses.take_named_service(address);
    }
    for port in crate::json::items(service, "/spec/ports") {
        if let Some(number) = port["nodePort"]
            .as_u64()
            .and_then(|number| u16::try_from(number).ok())
        {
            cluster.addresses.retake_node_port(number);
        }
    }
}

fn roles(cluster: &Cluster) -> ApiResult<()> {
    let all = json!(["*"]);
    let everything =
        json!([{"apiGroups": all, "resources": all, "verbs": all}, {"nonResourceURLs": all, "verbs": all}]);
    let groups = json!([
        "",
        "apps",
        "autoscaling",
        "batch",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "policy"
    ]);
    let read = json!(["get", "list", "watch"]);
    let edit = json!([{"apiGroups": groups, "resources": all, "verbs": all}]);
    let view = json!([{"apiGroups": groups, "verbs": read, "resources": [
        "configmaps", "controllerrevisions", "cronjobs", "deployments", "deployments/scale", "deployments/status", "endpoints", "endpointslices",
        "events", "horizontalpodautoscalers", "jobs", "namespaces", "persistentvolumeclaims",
        "poddisruptionbudgets", "pods", "pods/log", "pods/status", "replicasets", "replicasets/scale",
        "replicasets/status", "serviceaccounts", "services", "services/status", "statefulsets", "statefulsets/scale",
        "statefulsets/status",
    ]}]);
    for (name, rules) in [
        ("cluster-admin", &everything),
        ("admin", &edit),
        ("edit", &edit),
        ("view", &view),
    ] {
        let labels = json!({"kubernetes.io/bootstrapping": "rbac-defaults"});
        ensure(
            cluster,
            &CLUSTER_ROLE,
            "",
            json!({"metadata": {"name": name, "labels": labels}, "rules": rules}),
        )?;
    }
    ensure(
        cluster,
        &CLUSTER_ROLE_BINDING,
        "",
        json!({
            "metadata": {"name": "cluster-admin"},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": GROUP, "kind": "Group", "name": "system:masters"}],
        }),
    )
}

pub fn ensure(cluster: &Cluster, kind: KindRef, namespace: &str, value: Value) -> ApiResult<()> {
    match create::create(cluster, kind, namespace, value, &Options::by("kube-apiserver")) {
        Err(error) if error.reason != "AlreadyExists" => Err(error),
        _ => Ok(()),
    }
}
