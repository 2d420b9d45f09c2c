//! What a program that embeds the sandbox holds of a cluster.

use std::sync::Arc;

use serde_json::json;

use crate::cluster::Cluster;
use crate::faults::Faults;
use crate::kinds::core::NODE;
use crate::kinds::others::{CLUSTER_ROLE, CLUSTER_ROLE_BINDING};
use crate::load::{Plan, Takers};
use crate::registry::{Options, patch};

/// A cluster that runs. Clones are the same cluster.
#[derive(Clone)]
pub struct ClusterHandle(Arc<Cluster>);

/// What a limited user may do: verbs on resources of one API group ("" is core, "*" is any).
#[derive(Debug, Clone, Copy)]
pub struct AccessRule<'a> {
    pub group: &'a str,
    pub resources: &'a [&'a str],
    pub verbs: &'a [&'a str],
}

impl ClusterHandle {
    pub(crate) fn new(cluster: Arc<Cluster>) -> Self {
        Self(cluster)
    }

    pub(crate) fn cluster(&self) -> &Arc<Cluster> {
        &self.0
    }

    pub fn name(&self) -> &str {
        &self.0.config.name
    }

    pub fn region(&self) -> &str {
        &self.0.config.region
    }

    pub fn url(&self) -> String {
        self.0.server.url()
    }

    /// A kubeconfig for everything, by client certificate.
    pub fn kubeconfig(&self) -> String {
        self.0
            .pki
            .kubeconfig(self.name(), &self.url(), "kubernetes-admin", &self.0.pki.admin)
    }

    /// A kubeconfig for everything, by bearer token.
    pub fn token_kubeconfig(&self) -> String {
        self.0.pki.token_kubeconfig(
            self.name(),
            &self.url(),
            "kubernetes-admin",
            &self.0.pki.admin_token,
        )
    }

    /// A kubeconfig for a user who may do what the rules say and nothing else. The rights are a
    /// ClusterRole and a ClusterRoleBinding `sandbox-{user}` and can be changed like any object.
    pub fn limited_kubeconfig(&self, user: &str, rules: &[AccessRule<'_>]) -> anyhow::Result<String> {
        let name = format!("sandbox-{user}");
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| json!({"apiGroups": [rule.group], "resources": rule.resources, "verbs": rule.verbs}))
            .collect();
        let group = "rbac.authorization.k8s.io";
        let role = json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole",
            "metadata": {"name": name}, "rules": rules});
        let binding = json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}]});
        for (kind, config) in [(&CLUSTER_ROLE, role), (&CLUSTER_ROLE_BINDING, binding)] {
            let wanted = patch::Patch::Apply { config, force: true };
            patch::patch(&self.0, kind, "", &name, &wanted, &Options::by("sandbox"))?;
        }
        let identity = self.0.pki.issue_client(user, None)?;
        Ok(self.0.pki.kubeconfig(self.name(), &self.url(), user, &identity))
    }

    /// Makes the API server unreachable: connections break and new ones are refused. What runs in
    /// the cluster goes on.
    pub async fn down(&self) {
        self.0.faults.switch_off(true);
        self.0.server.down().await;
    }

    /// Brings the API server back, at the same address.
    pub async fn up(&self) -> anyhow::Result<()> {
        self.0.faults.switch_off(false);
        self.0.server.serve(self.0.clone()).await
    }

    pub fn is_up(&self) -> bool {
        self.0.server.is_up()
    }

    /// Forgets the history of changes: watches that resume get 410 Gone.
    pub fn compact(&self) {
        self.0.store.compact();
    }

    /// What goes wrong in this cluster.
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Puts load on a service (or a deployment of that name), in the place of what is on it.
    pub fn put_load(&self, namespace: &str, service: &str, plan: Plan) {
        self.share_load(namespace, service, plan, Arc::default());
    }

    /// As [`Self::put_load`], shared with the other clusters that are given the same takers.
    pub fn share_load(&self, namespace: &str, service: &str, plan: Plan, takers: Arc<Takers>) {
        self.0.load.put(namespace, service, plan, takers);
    }

    /// Says whether there was any.
    pub fn remove_load(&self, namespace: &str, service: &str) -> bool {
        self.0.load.remove(namespace, service)
    }

    /// From now on so many pods a second, picked at random, are deleted; 0: none.
    pub fn churn(&self, per_second: f64) {
        self.0.churn.send_replace(per_second);
    }

    /// The names of its nodes.
    pub fn nodes(&self) -> Vec<String> {
        let nodes = self.0.store.list(&NODE, None).0;
        nodes.iter().map(|node| node.name().to_owned()).collect()
    }

    pub(crate) async fn stop(&self) {
        self.0.stop().await;
    }
}
