use std::collections::BTreeSet;

use api_types::spec::{ConfigFile, ContainerPort, SecretEntry, ServiceSpec};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn render(desired: &DesiredWorkload) -> Result<Vec<Rendered>, Vec<FieldError>> {
    super::render(desired, &GpuResource::default())
}

fn desired(spec: Value) -> DesiredWorkload {
    DesiredWorkload {
        project: "shop".into(),
        environment: "test".into(),
        service: "web".into(),
        revision: 3,
        replicas: 2,
        spec: serde_json::from_value(spec).unwrap(),
        restarted_at: None,
        singleton: false,
        hash: "abc".into(),
    }
}

fn full() -> DesiredWorkload {
    let mut full = desired(json!({
        "image": "registry.example/shop/web:1.4",
        "command": ["/bin/web"],
        "args": ["--listen", ":8080"],
        "env": [{ "name": "LOG_LEVEL", "value": "info" }, { "name": "EMPTY" }],
        "config_files": [
            { "path": "/etc/web/web.toml", "content": "a = 1\n" },
            { "path": "/etc/other/web.toml", "content": "b = 2\n" },
        ],
        "secrets": [
            { "name": "DATABASE_PASSWORD", "value": "p4ss" },
            { "name": "tls.key", "value": "key", "path": "/etc/web/tls.key" },
        ],
        "ports": [{ "name": "http", "port": 8080 }, { "name": "dns", "port": 53, "protocol": "UDP" }],
        "volumes": [
            { "name": "uploads", "mount_path": "/var/lib/web/uploads", "size": "1.5Gi", "access": "many_nodes" },
            { "name": "cache", "mount_path": "/var/cache/web", "size": "500M", "storage_class": "fast",
              "access": "many_nodes", "may_start_empty": true },
        ],
        "resources": { "cpu_request": "0.5", "cpu_limit": "1000m", "memory_request": "512Mi", "memory_limit": "1024Mi" },
        "probes": {
            "startup": { "check": { "type": "tcp", "port": 8080 }, "failure_threshold": 30 },
            "readiness": { "check": { "type": "http", "path": "/ready", "port": 8080 }, "period_seconds": 5 },
            "liveness": { "check": { "type": "exec", "command": ["/bin/alive"] }, "initial_delay_seconds": 7 },
        },
        "host_aliases": [{ "ip": "10.0.0.7", "hostnames": ["db.internal"] }],
        "stop": { "grace_period_seconds": 45, "pre_stop_command": ["/bin/drain"] },
        "rollout": { "max_surge": "1", "max_unavailable": "25%", "progress_deadline_seconds": 300, "min_ready_seconds": 5 },
        "run_as_user": 1000,
        "annotations": { "team": "checkout" },
    }));
    full.restarted_at = Some("2026-01-02T03:04:05Z".parse().unwrap());
    full
}

