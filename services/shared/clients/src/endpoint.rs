//! One service as seen from another.

use std::time::Duration;

use api_types::common::ErrorBody;
use auth::Issuer;
use http::{HeaderName, StatusCode};
use platform::ApiError;
use platform::server::{REQUEST_ID, request_id};
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long a call may take when it doesn't say otherwise.
const TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{service} doesn't answer")]
    Unreachable {
        service: &'static str,
        #[source]
        source: reqwest::Error,
    },
    #[error("{service} refused: {} ({})", .body.message, .body.code)]
    Refused {
        service: &'static str,
        status: StatusCode,
        body: Box<ErrorBody>,
    },
    #[error("{service} answered with something that can't be read")]
    Unreadable {
        service: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ClientError {
    /// The stable code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { body, .. } => Some(&body.code),
            _ => None,
        }
    }

    /// Whether the call can't have been taken, since it never got there.
    #[must_use]
    pub fn never_arrived(&self) -> bool {
        matches!(self, Self::Unreachable { source, .. } if source.is_connect())
    }
}

impl From<ClientError> for ApiError {
    /// A refusal goes on as it is; a service that is away is 503.
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused { status, body, .. } if status != StatusCode::INTERNAL_SERVER_ERROR => {
                ApiError::new(status, body.code, body.message).with_details(body.details)
            }
            ClientError::Unreachable { service, .. } => ApiError::unavailable(
                "service_unavailable",
                format!("{service} doesn't answer; try again in a moment"),
            )
            .with_source(error),
            other => ApiError::internal(other),
        }
    }
}

/// Where a service answers, and how calls to it are signed.
#[derive(Clone)]
pub struct Endpoint {
    http: reqwest::Client,
    base_url: String,
    service: &'static str,
    issuer: Issuer,
    header: Option<(HeaderName, String)>,
}

impl Endpoint {
    #[must_use]
    pub fn new(http: reqwest::Client, base_url: &str, service: &'static str, issuer: Issuer) -> Self {
        Self {
            http,
            base_url: base_url.trim_end_matches('/').to_owned(),
            service,
            issuer,
            header: None,
        }
    }

    /// The same with a header that every call carries.
    #[must_use]
    pub fn with_header(self, name: HeaderName, value: String) -> Self {
        Self {
            header: Some((name, value)),
            ..self
        }
    }

    /// A signed call in the service's own name; `path` begins with `/`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base_url))
            .bearer_auth(self.issuer.issue_own(self.service))
            .timeout(TIMEOUT);
        if let Some((name, value)) = &self.header {
            request = request.header(name, value);
        }
        let id = request_id();
        if id.is_empty() {
            request
        } else {
            request.header(REQUEST_ID, id)
        }
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.json(self.request(Method::GET, path)).await
    }

    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.json(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.json(self.request(Method::POST, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.send(self.request(Method::DELETE, path)).await.map(drop)
    }

    /// Sends, and reads a JSON reply.
    pub async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = self.send(request).await?;
        let bytes = response
            .bytes()
            .await
            .map_err(|source| ClientError::Unreachable {
                service: self.service,
                source,
            })?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::Unreadable {
            service: self.service,
            source: source.into(),
        })
    }

    /// Sends; anything but success becomes an error.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let service = self.service;
        let response = request
            .send()
            .await
            .map_err(|source| ClientError::Unreachable { service, source })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = response
            .bytes()
            .await
            .map_err(|source| ClientError::Unreachable { service, source })?;
        match serde_json::from_slice(&bytes) {
            Ok(body) => Err(ClientError::Refused {
                service,
                status,
                body: Box::new(body),
            }),
            Err(source) => Err(ClientError::Unreadable {
                service,
                source: format!("status {status}: {source}").into(),
            }),
        }
    }

    pub(crate) fn service(&self) -> &'static str {
        self.service
    }
}
