//! The change stream: rows of a table, told in their order, resumable by sequence across restarts.

use std::collections::VecDeque;
use std::time::Duration;

use api_types::changes::ChangeLine;
use futures::{Stream, stream};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::db::{DbErr, changes};
use crate::state::AppState;

/// Silence longer than this means a broken connection to whoever follows.
const ALIVE: Duration = Duration::from_secs(5);
/// How soon what another replica committed is seen.
const POLL: Duration = Duration::from_secs(1);
const PAGE: u64 = 500;

struct Follower {
    state: AppState,
    committed: watch::Receiver<i64>,
    /// Told up to here; unknown until the first look.
    sequence: Option<i64>,
    asked: Option<String>,
    ready: VecDeque<ChangeLine>,
    spoke: Instant,
}

/// What changes from `cursor` on. Ends at the shutdown, and when the database doesn't answer.
pub fn follow(state: AppState, cursor: Option<String>) -> impl Stream<Item = ChangeLine> + Send + 'static {
    let follower = Follower {
        committed: state.outbox.committed.subscribe(),
        state,
        sequence: None,
        asked: cursor,
        ready: VecDeque::new(),
        spoke: Instant::now(),
    };
    stream::unfold(follower, |mut follower| async move {
        let line = follower.next().await?;
        follower.spoke = Instant::now();
        Some((line, follower))
    })
}

impl Follower {
    async fn next(&mut self) -> Option<ChangeLine> {
        let shutdown = self.state.foundation.shutdown.clone();
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if let Err(error) = self.read().await {
                tracing::warn!(%error, "a change stream ends: its table could not be read");
                return None;
            }
            if !self.ready.is_empty() {
                continue;
            }
            let alive_at = self.spoke + ALIVE;
            if Instant::now() >= alive_at {
                let cursor = self.sequence.unwrap_or(0).to_string();
                return Some(ChangeLine::Alive { cursor });
            }
            tokio::select! {
                () = shutdown.cancelled() => return None,
                changed = self.committed.changed() => changed.ok()?,
                () = tokio::time::sleep_until(alive_at.min(Instant::now() + POLL)) => {}
            }
        }
    }

    async fn read(&mut self) -> Result<(), DbErr> {
        let database = &self.state.foundation.database;
        self.committed.borrow_and_update();
        let sequence = match self.sequence {
            Some(sequence) => sequence,
            None => match self.resume().await? {
                Some(sequence) => sequence,
                None => {
                    let newest = changes::newest(database).await?;
                    self.sequence = Some(newest);
                    self.ready.push_back(ChangeLine::Reset {
                        cursor: newest.to_string(),
                    });
                    return Ok(());
                }
            },
        };
        let rows = changes::after(database, sequence, PAGE).await?;
        // What was trimmed between two reads is lost to this follower.
        if rows.first().is_some_and(|row| row.sequence > sequence + 1) {
            self.sequence = None;
            self.asked = None;
            return Box::pin(self.read()).await;
        }
        self.sequence = Some(rows.last().map_or(sequence, |row| row.sequence));
        for row in rows {
            self.ready.push_back(ChangeLine::Change(row.to_change()?));
        }
        Ok(())
    }

    /// The sequence asked for, if nothing after it is missing.
    async fn resume(&self) -> Result<Option<i64>, DbErr> {
        let Some(asked) = self
            .asked
            .as_deref()
            .and_then(|cursor| cursor.parse::<i64>().ok())
        else {
            return Ok(None);
        };
        let database = &self.state.foundation.database;
        let newest = changes::newest(database).await?;
        let first_kept = changes::oldest(database).await?.unwrap_or(newest + 1);
        Ok((asked + 1 >= first_kept && asked <= newest && asked >= 0).then_some(asked))
    }
}
