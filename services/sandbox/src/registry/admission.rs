//! What the real server's admission plugins do to new objects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::random_suffix;
use crate::api::errors::{ApiError, ApiResult, FieldErrors};
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::core::{POD, SERVICE, SERVICE_ACCOUNT};
use crate::kinds::quantity;

pub const KUBELET: &str = "kubelet";

const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Service account, its token's volume, default tolerations, priority.
pub fn pod(cluster: &Cluster, pod: &mut Value, old: Option<&Value>) -> ApiResult<()> {
    if old.is_some() {
        return Ok(());
    }
    let namespace = json::text(pod, "/metadata/namespace").to_owned();
    let name = json::text(pod, "/metadata/name").to_owned();
    let spec = json::nested(pod, &["spec"]);
    json::default_field(spec, "priority", 0);
    json::default_field(spec, "preemptionPolicy", "PreemptLowerPriority");
    json::default_field(spec, "serviceAccountName", "default");
    let account = spec["serviceAccountName"].clone();
    json::default_field(spec, "serviceAccount", account.clone());
    let account = account.as_str().unwrap_or("").to_owned();
    let Some(found) = cluster.store.get(&SERVICE_ACCOUNT, &namespace, &account) else {
        let why = format!(
            "error looking up service account {namespace}/{account}: serviceaccount {account:?} not found"
        );
        return Err(ApiError::forbidden(&POD, &name, &why));
    };
    let found = found.value();
    let mount = spec
        .get("automountServiceAccountToken")
        .or_else(|| found.get("automountServiceAccountToken"))
        .is_none_or(|mount| mount != false);
    let volumes = spec.entry("volumes").or_insert_with(|| json!([]));
    if mount && let Some(volumes) = volumes.as_array_mut() {
        mount_token(spec_volume(volumes), spec);
    }
    if spec["volumes"].as_array().is_some_and(Vec::is_empty) {
        spec.remove("volumes");
    }
    if let Some(secrets) = found["imagePullSecrets"].as_array() {
        json::default_field(spec, "imagePullSecrets", secrets.clone());
    }
    tolerate(spec.entry("tolerations").or_insert_with(|| json!([])));
    let class = quality(&pod["spec"]);
    json::set(pod, &["status", "qosClass"], class);
    Ok(())
}

/// The quality of service class, which follows from requests and limits of CPU and memory.
fn quality(spec: &Value) -> &'static str {
    let (mut any, mut all) = (false, true);
    for container in ["containers", "initContainers"]
        .iter()
        .flat_map(|list| json::items(spec, &format!("/{list}")))
    {
        let resources = &container["resources"];
        for name in ["cpu", "memory"] {
            let set = |list: &str| quantity::read(&resources[list][name]).filter(|amount| amount.units() > 0);
            let (request, limit) = (set("requests"), set("limits"));
            any |= request.is_some() || limit.is_some();
            all &= match (request, limit) {
                (Some(request), Some(limit)) => request.cmp(limit).is_eq(),
                _ => false,
            };
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// Adds the token volume and returns its name.
fn spec_volume(volumes: &mut Vec<Value>) -> String {
    let name = format!("kube-api-access-{}", random_suffix(5));
    volumes.push(json!({"name": name, "projected": {"defaultMode": 420, "sources": [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
    ]}}));
    name
}

fn mount_token(volume: String, spec: &mut serde_json::Map<String, Value>) {
    for list in ["containers", "initContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let mounts = json::object_mut(container)
                .entry("volumeMounts")
                .or_insert_with(|| json!([]));
            let Some(mounts) = mounts.as_array_mut() else {
                continue;
            };
            if mounts.iter().all(|mount| mount["mountPath"] != TOKEN_PATH) {
                mounts.push(json!({"name": volume, "readOnly": true, "mountPath": TOKEN_PATH}));
            }
        }
    }
}

fn tolerate(tolerations: &mut Value) {
    let Some(tolerations) = tolerations.as_array_mut() else {
        return;
    };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerated = tolerations.iter().any(|toleration| {
            let covers = toleration["key"] == key || json::text(toleration, "/key").is_empty();
            covers && matches!(json::text(toleration, "/effect"), "" | "NoExecute")
        });
        if !tolerated {
            tolerations.push(json!({
                "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300
            }));
        }
    }
}

