//! The client of the portal's public API, as people and machines outside use it.
//!
//! Every POST carries an idempotency key, so that each call may be repeated while the platform says that it is not
//! there for a moment (503).

use std::time::Duration;

use api_types::access::{ApiToken, ApiTokenCreated, Credentials, NewApiToken, Session};
use api_types::autoscaling::{
    Autoscaling, AutoscalingDecision, AutoscalingPolicy, AutoscalingPreview, DecisionFilter,
};
use api_types::clusters::{
    Cluster, ClusterAgentInstallation, ClusterPatch, ClusterStateChange, NewClusterAgent, Node,
};
use api_types::common::{ListQuery, OperationId, Page, TokenId};
use api_types::evacuations::{EvacuationPlan, NewEvacuation, PlanOptions};
use api_types::failbacks::{FailbackPlan, NewFailback};
use api_types::fencing::NewAcceptedRisk;
use api_types::logs::{ServiceLog, ServiceLogFrame, ServiceLogQuery};
use api_types::operations::{Operation, OperationAccepted, OperationFilter};
use api_types::placement::{NewPreview, PlacementPreview};
use api_types::pods::{Event, Pod};
use api_types::projects::Project;
use api_types::services::{
    Assignment, NewRelease, NewRevision, NewRevisionPreview, NewService, Revision, RevisionDiff,
    RevisionSummary, Service, ServiceAccepted, ServiceDeletion, ServiceFilter, ServicePatch,
};
use api_types::storage::{VolumeClaim, VolumeDeletion, VolumeFilter};
use futures::Stream;
use http::StatusCode;
use http::header::{COOKIE, IF_MATCH, SET_COOKIE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::endpoint::ClientError;

const SERVICE: &str = "the portal";
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often a call is made that is answered with 503, and the pause before each further one.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);
/// What a part of a path may hold as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Where a service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAt {
    pub project: String,
    pub environment: String,
    pub service: String,
}

impl std::fmt::Display for ServiceAt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}/{}/{}",
            self.project, self.environment, self.service
        )
    }
}

impl ServiceAt {
    fn path(&self) -> String {
        let list = services_path(&self.project, &self.environment);
        format!("{list}/{}", encoded(&self.service))
    }

    fn autoscaling_path(&self) -> String {
        format!("{}/autoscaling", self.path())
    }
}

fn evacuation_path(cluster: &str) -> String {
    format!("/clusters/{}/evacuation", encoded(cluster))
}

fn failback_path(cluster: &str) -> String {
    format!("/clusters/{}/failback", encoded(cluster))
}

fn services_path(project: &str, environment: &str) -> String {
    let (project, environment) = (encoded(project), encoded(environment));
    format!("/projects/{project}/environments/{environment}/services")
}

fn volumes(project: &str, environment: &str) -> String {
    format!(
        "/projects/{}/environments/{}/volumes",
        encoded(project),
        encoded(environment)
    )
}

fn encoded(part: &str) -> String {
    utf8_percent_encode(part, PLAIN).to_string()
}

/// Signs each call with an API token.
#[derive(Clone)]
pub struct PortalClient {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl PortalClient {
    #[must_use]
    pub fn new(http: reqwest::Client, url: &str, token: &str) -> Self {
        Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
            token: token.to_owned(),
        }
    }

