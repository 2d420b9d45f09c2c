//! Garbage collection: dependents follow their owners; owners deleted in the foreground wait for
//! their dependents; orphaned dependents stay.

use std::sync::Arc;

use serde_json::Value;

use super::{MANAGER, Outcome};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::KindRef;
use crate::registry::delete::{DeleteOptions, FOREGROUND, ORPHAN, Propagation, delete};
use crate::registry::{Options, update};
use crate::store::{Key, Object};

fn ignore_missing<T>(result: ApiResult<T>) -> ApiResult<()> {
    match result {
        Err(error) if error.code != 404 => Err(error),
        _ => Ok(()),
    }
}

/// Sees to the dependents of an owner that is gone. One that was seen to go need not be looked for, which can't be
/// done when its kind went too.
pub fn reconcile_orphans(cluster: &Arc<Cluster>, owner: &str, seen: bool) -> ApiResult<Outcome> {
    for dependent in cluster.store.dependents(owner) {
        let value = dependent.bare_value();
        let (alive, gone): (Vec<&Value>, Vec<&Value>) = json::items(&value, "/metadata/ownerReferences")
            .iter()
            .partition(|reference| {
                let went = seen && json::text(reference, "/uid") == owner;
                !went && exists(cluster, &dependent, reference)
            });
        if gone.is_empty() || dependent.deleting {
            continue;
        }
        if alive.is_empty() {
            let options = DeleteOptions {
                uid: Some(dependent.uid.to_string()),
                ..DeleteOptions::default()
            };
            let result = delete(
                cluster,
                dependent.kind,
                dependent.namespace(),
                dependent.name(),
                &options,
            );
            match result {
                Err(error) if error.code == 409 => {}
                result => ignore_missing(result)?,
            }
        } else {
            let kept: Vec<Value> = alive.into_iter().cloned().collect();
            ignore_missing(set_owners(cluster, &dependent, &kept))?;
        }
    }
    Ok(Outcome::DONE)
}

fn exists(cluster: &Cluster, dependent: &Object, reference: &Value) -> bool {
    let api_version = json::text(reference, "/apiVersion");
    let Some(kind) = cluster
        .store
        .kind_by_name(api_version, json::text(reference, "/kind"))
    else {
        // Owners of kinds this cluster does not know are left alone.
        return true;
    };
    let namespace = if kind.namespaced {
        dependent.key.namespace.clone()
    } else {
        "".into()
    };
    let key = Key {
        namespace,
        name: json::text(reference, "/name").into(),
    };
    cluster.store.has_uid(kind, &key, json::text(reference, "/uid"))
}

fn set_owners(cluster: &Cluster, dependent: &Object, owners: &[Value]) -> ApiResult<Arc<Object>> {
    let options = Options::by(MANAGER);
    update::modify(
        cluster,
        dependent.kind,
        dependent.namespace(),
        dependent.name(),
        &options,
        |value| {
            if owners.is_empty() {
                json::remove(value, &["metadata", "ownerReferences"]);
            } else {
                json::set(value, &["metadata", "ownerReferences"], owners.to_vec());
            }
            Ok(())
        },
    )
}

/// Sees to an object that is marked: frees its dependents, or waits until they are gone.
pub fn reconcile_deletion(cluster: &Arc<Cluster>, kind: KindRef, key: &Key) -> ApiResult<Outcome> {
    let Some(object) = cluster.store.get(kind, &key.namespace, &key.name) else {
        return Ok(Outcome::DONE);
    };
    if !object.deleting {
        return Ok(Outcome::DONE);
    }
    let value = object.bare_value();
    let finalizers = json::items(&value, "/metadata/finalizers");
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    if has(ORPHAN) {
        for dependent in cluster.store.dependents(&object.uid) {
            let kept: Vec<Value> = json::items(&dependent.bare_value(), "/metadata/ownerReferences")
                .iter()
                .filter(|reference| json::text(reference, "/uid") != &*object.uid)
                .cloned()
                .collect();
            ignore_missing(set_owners(cluster, &dependent, &kept))?;
        }
        return remove_finalizer(cluster, &object, ORPHAN);
    }
    if has(FOREGROUND) {
        let mut blocked = false;
        for dependent in cluster.store.dependents(&object.uid) {
            let value = dependent.bare_value();
            let reference = json::items(&value, "/metadata/ownerReferences")
                .iter()
                .find(|reference| json::text(reference, "/uid") == &*object.uid);
            blocked |= reference.is_some_and(|reference| reference["blockOwnerDeletion"] == true);
            if !dependent.deleting {
                let options = DeleteOptions {
                    propagation: Some(Propagation::Foreground),
                    ..DeleteOptions::default()
                };
                let result = delete(
                    cluster,
                    dependent.kind,
                    dependent.namespace(),
                    dependent.name(),
                    &options,
                );
                ignore_missing(result)?;
            }
        }
        // The removal of the last dependent brings this key back.
        if !blocked || cluster.store.dependents(&object.uid).is_empty() {
            return remove_finalizer(cluster, &object, FOREGROUND);
        }
    }
    Ok(Outcome::DONE)
}

pub fn remove_finalizer(cluster: &Cluster, object: &Object, finalizer: &str) -> ApiResult<Outcome> {
    let options = Options::by(MANAGER);
    let result = update::modify(
        cluster,
        object.kind,
        object.namespace(),
        object.name(),
        &options,
        |value| {
            let kept: Vec<Value> = json::items(value, "/metadata/finalizers")
                .iter()
                .filter(|one| *one != finalizer)
                .cloned()
                .collect();
            if kept.is_empty() {
                json::remove(value, &["metadata", "finalizers"]);
            } else {
                json::set(value, &["metadata", "finalizers"], kept);
            }
            Ok(())
        },
    );
    ignore_missing(result)?;
    Ok(Outcome::DONE)
}
