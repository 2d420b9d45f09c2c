//! Background loops: on a timer **and** on a signal, idempotent, only while this replica leads.
//!
//! A loop reads desired and observed state and closes the difference; nothing lives only in it. A turn
//! that fails is logged and tried again at the next tick; operators read every loop's last turns.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use serde::Serialize;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::chain;
use crate::lease::Leadership;
use crate::time::now;

/// One loop's work.
#[async_trait]
pub trait Task: Send + Sync + 'static {
    /// `snake_case`, for logs and metrics.
    fn name(&self) -> &'static str;
    /// One turn. `epoch` is the lease's, for writes that must be turned away once overtaken.
    async fn turn(&self, epoch: i64) -> anyhow::Result<()>;
}

/// What the last turns of a loop did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TaskStatus {
    pub turns: u64,
    pub failures: u64,
    pub last_started_at: Option<DateTime<Utc>>,
    pub last_duration_ms: Option<u64>,
    pub last_error: Option<String>,
}

/// Every loop of a process by name.
#[derive(Clone, Debug, Default)]
pub struct Statuses(Arc<RwLock<BTreeMap<&'static str, TaskStatus>>>);

impl Statuses {
    #[must_use]
    pub fn all(&self) -> BTreeMap<&'static str, TaskStatus> {
        self.0.read().clone()
    }
}

/// Wakes a loop before its timer does.
#[derive(Clone, Debug, Default)]
pub struct Signal(Arc<Notify>);

impl Signal {
    /// Asks for a turn soon. Many calls before the turn begins make one turn.
    pub fn wake(&self) {
        self.0.notify_one();
    }

    async fn woken(&self) {
        self.0.notified().await;
    }
}

/// Starts loops.
#[derive(Clone)]
pub struct Driver {
    pub tracker: TaskTracker,
    pub shutdown: CancellationToken,
    pub leadership: Leadership,
    pub statuses: Statuses,
}

impl Driver {
    /// Runs `task` at least every `period` while this replica leads.
    pub fn start(&self, task: Arc<dyn Task>, period: Duration, signal: Signal) {
        let driver = self.clone();
        self.tracker
            .spawn(async move { driver.run(task, period, signal).await });
    }

    async fn run(mut self, task: Arc<dyn Task>, period: Duration, signal: Signal) {
        loop {
            let epoch = tokio::select! {
                () = self.shutdown.cancelled() => return,
                epoch = self.leadership.wait_for(Option::is_some) => match epoch {
                    Ok(epoch) => (*epoch).expect("waited for it"),
                    Err(_) => return,
                },
            };
            let mut lost = self.leadership.clone();
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                _ = lost.wait_for(|now| *now != Some(epoch)) => continue,
                () = self.turn(&*task, epoch) => {}
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = signal.woken() => {}
                () = tokio::time::sleep(period) => {}
            }
        }
    }

    async fn turn(&self, task: &dyn Task, epoch: i64) {
        let started = std::time::Instant::now();
        let started_at = now();
        let outcome = task.turn(epoch).await;
        // As everything stops, a loop may find what it follows stopped before it did: that is no failure of its own.
        if self.shutdown.is_cancelled() {
            return;
        }
        let duration = started.elapsed();
        metrics::histogram!("longshore_task_seconds", "task" => task.name()).record(duration.as_secs_f64());
        let error = outcome.err().map(|error| chain(error.as_ref()));
        if let Some(error) = &error {
            metrics::counter!("longshore_task_failures_total", "task" => task.name()).increment(1);
            tracing::warn!(task = task.name(), %error, "a turn failed; it is tried again");
        }
        let mut statuses = self.statuses.0.write();
        let status = statuses.entry(task.name()).or_default();
        status.turns += 1;
        status.failures += u64::from(error.is_some());
        status.last_started_at = Some(started_at);
        status.last_duration_ms = Some(duration.as_millis() as u64);
        status.last_error = error;
    }
}
