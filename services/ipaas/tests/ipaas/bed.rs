//! What a test stands on: clusters, a database, and an ipaas connected to them.

use std::time::Duration;

use api_types::access::{Grant, Role};
use api_types::common::{ClusterId, Page};
use api_types::internal::{Connection, DesiredWorkload, ObservedWorkload, PutConnection};
use api_types::pods::Pod;
use api_types::services::RolloutState;
use auth::{Caller, Issuer};
use clients::{Endpoint, IpaasClient};
use ipaas::Config;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::config::{KubeConfigOptions, Kubeconfig};
use platform::Foundation;
use platform::server::Running;
use sandbox::{ClusterConfig, ClusterHandle, Sandbox, SandboxConfig};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use test_support::{Backend, TestDatabase, real_clusters, wait_for};
use uuid::Uuid;

/// Real clusters share two cores with everything else.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub const WEB: &str = "longshore.test/web:1";
pub const WEB_2: &str = "longshore.test/web:2";
pub const CRASH: &str = "longshore.test/crash:1";
pub const MISSING: &str = "longshore.test/missing:1";

/// A cluster of a test.
pub struct TestCluster {
    pub id: ClusterId,
    pub name: String,
    pub kubeconfig: String,
    pub client: kube::Client,
}

pub struct Bed {
    pub name: String,
    pub clusters: Vec<TestCluster>,
    pub foundation: Foundation,
    pub config: Config,
    pub running: Running,
    pub client: IpaasClient,
    /// Of this test alone, also on clusters that others use at the same time.
    pub project: String,
    pub database: TestDatabase,
    sandbox: Option<Sandbox>,
    _real: Option<real_clusters::Use>,
    _folder: tempfile::TempDir,
}

/// What a bed is made of.
#[derive(Clone, Copy, Debug)]
pub enum Ground {
    Sandbox(Backend),
    Real,
}

/// Every ground that this machine has.
pub fn grounds() -> Vec<Ground> {
    let mut grounds: Vec<Ground> = Backend::all().into_iter().map(Ground::Sandbox).collect();
    if !real_kubeconfigs().is_empty() {
        grounds.push(Ground::Real);
    }
    grounds
}

/// The grounds where clusters can be broken at will.
pub fn breakable() -> Vec<Ground> {
    Backend::all().into_iter().map(Ground::Sandbox).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the runner of the tests says where the clusters are"
)]
fn real_kubeconfigs() -> Vec<String> {
    std::env::var("LONGSHORE_TEST_KUBECONFIGS")
        .unwrap_or_default()
        .split(':')
        .filter(|path| !path.is_empty())
        .map(|path| std::fs::read_to_string(path).expect("a kubeconfig of LONGSHORE_TEST_KUBECONFIGS"))
        .collect()
}

impl Bed {
    /// Clusters and an ipaas that knows none of them yet.
    pub async fn bare(ground: Ground) -> Self {
        platform::foundation::install_tls_provider();
        let folder = tempfile::tempdir().unwrap();
        let real = matches!(ground, Ground::Real).then(real_clusters::share);
        let (backend, sandbox, kubeconfigs) = match ground {
            Ground::Sandbox(backend) => {
                let sandbox = start_sandbox(&folder).await;
                let kubeconfigs = sandbox.clusters().iter().map(ClusterHandle::kubeconfig).collect();
                (backend, Some(sandbox), kubeconfigs)
            }
            Ground::Real => (Backend::Sqlite, None, real_kubeconfigs()),
        };
        let mut clusters = Vec::new();
        for (name, kubeconfig) in ["alpha", "beta"].into_iter().zip(kubeconfigs) {
            clusters.push(TestCluster {
                id: ClusterId::new(),
                name: name.to_owned(),
                client: kube_client(&kubeconfig).await,
                kubeconfig,
            });
        }
        let database = TestDatabase::new(backend).await;
        let foundation = database.foundation();
        let config = Config {
            probe_period_ms: 300,
            probe_timeout_ms: 2_000,
            reload_period_ms: 300,
            unused_config_age_ms: 2_000,
            page_size: 3,
            ..Config::default()
        };
        let running = ipaas::start(foundation.clone(), config.clone()).await.unwrap();
        let client = client_of(&foundation, &running);
        Self {
            name: format!("{ground:?}"),
            clusters,
            config,
            running,
            client,
            project: format!("t{}", &Uuid::new_v4().simple().to_string()[..8]),
            foundation,
            database,
            sandbox,
            _real: real,
            _folder: folder,
        }
    }

