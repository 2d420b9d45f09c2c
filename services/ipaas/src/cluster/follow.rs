//! List, then watch, then go on: keeps a table like the cluster.
//!
//! Lists are paged; what was known stays until a new list is whole. A watch that ends goes on from its
//! last version; only when the server no longer has that version (410) everything is listed again.
//! Failures are waited out longer and longer, each cluster and feed at another moment; a cluster that
//! comes back is asked at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures::StreamExt as _;
use http::StatusCode;
use platform::time::Clock;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::cluster::error::KubeError;
use crate::cluster::health::Feed;
use crate::cluster::paths::with_query;
use crate::cluster::rest::Rest;
use crate::index::wire::{List, WatchLine};

/// The server ends a watch after this; we come back with the last version.
const WATCH_SECONDS: u64 = 240;
/// Beyond the watch's own end: then the connection is dead.
const WATCH_SILENCE: Duration = Duration::from_secs(WATCH_SECONDS + 30);
const SHORTEST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A page that takes longer gives its turn to another cluster's.
const LONGEST_TURN: Duration = Duration::from_secs(2);
/// A watch that lasted this long was a good one.
const GOOD_WATCH: Duration = Duration::from_secs(10);

/// Where the objects go.
pub trait Sink: Send + Sync + 'static {
    type Object: DeserializeOwned + Send + 'static;

    /// The object's resource version.
    fn version(object: &Self::Object) -> &str;
    /// A list begins.
    fn begin(&self);
    /// A page of it.
    fn page(&self, objects: Vec<Self::Object>);
    /// It is whole: what it didn't name is gone.
    fn finish(&self);
    fn changed(&self, object: Self::Object);
    fn removed(&self, object: Self::Object);
}

/// What is followed, and how.
pub struct Follower<S> {
    pub rest: Rest,
    pub path: &'static str,
    pub selector: Option<&'static str>,
    pub page_size: u32,
    pub sink: S,
    pub feed: Arc<Feed>,
    pub reachable: watch::Receiver<bool>,
    /// Pages of all clusters together; a start must not be a stampede.
    pub lists: Arc<Semaphore>,
    pub clock: Clock,
    pub stop: CancellationToken,
}

enum Ended {
    /// To be opened again from the last version.
    Closed,
    /// The version is no longer there.
    Expired,
}