/// The golden file is what people read to see what becomes of a spec. Written anew with
/// `LONGSHORE_UPDATE_GOLDENS=1`.
fn check_golden(name: &str, desired: &DesiredWorkload) {
    let mut all = vec![namespace(&desired.project, &desired.environment)];
    all.extend(render(desired).unwrap().into_iter().map(|rendered| rendered.body));
    let mut now = serde_json::to_string_pretty(&all).unwrap();
    now.push('\n');
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/app/render/goldens")
        .join(name);
    #[expect(clippy::disallowed_methods, reason = "set by hand to write the goldens anew")]
    if std::env::var("LONGSHORE_UPDATE_GOLDENS").is_ok() {
        std::fs::write(&path, &now).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    similar_asserts(&golden, &now);
}

fn similar_asserts(golden: &str, now: &str) {
    for (number, (left, right)) in golden.lines().zip(now.lines()).enumerate() {
        assert_eq!(left, right, "line {}", number + 1);
    }
    assert_eq!(golden.lines().count(), now.lines().count());
}

#[test]
fn the_smallest_service() {
    check_golden("smallest.json", &desired(json!({ "image": "web:1" })));
}

#[test]
fn a_service_with_everything() {
    check_golden("full.json", &full());
}

#[test]
fn objects_come_before_what_needs_them() {
    let kinds: Vec<Kind> = render(&full())
        .unwrap()
        .iter()
        .map(|rendered| rendered.object.kind)
        .collect();
    assert_eq!(
        kinds,
        [
            Kind::PersistentVolumeClaim,
            Kind::PersistentVolumeClaim,
            Kind::ConfigMap,
            Kind::Secret,
            Kind::Service,
            Kind::Deployment
        ]
    );
}

#[test]
fn a_volume_is_a_claim_of_its_own_which_every_replica_mounts() {
    let objects = render(&full()).unwrap();
    let claim = &objects[0];
    assert_eq!(claim.object.name, "web-uploads");
    assert_eq!(claim.body["spec"]["accessModes"], json!(["ReadWriteMany"]));
    assert_eq!(claim.body["spec"]["resources"]["requests"]["storage"], "1536Mi");
    assert!(claim.body["spec"].get("storageClassName").is_none());
    assert_eq!(
        claim.body["metadata"]["labels"]["longshore.dev/volume"],
        "uploads"
    );
    assert_eq!(claim.body["metadata"]["labels"]["longshore.dev/service"], "web");
    // Nothing owns it: what goes takes no data along.
    assert!(claim.body["metadata"].get("ownerReferences").is_none());
    assert_eq!(objects[1].body["spec"]["storageClassName"], "fast");
    let pod = &objects.last().unwrap().body["spec"]["template"]["spec"];
    let mounts = pod["containers"][0]["volumeMounts"].as_array().unwrap();
    assert!(mounts.contains(&json!({ "name": "uploads", "mountPath": "/var/lib/web/uploads" })));
    let volumes = pod["volumes"].as_array().unwrap();
    assert!(
        volumes
            .contains(&json!({ "name": "uploads", "persistentVolumeClaim": { "claimName": "web-uploads" } }))
    );
    let bad = desired(
        json!({ "image": "web:1", "volumes": [{ "name": "a", "mount_path": "/a", "size": "much" }] }),
    );
    assert_eq!(render(&bad).unwrap_err()[0].field, "volumes[0].size");
}

#[test]
fn a_singleton_ends_before_it_starts_anew() {
    let mut single = full();
    single.replicas = 1;
    single.singleton = true;
    let objects = render(&single).unwrap();
    assert_eq!(
        objects.last().unwrap().body["spec"]["strategy"],
        json!({ "type": "Recreate" })
    );
}

#[test]
fn what_kubernetes_would_not_take_is_named() {
    let mut bad = full();
    bad.spec.resources.cpu_request = "much".into();
    bad.spec.rollout.max_surge = "some".into();
    bad.service = "7up".into();
    let fields: Vec<String> = render(&bad)
        .unwrap_err()
        .into_iter()
        .map(|error| error.field)
        .collect();
    assert_eq!(fields, ["resources.cpu_request", "rollout.max_surge", "name"]);
}

#[test]
fn more_replicas_leave_the_pods_as_they_are() {
    let template = |desired: &DesiredWorkload| {
        let objects = render(desired).unwrap();
        objects.last().unwrap().body["spec"]["template"].clone()
    };
    let mut scaled = full();
    scaled.replicas = 9;
    scaled.hash = "other".into();
    assert_eq!(template(&full()), template(&scaled));
    let mut next = full();
    next.revision = 4;
    assert_ne!(template(&full()), template(&next));
    let mut restarted = full();
    restarted.restarted_at = Some("2026-02-02T00:00:00Z".parse().unwrap());
    assert_ne!(template(&full()), template(&restarted));
}

#[test]
fn gpus_are_a_limit_under_the_name_that_was_configured() {
    let pod = |desired: &DesiredWorkload, name: &str| {
        let objects = super::render(desired, &GpuResource::new(name)).unwrap();
        objects.last().unwrap().body["spec"]["template"]["spec"].clone()
    };
    let resources =
        |desired: &DesiredWorkload, name: &str| pod(desired, name)["containers"][0]["resources"].clone();
    let mut equipped = full();
    equipped.spec.resources.gpus = 2;
    for name in ["nvidia.com/gpu", "amd.com/gpu"] {
        let rendered = resources(&equipped, name);
        assert_eq!(rendered["limits"][name], "2");
        assert_eq!(rendered["limits"].as_object().unwrap().len(), 3);
        assert_eq!(rendered["requests"].as_object().unwrap().len(), 2);
        assert_eq!(resources(&full(), name)["limits"].as_object().unwrap().len(), 2);
        let tolerated = json!([{ "key": name, "operator": "Exists", "effect": "NoSchedule" }]);
        assert_eq!(pod(&equipped, name)["tolerations"], tolerated);
        assert_eq!(pod(&full(), name).get("tolerations"), None);
    }
}

proptest! {
    #[test]
    fn every_file_and_secret_reaches_its_place(
        paths in proptest::collection::btree_set("(/[a-zA-Z0-9ä._ -]{1,12}){1,4}", 0..8),
        secrets in proptest::collection::btree_map("[A-Z][A-Z0-9_]{0,12}", proptest::option::of("/[a-z]{1,9}"), 0..8),
        ports in proptest::collection::btree_set(1_u16.., 0..4),
    ) {
        let mut spec: ServiceSpec = serde_json::from_value(json!({ "image": "web:1" })).unwrap();
        spec.config_files = paths
            .iter()
            .map(|path| ConfigFile { path: path.clone(), content: format!("of {path}") })
            .collect();
        spec.secrets = secrets
            .iter()
            .map(|(name, path)| SecretEntry {
                name: name.clone(),
                value: Some(format!("value of {name}")),
                path: path.clone(),
                fingerprint: None,
            })
            .collect();
        spec.ports = ports
            .iter()
            .map(|port| ContainerPort { name: format!("p{port}"), port: *port, protocol: Protocol::Tcp })
            .collect();
        let mut workload = full();
        workload.spec = spec;
        let objects = render(&workload).unwrap();
        let find = |kind: Kind| objects.iter().find(|rendered| rendered.object.kind == kind).map(|rendered| &rendered.body);
        let container = &find(Kind::Deployment).unwrap()["spec"]["template"]["spec"]["containers"][0];
        let empty = Vec::new();
        let mounts = container["volumeMounts"].as_array().unwrap_or(&empty);
        prop_assert_eq!(find(Kind::ConfigMap).is_some(), !paths.is_empty());
        prop_assert_eq!(find(Kind::Secret).is_some(), !secrets.is_empty());
        prop_assert_eq!(find(Kind::Service).is_some(), !ports.is_empty());
        if let Some(config) = find(Kind::ConfigMap) {
            let data = config["data"].as_object().unwrap();
            prop_assert_eq!(data.len(), paths.len());
            for path in &paths {
                let mount = mounts.iter().find(|mount| mount["mountPath"] == json!(path)).unwrap();
                let key = mount["subPath"].as_str().unwrap();
                prop_assert_eq!(&data[key], &json!(format!("of {path}")));
                prop_assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
            }
        }
        let variables: BTreeSet<&str> = container["env"]
            .as_array()
            .unwrap_or(&empty)
            .iter()
            .filter_map(|variable| variable["valueFrom"]["secretKeyRef"]["key"].as_str())
            .collect();
        for (name, path) in &secrets {
            prop_assert_eq!(variables.contains(name.as_str()), path.is_none());
        }
        // No secret's value is anywhere but in the Secret.
        for rendered in objects.iter().filter(|rendered| rendered.object.kind != Kind::Secret) {
            prop_assert!(!rendered.body.to_string().contains("value of "));
        }
        let selector = &find(Kind::Deployment).unwrap()["spec"]["selector"]["matchLabels"];
        let labels = &find(Kind::Deployment).unwrap()["spec"]["template"]["metadata"]["labels"];
        for (name, value) in selector.as_object().unwrap() {
            prop_assert_eq!(&labels[name], value);
        }
    }
}