    /// The same with every cluster connected and read.
    pub async fn new(ground: Ground) -> Self {
        let bed = Self::bare(ground).await;
        eprintln!("on {} with project {}", bed.name, bed.project);
        for cluster in &bed.clusters {
            bed.connect(cluster).await;
        }
        bed.wait_connected().await;
        bed
    }

    pub async fn connect(&self, cluster: &TestCluster) {
        let body = PutConnection {
            name: cluster.name.clone(),
            kubeconfig: cluster.kubeconfig.clone(),
        };
        self.client.put_connection(cluster.id, &body).await.unwrap();
    }

    pub async fn wait_connected(&self) {
        wait_for("all clusters to be read", PATIENCE, async || {
            let connections = self.client.list_connections().await.unwrap();
            let ready = |connection: &Connection| {
                connection.reachable
                    && connection.synced
                    && connection
                        .observed
                        .as_ref()
                        .is_some_and(|observed| !observed.stale)
            };
            let all = connections.len() == self.clusters.len() && connections.iter().all(ready);
            if all { Ok(()) } else { Err(connections) }
        })
        .await;
    }

    pub fn cluster(&self) -> &TestCluster {
        &self.clusters[0]
    }

    /// The simulated cluster itself.
    pub fn handle(&self, name: &str) -> &ClusterHandle {
        self.sandbox
            .as_ref()
            .and_then(|sandbox| sandbox.cluster(name))
            .expect("this test is for simulated clusters")
    }

    /// Where the Prometheus of a simulated cluster answers.
    pub fn prometheus(&self, name: &str) -> String {
        let sandbox = self
            .sandbox
            .as_ref()
            .expect("this test is for simulated clusters");
        let admin = sandbox.admin_address().expect("it has an admin endpoint");
        format!("http://{admin}/clusters/{name}/prometheus")
    }

    pub fn namespace(&self) -> String {
        format!("{}-test", self.project)
    }

    /// Two quick replicas of a web server.
    pub fn desired(&self, service: &str, revision: i64, image: &str) -> DesiredWorkload {
        self.desired_with(service, revision, json!({ "image": image }))
    }

    /// With more in the spec; `image` and small resources are filled in.
    pub fn desired_with(&self, service: &str, revision: i64, spec: Value) -> DesiredWorkload {
        let mut whole = json!({
            "image": WEB,
            "resources": { "cpu_request": "10m", "cpu_limit": "500m", "memory_request": "16Mi", "memory_limit": "64Mi" },
            "stop": { "grace_period_seconds": 1 },
        });
        for (name, value) in spec.as_object().unwrap() {
            whole[name] = value.clone();
        }
        DesiredWorkload {
            project: self.project.clone(),
            environment: "test".into(),
            service: service.into(),
            revision,
            replicas: 2,
            spec: serde_json::from_value(whole).unwrap(),
            restarted_at: None,
            singleton: false,
            hash: format!("hash-{revision}"),
        }
    }

    pub async fn observed(&self, cluster: &TestCluster, service: &str) -> Option<ObservedWorkload> {
        let snapshot = self.client.list_workloads().await.unwrap();
        snapshot.workloads.into_iter().find(|workload| {
            workload.cluster_id == cluster.id
                && workload.project == self.project
                && workload.service == service
        })
    }

    /// Waits until the observation is as `wanted` says.
    pub async fn wait_observed(
        &self,
        service: &str,
        what: &str,
        wanted: impl Fn(&ObservedWorkload) -> bool,
    ) -> ObservedWorkload {
        wait_for(what, PATIENCE, async || {
            match self.observed(self.cluster(), service).await {
                Some(observed) if wanted(&observed) => Ok(observed),
                other => Err(other),
            }
        })
        .await
    }

