//! Deleting objects: grace periods, finalizers, propagation.

use std::sync::Arc;

use chrono::Duration;
use serde_json::{Value, json};

use super::refusal;
use crate::api::errors::{ApiError, ApiResult};
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::{Deletion, KindRef};
use crate::store::{Object, StoreError};

pub const FOREGROUND: &str = "foregroundDeletion";
pub const ORPHAN: &str = "orphan";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// `metav1.DeleteOptions`, as far as they matter.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    pub grace_seconds: Option<i64>,
    pub propagation: Option<Propagation>,
    pub uid: Option<String>,
    pub resource_version: Option<String>,
    pub dry_run: bool,
}

impl DeleteOptions {
    /// Gone at once, dependents after it.
    pub fn now() -> Self {
        Self {
            grace_seconds: Some(0),
            ..Self::default()
        }
    }
}

/// What became of it.
#[derive(Debug)]
pub enum Deleted {
    Gone(Arc<Object>),
    /// Marked; finalizers, dependents or a grace period hold it.
    Going(Arc<Object>),
}

/// Whether nothing holds a marked object any more.
pub(super) fn is_finished(kind: KindRef, value: &Value) -> bool {
    let marked = !json::at(value, "/metadata/deletionTimestamp").is_null();
    let held = !json::items(value, "/metadata/finalizers").is_empty()
        || (kind.deletion == Deletion::Namespace && !json::items(value, "/spec/finalizers").is_empty());
    let grace = json::integer(value, "/metadata/deletionGracePeriodSeconds").unwrap_or(0);
    marked && !held && grace == 0
}

pub fn delete(
    cluster: &Cluster,
    kind: KindRef,
    namespace: &str,
    name: &str,
    options: &DeleteOptions,
) -> ApiResult<Deleted> {
    if kind.deletion == Deletion::Namespace && matches!(name, "default" | "kube-system" | "kube-public") {
        return Err(ApiError::forbidden(
            kind,
            name,
            "this namespace may not be deleted",
        ));
    }
    loop {
        let read = cluster
            .store
            .get(kind, namespace, name)
            .ok_or_else(|| ApiError::not_found(kind, name))?;
        check_preconditions(&read, options)?;
        let mut value = read.value();
        mark(kind, &read, &mut value, options);
        let finished = is_finished(kind, &value);
        if options.dry_run {
            let object = Object::detached(kind, value);
            return Ok(if finished {
                Deleted::Gone(object)
            } else {
                Deleted::Going(object)
            });
        }
        let result = if finished {
            cluster.store.remove(&read, Some(value)).map(Deleted::Gone)
        } else if value == read.value() {
            Ok(Deleted::Going(read))
        } else {
            cluster.store.replace(&read, value).map(Deleted::Going)
        };
        match result {
            Err(StoreError::Stale) => continue,
            Err(error) => return Err(refusal(&error, kind, namespace, name)),
            Ok(deleted) => return Ok(deleted),
        }
    }
}

fn check_preconditions(read: &Object, options: &DeleteOptions) -> ApiResult<()> {
    if let Some(uid) = &options.uid
        && **uid != *read.uid
    {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            read.uid
        );
        return Err(ApiError::conflict(read.kind, read.name(), &why));
    }
    if let Some(version) = &options.resource_version
        && *version != read.version.to_string()
    {
        let why = format!(
            "Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object meta: {}",
            read.version
        );
        return Err(ApiError::conflict(read.kind, read.name(), &why));
    }
    Ok(())
}

/// Writes the wish to be gone into the object.
fn mark(kind: KindRef, read: &Object, value: &mut Value, options: &DeleteOptions) {
    let wanted = match options.propagation {
        Some(Propagation::Foreground) => Some(FOREGROUND),
        Some(Propagation::Orphan) => Some(ORPHAN),
        Some(Propagation::Background) | None => None,
    };
    if options.propagation.is_some() {
        let mut finalizers: Vec<Value> = json::items(value, "/metadata/finalizers")
            .iter()
            .filter(|finalizer| !matches!(finalizer.as_str(), Some(FOREGROUND | ORPHAN)))
            .cloned()
            .collect();
        finalizers.extend(wanted.map(Value::from));
        if finalizers.is_empty() {
            json::remove(value, &["metadata", "finalizers"]);
        } else {
            json::set(value, &["metadata", "finalizers"], finalizers);
        }
    }
    let grace = match kind.deletion {
        Deletion::Graceful => grace_of(value, options.grace_seconds),
        Deletion::Plain | Deletion::Namespace => 0,
    };
    let before = json::integer(value, "/metadata/deletionGracePeriodSeconds");
    if !read.deleting || before.is_some_and(|before| grace < before) {
        let deadline = crate::clock::now() + Duration::seconds(grace);
        json::set(value, &["metadata", "deletionTimestamp"], json::seconds(deadline));
        json::set(value, &["metadata", "deletionGracePeriodSeconds"], grace);
        if kind.generation && !read.deleting {
            let generation = json::integer(value, "/metadata/generation").unwrap_or(0) + 1;
            json::set(value, &["metadata", "generation"], generation);
        }
    }
    if kind.deletion == Deletion::Namespace {
        json::set(value, &["status", "phase"], "Terminating");
        json::remove(value, &["metadata", "deletionGracePeriodSeconds"]);
    }
}

/// How long a pod may take: nothing when it never reached a node or has ended.
fn grace_of(pod: &Value, asked: Option<i64>) -> i64 {
    let ended = matches!(json::text(pod, "/status/phase"), "Succeeded" | "Failed");
    if json::text(pod, "/spec/nodeName").is_empty() || ended {
        return 0;
    }
    asked
        .or_else(|| json::integer(pod, "/spec/terminationGracePeriodSeconds"))
        .unwrap_or(30)
        .max(0)
}

/// The body that answers a deletion.
pub fn answer(deleted: &Deleted) -> Value {
    match deleted {
        Deleted::Going(object) => object.value(),
        Deleted::Gone(object) if object.kind.deletion != Deletion::Plain => object.value(),
        Deleted::Gone(object) => {
            let mut details = json!({"name": object.name(), "kind": object.kind.plural, "uid": &*object.uid});
            if !object.kind.group.is_empty() {
                details["group"] = object.kind.group.into();
            }
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
        }
    }
}
