//! The platform: a process per service on one database, and an administrator's API token.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use api_types::operations::{Operation, OperationState};
use api_types::services::Service;
use rand::RngExt as _;
use serde_json::{Value, json};
use test_support::{Backend, TestDatabase, wait_for};

use crate::api::Api;
use crate::clusters::TestClusters;
use crate::process::Process;

/// Longer than anything here takes on a busy machine; nothing waits this long when all is well.
pub const LONG: Duration = Duration::from_secs(120);
const PORTS: u16 = 9;

/// The services in the order of their ports.
pub const SERVICES: [&str; 3] = ["ipaas", "cluster-mgr", "portal"];

pub struct System {
    pub api: Api,
    pub project: String,
    portal: SocketAddr,
    processes: BTreeMap<&'static str, Process>,
    _database: TestDatabase,
    directory: tempfile::TempDir,
}

impl System {
    /// Starts everything and registers the clusters.
    pub async fn start(backend: Backend, clusters: &TestClusters) -> Self {
        let database = TestDatabase::new(backend).await;
        let directory = tempfile::tempdir().unwrap();
        let base_port = free_ports();
        let environment = environment(&database.url, base_port, directory.path());
        let mut processes = BTreeMap::new();
        for service in SERVICES {
            let mut process = Process::new(service, environment.clone(), directory.path());
            process.start();
            processes.insert(service, process);
        }
        let base = format!("http://127.0.0.1:{base_port}");
        let token = sign_in(&base, directory.path()).await;
        let suffix: u32 = rand::rng().random_range(0x1000..0xffff);
        let system = Self {
            api: Api::new(&base, &token),
            project: format!("flow-{suffix:x}"),
            portal: SocketAddr::from((Ipv4Addr::LOCALHOST, base_port)),
            processes,
            _database: database,
            directory,
        };
        system.register(clusters).await;
        system
    }

