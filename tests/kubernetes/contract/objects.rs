//! The objects that the cases create.
//!
//! The images mean the same everywhere: a real cluster of `tests/kubernetes` holds `web` and `crash` and no
//! `missing`, and the sandbox goes by their names. What a real container is told by its environment or its command,
//! the sandbox is told by annotations.

use serde_json::{Value, json};

pub const WEB: &str = "longshore.test/web:1";
pub const WEB_2: &str = "longshore.test/web:2";
pub const CRASH: &str = "longshore.test/crash:1";
pub const MISSING: &str = "longshore.test/missing:1";

pub fn config_map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

pub fn labelled(name: &str, labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}})
}

pub fn pod(name: &str, image: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": pod_spec(image)})
}

fn pod_spec(image: &str) -> Value {
    json!({
        "automountServiceAccountToken": false,
        "terminationGracePeriodSeconds": 2,
        "containers": [{
            "name": "web",
            "image": image,
            "env": [{"name": "GREETING", "value": "hello"}],
            "ports": [{"name": "http", "containerPort": 8080}],
        }],
    })
}

/// A pod that writes a line five times a second for ever. In the sandbox, which runs no commands, it is a web
/// server that writes a line for each request: see `logs::talk`.
pub fn talking_pod(name: &str) -> Value {
    let mut pod = pod(name, WEB);
    pod["spec"]["containers"][0]["command"] = json!(["/bin/sh", "-c", TALK]);
    pod
}
const TALK: &str = "i=0; while true; do i=$((i+1)); echo line $i; sleep 0.2; done";

/// A pod that runs once and ends with `code`.
pub fn ending_pod(name: &str, code: i32) -> Value {
    let mut pod = pod(name, WEB);
    pod["metadata"]["annotations"] = json!({
        "sandbox.longshore.dev/exit-code": code.to_string(),
        "sandbox.longshore.dev/exit-after-seconds": "1",
    });
    pod["spec"]["restartPolicy"] = json!("Never");
    pod["spec"]["containers"][0]["command"] = json!(["/bin/sh", "-c", format!("sleep 1; exit {code}")]);
    pod
}

/// A Deployment with a readiness probe; its pods bear the label `app`.
pub fn deployment(name: &str, replicas: u32, image: &str) -> Value {
    let mut spec = pod_spec(image);
    spec["containers"][0]["readinessProbe"] =
        json!({"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1});
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": spec},
        },
    })
}

/// A Deployment whose pods run and never become ready.
pub fn unready_deployment(name: &str, replicas: u32) -> Value {
    let mut deployment = deployment(name, replicas, WEB);
    let template = &mut deployment["spec"]["template"];
    template["metadata"]["annotations"] = json!({"sandbox.longshore.dev/ready": "false"});
    template["spec"]["containers"][0]["env"] = json!([{"name": "UNHEALTHY", "value": "1"}]);
    deployment
}

pub fn service(name: &str, app: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": app}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    })
}
