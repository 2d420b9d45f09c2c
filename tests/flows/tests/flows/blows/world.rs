//! One schedule's own stack: clusters, a database, services that can be ended, and a way between any two
//! that can be broken.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api_types::access::{Grant, Role};
use auth::{Caller, Issuer};
use flows::process::Process;
use flows::proxy::{Mode, Proxy};
use parking_lot::Mutex;
use platform::Foundation;
use platform::crypto::MasterKey;
use platform::lease;
use reqwest::{Method, StatusCode};
use sandbox::{ClusterConfig, ClusterHandle, Sandbox, SandboxConfig};
use sea_orm::EntityTrait as _;
use serde_json::{Value, json};
use test_support::{Backend, TestDatabase, wait_for};
use tokio_util::sync::CancellationToken;

use super::instance::Instance;

/// Longer than anything here takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(90);
pub const PROJECT: &str = "shop";
pub const SERVICES: &str = "/projects/shop/environments/test/services";
pub const NAMESPACE: &str = "shop-test";
/// Who comes through the portal; everybody else calls cluster-mgr.
pub const THROUGH_PORTAL: &str = "bob";

/// How long the portal waits for a service's answer.
const PORTAL_PATIENCE: Duration = Duration::from_secs(10);

/// Where the services of a schedule run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    Here,
    /// Each a process of its own.
    Apart,
}

/// A cluster, and the way of ipaas to it.
pub struct Cluster {
    pub name: &'static str,
    pub way: Proxy,
    /// Past the platform.
    pub client: kube::Client,
}

/// A service that runs, or doesn't at the moment.
pub type Slot = tokio::sync::Mutex<Option<Instance>>;