    async fn register(&self, clusters: &TestClusters) {
        for cluster in &clusters.all {
            let body =
                json!({ "name": cluster.name, "region": cluster.region, "kubeconfig": cluster.kubeconfig });
            let _: Value = self.api.post("/clusters", &body).await;
        }
        wait_for("both clusters to be Ready", LONG, async || {
            let page: Value = self.api.get("/clusters").await;
            let ready = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|cluster| cluster["state"] == "ready")
                .count();
            if ready == clusters.all.len() {
                Ok(())
            } else {
                Err(page.to_string())
            }
        })
        .await;
        let _: Value = self.api.post("/projects", &json!({ "name": self.project })).await;
        let path = format!("/projects/{}/environments", self.project);
        let _: Value = self.api.post(&path, &json!({ "name": "test" })).await;
    }

    /// Where the portal listens, which the heartbeats of agents go to.
    #[must_use]
    pub fn portal(&self) -> SocketAddr {
        self.portal
    }

    /// `/projects/…/services`.
    #[must_use]
    pub fn services(&self) -> String {
        format!("/projects/{}/environments/test/services", self.project)
    }

    /// `/projects/…/services/{name}`.
    #[must_use]
    pub fn service(&self, name: &str) -> String {
        format!("{}/{name}", self.services())
    }

    /// The namespace of the test's environment.
    #[must_use]
    pub fn namespace(&self) -> String {
        format!("{}-test", self.project)
    }

    /// Waits until an operation ended, and gives it back whatever its end.
    pub async fn finished(&self, id: &str) -> Operation {
        wait_for(&format!("operation {id} to end"), LONG, async || {
            let path = format!("/operations/{id}");
            let answer = self
                .api
                .send(self.api.request(reqwest::Method::GET, &path))
                .await
                .map_err(|e| e.to_string())?;
            if !answer.status.is_success() {
                return Err(answer.text);
            }
            let operation: Operation = answer.into(&path);
            match operation.state {
                OperationState::Running | OperationState::Waiting => Err(format!("{operation:?}")),
                _ => Ok(operation),
            }
        })
        .await
    }

    /// Waits until a service is as `condition` wants it.
    pub async fn service_when(
        &self,
        name: &str,
        what: &str,
        condition: impl Fn(&Service) -> bool,
    ) -> Service {
        wait_for(&format!("{name}: {what}"), LONG, async || {
            let path = self.service(name);
            let answer = self
                .api
                .send(self.api.request(reqwest::Method::GET, &path))
                .await
                .map_err(|e| e.to_string())?;
            if !answer.status.is_success() {
                return Err(answer.text);
            }
            let service: Service = answer.into(&path);
            if condition(&service) {
                Ok(service)
            } else {
                Err(format!("{service:?}"))
            }
        })
        .await
    }

    /// `kill -9` of one service.
    pub async fn kill(&mut self, service: &'static str) {
        self.processes.get_mut(service).unwrap().kill().await;
    }

    /// Starts a killed service again.
    pub fn restart(&mut self, service: &'static str) {
        self.processes.get_mut(service).unwrap().start();
    }

    /// Waits until the portal and what stands behind it answer.
    pub async fn answers(&self) {
        wait_for("the platform to answer", LONG, async || {
            let clusters = self
                .api
                .send(self.api.request(reqwest::Method::GET, "/clusters"))
                .await;
            let pods = self
                .api
                .send(self.api.request(reqwest::Method::GET, "/pods?limit=1"))
                .await;
            match (clusters, pods) {
                (Ok(clusters), Ok(pods)) if clusters.status.is_success() && pods.status.is_success() => {
                    Ok(())
                }
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("output of the services (in {}):", self.directory.path().display());
            for process in self.processes.values() {
                eprintln!("{}", process.tail());
            }
        }
    }
}

fn environment(database_url: &str, base_port: u16, directory: &Path) -> Vec<(String, String)> {
    use std::os::unix::fs::PermissionsExt as _;
    let key = directory.join("master.key");
    if !key.exists() {
        platform::crypto::MasterKey::read_or_generate(&key).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    [
        ("LONGSHORE_BASE_PORT", base_port.to_string()),
        ("LONGSHORE_DATA_DIR", directory.display().to_string()),
        ("LONGSHORE_DATABASE_URL", database_url.to_owned()),
        ("LONGSHORE_MASTER_KEY_FILE", key.display().to_string()),
        ("LONGSHORE_LOG", "info,cluster_mgr=debug,ipaas=debug".to_owned()),
        ("LONGSHORE_CLUSTER_MGR__UNREACHABLE_AFTER_MS", "4000".to_owned()),
        ("LONGSHORE_CLUSTER_MGR__READY_AFTER_MS", "2000".to_owned()),
        ("LONGSHORE_CLUSTER_MGR__GIVE_BACK_AFTER_MS", "10000".to_owned()),
        ("LONGSHORE_IPAAS__PROBE_PERIOD_MS", "1000".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// Signs in and makes an API token, as a person would for a machine.
async fn sign_in(base: &str, directory: &Path) -> String {
    let http = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();
    let password = wait_for("the portal to make the first user", LONG, async || {
        std::fs::read_to_string(directory.join("admin-password"))
    })
    .await;
    let credentials = json!({ "username": "admin", "password": password.trim() });
    let (cookie, session) = wait_for("the portal to sign the administrator in", LONG, async || {
        let response = http
            .post(format!("{base}/api/v1/session"))
            .json(&credentials)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(format!("{}", response.status()));
        }
        let cookie = response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .split(';')
            .next()
            .unwrap()
            .to_owned();
        let session: Value = response.json().await.map_err(|error| error.to_string())?;
        Ok((cookie, session))
    })
    .await;
    let created: Value = http
        .post(format!("{base}/api/v1/api-tokens"))
        .header("cookie", cookie)
        .header("x-csrf-token", session["csrf_token"].as_str().unwrap())
        .json(&json!({ "name": "flow" }))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    created["secret"]
        .as_str()
        .unwrap_or_else(|| panic!("no token: {created}"))
        .to_owned()
}

/// A base port with a free range after it.
#[must_use]
pub fn free_ports() -> u16 {
    for _ in 0..200 {
        let base: u16 = rand::rng().random_range(20_000..30_000);
        let all: Vec<_> = (0..PORTS)
            .map_while(|offset| TcpListener::bind(("127.0.0.1", base + offset)).ok())
            .collect();
        if all.len() == usize::from(PORTS) {
            return base;
        }
    }
    panic!("no free range of {PORTS} ports");
}
