//! Replacing objects and their subresources.

use std::sync::Arc;

use serde_json::Value;

use super::create::settle_namespace;
use super::{Options, Written, check, decode, delete, refusal};
use crate::api::errors::{ApiError, ApiResult, FieldErrors};
use crate::apply::managed::{self, Writer};
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::{KindRef, validate};
use crate::store::{Object, StoreError};

/// Replaces an object by a body as a caller sent it.
pub fn update(
    cluster: &Cluster,
    kind: KindRef,
    namespace: &str,
    name: &str,
    body: Value,
    options: &Options,
) -> ApiResult<Written> {
    let (mut value, warnings) = decode(kind, body, options)?;
    settle_namespace(kind, namespace, &mut value)?;
    match json::text(&value, "/metadata/name") {
        "" => {
            let given = "name must be provided";
            return Err(ApiError::bad_request(given));
        }
        stated if stated != name => {
            return Err(ApiError::bad_request(format!(
                "the name of the object ({stated}) does not match the name on the URL ({name})"
            )));
        }
        _ => {}
    }
    let conditional = !json::text(&value, "/metadata/resourceVersion").is_empty();
    loop {
        let read = cluster
            .store
            .get(kind, namespace, name)
            .ok_or_else(|| ApiError::not_found(kind, name))?;
        match replace(cluster, &read, value.clone(), options, true) {
            Err(Failure::Stale) if !conditional => continue,
            Err(failure) => return Err(failure.refusal(kind, name)),
            Ok(object) => {
                return Ok(Written {
                    object,
                    created: false,
                    warnings,
                });
            }
        }
    }
}

/// The subresource through which debugging containers are put into a running pod.
const EPHEMERAL: &str = "ephemeralcontainers";

fn check_ephemeral(kind: KindRef, new: &Value, old: &Value) -> ApiResult<()> {
    let mut errors = FieldErrors::default();
    validate::pod_spec::check_ephemeral(&new["spec"], &old["spec"], &mut errors);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid(kind, json::text(new, "/metadata/name"), errors))
    }
}

/// Why a replacement failed; a stale read may be tried again.
pub(super) enum Failure {
    Stale,
    Refused(Box<ApiError>),
}

impl Failure {
    pub(super) fn refusal(self, kind: KindRef, name: &str) -> ApiError {
        match self {
            Self::Stale => ApiError::modified(kind, name),
            Self::Refused(error) => *error,
        }
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Refused(Box::new(error))
    }
}

/// Puts a new state, in the form of its kind, in the place of the one that was read.
pub(super) fn replace(
    cluster: &Cluster,
    read: &Arc<Object>,
    mut new: Value,
    options: &Options,
    record: bool,
) -> Result<Arc<Object>, Failure> {
    let kind = read.kind;
    let old = read.value();
    let stated = json::text(&new, "/metadata/resourceVersion");
    if !stated.is_empty() && stated != read.version.to_string() {
        return Err(Failure::Stale);
    }
    let uid = json::text(&new, "/metadata/uid");
    if !uid.is_empty() && uid != &*read.uid {
        let why = format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            read.uid
        );
        return Err(ApiError::conflict(kind, read.name(), &why).into());
    }
    keep_server_fields(&old, &mut new);
    confine(kind, &options.subresource, &old, &mut new);
    match options.subresource.as_str() {
        "status" => {}
        EPHEMERAL => {
            (kind.defaults)(&mut new);
            check_ephemeral(kind, &new, &old)?;
        }
        _ => {
            (kind.defaults)(&mut new);
            (kind.admit)(cluster, &mut new, Some(&old))?;
            check(kind, &new, Some(&old))?;
        }
    }
    check_finalizers(read, &old, &new)?;
    if kind.generation && spec_differs(&old, &new) {
        let generation = json::integer(&old, "/metadata/generation").unwrap_or(0) + 1;
        json::set(&mut new, &["metadata", "generation"], generation);
    }
    if record {
        let writer = Writer {
            manager: &options.manager,
            subresource: &options.subresource,
        };
        managed::record_update(&old, &mut new, kind, writer);
    }
    json::set(
        &mut new,
        &["metadata", "resourceVersion"],
        read.version.to_string(),
    );
    if managed::same_but_times(&old, &new) {
        return Ok(read.clone());
    }
    if options.dry_run {
        return Ok(Object::detached(kind, new));
    }
    if delete::is_finished(kind, &new) {
        return match cluster.store.remove(read, Some(new)) {
            Ok(last) => Ok(last),
            Err(StoreError::Stale) => Err(Failure::Stale),
            Err(error) => Err(refusal(&error, kind, read.namespace(), read.name()).into()),
        };
    }
    match cluster.store.replace(read, new) {
        Ok(object) => Ok(object),
        Err(StoreError::Stale) => Err(Failure::Stale),
        Err(error) => Err(refusal(&error, kind, read.namespace(), read.name()).into()),
    }
}

