//! What goes outward: heartbeats, to the portal.

use std::time::Duration;

use api_types::clusters::Heartbeat;
use api_types::common::ErrorBody;
use http::StatusCode;
use http::header::USER_AGENT as USER_AGENT_HEADER;

use crate::{Token, USER_AGENT};

/// What takes longer is not heard.
const LONGEST_REPORT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("reading the token from {path}")]
    Token {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the portal was not reached")]
    NotReached(#[source] reqwest::Error),
    #[error("the portal refused it: {code}, {message}")]
    Refused {
        status: StatusCode,
        code: String,
        message: String,
    },
}

/// Where heartbeats go.
pub struct Report {
    http: reqwest::Client,
    url: String,
    token: Token,
}

impl Report {
    /// To the portal at `portal_url`, about `cluster`.
    #[must_use]
    pub fn new(http: reqwest::Client, portal_url: &str, cluster: &str, token: Token) -> Self {
        let portal_url = portal_url.trim_end_matches('/');
        Self {
            http,
            url: format!("{portal_url}/api/v1/clusters/{cluster}/heartbeat"),
            token,
        }
    }

    async fn token(&self) -> Result<String, ReportError> {
        match &self.token {
            Token::Text(text) => Ok(text.clone()),
            Token::File(path) => {
                let text = tokio::fs::read_to_string(path).await;
                let text = text.map_err(|source| ReportError::Token {
                    path: path.display().to_string(),
                    source,
                })?;
                Ok(text.trim().to_owned())
            }
        }
    }

    /// Tells.
    ///
    /// # Errors
    /// When it was not heard: the portal is away, or the token no longer good.
    pub async fn send(&self, heartbeat: &Heartbeat) -> Result<(), ReportError> {
        let response = self
            .http
            .post(&self.url)
            .header(USER_AGENT_HEADER, USER_AGENT)
            .bearer_auth(self.token().await?)
            .timeout(LONGEST_REPORT)
            .json(heartbeat)
            .send()
            .await
            .map_err(ReportError::NotReached)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let told = response.json::<ErrorBody>().await.ok();
        let (code, message) = match told {
            Some(body) => (body.code, body.message),
            None => (status.to_string(), "it said no more".to_owned()),
        };
        Err(ReportError::Refused {
            status,
            code,
            message,
        })
    }
}
