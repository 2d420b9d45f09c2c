//! The values the real API server fills in, kind by kind.

use serde_json::{Map, Value, json};

use crate::json::{default_field as default, nested, object_mut};

fn each(parent: &mut Map<String, Value>, field: &str, change: impl FnMut(&mut Map<String, Value>)) {
    if let Some(Value::Array(items)) = parent.get_mut(field) {
        items.iter_mut().filter_map(Value::as_object_mut).for_each(change);
    }
}

fn child<'a>(parent: &'a mut Map<String, Value>, field: &str) -> Option<&'a mut Map<String, Value>> {
    parent.get_mut(field)?.as_object_mut()
}

pub fn namespace(namespace: &mut Value) {
    let name = namespace["metadata"]["name"].clone();
    if name.as_str().is_some_and(|name| !name.is_empty()) {
        nested(namespace, &["metadata", "labels"]).insert("kubernetes.io/metadata.name".into(), name);
    }
}

pub fn pod(pod: &mut Value) {
    let spec = nested(pod, &["spec"]);
    pod_spec(spec);
    default(spec, "enableServiceLinks", true);
    for field in ["containers", "initContainers"] {
        each(spec, field, |container| {
            let Some(limits) = container["resources"]["limits"].as_object().cloned() else {
                return;
            };
            let requests = nested(&mut container["resources"], &["requests"]);
            for (resource, limit) in limits {
                requests.entry(resource).or_insert(limit);
            }
        });
    }
}

pub fn pod_spec(spec: &mut Map<String, Value>) {
    default(spec, "containers", json!([]));
    default(spec, "restartPolicy", "Always");
    default(spec, "dnsPolicy", "ClusterFirst");
    default(spec, "schedulerName", "default-scheduler");
    default(spec, "terminationGracePeriodSeconds", 30);
    default(spec, "securityContext", json!({}));
    for field in ["containers", "initContainers", "ephemeralContainers"] {
        each(spec, field, container);
    }
    each(spec, "volumes", volume);
    let accounts = [
        spec.get("serviceAccountName").cloned(),
        spec.get("serviceAccount").cloned(),
    ];
    if let Some(account) = accounts
        .into_iter()
        .flatten()
        .find(|account| account.as_str() != Some(""))
    {
        spec.insert("serviceAccountName".into(), account.clone());
        spec.insert("serviceAccount".into(), account);
    }
}

/// Always for `latest` and untagged images, else IfNotPresent.
fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    if image.contains('@') {
        return "IfNotPresent";
    }
    match name.split_once(':') {
        None | Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
    }
}

fn container(container: &mut Map<String, Value>) {
    let policy = pull_policy(container.get("image").and_then(Value::as_str).unwrap_or(""));
    default(container, "imagePullPolicy", policy);
    default(container, "terminationMessagePath", "/dev/termination-log");
    default(container, "terminationMessagePolicy", "File");
    default(container, "resources", json!({}));
    each(container, "ports", |port| default(port, "protocol", "TCP"));
    each(container, "env", |variable| {
        if let Some(source) = child(variable, "valueFrom")
            && let Some(field) = child(source, "fieldRef")
        {
            default(field, "apiVersion", "v1");
        }
    });
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = child(container, field) {
            for (field, value) in [
                ("timeoutSeconds", 1),
                ("periodSeconds", 10),
                ("successThreshold", 1),
                ("failureThreshold", 3),
            ] {
                // Zero stands for nothing here.
                if probe.get(field).is_none_or(|given| given.is_null() || given == 0) {
                    probe.insert(field.into(), value.into());
                }
            }
            if let Some(get) = child(probe, "httpGet") {
                http_get(get);
            }
            if let Some(grpc) = child(probe, "grpc") {
                default(grpc, "service", "");
            }
        }
    }
    if let Some(lifecycle) = child(container, "lifecycle") {
        for hook in ["postStart", "preStop"] {
            if let Some(get) = child(lifecycle, hook).and_then(|hook| child(hook, "httpGet")) {
                http_get(get);
            }
        }
    }
}

fn http_get(get: &mut Map<String, Value>) {
    default(get, "path", "/");
    default(get, "scheme", "HTTP");
}

fn volume(volume: &mut Map<String, Value>) {
    if volume.keys().all(|field| field == "name") {
        volume.insert("emptyDir".into(), json!({}));
    }
    for source in ["configMap", "secret", "projected", "downwardAPI"] {
        if let Some(source) = child(volume, source) {
            default(source, "defaultMode", 420);
            each(source, "sources", |projection| {
                if let Some(token) = child(projection, "serviceAccountToken") {
                    default(token, "expirationSeconds", 3600);
                }
            });
        }
    }
    if let Some(path) = child(volume, "hostPath") {
        default(path, "type", "");
    }
}

