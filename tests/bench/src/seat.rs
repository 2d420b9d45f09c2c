//! Where the services of one measurement live: a folder, a range of ports, a database.

use std::path::PathBuf;
use std::time::Duration;

use api_types::access::{Grant, Role};
use auth::{Caller, Issuer};
use clients::Endpoint;
use platform::config::{Port, Settings};
use platform::crypto::MasterKey;
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::process::{Program, free_ports};

const TIMEOUT: Duration = Duration::from_secs(60);

pub struct Seat {
    directory: tempfile::TempDir,
    base_port: u16,
    database_url: Option<String>,
}

impl Seat {
    /// Without a database they have an embedded one in the folder.
    pub fn new(database_url: Option<String>) -> anyhow::Result<Self> {
        platform::foundation::install_tls_provider();
        Ok(Self {
            directory: tempfile::tempdir()?,
            base_port: free_ports(20)?,
            database_url,
        })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A service as a process of its own.
    pub fn start(&self, service: &str) -> anyhow::Result<Program> {
        self.master_key()?;
        let data = self.directory.path().display().to_string();
        let port = self.base_port.to_string();
        let mut arguments = vec![service, "--data-dir", &data, "--port", &port];
        if let Some(url) = &self.database_url {
            arguments.extend(["--database-url", url]);
        }
        Program::start(&arguments, &self.path(&format!("{service}.log")))
    }

    /// A service as another one calls it.
    pub fn endpoint(
        &self,
        port: Port,
        service: &'static str,
        caller: &'static str,
    ) -> anyhow::Result<Endpoint> {
        let issuer = Issuer::new(caller, &self.master_key()?);
        Ok(Endpoint::new(
            platform::foundation::http_client(),
            &self.url(port)?,
            service,
            issuer,
        ))
    }

    /// A service as people reach it, past the portal.
    pub fn people(&self, port: Port, service: &'static str) -> anyhow::Result<People> {
        Ok(People {
            http: platform::foundation::http_client(),
            url: self.url(port)?,
            service,
            issuer: Issuer::new("portal", &self.master_key()?),
        })
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        Settings::load(
            None,
            &json!({ "data_dir": self.directory.path(), "base_port": self.base_port }),
        )
    }

    fn master_key(&self) -> anyhow::Result<MasterKey> {
        Ok(self.settings()?.master_key()?)
    }

    fn url(&self, port: Port) -> anyhow::Result<String> {
        Ok(format!("http://{}", self.settings()?.address(port)))
    }
}

/// An administrator, as the portal lets one through.
#[derive(Clone)]
pub struct People {
    http: reqwest::Client,
    url: String,
    service: &'static str,
    issuer: Issuer,
}

impl People {
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Changes what was read in this version.
    pub async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        version: i64,
        body: &Value,
    ) -> anyhow::Result<T> {
        let request = self.request(Method::PATCH, path).header("if-match", version);
        self.send(request.json(body)).await
    }

    /// Sets what was read in this version; 0 for what isn't there yet.
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        version: i64,
        body: &Value,
    ) -> anyhow::Result<T> {
        let request = self.request(Method::PUT, path).header("if-match", version);
        self.send(request.json(body)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let caller = Caller {
            subject: "bench".into(),
            name: "bench".into(),
            grants: vec![Grant {
                role: Role::PlatformAdmin,
                project: None,
                environment: None,
            }],
        };
        self.http
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(self.issuer.issue(self.service, &caller))
            .timeout(TIMEOUT)
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> anyhow::Result<T> {
        let response = request.send().await?;
        let (status, url) = (response.status(), response.url().clone());
        let bytes = response.bytes().await?;
        anyhow::ensure!(
            status.is_success(),
            "{url}: {status} {}",
            String::from_utf8_lossy(&bytes)
        );
        Ok(serde_json::from_slice(&bytes)?)
    }
}
