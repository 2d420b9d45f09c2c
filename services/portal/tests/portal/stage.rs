//! A portal on a database of its own, two simulated services, and callers.

use std::sync::Arc;
use std::time::Duration;

use api_types::access::Role;
use api_types::common::ErrorBody;
use chrono::TimeDelta;
use platform::Foundation;
use platform::server::Running;
use platform::time::Clock;
use portal::Config;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use test_support::{Backend, TestDatabase};
use tokio_util::sync::CancellationToken;

use crate::simulated::Simulated;

pub const PASSWORD: &str = "correct horse battery";

pub struct Stage {
    pub running: Running,
    pub foundation: Foundation,
    pub cluster_mgr: Simulated,
    pub ipaas: Simulated,
    pub http: reqwest::Client,
    config: Config,
    database: Arc<TestDatabase>,
}

/// Somebody who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    pub cookie: Option<String>,
    pub csrf: Option<String>,
    pub token: Option<String>,
}

impl Stage {
    pub async fn new(backend: Backend) -> Self {
        Self::with(backend, |config| config).await
    }

    pub async fn with(backend: Backend, change: impl FnOnce(Config) -> Config) -> Self {
        let database = TestDatabase::new(backend).await;
        let mut foundation = database.foundation();
        foundation.clock = Clock::fixed(platform::time::now());
        let cluster_mgr = Simulated::start("cluster-mgr", &foundation.master_key).await;
        let ipaas = Simulated::start("ipaas", &foundation.master_key).await;
        let config = change(Config {
            cluster_mgr_url: cluster_mgr.url(),
            ipaas_url: ipaas.url(),
            ..Config::default()
        });
        portal::setup::bootstrap_admin(&foundation, Some(PASSWORD.to_owned()))
            .await
            .unwrap();
        Self::start(foundation, config, cluster_mgr, ipaas, Arc::new(database)).await
    }

    async fn start(
        foundation: Foundation,
        config: Config,
        cluster_mgr: Simulated,
        ipaas: Simulated,
        database: Arc<TestDatabase>,
    ) -> Self {
        let running = portal::start(foundation.clone(), config.clone()).await.unwrap();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        Self {
            running,
            foundation,
            cluster_mgr,
            ipaas,
            http,
            config,
            database,
        }
    }

    /// Another portal on the same database and key, with a connection and a stop of its own.
    pub async fn replica(&self) -> Self {
        self.replica_at(&self.database.url).await
    }

    /// The same, reaching the database some other way.
    pub async fn replica_at(&self, url: &str) -> Self {
        let connection = platform::database::connect(url).await.unwrap();
        let mut foundation = Foundation::new(
            connection,
            self.foundation.master_key.clone(),
            CancellationToken::new(),
        );
        foundation.clock = self.foundation.clock.clone();
        Self::start(
            foundation,
            self.config.clone(),
            self.cluster_mgr.clone(),
            self.ipaas.clone(),
            Arc::clone(&self.database),
        )
        .await
    }

    pub fn database_url(&self) -> &str {
        &self.database.url
    }

    pub fn advance(&self, by: TimeDelta) {
        self.foundation.clock.advance(by);
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1{path}", self.running.url()))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).json(body)
    }

    pub async fn try_sign_in(&self, name: &str, password: &str) -> Response {
        let body = json!({ "username": name, "password": password });
        self.post("/session", &body).send().await.unwrap()
    }

    pub async fn sign_in(&self, name: &str) -> Caller {
        let response = self.try_sign_in(name, PASSWORD).await;
        assert_eq!(response.status(), 200, "{name} signs in");
        let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
        let body: Value = response.json().await.unwrap();
        Caller {
            cookie: Some(cookie.split(';').next().unwrap().to_owned()),
            csrf: Some(body["csrf_token"].as_str().unwrap().to_owned()),
            token: None,
        }
    }

    pub async fn admin(&self) -> Caller {
        self.sign_in("admin").await
    }

    /// A signed-in user with one role.
    pub async fn user(
        &self,
        name: &str,
        role: Role,
        project: Option<&str>,
        environment: Option<&str>,
    ) -> Caller {
        let admin = self.admin().await;
        let new = json!({ "name": name, "password": PASSWORD });
        let made = admin.with(self.post("/users", &new)).send().await.unwrap();
        assert_eq!(made.status(), 201);
        let grant = json!({ "role": role, "project": project, "environment": environment });
        let binding = json!({ "user": name, "grant": grant });
        let bound = admin.with(self.post("/bindings", &binding)).send().await.unwrap();
        assert_eq!(bound.status(), 201, "{:?}", bound.text().await);
        self.sign_in(name).await
    }

    /// A user without any role.
    pub async fn nobody(&self, name: &str) -> Caller {
        let admin = self.admin().await;
        let new = json!({ "name": name, "password": PASSWORD });
        let made = admin.with(self.post("/users", &new)).send().await.unwrap();
        assert_eq!(made.status(), 201);
        self.sign_in(name).await
    }

    /// The audit, newest first, as the administrator sees it.
    pub async fn audit(&self, query: &str) -> Vec<Value> {
        self.audit_as(&self.admin().await, query).await
    }

    pub async fn audit_as(&self, caller: &Caller, query: &str) -> Vec<Value> {
        let page: Value = caller
            .with(self.get(&format!("/audit?{query}")))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        page["items"].as_array().expect("a page").clone()
    }
}

impl Caller {
    pub fn with(&self, mut request: RequestBuilder) -> RequestBuilder {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-csrf-token", csrf);
        }
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request
    }

    pub fn without_csrf(&self) -> Self {
        Self {
            csrf: None,
            ..self.clone()
        }
    }

    pub fn token(secret: &str) -> Self {
        Self {
            cookie: None,
            csrf: None,
            token: Some(secret.to_owned()),
        }
    }
}

/// What a caller reads, which must be allowed.
pub async fn read(stage: &Stage, caller: &Caller, path: &str) -> Value {
    let response = caller.with(stage.get(path)).send().await.unwrap();
    let status = response.status();
    let body: Value = response.json().await.unwrap();
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// The refusal in an answer.
pub async fn refusal(response: Response) -> (u16, ErrorBody) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{status} {text}: {error}"));
    (status, body)
}