    /// Signs in, makes an API token, and signs out again: what is left is the token.
    pub async fn sign_in(
        http: reqwest::Client,
        url: &str,
        credentials: &Credentials,
        new: &NewApiToken,
    ) -> Result<ApiTokenCreated, ClientError> {
        let base = format!("{}/api/v1", url.trim_end_matches('/'));
        let request =
            |method: Method, path: &str| http.request(method, format!("{base}{path}")).timeout(TIMEOUT);
        let response = checked(request(Method::POST, "/session").json(credentials)).await?;
        let cookie = response
            .headers()
            .get(SET_COOKIE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .ok_or_else(|| unreadable("there is no session in its answer"))?
            .to_owned();
        let session: Session = body(response).await?;
        let csrf = session.csrf_token.unwrap_or_default();
        let signed = |request: RequestBuilder| request.header(COOKIE, &cookie).header("x-csrf-token", &csrf);
        let created = checked(signed(request(Method::POST, "/api-tokens")).json(new)).await;
        let out = checked(signed(request(Method::DELETE, "/session"))).await;
        let created = body(created?).await?;
        out?;
        Ok(created)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1{path}", self.url))
            .bearer_auth(&self.token)
            .timeout(TIMEOUT)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.read(self.request(Method::GET, path)).await
    }

    async fn list<T: DeserializeOwned>(&self, path: &str, list: &ListQuery) -> Result<Page<T>, ClientError> {
        self.read(self.request(Method::GET, path).query(list)).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, new: &impl Serialize) -> Result<T, ClientError> {
        let request = self.request(Method::POST, path).json(new);
        self.read(request.header("idempotency-key", Uuid::now_v7().to_string()))
            .await
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        body(self.send(request).await?).await
    }

    /// Sends, and again while the platform says that it isn't there for a moment.
    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let mut attempt = 1;
        loop {
            let this = request
                .try_clone()
                .expect("a body of JSON can be sent more than once");
            match checked(this).await {
                Err(ClientError::Refused {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    ..
                }) if attempt < ATTEMPTS => {
                    tokio::time::sleep(PAUSE * attempt).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    pub async fn get_session(&self) -> Result<Session, ClientError> {
        self.get("/session").await
    }

    pub async fn list_api_tokens(&self, list: &ListQuery) -> Result<Page<ApiToken>, ClientError> {
        self.list("/api-tokens", list).await
    }

    pub async fn delete_api_token(&self, id: TokenId) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, &format!("/api-tokens/{id}"));
        self.send(request).await.map(drop)
    }

    pub async fn list_clusters(&self, list: &ListQuery) -> Result<Page<Cluster>, ClientError> {
        self.list("/clusters", list).await
    }

    pub async fn get_cluster(&self, name: &str) -> Result<Cluster, ClientError> {
        self.get(&format!("/clusters/{}", encoded(name))).await
    }

    /// What became of a cluster, newest first.
    pub async fn list_cluster_history(
        &self,
        cluster: &str,
        list: &ListQuery,
    ) -> Result<Page<ClusterStateChange>, ClientError> {
        self.list(&format!("/clusters/{}/history", encoded(cluster)), list)
            .await
    }

    /// Issues a token for a cluster's agent, and gives what to apply there.
    pub async fn install_cluster_agent(
        &self,
        cluster: &str,
        new: &NewClusterAgent,
    ) -> Result<ClusterAgentInstallation, ClientError> {
        self.post(&format!("/clusters/{}/agent", encoded(cluster)), new)
            .await
    }

    pub async fn list_nodes(&self, cluster: &str, list: &ListQuery) -> Result<Page<Node>, ClientError> {
        self.list(&format!("/clusters/{}/nodes", encoded(cluster)), list)
            .await
    }

    /// `version` is what was read; when somebody changed the cluster since, it is refused.
    pub async fn update_cluster(
        &self,
        name: &str,
        version: i64,
        patch: &ClusterPatch,
    ) -> Result<Cluster, ClientError> {
        let request = self.request(Method::PATCH, &format!("/clusters/{}", encoded(name)));
        self.read(request.header(IF_MATCH, format!("\"{version}\"")).json(patch))
            .await
    }

    pub async fn plan_evacuation(
        &self,
        cluster: &str,
        options: PlanOptions,
    ) -> Result<EvacuationPlan, ClientError> {
        let request = self.request(Method::GET, &evacuation_path(cluster));
        self.read(request.query(&options)).await
    }

    pub async fn evacuate_cluster(
        &self,
        cluster: &str,
        new: &NewEvacuation,
    ) -> Result<OperationAccepted, ClientError> {
        self.post(&evacuation_path(cluster), new).await
    }

    pub async fn end_evacuation(&self, cluster: &str) -> Result<Cluster, ClientError> {
        self.read(self.request(Method::DELETE, &evacuation_path(cluster)))
            .await
    }

    pub async fn plan_failback(&self, cluster: &str) -> Result<FailbackPlan, ClientError> {
        self.get(&failback_path(cluster)).await
    }

    pub async fn fail_back_cluster(
        &self,
        cluster: &str,
        new: &NewFailback,
    ) -> Result<OperationAccepted, ClientError> {
        self.post(&failback_path(cluster), new).await
    }

    pub async fn stop_failback(&self, cluster: &str) -> Result<Cluster, ClientError> {
        self.read(self.request(Method::DELETE, &failback_path(cluster)))
            .await
    }

    pub async fn get_autoscaling(&self, at: &ServiceAt) -> Result<Autoscaling, ClientError> {
        self.get(&at.autoscaling_path()).await
    }

    /// `version` is what was read, 0 where there is no policy; when somebody changed it since, it is refused.
    pub async fn put_autoscaling(
        &self,
        at: &ServiceAt,
        version: i64,
        policy: &AutoscalingPolicy,
    ) -> Result<Autoscaling, ClientError> {
        let request = self.request(Method::PUT, &at.autoscaling_path());
        self.read(request.header(IF_MATCH, format!("\"{version}\"")).json(policy))
            .await
    }

    pub async fn delete_autoscaling(&self, at: &ServiceAt) -> Result<(), ClientError> {
        let request = self.request(Method::DELETE, &at.autoscaling_path());
        self.send(request).await.map(drop)
    }

    /// What a policy would have done with the load of the last hour. Takes as long as the clusters' Prometheus do.
    pub async fn preview_autoscaling(
        &self,
        at: &ServiceAt,
        policy: &AutoscalingPolicy,
    ) -> Result<AutoscalingPreview, ClientError> {
        let request = self.request(Method::POST, &format!("{}/preview", at.autoscaling_path()));
        self.read(request.json(policy)).await
    }

    pub async fn list_autoscaling_decisions(
        &self,
        at: &ServiceAt,
        filter: &DecisionFilter,
        list: &ListQuery,
    ) -> Result<Page<AutoscalingDecision>, ClientError> {
        let request = self.request(Method::GET, &format!("{}/decisions", at.autoscaling_path()));
        self.read(request.query(filter).query(list)).await
    }

    pub async fn list_projects(&self, list: &ListQuery) -> Result<Page<Project>, ClientError> {
        self.list("/projects", list).await
    }

    pub async fn list_operations(
        &self,
        filter: &OperationFilter,
        list: &ListQuery,
    ) -> Result<Page<Operation>, ClientError> {
        let request = self.request(Method::GET, "/operations");
        self.read(request.query(filter).query(list)).await
    }

    pub async fn get_operation(&self, id: OperationId) -> Result<Operation, ClientError> {
        self.get(&format!("/operations/{id}")).await
    }

    pub async fn list_services(
        &self,
        filter: &ServiceFilter,
        list: &ListQuery,
    ) -> Result<Page<Service>, ClientError> {
        let request = self.request(Method::GET, "/services");
        self.read(request.query(filter).query(list)).await
    }

    pub async fn get_service(&self, at: &ServiceAt) -> Result<Service, ClientError> {
        self.get(&at.path()).await
    }

    pub async fn create_service(
        &self,
        at: &ServiceAt,
        new: &NewService,
    ) -> Result<ServiceAccepted, ClientError> {
        self.post(&services_path(&at.project, &at.environment), new).await
    }

    pub async fn preview_placement(
        &self,
        at: &ServiceAt,
        new: &NewPreview,
    ) -> Result<PlacementPreview, ClientError> {
        let path = services_path(&at.project, &at.environment);
        self.post(&format!("{path}/preview"), new).await
    }

    /// `version` is what was read; when somebody changed the service since, it is refused.
    pub async fn update_service(
        &self,
        at: &ServiceAt,
        version: i64,
        patch: &ServicePatch,
    ) -> Result<ServiceAccepted, ClientError> {
        let request = self.request(Method::PATCH, &at.path());
        self.read(request.header(IF_MATCH, format!("\"{version}\"")).json(patch))
            .await
    }

    pub async fn delete_service(
        &self,
        at: &ServiceAt,
        deletion: ServiceDeletion,
    ) -> Result<ServiceAccepted, ClientError> {
        let request = self.request(Method::DELETE, &at.path());
        self.read(request.query(&deletion)).await
    }

    /// The claims that clusters have for the volumes of an environment's services.
    pub async fn list_volumes(
        &self,
        (project, environment): (&str, &str),
        filter: &VolumeFilter,
        list: &ListQuery,
    ) -> Result<Page<VolumeClaim>, ClientError> {
        let request = self.request(Method::GET, &volumes(project, environment));
        self.read(request.query(filter).query(list)).await
    }

    /// Deletes a claim and what is stored in it.
    pub async fn delete_volume(
        &self,
        (project, environment): (&str, &str),
        cluster: &str,
        claim: &str,
    ) -> Result<(), ClientError> {
        let path = format!(
            "{}/{}/{}",
            volumes(project, environment),
            encoded(cluster),
            encoded(claim)
        );
        let deletion = VolumeDeletion {
            confirm: claim.to_owned(),
        };
        let request = self.request(Method::DELETE, &path);
        self.send(request.query(&deletion)).await.map(drop)
    }

    pub async fn restart_service(&self, at: &ServiceAt) -> Result<ServiceAccepted, ClientError> {
        let request = self.request(Method::POST, &format!("{}/restart", at.path()));
        self.read(request.header("idempotency-key", Uuid::now_v7().to_string()))
            .await
    }

    pub async fn accept_risk(
        &self,
        at: &ServiceAt,
        new: &NewAcceptedRisk,
    ) -> Result<ServiceAccepted, ClientError> {
        self.post(&format!("{}/accepted-risks", at.path()), new).await
    }

    pub async fn create_release(
        &self,
        at: &ServiceAt,
        new: &NewRelease,
    ) -> Result<ServiceAccepted, ClientError> {
        self.post(&format!("{}/releases", at.path()), new).await
    }

    pub async fn list_assignments(&self, at: &ServiceAt) -> Result<Page<Assignment>, ClientError> {
        self.get(&format!("{}/assignments", at.path())).await
    }

    pub async fn list_pods(&self, at: &ServiceAt, list: &ListQuery) -> Result<Page<Pod>, ClientError> {
        self.list(&format!("{}/pods", at.path()), list).await
    }

    pub async fn list_events(&self, at: &ServiceAt, list: &ListQuery) -> Result<Page<Event>, ClientError> {
        self.list(&format!("{}/events", at.path()), list).await
    }

    pub async fn get_service_log(
        &self,
        at: &ServiceAt,
        query: &ServiceLogQuery,
    ) -> Result<ServiceLog, ClientError> {
        let request = self.request(Method::GET, &format!("{}/log", at.path()));
        self.read(request.query(query)).await
    }

    /// A log as it is written. When the connection breaks off, begin again with the cursor of the last frame.
    pub async fn follow_service_log(
        &self,
        at: &ServiceAt,
        query: &ServiceLogQuery,
    ) -> Result<impl Stream<Item = Result<ServiceLogFrame, ClientError>> + Send + use<>, ClientError> {
        let request = self
            .http
            .get(format!("{}/api/v1{}/log/stream", self.url, at.path()))
            .bearer_auth(&self.token)
            .query(query);
        crate::frames::open(SERVICE, request).await
    }

    pub async fn list_revisions(
        &self,
        at: &ServiceAt,
        list: &ListQuery,
    ) -> Result<Page<RevisionSummary>, ClientError> {
        self.list(&format!("{}/revisions", at.path()), list).await
    }

    pub async fn get_revision(&self, at: &ServiceAt, number: i64) -> Result<Revision, ClientError> {
        self.get(&format!("{}/revisions/{number}", at.path())).await
    }

    pub async fn diff_revisions(
        &self,
        at: &ServiceAt,
        to: i64,
        from: Option<i64>,
    ) -> Result<RevisionDiff, ClientError> {
        let request = self.request(Method::GET, &format!("{}/revisions/{to}/diff", at.path()));
        let query = api_types::services::DiffQuery { against: from };
        self.read(request.query(&query)).await
    }

    /// `version` as in [`Self::update_service`].
    pub async fn create_revision(
        &self,
        at: &ServiceAt,
        version: i64,
        new: &NewRevision,
    ) -> Result<ServiceAccepted, ClientError> {
        let request = self
            .request(Method::POST, &format!("{}/revisions", at.path()))
            .header(IF_MATCH, format!("\"{version}\""))
            .header("idempotency-key", Uuid::now_v7().to_string());
        self.read(request.json(new)).await
    }

    pub async fn preview_revision(
        &self,
        at: &ServiceAt,
        new: &NewRevisionPreview,
    ) -> Result<RevisionDiff, ClientError> {
        self.post(&format!("{}/revisions/preview", at.path()), new).await
    }
}

/// Sends; anything but success (or another protocol) becomes an error.
pub(crate) async fn checked(request: RequestBuilder) -> Result<Response, ClientError> {
    let unreachable = |source| ClientError::Unreachable {
        service: SERVICE,
        source,
    };
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    if status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(response);
    }
    let bytes = response.bytes().await.map_err(unreachable)?;
    match serde_json::from_slice(&bytes) {
        Ok(body) => Err(ClientError::Refused {
            service: SERVICE,
            status,
            body: Box::new(body),
        }),
        Err(source) => Err(unreadable(format!("status {status}: {source}"))),
    }
}

async fn body<T: DeserializeOwned>(response: Response) -> Result<T, ClientError> {
    let bytes = response
        .bytes()
        .await
        .map_err(|source| ClientError::Unreachable {
            service: SERVICE,
            source,
        })?;
    serde_json::from_slice(&bytes).map_err(unreadable)
}

fn unreadable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
    ClientError::Unreadable {
        service: SERVICE,
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_part_of_its_path() {
        let at = ServiceAt {
            project: "shop".into(),
            environment: "a/b".into(),
            service: "we b?".into(),
        };
        assert_eq!(at.path(), "/projects/shop/environments/a%2Fb/services/we%20b%3F");
        assert_eq!(at.to_string(), "shop/a/b/we b?");
    }
}