fn template(spec: &mut Map<String, Value>) {
    let template = spec.entry("template").or_insert(Value::Null);
    object_mut(template)
        .entry("metadata")
        .or_insert_with(|| json!({}));
    pod_spec(nested(template, &["spec"]));
}

pub fn deployment(deployment: &mut Value) {
    let spec = nested(deployment, &["spec"]);
    default(spec, "replicas", 1);
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "progressDeadlineSeconds", 600);
    default(spec, "strategy", json!({}));
    let strategy = object_mut(&mut spec["strategy"]);
    default(strategy, "type", "RollingUpdate");
    if strategy["type"] == "RollingUpdate" {
        default(strategy, "rollingUpdate", json!({}));
        let rolling = object_mut(&mut strategy["rollingUpdate"]);
        default(rolling, "maxUnavailable", "25%");
        default(rolling, "maxSurge", "25%");
    }
    template(spec);
}

pub fn replica_set(set: &mut Value) {
    let spec = nested(set, &["spec"]);
    default(spec, "replicas", 1);
    template(spec);
    let labels = set.pointer("/spec/template/metadata/labels").cloned();
    if let (Some(labels), false) = (labels, set["metadata"]["labels"].is_object()) {
        nested(set, &["metadata"]).insert("labels".into(), labels);
    }
}

pub fn stateful_set(set: &mut Value) {
    let spec = nested(set, &["spec"]);
    default(spec, "replicas", 1);
    default(spec, "podManagementPolicy", "OrderedReady");
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "serviceName", "");
    default(spec, "updateStrategy", json!({}));
    let strategy = object_mut(&mut spec["updateStrategy"]);
    default(strategy, "type", "RollingUpdate");
    if strategy["type"] == "RollingUpdate" {
        default(strategy, "rollingUpdate", json!({}));
        default(object_mut(&mut strategy["rollingUpdate"]), "partition", 0);
    }
    default(
        spec,
        "persistentVolumeClaimRetentionPolicy",
        json!({"whenDeleted": "Retain", "whenScaled": "Retain"}),
    );
    template(spec);
    each(spec, "volumeClaimTemplates", |claim| {
        default(claim, "apiVersion", "v1");
        default(claim, "kind", "PersistentVolumeClaim");
        default(claim, "status", json!({"phase": "Pending"}));
        if let Some(spec) = child(claim, "spec") {
            default(spec, "volumeMode", "Filesystem");
        }
    });
}

fn job_spec(spec: &mut Map<String, Value>) {
    let is_unset = |spec: &Map<String, Value>, field: &str| spec.get(field).is_none_or(Value::is_null);
    if is_unset(spec, "completions") && is_unset(spec, "parallelism") {
        spec.insert("completions".into(), 1.into());
    }
    default(spec, "parallelism", 1);
    default(spec, "backoffLimit", 6);
    default(spec, "completionMode", "NonIndexed");
    default(spec, "suspend", false);
    default(spec, "podReplacementPolicy", "TerminatingOrFailed");
    default(spec, "manualSelector", false);
    template(spec);
}

pub fn job(job: &mut Value) {
    job_spec(nested(job, &["spec"]));
    let labels = job.pointer("/spec/template/metadata/labels").cloned();
    if let (Some(labels), false) = (labels, job["metadata"]["labels"].is_object()) {
        nested(job, &["metadata"]).insert("labels".into(), labels);
    }
}

pub fn cron_job(job: &mut Value) {
    let spec = nested(job, &["spec"]);
    default(spec, "concurrencyPolicy", "Allow");
    default(spec, "suspend", false);
    default(spec, "successfulJobsHistoryLimit", 3);
    default(spec, "failedJobsHistoryLimit", 1);
    let job_template = object_mut(spec.entry("jobTemplate").or_insert(Value::Null));
    default(job_template, "metadata", json!({}));
    template(nested(&mut spec["jobTemplate"], &["spec"]));
}

pub fn horizontal_pod_autoscaler(scaler: &mut Value) {
    let spec = nested(scaler, &["spec"]);
    default(spec, "minReplicas", 1);
    let cpu = json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]);
    default(spec, "metrics", cpu);
}

