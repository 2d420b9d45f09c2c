#![doc = include_str!("../README.md")]

mod lease;
mod report;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use api_types::clusters::Heartbeat;
use parking_lot::Mutex;
use platform::error::chain;
use tokio_util::sync::CancellationToken;

pub use lease::{Lease, LeaseError};
pub use report::{Report, ReportError};

/// The user agent on both sides.
pub const USER_AGENT: &str = "longshore-cluster-agent";
/// An error is told in so many characters at most.
const LONGEST_ERROR: usize = 300;

/// Where a token comes from.
#[derive(Clone, Debug)]
pub enum Token {
    /// Read anew for every heartbeat.
    File(PathBuf),
    Text(String),
}

/// The agent of one cluster.
pub struct Agent {
    lease: Lease,
    report: Report,
    interval: Duration,
    renewed: Mutex<Option<Instant>>,
}

impl Agent {
    #[must_use]
    pub fn new(lease: Lease, report: Report, interval: Duration) -> Self {
        Self {
            lease,
            report,
            interval,
            renewed: Mutex::new(None),
        }
    }

    /// Renews the Lease, and tells how that went.
    ///
    /// # Errors
    /// Only when it could not be told: that the Lease was not renewed is a part of what is told.
    pub async fn beat(&self) -> Result<(), ReportError> {
        let heartbeat = self.renew().await;
        self.report.send(&heartbeat).await
    }

    async fn renew(&self) -> Heartbeat {
        let begun = Instant::now();
        let error = match self.lease.renew().await {
            // As old as the question, not as the answer.
            Ok(()) => {
                *self.renewed.lock() = Some(begun);
                None
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the Lease could not be renewed");
                Some(chain(&error).chars().take(LONGEST_ERROR).collect())
            }
        };
        let age = self.renewed.lock().map(|at| at.elapsed().as_millis());
        Heartbeat {
            lease_age_ms: age.map(|age| u64::try_from(age).unwrap_or(u64::MAX)),
            error,
        }
    }

    /// Beats until the shutdown. While `cut_off` says so, nothing gets through to the outside.
    pub async fn run(&self, cut_off: impl Fn() -> bool, shutdown: &CancellationToken) {
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let beats = async {
            loop {
                ticks.tick().await;
                if cut_off() {
                    continue;
                }
                if let Err(error) = self.beat().await {
                    tracing::warn!(error = %chain(&error), "a heartbeat was not heard");
                }
            }
        };
        shutdown.run_until_cancelled(beats).await;
    }
}