impl<S: Sink> Follower<S> {
    /// Follows until it is stopped.
    pub async fn run(mut self) {
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.follow() => {}
        }
    }

    async fn follow(&mut self) {
        let mut version: Option<String> = None;
        let mut wait = SHORTEST_WAIT;
        loop {
            let started = Instant::now();
            let outcome = match version.take() {
                None => match self.list().await {
                    Ok(listed) => {
                        version = Some(listed);
                        continue;
                    }
                    Err(error) => Err(error),
                },
                Some(mut from) => {
                    let ended = self.watch(&mut from).await;
                    if !matches!(ended, Ok(Ended::Expired)) {
                        version = Some(from);
                    }
                    ended
                }
            };
            let good = started.elapsed() >= GOOD_WATCH;
            let error = outcome.as_ref().err().map(KubeError::explain);
            if let Some(error) = &error {
                tracing::debug!(path = self.path, %error, "a watch was cut or a list failed");
            }
            self.feed.lost(error, self.clock.now());
            if good {
                wait = SHORTEST_WAIT;
                if outcome.is_ok() {
                    continue;
                }
            }
            self.pause(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Waits, less so when the cluster comes back.
    async fn pause(&mut self, longest: Duration) {
        let part: f64 = rand::random_range(0.5..1.0);
        let was = *self.reachable.borrow_and_update();
        let wait = tokio::time::sleep(longest.mul_f64(part));
        tokio::pin!(wait);
        loop {
            tokio::select! {
                () = &mut wait => return,
                changed = self.reachable.changed() => {
                    if changed.is_err() {
                        return wait.await;
                    }
                    if !was && *self.reachable.borrow() {
                        return;
                    }
                }
            }
        }
    }

    /// A page in its turn, of which there are so many over all clusters; one that is slow keeps none.
    async fn page(&self, path: &str) -> Result<List<S::Object>, KubeError> {
        let turn = self.lists.acquire().await;
        let reading = self.rest.get(path);
        tokio::pin!(reading);
        if let Ok(page) = tokio::time::timeout(LONGEST_TURN, &mut reading).await {
            return page;
        }
        drop(turn);
        reading.await
    }

    /// Reads the whole list and returns its version.
    async fn list(&mut self) -> Result<String, KubeError> {
        // A cluster that is away takes no turn from one that is there.
        if self.reachable.wait_for(|reachable| *reachable).await.is_err() {
            return Err(KubeError::Timeout(Duration::ZERO));
        }
        self.sink.begin();
        let limit = self.page_size.to_string();
        let mut continues = String::new();
        loop {
            let mut parameters = vec![("limit", limit.as_str())];
            if let Some(selector) = self.selector {
                parameters.push(("labelSelector", selector));
            }
            if !continues.is_empty() {
                parameters.push(("continue", continues.as_str()));
            }
            let page: List<S::Object> = self.page(&with_query(self.path, &parameters)).await?;
            self.sink.page(page.items);
            if page.metadata.continues.is_empty() {
                self.sink.finish();
                self.feed.listed();
                return Ok(page.metadata.resource_version);
            }
            continues = page.metadata.continues;
        }
    }

    async fn watch(&mut self, version: &mut String) -> Result<Ended, KubeError> {
        let seconds = WATCH_SECONDS.to_string();
        let from = version.clone();
        let mut parameters = vec![
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", seconds.as_str()),
            ("resourceVersion", from.as_str()),
        ];
        if let Some(selector) = self.selector {
            parameters.push(("labelSelector", selector));
        }
        let opened = self.rest.stream(&with_query(self.path, &parameters)).await;
        let mut stream = match opened {
            Ok(stream) => Box::pin(stream),
            Err(error) if error.status() == Some(StatusCode::GONE) => return Ok(Ended::Expired),
            Err(error) => return Err(error),
        };
        self.feed.watching();
        self.reachable.mark_unchanged();
        let mut buffer = BytesMut::new();
        loop {
            let part = tokio::select! {
                part = tokio::time::timeout(WATCH_SILENCE, stream.next()) => {
                    part.map_err(|_| KubeError::Timeout(WATCH_SILENCE))?
                }
                // A connection that was cut without a word looks like one on which nothing happens. After
                // a failed probe it isn't trusted any more, or what is old would show as fresh.
                changed = self.reachable.changed() => {
                    if changed.is_err() || !*self.reachable.borrow() {
                        return Ok(Ended::Closed);
                    }
                    continue;
                }
            };
            let Some(part) = part else {
                return Ok(Ended::Closed);
            };
            buffer.extend_from_slice(&part?);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line = buffer.split_to(end + 1);
                if let Some(ended) = self.take_line(&line, version)? {
                    return Ok(ended);
                }
            }
        }
    }

    fn take_line(&self, line: &[u8], version: &mut String) -> Result<Option<Ended>, KubeError> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let line: WatchLine<S::Object> = serde_json::from_slice(line).map_err(|error| {
            KubeError::Unreadable(format!("a watch's line, column {}", error.column()).into())
        })?;
        match line {
            WatchLine::Added(object) | WatchLine::Modified(object) => {
                S::version(&object).clone_into(version);
                self.sink.changed(object);
            }
            WatchLine::Deleted(object) => {
                S::version(&object).clone_into(version);
                self.sink.removed(object);
            }
            WatchLine::Bookmark(bookmark) => *version = bookmark.metadata.resource_version,
            WatchLine::Error(status) if status.code == StatusCode::GONE.as_u16() => {
                return Ok(Some(Ended::Expired));
            }
            WatchLine::Error(status) => {
                return Err(KubeError::Refused {
                    status: StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    reason: status.reason,
                    message: status.message,
                    causes: Vec::new(),
                });
            }
        }
        Ok(None)
    }
}