pub struct World {
    pub clusters: Vec<Cluster>,
    pub ipaas: Slot,
    /// Replicas of cluster-mgr.
    pub managers: Vec<Slot>,
    /// From the callers to each replica, and from those to ipaas and to the database.
    pub doors: Vec<Proxy>,
    pub ipaas_way: Proxy,
    pub portal: Slot,
    pub portal_way: Proxy,
    /// API token of [`THROUGH_PORTAL`].
    token: String,
    pub database_way: Option<Proxy>,
    pub sandbox: Sandbox,
    place: Where,
    database_url: String,
    key: MasterKey,
    http: reqwest::Client,
    /// Calls go to the replicas by turns.
    turns: AtomicUsize,
    /// What the API answered that it never may.
    pub outrages: Mutex<Vec<String>>,
    database: TestDatabase,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn start(backend: Backend, place: Where, replicas: usize) -> Self {
        platform::foundation::install_tls_provider();
        let folder = tempfile::tempdir().unwrap();
        let sandbox = start_sandbox(&folder).await;
        let mut clusters = Vec::new();
        for handle in sandbox.clusters() {
            let name = if handle.name() == "east" { "east" } else { "west" };
            let url = handle.url();
            let target = url.trim_start_matches("https://").parse().unwrap();
            clusters.push(Cluster {
                name,
                way: Proxy::start(Some(target)).await,
                client: client(handle).await,
            });
        }
        let database = TestDatabase::new(backend).await;
        let (database_url, database_way) = way_to(&database.url).await;
        let mut doors = Vec::new();
        for _ in 0..replicas {
            doors.push(Proxy::start(None).await);
        }
        let key = MasterKey::read_or_generate(&folder.path().join("master.key")).unwrap();
        let foundation = Foundation::new(database.connection.clone(), key.clone(), CancellationToken::new());
        portal::setup::create_user(&foundation, THROUGH_PORTAL, Role::PlatformAdmin, None)
            .await
            .unwrap();
        let token = portal::setup::issue_token(&foundation, THROUGH_PORTAL, "blows")
            .await
            .unwrap();
        let world = Self {
            clusters,
            ipaas: Slot::default(),
            managers: (0..replicas).map(|_| Slot::default()).collect(),
            doors,
            ipaas_way: Proxy::start(None).await,
            portal: Slot::default(),
            portal_way: Proxy::start(None).await,
            token,
            database_way,
            sandbox,
            place,
            database_url,
            key,
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(20))
                .build()
                .unwrap(),
            turns: AtomicUsize::default(),
            outrages: Mutex::default(),
            database,
            folder,
        };
        world.start_ipaas().await;
        for replica in 0..replicas {
            world.start_manager(replica).await;
            // The first leads.
            if replica == 0 {
                world.epoch_after(0, LONG).await;
            }
        }
        world.start_portal().await;
        world.furnish().await;
        world
    }

    async fn furnish(&self) {
        for way in self.doors.iter().chain([&self.ipaas_way, &self.portal_way]) {
            wait_for("a service to answer", LONG, async || {
                let url = format!("http://{}/healthz", way.address);
                self.http.get(url).send().await.map(drop)
            })
            .await;
        }
        for (cluster, handle) in self.clusters.iter().zip(self.sandbox.clusters()) {
            let through = handle
                .kubeconfig()
                .replace(&handle.url(), &format!("https://{}", cluster.way.address));
            let body = json!({ "name": cluster.name, "region": cluster.name, "kubeconfig": through });
            self.must("ada", Method::POST, "/clusters", &[], body).await;
        }
        self.must("ada", Method::POST, "/projects", &[], json!({ "name": PROJECT }))
            .await;
        let path = format!("/projects/{PROJECT}/environments");
        self.must("ada", Method::POST, &path, &[], json!({ "name": "test" }))
            .await;
        wait_for("the clusters to be Ready", LONG, async || {
            let (_, page) = self
                .call("ada", Method::GET, "/clusters", &[], Value::Null)
                .await?;
            let ready = |cluster: &Value| cluster["state"] == "ready";
            match page["items"].as_array() {
                Some(items) if items.len() == 2 && items.iter().all(ready) => Ok(()),
                _ => Err(page.to_string()),
            }
        })
        .await;
    }

    /// Starts ipaas unless it runs.
    pub async fn start_ipaas(&self) {
        let mut slot = self.ipaas.lock().await;
        if slot.is_some() {
            return;
        }
        let instance = match self.place {
            Where::Here => {
                wait_for("ipaas to start", LONG, async || {
                    Instance::here(self.database_url.clone(), self.key.clone(), |foundation| {
                        ipaas::start(foundation, quick_ipaas())
                    })
                    .await
                })
                .await
            }
            Where::Apart => self.process("ipaas", 2),
        };
        self.ipaas_way.lead_to(instance.address());
        *slot = Some(instance);
    }

    /// Starts a replica of cluster-mgr unless it runs.
    pub async fn start_manager(&self, replica: usize) {
        let mut slot = self.managers[replica].lock().await;
        if slot.is_some() {
            return;
        }
        let instance = match self.place {
            Where::Here => {
                let ipaas_url = format!("http://{}", self.ipaas_way.address);
                wait_for("cluster-mgr to start", LONG, async || {
                    let config = quick_manager(ipaas_url.clone());
                    Instance::here(self.database_url.clone(), self.key.clone(), |foundation| {
                        cluster_mgr::start(foundation, config)
                    })
                    .await
                })
                .await
            }
            Where::Apart => self.process("cluster-mgr", 1),
        };
        self.doors[replica].lead_to(instance.address());
        *slot = Some(instance);
    }

    /// Starts the portal unless it runs.
    pub async fn start_portal(&self) {
        let mut slot = self.portal.lock().await;
        if slot.is_some() {
            return;
        }
        let instance = match self.place {
            Where::Here => {
                wait_for("the portal to start", LONG, async || {
                    let config = portal::Config {
                        cluster_mgr_url: self.manager_url(),
                        ipaas_url: format!("http://{}", self.ipaas_way.address),
                        service_timeout: PORTAL_PATIENCE,
                        ..portal::Config::default()
                    };
                    Instance::here(self.database_url.clone(), self.key.clone(), |foundation| {
                        portal::start(foundation, config)
                    })
                    .await
                })
                .await
            }
            Where::Apart => self.process("portal", 0),
        };
        self.portal_way.lead_to(instance.address());
        *slot = Some(instance);
    }

    /// Of the replica that the portal asks.
    fn manager_url(&self) -> String {
        format!("http://{}", self.doors[0].address)
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.managers.iter().chain([&self.ipaas, &self.portal])
    }

    fn process(&self, target: &'static str, offset: u16) -> Instance {
        let base_port = flows::system::free_ports();
        let mut environment = vec![
            ("LONGSHORE_BASE_PORT".to_owned(), base_port.to_string()),
            ("LONGSHORE_DATABASE_URL".to_owned(), self.database_url.clone()),
            ("LONGSHORE_CLUSTER_MGR_URL".to_owned(), self.manager_url()),
            (
                "LONGSHORE_PORTAL__SERVICE_TIMEOUT_SECONDS".to_owned(),
                PORTAL_PATIENCE.as_secs().to_string(),
            ),
            (
                "LONGSHORE_IPAAS_URL".to_owned(),
                format!("http://{}", self.ipaas_way.address),
            ),
            (
                "LONGSHORE_LOG".to_owned(),
                "info,cluster_mgr=debug,ipaas=debug".to_owned(),
            ),
        ];
        for (name, path) in [("DATA_DIR", ""), ("MASTER_KEY_FILE", "master.key")] {
            let path = self.folder.path().join(path);
            environment.push((format!("LONGSHORE_{name}"), path.display().to_string()));
        }
        let manager = serde_json::to_value(quick_manager(String::new())).unwrap();
        let ipaas = serde_json::to_value(quick_ipaas()).unwrap();
        for (section, settings) in [("CLUSTER_MGR", manager), ("IPAAS", ipaas)] {
            for (name, value) in settings.as_object().unwrap() {
                let name = format!("LONGSHORE_{section}__{}", name.to_uppercase());
                environment.push((name, value.to_string()));
            }
        }
        let mut process = Process::new(target, environment, self.folder.path());
        process.start();
        Instance::Apart {
            process,
            address: ([127, 0, 0, 1], base_port + offset).into(),
        }
    }

    /// One call through the first replica that takes it. An error when none answered.
    pub async fn call(
        &self,
        user: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Result<(StatusCode, Value), String> {
        let mut last = String::new();
        let first = self.turns.fetch_add(1, Ordering::Relaxed);
        let doors = if user == THROUGH_PORTAL {
            1
        } else {
            self.doors.len()
        };
        for turn in 0..doors {
            let (address, token) = match user {
                THROUGH_PORTAL => (self.portal_way.address, self.token.clone()),
                _ => {
                    let door = (first + turn) % doors;
                    (self.doors[door].address, self.token_of(user))
                }
            };
            match self
                .send(address, &token, method.clone(), path, headers, &body)
                .await
            {
                Ok(answered) => return Ok(answered),
                // A change that may have been taken is not sent to another replica without asking.
                Err(error) if method != Method::GET && !error.is_connect() => {
                    return Err(format!("{error:?}"));
                }
                Err(error) => last = format!("{error:?}"),
            }
        }
        Err(last)
    }

    /// One call to this replica.
    pub async fn call_at(
        &self,
        door: usize,
        user: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Result<(StatusCode, Value), String> {
        let address = self.doors[door].address;
        self.send(address, &self.token_of(user), method, path, headers, &body)
            .await
            .map_err(|error| format!("{error:?}"))
    }

    /// As the portal would call cluster-mgr in a user's name.
    fn token_of(&self, user: &str) -> String {
        let caller = Caller {
            subject: format!("id-of-{user}"),
            name: user.to_owned(),
            grants: vec![Grant {
                role: Role::PlatformAdmin,
                project: None,
                environment: None,
            }],
        };
        Issuer::new("portal", &self.key).issue("cluster-mgr", &caller)
    }

    async fn send(
        &self,
        address: SocketAddr,
        token: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let url = format!("http://{address}/api/v1{path}");
        let mut request = self.http.request(method.clone(), url).bearer_auth(token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let (status, reply) = answer(request).await?;
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            self.outrages.lock().push(format!("{method} {path}: {reply}"));
        }
        Ok((status, reply))
    }

    /// Repeats a call until it is taken or refused for good; tells how often it was sent.
    pub async fn settle(
        &self,
        user: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> (StatusCode, Value, u32) {
        let tries = std::sync::atomic::AtomicU32::new(0);
        let (status, reply) = wait_for(&format!("an answer to {method} {path}"), LONG, async || {
            tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let (status, reply) = self
                .call(user, method.clone(), path, headers, body.clone())
                .await?;
            if status.is_server_error() || reply["code"] == "request_in_flight" {
                return Err(format!("{status} {reply}"));
            }
            Ok((status, reply))
        })
        .await;
        (status, reply, tries.into_inner())
    }

    /// A call that must be taken in the end.
    pub async fn must(
        &self,
        user: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Value {
        let (status, reply, _) = self.settle(user, method.clone(), path, headers, body).await;
        assert!(status.is_success(), "{method} {path}: {status} {reply}");
        reply
    }

    /// Waits until the lease of the loops has a later epoch than this one.
    pub async fn epoch_after(&self, epoch: i64, longest: Duration) -> i64 {
        wait_for("a replica to lead", longest, async || {
            let row = lease::Entity::find_by_id("cluster-mgr".to_owned())
                .one(&self.database.connection)
                .await
                .map_err(|error| error.to_string())?;
            row.map(|row| row.epoch)
                .filter(|later| *later > epoch)
                .ok_or_else(|| "none does".to_owned())
        })
        .await
    }

    pub fn cluster(&self, name: &str) -> &ClusterHandle {
        self.sandbox.cluster(name).unwrap()
    }

    /// Everything runs and every way is open again. A process that was killed by nobody must run still.
    pub async fn heal(&self) {
        for slot in self.slots() {
            if let Some(Instance::Apart { process, .. }) = &mut *slot.lock().await {
                assert!(!process.has_ended(), "it ended by itself: {}", process.tail());
            }
        }
        let ways = self.clusters.iter().map(|cluster| &cluster.way);
        for way in ways
            .chain(&self.doors)
            .chain([&self.ipaas_way, &self.portal_way])
            .chain(&self.database_way)
        {
            way.set(Mode::Pass);
        }
        self.start_ipaas().await;
        for replica in 0..self.managers.len() {
            self.start_manager(replica).await;
        }
        self.start_portal().await;
    }

    pub async fn stop(&self) {
        for slot in self.slots() {
            if let Some(instance) = slot.lock().await.take() {
                instance.kill().await;
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for slot in self.slots() {
            if let Ok(slot) = slot.try_lock()
                && let Some(Instance::Apart { process, .. }) = &*slot
            {
                eprintln!("{}", process.tail());
            }
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> reqwest::Result<(StatusCode, Value)> {
    let response = request.send().await?;
    let status = response.status();
    let text = response.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

async fn client(handle: &ClusterHandle) -> kube::Client {
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&handle.kubeconfig()).unwrap();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default())
        .await
        .unwrap();
    kube::Client::try_from(config).unwrap()
}

async fn start_sandbox(folder: &tempfile::TempDir) -> Sandbox {
    let cluster = |name: &str| ClusterConfig {
        name: name.into(),
        region: name.into(),
        nodes: 2,
        ..ClusterConfig::default()
    };
    sandbox::start(SandboxConfig {
        clusters: vec![cluster("east"), cluster("west")],
        data_dir: folder.path().join("sandbox"),
        ..SandboxConfig::default()
    })
    .await
    .unwrap()
}

/// PostgreSQL stands behind a way of its own; SQLite is a file.
async fn way_to(url: &str) -> (String, Option<Proxy>) {
    let Some((_, rest)) = url.split_once('@') else {
        return (url.to_owned(), None);
    };
    let (server, _) = rest.split_once('/').unwrap();
    let way = Proxy::start(Some(server.parse().unwrap())).await;
    let through = url.replace(server, &way.address.to_string());
    (through, Some(way))
}

fn quick_ipaas() -> ipaas::Config {
    ipaas::Config {
        probe_period_ms: 200,
        probe_timeout_ms: 1_000,
        connect_timeout_ms: 1_000,
        request_timeout_ms: 3_000,
        reload_period_ms: 300,
        unused_config_age_ms: 2_000,
        ..ipaas::Config::default()
    }
}

fn quick_manager(ipaas_url: String) -> cluster_mgr::Config {
    cluster_mgr::Config {
        ipaas_url,
        probe_period_ms: 200,
        unreachable_after_ms: 1_000,
        ready_after_ms: 500,
        hold_down_longest_ms: 2_000,
        reconcile_period_ms: 200,
        full_pass_period_ms: 3_000,
        echo_ms: 1_000,
        drift_period_ms: 200,
        removal_repeat_ms: 1_000,
        look_period_ms: 200,
        settle_ms: 300,
        retry_first_ms: 100,
        retry_longest_ms: 1_000,
        ..cluster_mgr::Config::default()
    }
}
