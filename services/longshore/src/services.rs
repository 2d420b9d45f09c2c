//! Starting services in this process.

use anyhow::Context as _;
use platform::Foundation;
use platform::config::{Port, Settings};
use platform::database::patiently;
use platform::server::Running;
use tokio_util::sync::CancellationToken;

use crate::stop::{self, Started};
use crate::{first_user, migrate};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Ipaas,
    ClusterMgr,
    Portal,
}

impl Kind {
    /// In the order in which they need each other.
    pub const ALL: &'static [Self] = &[Self::Ipaas, Self::ClusterMgr, Self::Portal];

    #[must_use]
    pub fn port(self) -> Port {
        match self {
            Self::Ipaas => Port::Ipaas,
            Self::ClusterMgr => Port::ClusterMgr,
            Self::Portal => Port::Portal,
        }
    }
}

/// Runs services until a signal.
pub async fn run(settings: &Settings, kinds: &[Kind]) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    stop::on_signal(shutdown.clone())?;
    tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        ready = patiently(async || migrate::ensure(settings).await) => ready?,
    }
    let started = start(settings, kinds, &shutdown).await;
    match started {
        Ok(started) => {
            shutdown.cancelled().await;
            started.stopped().await;
            Ok(())
        }
        Err(error) => {
            shutdown.cancel();
            Err(error)
        }
    }
}

/// Starts services on a database that is up to date.
pub async fn start(
    settings: &Settings,
    kinds: &[Kind],
    shutdown: &CancellationToken,
) -> anyhow::Result<Started> {
    let mut started = Started::default();
    for kind in kinds {
        // Each has connections of its own, as it would have in a process of its own.
        let open = async || Foundation::open(settings, shutdown.clone()).await;
        let foundation = patiently(open).await.context("opening the database")?;
        let running = start_one(settings, *kind, foundation.clone()).await?;
        started.push(running, foundation);
    }
    Ok(started)
}

async fn start_one(settings: &Settings, kind: Kind, foundation: Foundation) -> anyhow::Result<Running> {
    match kind {
        Kind::Ipaas => {
            let mut config: ipaas::Config = settings.section("ipaas")?;
            config.listen = settings.address(kind.port());
            ipaas::start(foundation, config).await
        }
        Kind::ClusterMgr => {
            let mut config: cluster_mgr::Config = settings.section("cluster_mgr")?;
            config.listen = settings.address(kind.port());
            config.ipaas_url = settings.ipaas_url();
            cluster_mgr::start(foundation, config).await
        }
        Kind::Portal => {
            patiently(async || first_user::ensure(settings, &foundation).await).await?;
            portal::start(foundation, portal::Config::from_settings(settings)?).await
        }
    }
}
