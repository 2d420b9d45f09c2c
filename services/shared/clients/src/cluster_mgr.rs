//! The client of cluster-mgr, as the portal needs it.

use api_types::changes::ChangeLine;
use futures::Stream;
use reqwest::{Method, StatusCode};

use crate::endpoint::{ClientError, Endpoint};

#[derive(Clone)]
pub struct ClusterMgrClient(Endpoint);

impl ClusterMgrClient {
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }

    /// What changes from `cursor` on.
    pub async fn follow_changes(
        &self,
        cursor: Option<&str>,
    ) -> Result<impl Stream<Item = Result<ChangeLine, ClientError>> + Send + use<>, ClientError> {
        crate::changes::follow(&self.0, "/internal/v1/changes", cursor).await
    }

    /// Whether there is a project of this name, and in it an environment where one is named.
    pub async fn exists(&self, project: &str, environment: Option<&str>) -> Result<bool, ClientError> {
        let path = match environment {
            Some(environment) => format!("/api/v1/projects/{project}/environments/{environment}"),
            None => format!("/api/v1/projects/{project}"),
        };
        match self.0.send(self.0.request(Method::GET, &path)).await {
            Ok(_) => Ok(true),
            Err(ClientError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => Ok(false),
            Err(error) => Err(error),
        }
    }
}
