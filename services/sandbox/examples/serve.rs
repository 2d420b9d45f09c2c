//! Starts clusters and stays: `cargo run -p sandbox --example serve -- DATA_DIR [NAME...]`. The
//! kubeconfigs are written to `DATA_DIR/NAME.kubeconfig`.

use std::path::PathBuf;

use sandbox::{ClusterConfig, SandboxConfig};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let mut arguments = std::env::args().skip(1);
    let data_dir = PathBuf::from(arguments.next().unwrap_or_else(|| "sandbox-data".into()));
    let mut names: Vec<String> = arguments.collect();
    if names.is_empty() {
        names = vec!["east".into(), "west".into()];
    }
    let clusters = names
        .into_iter()
        .map(|name| ClusterConfig {
            region: name.clone(),
            name,
            ..ClusterConfig::default()
        })
        .collect();
    let config = SandboxConfig {
        clusters,
        data_dir: data_dir.clone(),
        admin_port: Some(0),
        ..SandboxConfig::default()
    };
    let sandbox = sandbox::start(config).await?;
    for cluster in sandbox.clusters() {
        let path = data_dir.join(format!("{}.kubeconfig", cluster.name()));
        std::fs::write(&path, cluster.kubeconfig())?;
        tracing::info!(url = %cluster.url(), kubeconfig = %path.display(), "cluster is up");
    }
    tracing::info!(admin = ?sandbox.admin_address(), "sandbox is up");
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(())
}
