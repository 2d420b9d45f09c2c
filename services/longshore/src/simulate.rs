//! Simulated clusters in this process.

use anyhow::Context as _;
use platform::config::{Port, Settings};
use sandbox::{ClusterConfig, Sandbox, SandboxConfig};
use tokio_util::sync::CancellationToken;

use crate::arguments::Simulated;
use crate::{private_file, say, stop};

/// The target `sandbox`: writes a kubeconfig for each cluster and runs until a signal.
pub async fn run(settings: &Settings, simulated: &Simulated) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    stop::on_signal(shutdown.clone())?;
    private_file::make_folder(&settings.common.data_dir)?;
    let sandbox = start(settings, simulated).await?;
    for cluster in sandbox.clusters() {
        let path = settings
            .common
            .data_dir
            .join(format!("{}.kubeconfig", cluster.name()));
        private_file::write(&path, cluster.kubeconfig().as_bytes())?;
        say(&format!(
            "{}: {} ({})",
            cluster.name(),
            cluster.url(),
            path.display()
        ))?;
    }
    shutdown.cancelled().await;
    sandbox.stop().await;
    Ok(())
}

/// Starts clusters on the range's ports; what ran in them before goes on.
pub async fn start(settings: &Settings, simulated: &Simulated) -> anyhow::Result<Sandbox> {
    let port = |port: Port| settings.address(port).port();
    let clusters = simulated
        .clusters
        .iter()
        .enumerate()
        .map(|(number, name)| ClusterConfig {
            name: name.clone(),
            region: region(name).to_owned(),
            nodes: simulated.nodes,
            gpu_nodes: if number == 0 { simulated.gpu_nodes } else { 0 },
            ..ClusterConfig::default()
        })
        .collect();
    let config = SandboxConfig {
        clusters,
        base_port: Some(port(Port::SandboxClusters)),
        admin_port: Some(port(Port::SandboxAdmin)),
        data_dir: settings.common.data_dir.join("sandbox"),
        ..SandboxConfig::default()
    };
    sandbox::start(config)
        .await
        .context("starting the simulated clusters")
}

/// `east` of `east-1`.
#[must_use]
pub fn region(cluster: &str) -> &str {
    match cluster.rsplit_once('-') {
        Some((region, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => region,
        _ => cluster,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_named_after_its_region() {
        assert_eq!(region("east-1"), "east");
        assert_eq!(region("far-west-12"), "far-west");
        assert_eq!(region("east"), "east");
        assert_eq!(region("far-west"), "far-west");
    }
}
