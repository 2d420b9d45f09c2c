//! The agents of the simulated clusters, which run here, since no program runs in a simulated pod.

use std::time::Duration;

use anyhow::Context as _;
use cluster_agent::{Agent, Lease, Report, Token};
use futures::future::join_all;
use sandbox::{ClusterHandle, Sandbox};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::api::Api;

const INTERVAL: Duration = Duration::from_secs(10);
/// There is always this namespace.
const NAMESPACE: &str = "kube-system";
const NAME: &str = "longshore-agent";

/// One agent for each cluster.
pub struct Agents(Vec<(ClusterHandle, Agent)>);

impl Agents {
    /// Gets each cluster's agent a token, as a person would; the one of the last start is no longer good.
    pub async fn install(
        api: &Api,
        http: &reqwest::Client,
        sandbox: &Sandbox,
        portal_url: &str,
    ) -> anyhow::Result<Self> {
        let mut agents = Vec::new();
        for cluster in sandbox.clusters() {
            let name = cluster.name();
            // Nobody applies the manifest, so its image doesn't matter.
            let new = json!({ "portal_url": portal_url, "image": "longshore" });
            let installed = api.make(&format!("/clusters/{name}/agent"), &new).await?;
            let token = installed["token"].as_str().context("the agent got no token")?;
            let lease = Lease::of_text(&cluster.kubeconfig(), NAMESPACE, NAME, "demo").await?;
            let report = Report::new(http.clone(), portal_url, name, Token::Text(token.to_owned()));
            agents.push((cluster.clone(), Agent::new(lease, report, INTERVAL)));
        }
        Ok(Self(agents))
    }

    /// Until the shutdown.
    pub async fn run(self, shutdown: &CancellationToken) {
        let runs = self
            .0
            .iter()
            .map(|(cluster, agent)| agent.run(|| cluster.faults().cuts_agent(), shutdown));
        join_all(runs).await;
    }
}
