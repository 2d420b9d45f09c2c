//! Creating objects.

use serde_json::Value;

use super::{Options, Written, check, decode, generated_name, refusal};
use crate::api::errors::{ApiError, ApiResult};
use crate::apply::managed::{self, Writer};
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::{Deletion, KindRef};
use crate::store::{Object, StoreError};

/// Creates an object from a body as a caller sent it.
pub fn create(
    cluster: &Cluster,
    kind: KindRef,
    namespace: &str,
    body: Value,
    options: &Options,
) -> ApiResult<Written> {
    let (value, warnings) = decode(kind, body, options)?;
    let mut written = create_decoded(cluster, kind, namespace, value, options, true)?;
    written.warnings = warnings;
    Ok(written)
}

/// Creates an object that is in the form of its kind already. With server-side apply the managed
/// fields stand in it; else they are recorded here.
pub(super) fn create_decoded(
    cluster: &Cluster,
    kind: KindRef,
    namespace: &str,
    mut value: Value,
    options: &Options,
    record: bool,
) -> ApiResult<Written> {
    if !json::text(&value, "/metadata/resourceVersion").is_empty() {
        return Err(ApiError::bad_request(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    settle_namespace(kind, namespace, &mut value)?;
    let generated = json::text(&value, "/metadata/name").is_empty();
    let prefix = json::text(&value, "/metadata/generateName").to_owned();
    if generated && !prefix.is_empty() {
        json::set(&mut value, &["metadata", "name"], generated_name(&prefix));
    }
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
        json::remove(&mut value, &["metadata", field]);
    }
    json::set(&mut value, &["metadata", "uid"], uuid::Uuid::new_v4().to_string());
    json::set(&mut value, &["metadata", "creationTimestamp"], json::now());
    if kind.generation {
        json::set(&mut value, &["metadata", "generation"], 1);
    } else {
        json::remove(&mut value, &["metadata", "generation"]);
    }
    if kind.has_status() && options.subresource != "status" && options.manager != super::admission::KUBELET {
        json::remove(&mut value, &["status"]);
    }
    initial_status(kind, &mut value);
    (kind.defaults)(&mut value);
    let stated = json::text(&value, "/metadata/name");
    cluster
        .store
        .check_namespace(kind, namespace)
        .map_err(|error| refusal(&error, kind, namespace, stated))?;
    (kind.admit)(cluster, &mut value, None)?;
    check(kind, &value, None)?;
    if record {
        let writer = Writer {
            manager: &options.manager,
            subresource: &options.subresource,
        };
        managed::record_update(&managed::zero(kind), &mut value, kind, writer);
    }
    let name = json::text(&value, "/metadata/name").to_owned();
    if options.dry_run {
        if cluster.store.get(kind, namespace, &name).is_some() {
            return Err(ApiError::already_exists(kind, &name));
        }
        return Ok(Written {
            object: Object::detached(kind, value),
            created: true,
            warnings: Vec::new(),
        });
    }
    let mut attempts = 0;
    loop {
        match cluster.store.create(kind, value.clone()) {
            Ok(object) => {
                return Ok(Written {
                    object,
                    created: true,
                    warnings: Vec::new(),
                });
            }
            Err(StoreError::Exists) if generated && !prefix.is_empty() && attempts < 8 => {
                attempts += 1;
                json::set(&mut value, &["metadata", "name"], generated_name(&prefix));
            }
            Err(error) => return Err(refusal(&error, kind, namespace, &name)),
        }
    }
}

/// The object's namespace is the one of the request; saying another is an error.
pub(super) fn settle_namespace(kind: KindRef, namespace: &str, value: &mut Value) -> ApiResult<()> {
    if !kind.namespaced {
        json::remove(value, &["metadata", "namespace"]);
        return Ok(());
    }
    let stated = json::text(value, "/metadata/namespace");
    if !stated.is_empty() && stated != namespace {
        return Err(ApiError::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    json::set(value, &["metadata", "namespace"], namespace);
    Ok(())
}

/// What the registry's create strategy puts into a new status.
fn initial_status(kind: KindRef, value: &mut Value) {
    match kind.deletion {
        Deletion::Namespace => {
            json::set(value, &["spec", "finalizers"], serde_json::json!(["kubernetes"]));
            json::set(value, &["status", "phase"], "Active");
        }
        Deletion::Graceful => json::default_field(json::nested(value, &["status"]), "phase", "Pending"),
        Deletion::Plain => {
            // A custom kind says by itself what its status begins with.
            if kind.has_status() && !kind.is_custom() {
                json::nested(value, &["status"]);
            }
        }
    }
}
