//! Stopping: on Ctrl-C or SIGTERM, in order, and not forever.

use std::time::Duration;

use anyhow::Context as _;
use platform::Foundation;
use platform::server::Running;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long requests and tasks under way may take to end.
const LONGEST: Duration = Duration::from_secs(15);

/// Cancels `shutdown` at the first signal; at the second the process ends as the system would have it.
pub fn on_signal(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        shutdown.cancel();
    });
    Ok(())
}

/// Services that run, each with what it was started with.
#[derive(Default)]
pub struct Started(Vec<(Running, Foundation)>);

impl Started {
    pub fn push(&mut self, running: Running, foundation: Foundation) {
        self.0.push((running, foundation));
    }

    /// Waits until every server and task ended, at most so long; then closes the databases.
    pub async fn stopped(self) {
        let ending = async {
            let mut foundations = Vec::new();
            for (running, foundation) in self.0 {
                running.stopped().await;
                foundation.tracker.close();
                foundations.push(foundation);
            }
            for foundation in foundations {
                foundation.tracker.wait().await;
                if let Err(error) = foundation.database.close().await {
                    tracing::debug!(%error, "the database did not close cleanly");
                }
            }
        };
        if tokio::time::timeout(LONGEST, ending).await.is_err() {
            tracing::warn!("stopped with work under way; it goes on at the next start");
        }
    }
}
