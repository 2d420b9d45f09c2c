#![doc = include_str!("../README.md")]

mod addresses;
pub mod admin;
pub mod api;
mod apply;
mod clock;
mod cluster;
mod config;
mod controllers;
pub mod faults;
mod fill;
mod handle;
mod json;
mod kinds;
mod kubelet;
pub mod load;
mod pki;
mod registry;
mod server;
mod store;

use anyhow::Context as _;

pub use cluster::VERSION;
pub use config::{ClusterConfig, SandboxConfig};
pub use faults::{Fault, Latency, Order};
pub use fill::Fill;
pub use handle::{AccessRule, ClusterHandle};

/// Running clusters.
pub struct Sandbox {
    clusters: Vec<ClusterHandle>,
    admin: Option<admin::Admin>,
}

/// Starts the clusters; returns when their API servers answer.
pub async fn start(config: SandboxConfig) -> anyhow::Result<Sandbox> {
    // Fails when a provider is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    anyhow::ensure!(
        config.listen.is_loopback(),
        "the sandbox listens on loopback only, not on {}",
        config.listen
    );
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot create {}", config.data_dir.display()))?;
    let mut clusters: Vec<ClusterHandle> = Vec::new();
    for (position, cluster) in config.clusters.iter().enumerate() {
        anyhow::ensure!(
            clusters.iter().all(|other| other.name() != cluster.name),
            "two clusters are named {:?}",
            cluster.name
        );
        let offset = u16::try_from(position).context("too many clusters")?;
        let port = config
            .base_port
            .map(|base| base.checked_add(offset).context("ports run out"))
            .transpose()?;
        clusters.push(ClusterHandle::new(
            cluster::Cluster::start(cluster.clone(), &config, port).await?,
        ));
    }
    let admin = match config.admin_port {
        Some(port) => Some(admin::Admin::start(config.listen, port, clusters.clone()).await?),
        None => None,
    };
    Ok(Sandbox { clusters, admin })
}

impl Sandbox {
    pub fn clusters(&self) -> &[ClusterHandle] {
        &self.clusters
    }

    pub fn cluster(&self, name: &str) -> Option<&ClusterHandle> {
        self.clusters.iter().find(|cluster| cluster.name() == name)
    }

    /// Where the admin endpoint listens, if there is one.
    pub fn admin_address(&self) -> Option<std::net::SocketAddr> {
        self.admin.as_ref().map(admin::Admin::address)
    }

    /// Stops everything and writes the state to disk.
    pub async fn stop(self) {
        if let Some(admin) = &self.admin {
            admin.stop();
        }
        for cluster in &self.clusters {
            cluster.stop().await;
        }
    }
}
