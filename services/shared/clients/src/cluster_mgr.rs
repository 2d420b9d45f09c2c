//! The client of cluster-mgr, as the portal needs it.

use api_types::changes::ChangeLine;
use futures::Stream;

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
}
