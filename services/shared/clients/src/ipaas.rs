//! The client of ipaas.

use std::time::Duration;

use api_types::changes::ChangeLine;
use api_types::clusters::{ConnectionCheck, Kubeconfig};
use api_types::common::ClusterId;
use api_types::internal::{
    Applied, Connection, DesiredWorkload, MeasurementQuery, Measurements, PutConnection, RangeMeasurements,
    RangeQuery, WorkloadQuery, WorkloadSnapshot,
};
use futures::Stream;
use platform::lease::Fence;
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::endpoint::{ClientError, Endpoint};

/// Checking a kubeconfig dials a cluster that may be far away or not there.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);
/// Applying may wait for a slow API server; ipaas gives up before we do.
const APPLY_TIMEOUT: Duration = Duration::from_secs(60);
/// Measuring asks a Prometheus that may hang; ipaas gives up before we do.
const MEASURE_TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Clone)]
pub struct IpaasClient(Endpoint);

impl IpaasClient {
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }

    /// For calls of a loop: what they ask for is refused with `overtaken` once the lease changed hands.
    #[must_use]
    pub fn under(&self, fence: &Fence) -> Self {
        let (name, value) = fence.header();
        Self(self.0.clone().with_header(name, value))
    }

    /// Tries a kubeconfig without keeping it.
    pub async fn check_kubeconfig(&self, kubeconfig: &Kubeconfig) -> Result<ConnectionCheck, ClientError> {
        let path = "/internal/v1/connections/check";
        self.ask(Method::POST, path, CHECK_TIMEOUT, kubeconfig).await
    }

    /// Checks and keeps a connection; the same id again replaces its kubeconfig.
    pub async fn put_connection(
        &self,
        id: ClusterId,
        body: &PutConnection,
    ) -> Result<ConnectionCheck, ClientError> {
        let path = format!("/internal/v1/connections/{id}");
        self.ask(Method::PUT, &path, CHECK_TIMEOUT, body).await
    }

    /// Forgets a connection; one that isn't there is fine.
    pub async fn delete_connection(&self, id: ClusterId) -> Result<(), ClientError> {
        self.0.delete(&format!("/internal/v1/connections/{id}")).await
    }

    pub async fn list_connections(&self) -> Result<Vec<Connection>, ClientError> {
        self.0.get("/internal/v1/connections").await
    }

    /// Brings a service on a cluster to the desired state. Idempotent.
    pub async fn apply_workload(
        &self,
        cluster: ClusterId,
        desired: &DesiredWorkload,
    ) -> Result<Applied, ClientError> {
        let path = workload_path(cluster, &desired.project, &desired.environment, &desired.service);
        self.ask(Method::PUT, &path, APPLY_TIMEOUT, desired).await
    }

    /// Removes everything of a service from a cluster, with `volumes` its claims too; nothing there is fine.
    pub async fn delete_workload(
        &self,
        cluster: ClusterId,
        (project, environment, service): (&str, &str, &str),
        volumes: bool,
    ) -> Result<(), ClientError> {
        let path = workload_path(cluster, project, environment, service);
        let request = self.0.request(Method::DELETE, &path);
        self.0
            .send(request.query(&[("volumes", volumes)]).timeout(APPLY_TIMEOUT))
            .await
            .map(drop)
    }

    /// Deletes a claim that no pod mounts, and its data.
    pub async fn delete_claim(
        &self,
        cluster: ClusterId,
        (project, environment, service): (&str, &str, &str),
        claim: &str,
    ) -> Result<(), ClientError> {
        let path = format!(
            "{}/claims/{claim}",
            workload_path(cluster, project, environment, service)
        );
        self.0
            .send(self.0.request(Method::DELETE, &path).timeout(APPLY_TIMEOUT))
            .await
            .map(drop)
    }

    /// Every workload that is seen, at one cursor of the change stream.
    pub async fn list_workloads(&self) -> Result<WorkloadSnapshot, ClientError> {
        self.0.get("/internal/v1/workloads").await
    }

    /// These services, or everything on these clusters, at one cursor of the change stream.
    pub async fn query_workloads(&self, query: &WorkloadQuery) -> Result<WorkloadSnapshot, ClientError> {
        let request = self
            .0
            .request(Method::POST, "/internal/v1/workloads/query")
            .json(query);
        self.0.json(request).await
    }

    /// What a cluster's pods use, by its Prometheus.
    pub async fn measure(
        &self,
        cluster: ClusterId,
        query: &MeasurementQuery,
    ) -> Result<Measurements, ClientError> {
        let path = format!("/internal/v1/connections/{cluster}/measurements");
        self.ask(Method::POST, &path, MEASURE_TIMEOUT, query).await
    }

    /// What a service used on a cluster over a time, by the cluster's Prometheus.
    pub async fn measure_range(
        &self,
        cluster: ClusterId,
        query: &RangeQuery,
    ) -> Result<RangeMeasurements, ClientError> {
        let path = format!("/internal/v1/connections/{cluster}/measurements/range");
        self.ask(Method::POST, &path, MEASURE_TIMEOUT, query).await
    }

    /// What changes from `cursor` on.
    pub async fn follow_changes(
        &self,
        cursor: Option<&str>,
    ) -> Result<impl Stream<Item = Result<ChangeLine, ClientError>> + Send + use<>, ClientError> {
        crate::changes::follow(&self.0, "/internal/v1/changes", cursor).await
    }

    /// Sends a body, with a time of its own to be answered in.
    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        timeout: Duration,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let request = self.0.request(method, path).timeout(timeout).json(body);
        self.0.json(request).await
    }
}

fn workload_path(cluster: ClusterId, project: &str, environment: &str, service: &str) -> String {
    format!(
        "/internal/v1/connections/{cluster}/projects/{project}/environments/{environment}/services/{service}"
    )
}