/// A job's selector and the labels of its pods are made from its uid.
pub fn job(_: &Cluster, job: &mut Value, old: Option<&Value>) -> ApiResult<()> {
    if old.is_some() || job["spec"]["manualSelector"] == true {
        return Ok(());
    }
    let (uid, name) = (job["metadata"]["uid"].clone(), job["metadata"]["name"].clone());
    for prefix in ["", "batch.kubernetes.io/"] {
        for (label, value) in [("controller-uid", &uid), ("job-name", &name)] {
            json::set(
                job,
                &[
                    "spec",
                    "template",
                    "metadata",
                    "labels",
                    &format!("{prefix}{label}"),
                ],
                value.clone(),
            );
        }
    }
    json::set(
        job,
        &["spec", "selector", "matchLabels"],
        json!({"batch.kubernetes.io/controller-uid": uid}),
    );
    Ok(())
}

/// Cluster addresses and node ports.
pub fn service(cluster: &Cluster, service: &mut Value, old: Option<&Value>) -> ApiResult<()> {
    let name = json::text(service, "/metadata/name").to_owned();
    let kind = json::text(service, "/spec/type").to_owned();
    let spec = json::nested(service, &["spec"]);
    if kind == "ExternalName" {
        return Ok(());
    }
    let asked = spec
        .get("clusterIP")
        .and_then(Value::as_str)
        .unwrap_or("")
        .to_owned();
    let before = old.map_or("", |old| json::text(old, "/spec/clusterIP"));
    let address = match (asked.as_str(), before) {
        ("", "") => cluster
            .addresses
            .take_service()
            .ok_or_else(|| ApiError::internal("failed to allocate a serviceIP: range is full"))?,
        ("", before) => before.to_owned(),
        (asked, _) => asked.to_owned(),
    };
    if asked != "None" && !asked.is_empty() && before != asked {
        let in_range = asked
            .parse()
            .is_ok_and(|address| cluster.addresses.take_named_service(address));
        if old.is_none() && !in_range {
            let mut errors = FieldErrors::default();
            let why =
                "failed to allocate IP: the provided IP is not in the valid range or is already allocated";
            errors.invalid("spec.clusterIPs", json!([asked]), why);
            return Err(ApiError::invalid(&SERVICE, &name, errors));
        }
    }
    spec.insert("clusterIPs".into(), json!([address]));
    spec.insert("clusterIP".into(), address.into());
    json::default_field(spec, "ipFamilies", json!(["IPv4"]));
    json::default_field(spec, "ipFamilyPolicy", "SingleStack");
    let wants_port = matches!(kind.as_str(), "NodePort" | "LoadBalancer");
    let earlier = old.map(|old| json::items(old, "/spec/ports")).unwrap_or_default();
    for port in spec
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if wants_port && port["nodePort"].as_i64().unwrap_or(0) == 0 {
            let same = earlier
                .iter()
                .find(|before| before["port"] == port["port"] && before["protocol"] == port["protocol"]);
            let number = same.and_then(|before| before["nodePort"].as_i64());
            port["nodePort"] = number
                .unwrap_or_else(|| cluster.addresses.take_node_port().into())
                .into();
        } else if !wants_port {
            json::object_mut(port).remove("nodePort");
        }
    }
    Ok(())
}

/// Owners as a controller writes them.
pub fn owned_by(owner: &Arc<crate::store::Object>) -> Value {
    json!([{
        "apiVersion": owner.kind.api_version(),
        "kind": owner.kind.name,
        "name": owner.name(),
        "uid": &*owner.uid,
        "controller": true,
        "blockOwnerDeletion": true,
    }])
}