/// Metadata that no caller may change.
fn keep_server_fields(old: &Value, new: &mut Value) {
    for field in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "generateName",
    ] {
        match old["metadata"].get(field) {
            Some(value) => json::set(new, &["metadata", field], value.clone()),
            None => {
                json::remove(new, &["metadata", field]);
            }
        }
    }
}

/// A write of the object leaves its status alone; a write of its status, everything else.
fn confine(kind: KindRef, subresource: &str, old: &Value, new: &mut Value) {
    if subresource == "status" {
        let mut kept = old.clone();
        match new.get("status") {
            Some(status) => json::set(&mut kept, &["status"], status.clone()),
            None => {
                json::remove(&mut kept, &["status"]);
            }
        }
        for field in ["annotations", "managedFields", "finalizers"] {
            match new["metadata"].get(field) {
                Some(value) => json::set(&mut kept, &["metadata", field], value.clone()),
                None => {
                    json::remove(&mut kept, &["metadata", field]);
                }
            }
        }
        *new = kept;
    } else if subresource == EPHEMERAL {
        let given = json::at(new, "/spec/ephemeralContainers").clone();
        let managed = json::at(new, "/metadata/managedFields").clone();
        *new = old.clone();
        for (path, value) in [
            (["spec", "ephemeralContainers"], given),
            (["metadata", "managedFields"], managed),
        ] {
            if value.is_null() {
                json::remove(new, &path);
            } else {
                json::set(new, &path, value);
            }
        }
    } else if kind.has_status() {
        match old.get("status") {
            Some(status) => json::set(new, &["status"], status.clone()),
            None => {
                json::remove(new, &["status"]);
            }
        }
    }
}

/// While an object is going away, finalizers may only become fewer.
fn check_finalizers(read: &Object, old: &Value, new: &Value) -> ApiResult<()> {
    if !read.deleting {
        return Ok(());
    }
    let before = json::items(old, "/metadata/finalizers");
    let added: Vec<&str> = json::items(new, "/metadata/finalizers")
        .iter()
        .filter(|finalizer| !before.contains(finalizer))
        .filter_map(Value::as_str)
        .collect();
    if added.is_empty() {
        return Ok(());
    }
    let mut errors = crate::api::errors::FieldErrors::default();
    errors.forbidden(
        "metadata.finalizers",
        format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers {added:?}"
        ),
    );
    Err(ApiError::invalid(read.kind, read.name(), errors))
}

fn spec_differs(old: &Value, new: &Value) -> bool {
    let fields = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(field, _)| field.clone())
            .filter(|field| !matches!(field.as_str(), "metadata" | "status" | "apiVersion" | "kind"))
            .collect()
    };
    fields(old) != fields(new) || fields(new).iter().any(|field| old[field] != new[field])
}

/// Reads, changes and replaces until nobody came in between: how the controllers write.
pub fn modify(
    cluster: &Cluster,
    kind: KindRef,
    namespace: &str,
    name: &str,
    options: &Options,
    mut change: impl FnMut(&mut Value) -> ApiResult<()>,
) -> ApiResult<Arc<Object>> {
    loop {
        let read = cluster
            .store
            .get(kind, namespace, name)
            .ok_or_else(|| ApiError::not_found(kind, name))?;
        let before = read.value();
        let mut value = before.clone();
        change(&mut value)?;
        if value == before {
            return Ok(read);
        }
        json::remove(&mut value, &["metadata", "resourceVersion"]);
        match replace(cluster, &read, value, options, true) {
            Err(Failure::Stale) => continue,
            Err(failure) => return Err(failure.refusal(kind, name)),
            Ok(object) => return Ok(object),
        }
    }
}
