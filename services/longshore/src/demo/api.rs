//! The public API, as a program outside would call it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Services of a process that has just been started need a moment to find each other.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);
const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Api {
    pub fn new(http: reqwest::Client, portal_url: &str) -> Self {
        Self {
            http,
            base: format!("{portal_url}/api/v1"),
            token: None,
        }
    }

    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// What is at a path, if anything is.
    pub async fn find(&self, path: &str) -> anyhow::Result<Option<Value>> {
        match self.call(Method::GET, path, None).await? {
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, body) if status.is_success() => Ok(Some(body)),
            (status, body) => bail!(refused("reading", path, status, &body)),
        }
    }

    /// Makes something; what is there already is fine.
    pub async fn create(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        match self.call(Method::POST, path, Some(body)).await? {
            (StatusCode::CONFLICT, _) => Ok(()),
            (status, _) if status.is_success() => Ok(()),
            (status, body) => bail!(refused("making something under", path, status, &body)),
        }
    }

    /// Makes something, and gives what was answered.
    pub async fn make(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        match self.call(Method::POST, path, Some(body)).await? {
            (status, made) if status.is_success() => Ok(made),
            (status, body) => bail!(refused("making", path, status, &body)),
        }
    }

    pub async fn replace(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        match self.call(Method::PUT, path, Some(body)).await? {
            (status, _) if status.is_success() => Ok(()),
            (status, body) => bail!(refused("replacing", path, status, &body)),
        }
    }

    /// Changes what was read in this version.
    pub async fn change(&self, path: &str, version: i64, body: &Value) -> anyhow::Result<()> {
        match self.send(Method::PATCH, path, Some(version), Some(body)).await? {
            (status, _) if status.is_success() => Ok(()),
            (status, body) => bail!(refused("changing", path, status, &body)),
        }
    }

    pub async fn is_signed_in(&self) -> anyhow::Result<bool> {
        let (status, _) = self.call(Method::GET, "/session", None).await?;
        Ok(status.is_success())
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        self.send(method, path, None, body).await
    }

    /// One call; while the services say that they are not there yet, again.
    async fn send(
        &self,
        method: Method,
        path: &str,
        version: Option<i64>,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let begun = Instant::now();
        loop {
            let mut request = self
                .http
                .request(method.clone(), format!("{}{path}", self.base))
                .timeout(TIMEOUT);
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            if let Some(version) = version {
                request = request.header("if-match", version);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let response = request.send().await.with_context(|| format!("calling {path}"))?;
            let status = response.status();
            let text = response
                .text()
                .await
                .with_context(|| format!("reading the answer of {path}"))?;
            if status == StatusCode::SERVICE_UNAVAILABLE && begun.elapsed() < PATIENCE {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            return Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)));
        }
    }
}

fn refused(what: &str, path: &str, status: StatusCode, body: &Value) -> String {
    let message = body["message"].as_str().unwrap_or("no reason given");
    let code = body["code"].as_str().unwrap_or("-");
    format!("{what} {path} was refused: {message} ({code}, {status})")
}
