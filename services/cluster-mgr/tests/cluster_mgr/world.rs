//! One test's own stack: a database, a simulated ipaas, the service in a runtime of its own (so that it
//! can be killed at any moment), and somebody who calls.

use std::future::Future;
use std::time::Duration;

use api_types::access::{Grant, Role};
use api_types::operations::{Operation, OperationState};
use api_types::services::{Assignment, Service, ServiceAccepted, ServiceState};
use auth::{Caller, Issuer};
use cluster_mgr::Config;
use platform::Foundation;
use platform::crypto::MasterKey;
use reqwest::{Method, StatusCode};
use sea_orm::ConnectionTrait as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use test_support::{Backend, TestDatabase, wait_for};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::ipaas::{Ipaas, kubeconfig};

/// The longest that anything here takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(60);

/// A running service.
pub struct Instance {
    runtime: Option<Runtime>,
    shutdown: CancellationToken,
    pub url: String,
}

impl Instance {
    async fn start(database_url: String, key: MasterKey, config: Config) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let (sender, address) = tokio::sync::oneshot::channel();
        runtime.spawn(async move {
            let database = platform::database::connect(&database_url).await.unwrap();
            let foundation = Foundation::new(database, key, stop);
            let running = cluster_mgr::start(foundation, config).await.unwrap();
            sender.send(running.url()).unwrap();
            running.stopped().await;
        });
        Self {
            runtime: Some(runtime),
            shutdown,
            url: address.await.unwrap(),
        }
    }

    /// Ends it in the middle of whatever it does, as `kill -9` would.
    pub fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.shutdown.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub struct World {
    pub database: TestDatabase,
    pub ipaas: Ipaas,
    pub key: MasterKey,
    pub config: Config,
    pub service: Option<Instance>,
    http: reqwest::Client,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Runs a test on every database that this machine has.
pub async fn on_each<F: Future<Output = ()>>(test: impl Fn(World) -> F) {
    for backend in Backend::all() {
        let world = World::new(backend).await;
        test(world).await;
    }
}

/// Periods that don't make a test wait.
fn quick(ipaas_url: String) -> Config {
    Config {
        ipaas_url,
        probe_period_ms: 100,
        unreachable_after_ms: 600,
        ready_after_ms: 300,
        hold_down_longest_ms: 60_000,
        reconcile_period_ms: 200,
        full_pass_period_ms: 5_000,
        echo_ms: 500,
        drift_period_ms: 100,
        removal_repeat_ms: 500,
        look_period_ms: 100,
        settle_ms: 300,
        give_back_after_ms: 500,
        evacuate_after_ms: 1_000,
        retry_first_ms: 50,
        retry_longest_ms: 400,
        registration_timeout_ms: 1_500,
        autoscaling_period_ms: 100,
        // Never within a test that doesn't ask for it: see `World::metered`.
        metering_period_ms: 3_600_000,
        ..Config::default()
    }
}

/// Somebody with a role everywhere.
pub fn somebody(name: &str, role: Role) -> Caller {
    Caller {
        subject: format!("id-of-{name}"),
        name: name.to_owned(),
        grants: vec![Grant {
            role,
            project: None,
            environment: None,
        }],
    }
}

impl World {
    pub async fn new(backend: Backend) -> Self {
        let mut world = Self::on(TestDatabase::new(backend).await).await;
        world.start().await;
        world
    }

    /// Without a service yet.
    pub async fn on(database: TestDatabase) -> Self {
        let key = MasterKey::generate();
        let ipaas = Ipaas::new();
        let stop = CancellationToken::new();
        let running = ipaas.start(&key, stop.clone()).await;
        let config = quick(running.url());
        platform::foundation::install_tls_provider();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            database,
            ipaas,
            key,
            config,
            service: None,
            http,
            stop,
        }
    }

    pub async fn start(&mut self) {
        self.service = Some(self.another().await);
    }

    /// Counts usage all the time.
    pub async fn metered(&mut self) {
        self.config.metering_period_ms = 200;
        self.kill_and_start().await;
    }

    /// Counts once more and then no more.
    pub async fn metering_off(&mut self) {
        self.config.metering_period_ms = 3_600_000;
        self.kill_and_start().await;
        wait_for("the last turn of metering", LONG, async || {
            let tasks = self.tasks().await;
            let turns = tasks["metering"]["turns"].as_u64();
            if turns == Some(1) { Ok(()) } else { Err(tasks) }
        })
        .await;
    }

    /// What the loops did.
    pub async fn tasks(&self) -> Value {
        let request = self.request(&Caller::service("portal"), Method::GET, "/internal/v1/tasks");
        read(request.send().await.unwrap()).await.1
    }

    /// Another replica of the service on the same database.
    pub async fn another(&self) -> Instance {
        let url = self.database.url.clone();
        Instance::start(url, self.key.clone(), self.config.clone()).await
    }

    /// Ends the lease of whoever holds it.
    pub async fn end_lease(&self) {
        wait_for("the end of the lease", LONG, async || {
            self.database
                .connection
                .execute_unprepared("UPDATE leases SET expires_at = '2000-01-01 00:00:00+00:00'")
                .await
        })
        .await;
    }

    /// Kills the service and starts it again. The lease that the dead one held is ended, since waiting
    /// for it is another test's business.
    pub async fn kill_and_start(&mut self) {
        self.kill().await;
        self.start().await;
    }

    pub async fn kill(&mut self) {
        self.service.take().unwrap().kill();
        self.end_lease().await;
    }

    fn url(&self) -> &str {
        &self.service.as_ref().expect("the service runs").url
    }

    pub fn token(&self, caller: &Caller) -> String {
        Issuer::new("portal", &self.key).issue("cluster-mgr", caller)
    }

    pub fn request(&self, caller: &Caller, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.url()))
            .bearer_auth(self.token(caller))
            .timeout(Duration::from_secs(30))
    }

    /// Calls as the admin; the status and the reply.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> (StatusCode, Value) {
        let admin = somebody("ada", Role::PlatformAdmin);
        let mut request = self.request(&admin, method, &format!("/api/v1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        read(request.send().await.unwrap()).await
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let (status, body) = self.call(Method::GET, path, &[], Value::Null).await;
        assert!(status.is_success(), "GET {path}: {status} {body}");
        serde_json::from_value(body).unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, &[], body).await
    }

    /// A change that must be taken.
    pub async fn accepted(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> ServiceAccepted {
        let (status, reply) = self.call(method.clone(), path, headers, body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{method} {path}: {reply}");
        serde_json::from_value(reply).unwrap()
    }

    /// A call that must be refused; its body.
    pub async fn refused(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
        status: StatusCode,
        code: &str,
    ) -> Value {
        let (got, reply) = self.call(method.clone(), path, headers, body).await;
        assert_eq!(
            (got, reply["code"].as_str()),
            (status, Some(code)),
            "{method} {path}: {reply}"
        );
        assert!(reply["request_id"].as_str().is_some_and(|id| !id.is_empty()));
        reply
    }

    pub async fn register(&self, name: &str, region: &str) {
        self.ipaas.add(name);
        let body = json!({ "name": name, "region": region, "kubeconfig": kubeconfig(name) });
        let (status, reply) = self.post("/clusters", body).await;
        assert_eq!(status, StatusCode::CREATED, "{reply}");
        self.cluster_is(name, "ready").await;
    }

    pub async fn cluster_is(&self, name: &str, state: &str) {
        wait_for(&format!("cluster {name} to be {state}"), LONG, async || {
            let cluster: Value = self.get(&format!("/clusters/{name}")).await;
            let seen = cluster["state"] == state && (state != "ready" || !cluster["observed"].is_null());
            if seen { Ok(()) } else { Err(cluster) }
        })
        .await;
    }

    /// Two clusters, and an environment `shop/test` over both.
    pub async fn furnish(&self) {
        self.register("east", "east").await;
        self.register("west", "west").await;
        let (status, reply) = self.post("/projects", json!({ "name": "shop" })).await;
        assert_eq!(status, StatusCode::CREATED, "{reply}");
        let (status, reply) = self
            .post("/projects/shop/environments", json!({ "name": "test" }))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{reply}");
    }

    /// Creates `shop/test/{name}` and waits until it runs.
    pub async fn running(&self, name: &str, replicas: u32) -> Service {
        let accepted = self
            .accepted(Method::POST, SERVICES, &[], new_service(name, replicas))
            .await;
        self.succeeded(&accepted).await;
        self.service_is(name, ServiceState::Running).await
    }

    pub async fn service(&self, name: &str) -> Service {
        self.get(&format!("{SERVICES}/{name}")).await
    }

    pub async fn service_is(&self, name: &str, state: ServiceState) -> Service {
        wait_for(&format!("{name} to be {state:?}"), LONG, async || {
            let service = self.service(name).await;
            if service.status.state == state {
                Ok(service)
            } else {
                Err(service)
            }
        })
        .await
    }

    pub async fn assignments(&self, name: &str) -> Vec<Assignment> {
        let page: api_types::Page<Assignment> = self.get(&format!("{SERVICES}/{name}/assignments")).await;
        page.items
    }

    /// Replicas by cluster, as assigned.
    pub async fn spread(&self, name: &str) -> Vec<(String, u32)> {
        self.assignments(name)
            .await
            .into_iter()
            .map(|assignment| (assignment.cluster, assignment.replicas))
            .collect()
    }

    pub async fn operation(&self, accepted: &ServiceAccepted) -> Operation {
        let id = accepted.operation.expect("it has an operation");
        self.get(&format!("/operations/{id}")).await
    }

    pub async fn operation_is(&self, accepted: &ServiceAccepted, state: OperationState) -> Operation {
        let id = accepted.operation.expect("it has an operation");
        self.operation_reaches(&id.to_string(), state).await
    }

    pub async fn operation_reaches(&self, id: &str, state: OperationState) -> Operation {
        wait_for(&format!("the operation to be {state:?}"), LONG, async || {
            let operation: Operation = self.get(&format!("/operations/{id}")).await;
            if operation.state == state {
                Ok(operation)
            } else {
                Err(operation)
            }
        })
        .await
    }

    pub async fn succeeded(&self, accepted: &ServiceAccepted) -> Operation {
        self.operation_is(accepted, OperationState::Succeeded).await
    }

    /// Waits until a service is nowhere: not in the API, not on any cluster named.
    pub async fn gone(&self, name: &str, clusters: &[&str]) {
        wait_for(&format!("{name} to be gone"), LONG, async || {
            let path = format!("{SERVICES}/{name}");
            let (status, body) = self.call(Method::GET, &path, &[], Value::Null).await;
            if status == StatusCode::NOT_FOUND {
                Ok(())
            } else {
                Err(body)
            }
        })
        .await;
        for cluster in clusters {
            assert!(
                self.ipaas.workload(cluster, name).is_none(),
                "{name} is still on {cluster}"
            );
        }
    }

    /// Waits until a cluster runs so many replicas of a revision.
    pub async fn runs(&self, cluster: &str, name: &str, revision: i64, replicas: u32) {
        wait_for(&format!("{cluster} to run {name}"), LONG, async || {
            match self.ipaas.workload(cluster, name) {
                Some(workload) if workload.desired.revision == revision && workload.replicas == replicas => {
                    Ok(())
                }
                other => Err(other),
            }
        })
        .await;
    }
}

/// The services of `shop/test`.
pub const SERVICES: &str = "/projects/shop/environments/test/services";

pub fn new_service(name: &str, replicas: u32) -> Value {
    json!({ "name": name, "replicas": replicas, "spec": spec("registry.example.com/shop/web:1") })
}

pub fn spec(image: &str) -> Value {
    json!({
        "image": image,
        "resources": { "cpu_request": "500m", "cpu_limit": "1", "memory_request": "512Mi", "memory_limit": "1Gi" }
    })
}

pub async fn read(response: reqwest::Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, body)
}
