//! What cluster-mgr takes ipaas must render, and a cluster must take: whatever else is told too late, at the rollout.

use api_types::internal::DesiredWorkload;
use api_types::spec::ServiceSpec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;
use sandbox::{ClusterConfig, Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::fuzz;

fn full() -> Value {
    json!({
        "image": "registry.example.com/shop/web:1", "command": ["/bin/web"], "args": ["--port", "80"],
        "env": [{ "name": "LOG_LEVEL", "value": "debug" }, { "name": "EMPTY" }],
        "config_files": [{ "path": "/etc/web/a.yaml", "content": "a: 1" }, { "path": "/etc/web/b.yaml", "content": "" }],
        "secrets": [{ "name": "TOKEN", "value": "x" }, { "name": "tls.key", "value": "y", "path": "/etc/tls/key" }],
        "ports": [{ "name": "http", "port": 80 }, { "name": "dns", "port": 53, "protocol": "UDP" }],
        "resources": { "cpu_request": "100m", "cpu_limit": "1", "memory_request": "64Mi", "memory_limit": "1Gi" },
        "probes": {
            "startup": { "check": { "type": "exec", "command": ["true"] } },
            "readiness": { "check": { "type": "http", "path": "/ready", "port": 80 } },
            "liveness": { "check": { "type": "tcp", "port": 80 }, "failure_threshold": 1 },
        },
        "host_aliases": [{ "ip": "10.0.0.1", "hostnames": ["db.internal"] }],
        "stop": { "grace_period_seconds": 5, "pre_stop_command": ["sleep", "1"] },
        "rollout": { "max_surge": "1", "max_unavailable": "50%", "progress_deadline_seconds": 60, "min_ready_seconds": 5 },
        "run_as_user": 1000,
        "annotations": { "example.com/team": "shop" },
    })
}

/// Values at the edges of what is taken, each at its place.
const EDGES: &[(&str, &[&str])] = &[
    (
        "/image",
        &[
            "a",
            "a@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "[::1]:5000/a",
            "a__b/c:_",
        ],
    ),
    ("/args/0", &["", "$(A)", "$$", "\u{1}", "\n", "😀"]),
    ("/env/0/name", &["-", "_", ".a", "..a", "a.b-C", "=", "é"]),
    ("/env/0/value", &["$(EMPTY)", "\n", "\u{7f}"]),
    (
        "/config_files/0/path",
        &[
            "/é",
            "/a b",
            "/...",
            "/..a",
            "/a/",
            "/",
            "/b.yaml",
            "/etc/web/a.yaml/b",
            "relative",
        ],
    ),
    (
        "/secrets/0/name",
        &["a", "..a", "-", "A.b", ".", "LOG_LEVEL", "tls.key"],
    ),
    ("/secrets/1/name", &["...", "-", ".a", "_", "TOKEN", "a/b"]),
    ("/secrets/1/path", &["/x", "/etc/web/a.yaml", "/etc/tls"]),
    (
        "/ports/0/name",
        &[
            "a",
            "1a",
            "a-b",
            "a--b",
            "1",
            "abcdefghijklmno",
            "abcdefghijklmnop",
        ],
    ),
    (
        "/resources/cpu_request",
        &["0", "1n", ".1", "1e-3", "0.9999", "1u", "2"],
    ),
    (
        "/resources/cpu_limit",
        &["1.", "1e3", "1k", "1Ei", "1E", "+1", "999999999999"],
    ),
    (
        "/resources/memory_request",
        &["4Mi", "4194303", "4194304.5", "5e6", "5000000000m", "0.01Gi"],
    ),
    (
        "/resources/memory_limit",
        &["1e9", "1Ei", "1E", "2305843009213693952", "64Mi", "2e18"],
    ),
    (
        "/probes/readiness/check/path",
        &["/", "//", "/?a=b#c", "/é", "/ ", ""],
    ),
    (
        "/host_aliases/0/ip",
        &["::1", "::ffff:1.2.3.4", "1.2.3", "01.2.3.4", "fe80::1%1"],
    ),
    ("/host_aliases/0/hostnames/0", &["a", "1", "a.b.", "A", "a_b"]),
    (
        "/rollout/max_surge",
        &[
            "0",
            "0%",
            "00025%",
            "10000",
            "10001",
            "10000%",
            "70000",
            "4294967295",
        ],
    ),
    ("/rollout/max_unavailable", &["0", "100%", "101%", "10000", "1.5"]),
    ("/annotations/example.com~1team", &["", "\n", "😀"]),
];

/// A full spec with some of those, and then with anything.
fn specs() -> impl Strategy<Value = Value> {
    let edge = select(EDGES).prop_flat_map(|(place, values)| (Just(place), select(values)));
    let edges = prop::collection::vec(edge, 0..3)
        .prop_map(|edges| {
            let mut spec = full();
            for (place, value) in edges {
                *spec.pointer_mut(place).expect("a place of a full spec") = json!(value);
            }
            spec
        })
        .boxed();
    prop_oneof![3 => edges.clone(), 1 => edges.prop_flat_map(fuzz::changed)]
}

fn desired(spec: ServiceSpec) -> DesiredWorkload {
    DesiredWorkload {
        project: "shop".into(),
        environment: "test".into(),
        service: "web".into(),
        revision: 3,
        replicas: 2,
        spec,
        restarted_at: None,
        singleton: false,
        hash: "abc".into(),
    }
}

/// A cluster that says whether it would take an object.
struct Cluster {
    http: reqwest::Client,
    url: String,
    token: String,
    _sandbox: Sandbox,
    _folder: TempDir,
}

impl Cluster {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = SandboxConfig {
            clusters: vec![ClusterConfig {
                name: "east".into(),
                nodes: 1,
                keep: false,
                ..ClusterConfig::default()
            }],
            data_dir: folder.path().to_owned(),
            ..SandboxConfig::default()
        };
        let sandbox = sandbox::start(config).await.unwrap();
        let kubeconfig: Value = serde_saphyr::from_str(&sandbox.clusters()[0].token_kubeconfig()).unwrap();
        let text = |place: &str| kubeconfig.pointer(place).unwrap().as_str().unwrap().to_owned();
        let cluster = Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .tls_danger_accept_invalid_certs(true)
                .build()
                .unwrap(),
            url: text("/clusters/0/cluster/server"),
            token: text("/users/0/user/token"),
            _sandbox: sandbox,
            _folder: folder,
        };
        let namespace =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop-test" } });
        assert_eq!(cluster.post("/api/v1/namespaces", &namespace).await.0, 201);
        cluster
    }

    async fn post(&self, path: &str, object: &Value) -> (u16, Value) {
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .bearer_auth(&self.token)
            .json(object);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn would_take(&self, object: &Value) -> Result<(), TestCaseError> {
        let (group, plural) = match object["kind"].as_str().unwrap() {
            "Deployment" => ("apis/apps", "deployments"),
            "ConfigMap" => ("api", "configmaps"),
            "Secret" => ("api", "secrets"),
            "Service" => ("api", "services"),
            other => panic!("{other} is rendered"),
        };
        let path = format!("/{group}/v1/namespaces/shop-test/{plural}?dryRun=All&fieldValidation=Strict");
        let (status, reply) = self.post(&path, object).await;
        prop_assert_eq!(status, 201, "{}: {}", reply["message"], object);
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_can_be_rendered_and_a_cluster_takes_it() {
    platform::foundation::install_tls_provider();
    let cluster = Cluster::start().await;
    let holds = async |spec: Value| -> Result<bool, TestCaseError> {
        let Ok(spec) = serde_json::from_value::<ServiceSpec>(spec) else {
            return Ok(false);
        };
        if !cluster_mgr::refusals(&spec).is_empty() {
            return Ok(false);
        }
        match ipaas::objects(&desired(spec)) {
            Ok(objects) => {
                for object in &objects {
                    cluster.would_take(object).await?;
                }
                Ok(true)
            }
            Err(errors) => Err(TestCaseError::fail(format!(
                "taken, but not rendered: {errors:?}"
            ))),
        }
    };
    assert!(holds(full()).await.unwrap());
    // Every edge by itself, then what chance brings.
    for (place, values) in EDGES {
        for value in *values {
            let mut spec = full();
            *spec.pointer_mut(place).expect("a place of a full spec") = json!(value);
            if let Err(error) = holds(spec).await {
                panic!("{place} {value:?}: {error}");
            }
        }
    }
    fuzz::ask(file!(), 150, &specs(), async |spec| holds(spec).await.map(drop));
}
