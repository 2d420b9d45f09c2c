//! A client of the public API, as a machine with an API token uses it.

use std::time::Duration;

use api_types::ErrorBody;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    pub base: String,
    pub token: String,
}

/// An answer, whatever it is.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    pub text: String,
}

impl Api {
    #[must_use]
    pub fn new(base: &str, token: &str) -> Self {
        platform::foundation::install_tls_provider();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .no_proxy()
            .build()
            .unwrap();
        Self {
            http,
            base: base.to_owned(),
            token: token.to_owned(),
        }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1{path}", self.base))
            .bearer_auth(&self.token)
    }

    /// Sends and reads; a connection that fails is an error, a refusal is an answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status, body, text })
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        self.send(self.request(Method::GET, path))
            .await
            .unwrap()
            .into(path)
    }

    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> T {
        self.try_post(path, body).await.into(path)
    }

    pub async fn try_post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body))
            .await
            .unwrap()
    }

    pub async fn patch<T: DeserializeOwned>(&self, path: &str, version: i64, body: &Value) -> T {
        let request = self
            .request(Method::PATCH, path)
            .header("if-match", format!("\"{version}\""))
            .json(body);
        self.send(request).await.unwrap().into(path)
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await.unwrap()
    }
}

impl Answer {
    /// The body of a success.
    pub fn into<T: DeserializeOwned>(self, what: &str) -> T {
        assert!(self.status.is_success(), "{what}: {} {}", self.status, self.text);
        serde_json::from_value(self.body).unwrap_or_else(|error| panic!("{what}: {error}: {}", self.text))
    }

    /// The refusal; its code and message are never empty.
    #[must_use]
    pub fn refusal(self) -> ErrorBody {
        assert!(
            !self.status.is_success(),
            "expected a refusal, got {} {}",
            self.status,
            self.text
        );
        let body: ErrorBody = serde_json::from_value(self.body)
            .unwrap_or_else(|error| panic!("not an error envelope ({error}): {} {}", self.status, self.text));
        assert!(
            !body.code.is_empty() && !body.message.is_empty() && !body.request_id.is_empty(),
            "{body:?}"
        );
        body
    }
}