    /// Waits until a revision is rolled out with so many replicas.
    pub async fn wait_rolled_out(&self, service: &str, revision: i64, replicas: u32) -> ObservedWorkload {
        let seen = self
            .wait_observed(service, "the rollout to be over", |observed| {
                let seen = &observed.observation;
                seen.rollout == RolloutState::Complete
                    && seen.revision == Some(revision)
                    && (seen.updated, seen.updated_ready, seen.ready, seen.available)
                        == (replicas, replicas, replicas, replicas)
                    && !seen.stale
            })
            .await;
        // Pods have a watch of their own, which may be a little behind the Deployment's.
        wait_for("its pods to be in the list", PATIENCE, async || {
            let pods = self.pods_of(service).await;
            let ready = pods
                .iter()
                .filter(|pod| pod.ready && pod.cluster == self.cluster().name);
            if ready.count() >= replicas as usize {
                Ok(())
            } else {
                Err(pods)
            }
        })
        .await;
        seen
    }

    pub async fn pods_of(&self, service: &str) -> Vec<Pod> {
        let path = format!(
            "/api/v1/projects/{}/environments/test/services/{service}/pods?limit=500",
            self.project
        );
        self.get::<Page<Pod>>(&path).await.items
    }

    pub async fn a_pod(&self, service: &str) -> Pod {
        wait_for("a pod", PATIENCE, async || {
            let pods = self.pods_of(service).await;
            let running = pods
                .iter()
                .find(|pod| pod.ready && pod.cluster == self.cluster().name);
            running.cloned().ok_or(pods)
        })
        .await
    }

    pub async fn a_stale_pod(&self, service: &str) -> Pod {
        let pods = self.pods_of(service).await;
        pods.into_iter().find(|pod| pod.stale).expect("a stale pod")
    }

    pub fn pod_path(&self, pod: &Pod) -> String {
        format!(
            "/api/v1/projects/{}/environments/test/clusters/{}/pods/{}",
            self.project, pod.cluster, pod.name
        )
    }

    /// A token as the portal makes it for a user.
    pub fn token(&self, grants: &[(Role, Option<&str>)]) -> String {
        let caller = Caller {
            subject: "a-user".into(),
            name: "a user".into(),
            grants: grants
                .iter()
                .map(|(role, project)| Grant {
                    role: *role,
                    project: project.map(str::to_owned),
                    environment: None,
                })
                .collect(),
        };
        Issuer::new("portal", &self.foundation.master_key).issue("ipaas", &caller)
    }

    pub fn operator(&self) -> String {
        self.token(&[(Role::Operator, None)])
    }

    pub async fn send(&self, method: &str, path: &str, token: Option<&str>) -> (u16, Value) {
        let url = format!("{}{path}", self.running.url());
        let mut request = self.foundation.http.request(method.parse().unwrap(), url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let (status, body) = self.send("GET", path, Some(&self.operator())).await;
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_value(body).unwrap()
    }

    /// Leaves nothing on clusters that others use.
    pub async fn finish(self) {
        self.foundation.shutdown.cancel();
        for cluster in &self.clusters {
            let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
            if let Err(error) = namespaces.delete(&self.namespace(), &Default::default()).await {
                eprintln!("{}: {error}", self.namespace());
            }
        }
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
    }
}

async fn start_sandbox(folder: &tempfile::TempDir) -> Sandbox {
    let cluster = |name: &str| ClusterConfig {
        name: name.into(),
        nodes: 2,
        ..ClusterConfig::default()
    };
    sandbox::start(SandboxConfig {
        clusters: vec![cluster("alpha"), cluster("beta")],
        data_dir: folder.path().join("sandbox"),
        admin_port: Some(0),
        ..SandboxConfig::default()
    })
    .await
    .unwrap()
}

pub async fn kube_client(kubeconfig: &str) -> kube::Client {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    kube::Client::try_from(config).unwrap()
}

pub fn client_of(foundation: &Foundation, running: &Running) -> IpaasClient {
    let issuer = Issuer::new("cluster-mgr", &foundation.master_key);
    IpaasClient::new(Endpoint::new(
        foundation.http.clone(),
        &running.url(),
        "ipaas",
        issuer,
    ))
}
