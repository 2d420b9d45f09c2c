//! `cluster-agent`: the second witness, inside a cluster.

use anyhow::Context as _;
use cluster_agent::{Agent, Lease, Report, Token};
use platform::telemetry::LogFormat;
use tokio_util::sync::CancellationToken;

use crate::arguments::AgentFlags;
use crate::stop;

/// Runs until a signal.
///
/// # Errors
/// A token file or kubeconfig that can't be read, so that a wrong flag shows at once.
pub async fn run(flags: AgentFlags) -> anyhow::Result<()> {
    platform::telemetry::init(LogFormat::default(), &flags.log);
    platform::foundation::install_tls_provider();
    let shutdown = CancellationToken::new();
    stop::on_signal(shutdown.clone())?;
    anyhow::ensure!(!flags.interval.is_zero(), "--interval must be above 0");
    check_token(&flags).await?;
    let lease = Lease::at(
        flags.kubeconfig.as_deref(),
        &flags.lease_namespace,
        &flags.lease_name,
        &flags.holder,
    )
    .await?;
    let http = platform::foundation::http_client();
    let report = Report::new(http, &flags.portal, &flags.cluster, Token::File(flags.token_file));
    tracing::info!(cluster.name = %flags.cluster, portal = %flags.portal, "the cluster's agent runs");
    Agent::new(lease, report, flags.interval)
        .run(|| false, &shutdown)
        .await;
    Ok(())
}

async fn check_token(flags: &AgentFlags) -> anyhow::Result<()> {
    let path = &flags.token_file;
    let text = tokio::fs::read_to_string(path)
        .await
        .with_context(|| format!("reading the token from {}", path.display()))?;
    anyhow::ensure!(!text.trim().is_empty(), "{} is empty", path.display());
    Ok(())
}