pub fn persistent_volume(volume: &mut Value) {
    let spec = nested(volume, &["spec"]);
    default(spec, "persistentVolumeReclaimPolicy", "Retain");
    default(spec, "volumeMode", "Filesystem");
    default(nested(volume, &["status"]), "phase", "Pending");
}

pub fn persistent_volume_claim(claim: &mut Value) {
    default(nested(claim, &["spec"]), "volumeMode", "Filesystem");
    default(nested(claim, &["status"]), "phase", "Pending");
}

pub fn storage_class(class: &mut Value) {
    let class = object_mut(class);
    default(class, "reclaimPolicy", "Delete");
    default(class, "volumeBindingMode", "Immediate");
}

pub fn service(service: &mut Value) {
    let spec = nested(service, &["spec"]);
    default(spec, "type", "ClusterIP");
    default(spec, "sessionAffinity", "None");
    if spec["type"] != "ExternalName" {
        default(spec, "internalTrafficPolicy", "Cluster");
    }
    if spec["sessionAffinity"] == "ClientIP" {
        default(
            spec,
            "sessionAffinityConfig",
            json!({"clientIP": {"timeoutSeconds": 10_800}}),
        );
    }
    if matches!(spec["type"].as_str(), Some("NodePort" | "LoadBalancer")) {
        default(spec, "externalTrafficPolicy", "Cluster");
    }
    if spec["type"] == "LoadBalancer" {
        default(spec, "allocateLoadBalancerNodePorts", true);
    }
    each(spec, "ports", |port| {
        default(port, "protocol", "TCP");
        let number = port.get("port").cloned().unwrap_or(Value::Null);
        let target = port.get("targetPort").cloned().unwrap_or(Value::Null);
        if target.is_null() || target == 0 || target == "" {
            port.insert("targetPort".into(), number);
        }
    });
    nested(service, &["status", "loadBalancer"]);
}

pub fn endpoints(endpoints: &mut Value) {
    each(object_mut(endpoints), "subsets", |subset| {
        each(subset, "ports", |port| default(port, "protocol", "TCP"));
    });
}

pub fn endpoint_slice(slice: &mut Value) {
    let slice = object_mut(slice);
    default(slice, "endpoints", json!([]));
    default(slice, "ports", json!([]));
    each(slice, "ports", |port| {
        default(port, "name", "");
        default(port, "protocol", "TCP");
    });
}

/// `stringData` is a way in only: it ends up in `data`.
pub fn secret(secret: &mut Value) {
    use base64::Engine as _;
    let object = object_mut(secret);
    if let Some(Value::Object(strings)) = object.remove("stringData") {
        let data = object_mut(object.entry("data").or_insert(Value::Null));
        for (key, text) in strings {
            let bytes = text.as_str().unwrap_or("").as_bytes();
            data.insert(
                key,
                base64::engine::general_purpose::STANDARD.encode(bytes).into(),
            );
        }
    }
    default(object, "type", "Opaque");
}

pub fn role_binding(binding: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let binding = object_mut(binding);
    if let Some(role) = child(binding, "roleRef") {
        let missing = role
            .get("apiGroup")
            .and_then(Value::as_str)
            .unwrap_or("")
            .is_empty();
        if missing {
            role.insert("apiGroup".into(), GROUP.into());
        }
    }
    each(binding, "subjects", |subject| {
        if matches!(
            subject.get("kind").and_then(Value::as_str),
            Some("User" | "Group")
        ) {
            default(subject, "apiGroup", GROUP);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pull_policy_follows_the_tag() {
        for (image, policy) in [
            ("nginx", "Always"),
            ("nginx:latest", "Always"),
            ("nginx:1.2", "IfNotPresent"),
            ("registry:5000/team/nginx", "Always"),
            ("registry:5000/team/nginx:1", "IfNotPresent"),
            ("nginx@sha256:00", "IfNotPresent"),
        ] {
            assert_eq!(pull_policy(image), policy, "{image}");
        }
    }

    #[test]
    fn a_deployment_is_filled_in() {
        let mut value = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "a", "image": "b:1", "ports": [{"containerPort": 80}], "readinessProbe": {"httpGet": {"port": 80}}}
        ]}}}});
        deployment(&mut value);
        assert_eq!(value["spec"]["strategy"]["rollingUpdate"]["maxSurge"], "25%");
        let container = &value["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["ports"][0]["protocol"], "TCP");
        assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/");
        assert_eq!(container["readinessProbe"]["periodSeconds"], 10);
        let once = value.clone();
        deployment(&mut value);
        assert_eq!(value, once, "defaulting twice changes nothing");
    }
}
