//! Watches: changes from a version on, with bookmarks, and 410 when they are forgotten.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Call;
use super::body::{self, Body, Format};
use super::errors::{ApiError, ApiResult};
use super::lists::{Filter, parse_version};
use super::path::Resource;
use super::tables::{self, Inclusion};
use crate::cluster::Cluster;
use crate::kinds::KindRef;
use crate::store::{Change, Object};

/// The real server's pace of bookmarks.
const BOOKMARK: Duration = Duration::from_secs(60);
/// Bookmark shortly before the end, so that the client resumes from there.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

struct Watch {
    cluster: Arc<Cluster>,
    kind: KindRef,
    namespace: Option<String>,
    filter: Filter,
    format: Format,
    inclusion: Inclusion,
    bookmarks: bool,
    columns_sent: bool,
    out: mpsc::Sender<Bytes>,
}

pub fn answer(call: &Call, target: &Resource) -> ApiResult<Response<Body>> {
    let filter = Filter::of(call, target)?;
    let asked = call.query.get("resourceVersion").unwrap_or("");
    let version = parse_version(asked)?;
    let initial = call.query.flag("sendInitialEvents");
    let bookmarks = call.query.flag("allowWatchBookmarks");
    if initial && call.query.get("resourceVersionMatch") != Some("NotOlderThan") {
        let mut errors = super::errors::FieldErrors::default();
        errors.forbidden(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        );
        return Err(ApiError::invalid_named(
            "ListOptions.meta.k8s.io",
            "meta.k8s.io",
            "ListOptions",
            "",
            errors,
        ));
    }
    let seconds = match call.query.number("timeoutSeconds")? {
        Some(seconds) if seconds > 0 => u64::try_from(seconds).unwrap_or(1),
        // The real server ends watches after half an hour to an hour, spread at random.
        _ => rand::rng().random_range(1800..3600),
    };
    let (out, mut receiver) = mpsc::channel(64);
    let watch = Watch {
        cluster: call.cluster.clone(),
        kind: target.kind,
        namespace: target.namespace.clone(),
        filter,
        format: call.format,
        inclusion: Inclusion::of(&call.query),
        bookmarks,
        columns_sent: false,
        out,
    };
    let end = Instant::now() + Duration::from_secs(seconds);
    let from_state = initial || version == 0;
    let token = call.token.clone();
    call.cluster.spawn(async move {
        tokio::select! {
            () = token.cancelled() => {}
            _ = watch.run(version, from_state, initial, end) => {}
        }
    });
    let stream = futures::stream::poll_fn(move |context| receiver.poll_recv(context));
    Ok(body::stream("application/json", stream))
}

/// The client went away.
struct Gone;

impl Watch {
    async fn run(mut self, from: u64, from_state: bool, mark_end: bool, end: Instant) -> Result<(), Gone> {
        let mut signal = self.cluster.store.signal(self.kind);
        let mut expired = self.cluster.store.expired.subscribe();
        let mut version = from;
        if from_state {
            let (objects, current) = self.cluster.store.list(self.kind, self.namespace.as_deref());
            version = current;
            for object in objects {
                if self.filter.matches(&object) {
                    self.send("ADDED", &object).await?;
                }
            }
            if mark_end && self.bookmarks {
                self.bookmark(version, true).await?;
            }
        }
        let mut next_bookmark = Instant::now() + BOOKMARK;
        loop {
            signal.mark_unchanged();
            let Some(changes) = self.cluster.store.changes_after(self.kind, version) else {
                return self.expire(version).await;
            };
            for change in changes {
                version = change.version;
                self.change(&change).await?;
            }
            let wake = if self.bookmarks {
                next_bookmark.min(end)
            } else {
                end
            };
            tokio::select! {
                changed = signal.changed() => if changed.is_err() { return Ok(()) },
                _ = expired.changed() => return self.expire(version).await,
                () = self.out.closed() => return Err(Gone),
                () = tokio::time::sleep_until(wake) => {
                    // Other kinds may have moved the counter on; this kind is known up to there.
                    let current = self.current(version);
                    if self.bookmarks {
                        self.bookmark(current, false).await?;
                    }
                    version = version.max(current);
                    if Instant::now() >= end {
                        return Ok(());
                    }
                    let early = end.checked_sub(LAST_BOOKMARK).unwrap_or(end);
                    let now = Instant::now();
                    next_bookmark = if early > now { early.min(now + BOOKMARK) } else { end };
                }
            }
        }
    }

    /// The last word of a watch whose history is forgotten.
    async fn expire(&mut self, version: u64) -> Result<(), Gone> {
        let oldest = self.cluster.store.oldest(self.kind);
        let expired = ApiError::expired(format!("too old resource version: {version} ({oldest})"));
        self.write(&json!({"type": "ERROR", "object": expired.status()}))
            .await
    }

    /// The newest version up to which nothing of this kind is unseen.
    fn current(&self, seen: u64) -> u64 {
        let now = self.cluster.store.version();
        match self.cluster.store.changes_after(self.kind, seen) {
            Some(changes) if changes.is_empty() => now.max(seen),
            _ => seen,
        }
    }

    async fn change(&mut self, change: &Change) -> Result<(), Gone> {
        let object = change.object();
        if self
            .namespace
            .as_deref()
            .is_some_and(|namespace| namespace != object.namespace())
        {
            return Ok(());
        }
        let before = change.old.as_ref().is_some_and(|old| self.filter.matches(old));
        let after = change.new.as_ref().is_some_and(|new| self.filter.matches(new));
        let kind = match (before, after) {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            (false, false) => return Ok(()),
        };
        self.send(kind, object).await
    }

    async fn send(&mut self, kind: &str, object: &Object) -> Result<(), Gone> {
        let mut line = Vec::with_capacity(2200);
        line.extend_from_slice(format!("{{\"type\":\"{kind}\",\"object\":").as_bytes());
        match self.format {
            Format::Object | Format::Unacceptable => object.write(true, &mut line),
            Format::Metadata => line.extend_from_slice(tables::metadata(object).to_string().as_bytes()),
            Format::Table => {
                let version = object.version.to_string();
                let table = tables::table(self.kind, [object], self.inclusion, &version, !self.columns_sent);
                self.columns_sent = true;
                line.extend_from_slice(table.to_string().as_bytes());
            }
        }
        line.extend_from_slice(b"}\n");
        self.out.send(line.into()).await.map_err(|_| Gone)
    }

    async fn bookmark(&mut self, version: u64, end_of_state: bool) -> Result<(), Gone> {
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if self.kind.zero.contains("\"metadata\"") {
            metadata["creationTimestamp"] = Value::Null;
        }
        if end_of_state {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = match self.format {
            Format::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Format::Table => {
                json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": null, "rows": []})
            }
            _ => {
                let mut object: Value = serde_json::from_str(self.kind.zero).unwrap_or_default();
                object["metadata"] = metadata;
                object["kind"] = self.kind.name.into();
                object["apiVersion"] = self.kind.api_version().into();
                object
            }
        };
        self.write(&json!({"type": "BOOKMARK", "object": object})).await
    }

    async fn write(&mut self, event: &Value) -> Result<(), Gone> {
        self.out.send(format!("{event}\n").into()).await.map_err(|_| Gone)
    }
}
