//! The Lease inside the cluster.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{SecondsFormat, Utc};
use http::header::{self, HeaderValue};
use k8s_openapi::api::coordination::v1::Lease as Object;
use kube::api::{Patch, PatchParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use serde_json::json;

use crate::USER_AGENT;

/// An API server that takes longer doesn't answer.
const LONGEST_RENEWAL: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    #[error("the API server didn't take the renewal")]
    Refused(#[source] Box<kube::Error>),
    #[error("the API server didn't answer within {} s", LONGEST_RENEWAL.as_secs())]
    TimedOut,
}

/// A Lease to renew.
pub struct Lease {
    api: Api<Object>,
    namespace: String,
    name: String,
    holder: String,
}

impl Lease {
    /// By a kubeconfig, or with the rights of the pod that this runs in.
    ///
    /// # Errors
    /// A kubeconfig that can't be read, or no pod around.
    pub async fn at(
        kubeconfig: Option<&Path>,
        namespace: &str,
        name: &str,
        holder: &str,
    ) -> anyhow::Result<Self> {
        let config = match kubeconfig {
            Some(path) => {
                let kubeconfig =
                    Kubeconfig::read_from(path).with_context(|| format!("reading {}", path.display()))?;
                Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                    .await
                    .with_context(|| format!("using {}", path.display()))?
            }
            None => Config::incluster()
                .context("this doesn't run in a pod; name a kubeconfig with --kubeconfig")?,
        };
        Self::new(config, namespace, name, holder)
    }

    /// By the text of a kubeconfig.
    ///
    /// # Errors
    /// A text that is none.
    pub async fn of_text(
        kubeconfig: &str,
        namespace: &str,
        name: &str,
        holder: &str,
    ) -> anyhow::Result<Self> {
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig).context("reading the kubeconfig")?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .context("using the kubeconfig")?;
        Self::new(config, namespace, name, holder)
    }

    fn new(mut config: Config, namespace: &str, name: &str, holder: &str) -> anyhow::Result<Self> {
        config
            .headers
            .push((header::USER_AGENT, HeaderValue::from_static(USER_AGENT)));
        // Each renewal is tried once; the next one comes soon.
        config.default_retry = false;
        config.connect_timeout = Some(LONGEST_RENEWAL);
        let client = Client::try_from(config).context("making a client of the API server")?;
        Ok(Self {
            api: Api::namespaced(client, namespace),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            holder: holder.to_owned(),
        })
    }

    /// Renews it, and makes it where there is none yet.
    ///
    /// # Errors
    /// When the API server refuses it or doesn't answer.
    pub async fn renew(&self) -> Result<(), LeaseError> {
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": self.name, "namespace": self.namespace },
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": 40,
                "renewTime": Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true),
            },
        });
        let parameters = PatchParams::apply(USER_AGENT).force();
        let patch = Patch::Apply(&lease);
        let renewal = self.api.patch(&self.name, &parameters, &patch);
        match tokio::time::timeout(LONGEST_RENEWAL, renewal).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(LeaseError::Refused(Box::new(error))),
            Err(_) => Err(LeaseError::TimedOut),
        }
    }
}
