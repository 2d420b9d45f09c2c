//! Good specs are taken, bad ones refused at their fields.

use serde_json::{Value, json};

use super::Fields;
use super::spec::check;

fn refused(spec: &Value) -> Vec<String> {
    let mut fields = Fields::default();
    check(&serde_json::from_value(spec.clone()).unwrap(), &mut fields);
    fields.paths().into_iter().map(str::to_owned).collect()
}

/// A good spec with one part replaced.
fn with(part: &str, value: Value) -> Value {
    let mut spec = json!({ "image": "registry.example.com/shop/web:1" });
    spec[part] = value;
    spec
}

#[test]
fn a_full_spec_is_taken() {
    let spec = json!({
        "image": "registry.example.com/shop/web:1",
        "command": ["/bin/web"], "args": ["--port", "80"],
        "env": [{ "name": "LOG_LEVEL", "value": "debug" }],
        "config_files": [{ "path": "/etc/web/a.yaml", "content": "a: 1" }, { "path": "/etc/web/b.yaml", "content": "" }],
        "secrets": [{ "name": "TOKEN", "value": "x" }, { "name": "tls.key", "value": "y", "path": "/etc/tls/key" }],
        "ports": [{ "name": "http", "port": 80 }, { "name": "dns", "port": 53, "protocol": "UDP" }, { "name": "dns-tcp", "port": 53 }],
        "resources": { "cpu_request": "100m", "cpu_limit": "1", "memory_request": "64Mi", "memory_limit": "1Gi" },
        "probes": {
            "startup": { "check": { "type": "exec", "command": ["true"] } },
            "readiness": { "check": { "type": "http", "path": "/ready", "port": 80 } },
            "liveness": { "check": { "type": "tcp", "port": 80 } }
        },
        "host_aliases": [{ "ip": "10.0.0.1", "hostnames": ["db.internal"] }, { "ip": "fd00::1", "hostnames": ["six"] }],
        "stop": { "grace_period_seconds": 5, "pre_stop_command": ["sleep", "1"] },
        "rollout": { "max_surge": "0", "max_unavailable": "50%" },
        "run_as_user": 1000,
        "annotations": { "example.com/team": "shop", "sandbox.longshore.dev/ready": "true" }
    });
    assert_eq!(refused(&spec), Vec::<String>::new());
}

#[test]
fn each_part_is_refused_at_its_field() {
    for (spec, fields) in [
        (json!({ "image": "Not An Image" }), vec!["image"]),
        (with("command", json!([""])), vec!["command[0]"]),
        (with("args", json!(["ok", "a\0b"])), vec!["args[1]"]),
        (
            with(
                "env",
                json!([{ "name": "1A" }, { "name": "A B" }, { "name": "" }, { "name": "A" }, { "name": "A" }, { "name": "..A" }]),
            ),
            vec![
                "env[0].name",
                "env[1].name",
                "env[2].name",
                "env[4].name",
                "env[5].name",
            ],
        ),
        (
            with(
                "secrets",
                json!([{ "name": "A", "value": "" }, { "name": "A", "value": "" }]),
            ),
            vec!["secrets[1].name"],
        ),
        (
            with(
                "config_files",
                json!([
                    { "path": "etc/a", "content": "" }, { "path": "/", "content": "" },
                    { "path": "/a/../b", "content": "" }, { "path": "/a:b", "content": "" },
                    { "path": "/a/", "content": "" }
                ]),
            ),
            vec![
                "config_files[0].path",
                "config_files[1].path",
                "config_files[2].path",
                "config_files[3].path",
                "config_files[4].path",
            ],
        ),
        (
            with(
                "ports",
                json!([{ "name": "Http", "port": 80 }, { "name": "web", "port": 0 }, { "name": "web", "port": 81 }, { "name": "w2", "port": 81 }, { "name": "80", "port": 82 }]),
            ),
            vec![
                "ports[0].name",
                "ports[1].port",
                "ports[2].name",
                "ports[3].port",
                "ports[4].name",
            ],
        ),
        (
            with(
                "resources",
                json!({ "cpu_request": "2", "cpu_limit": "1", "memory_request": "1Zi", "memory_limit": "" }),
            ),
            vec![
                "resources.cpu_request",
                "resources.memory_request",
                "resources.memory_limit",
            ],
        ),
        (
            with("resources", json!({ "cpu_request": "0", "memory_request": "1" })),
            vec!["resources.cpu_request", "resources.memory_request"],
        ),
        (
            with(
                "probes",
                json!({
                    "liveness": { "check": { "type": "http", "path": "health", "port": 0 }, "period_seconds": 0 },
                    "startup": { "check": { "type": "exec", "command": [] } }
                }),
            ),
            vec![
                "probes.startup.check.command",
                "probes.liveness.check.path",
                "probes.liveness.check.port",
                "probes.liveness.period_seconds",
            ],
        ),
        (
            with(
                "host_aliases",
                json!([{ "ip": "10.0.0", "hostnames": ["A_b"] }, { "ip": "::1", "hostnames": [] }]),
            ),
            vec![
                "host_aliases[0].ip",
                "host_aliases[0].hostnames[0]",
                "host_aliases[1].hostnames",
            ],
        ),
        (
            with("rollout", json!({ "max_surge": "0%", "max_unavailable": "0" })),
            vec!["rollout.max_surge"],
        ),
        (
            with("rollout", json!({ "max_surge": "a", "max_unavailable": "101%" })),
            vec!["rollout.max_surge", "rollout.max_unavailable"],
        ),
        (
            with(
                "rollout",
                json!({ "max_surge": "70000", "max_unavailable": "10001%" }),
            ),
            vec!["rollout.max_surge", "rollout.max_unavailable"],
        ),
        (
            with(
                "rollout",
                json!({ "progress_deadline_seconds": 10, "min_ready_seconds": 10 }),
            ),
            vec!["rollout.min_ready_seconds"],
        ),
        (with("run_as_user", json!(0)), vec!["run_as_user"]),
        (with("run_as_user", json!(-1)), vec!["run_as_user"]),
        (
            with("annotations", json!({ "longshore.dev/revision": "1", "a b": "" })),
            vec!["annotations[a b]", "annotations[longshore.dev/revision]"],
        ),
    ] {
        assert_eq!(refused(&spec), fields, "{spec}");
    }
}

#[test]
fn a_file_is_no_folder() {
    let spec = json!({
        "image": "web",
        "config_files": [{ "path": "/etc/app", "content": "" }],
        "secrets": [{ "name": "k", "value": "", "path": "/etc/app/key" }, { "name": "l", "value": "", "path": "/etc/app" }]
    });
    assert_eq!(refused(&spec), ["secrets[1].path", "secrets[0].path"]);
}

#[test]
fn a_secret_and_a_plain_variable_share_their_names() {
    let spec = json!({
        "image": "web",
        "env": [{ "name": "TOKEN" }, { "name": "cert" }],
        "secrets": [{ "name": "TOKEN", "value": "" }, { "name": "cert", "value": "", "path": "/cert" }]
    });
    assert_eq!(refused(&spec), ["secrets[0].name"]);
}

#[test]
fn config_has_a_size() {
    let half = "x".repeat(300 * 1024);
    let files = json!([{ "path": "/a", "content": half }, { "path": "/b", "content": half }]);
    assert_eq!(refused(&with("config_files", files)), ["config_files"]);
}
