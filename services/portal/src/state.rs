//! What every handler and task of the portal shares.

use std::ops::Deref;
use std::sync::Arc;

use auth::Issuer;
use bytes::Bytes;
use clients::Endpoint;
use platform::Foundation;

use crate::app::audit::Told;
use crate::app::document::Documents;
use crate::app::identity::Identities;
use crate::app::live::Hub;
use crate::app::passwords::Passwords;
use crate::app::routes::{RouteTable, Target};
use crate::app::secret::CsrfKey;
use crate::config::Config;

/// Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

pub struct Inner {
    pub foundation: Foundation,
    pub config: Config,
    pub routes: RouteTable,
    /// The merged OpenAPI document as JSON.
    pub document: Bytes,
    pub issuer: Issuer,
    /// For forwarded calls: follows no redirect and adds nothing.
    pub upstream: reqwest::Client,
    pub csrf: CsrfKey,
    pub identities: Identities,
    pub passwords: Passwords,
    pub hub: Hub,
    pub told: Told,
}

impl Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl AppState {
    /// Reads the documents and prepares everything; starts nothing.
    pub fn new(foundation: Foundation, config: Config) -> anyhow::Result<Self> {
        let documents = Documents::new(serde_json::to_value(crate::api::own_document())?)?;
        let csrf = CsrfKey::new(&foundation.master_key);
        let identities = Identities::new(
            foundation.database.clone(),
            foundation.clock.clone(),
            csrf.clone(),
            config.sessions,
        );
        Ok(Self(Arc::new(Inner {
            routes: RouteTable::build(&documents.each())?,
            document: serde_json::to_vec(&documents.merged()?)?.into(),
            issuer: Issuer::new(Target::Portal.name(), &foundation.master_key),
            upstream: upstream_client(&config)?,
            csrf,
            identities,
            passwords: Passwords::default(),
            hub: Hub::default(),
            told: Told::default(),
            foundation,
            config,
        })))
    }

    /// Where a service answers.
    #[must_use]
    pub fn base_url(&self, target: Target) -> &str {
        match target {
            Target::ClusterMgr => &self.config.cluster_mgr_url,
            Target::Ipaas => &self.config.ipaas_url,
            Target::Portal => "",
        }
    }

    /// How the portal itself calls a service.
    #[must_use]
    pub fn endpoint(&self, target: Target) -> Endpoint {
        Endpoint::new(
            self.foundation.http.clone(),
            self.base_url(target),
            target.name(),
            self.issuer.clone(),
        )
    }
}

fn upstream_client(config: &Config) -> reqwest::Result<reqwest::Client> {
    platform::foundation::install_tls_provider();
    reqwest::Client::builder()
        .connect_timeout(std::time::Duration::from_secs(3))
        .read_timeout(config.service_timeout)
        .pool_max_idle_per_host(64)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .build()
}
