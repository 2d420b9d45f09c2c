//! Patches of all four kinds.

use serde_json::Value;

use super::create::{create_decoded, settle_namespace};
use super::update::{Failure, replace};
use super::{Options, Written, decode};
use crate::api::errors::{ApiError, ApiResult, FieldErrors};
use crate::apply::managed::{self, Writer};
use crate::apply::{merge, strategic};
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::KindRef;

#[derive(Debug, Clone)]
pub enum Patch {
    Json(json_patch::Patch),
    Merge(Value),
    Strategic(Value),
    Apply { config: Value, force: bool },
}

pub fn patch(
    cluster: &Cluster,
    kind: KindRef,
    namespace: &str,
    name: &str,
    patch: &Patch,
    options: &Options,
) -> ApiResult<Written> {
    if let Patch::Apply { config, force } = patch {
        return apply(cluster, kind, namespace, name, config, *force, options);
    }
    loop {
        let read = cluster
            .store
            .get(kind, namespace, name)
            .ok_or_else(|| ApiError::not_found(kind, name))?;
        let live = read.value();
        let patched = patched(kind, name, &live, patch)?;
        let (value, warnings) = decode(kind, patched, options)?;
        check_identity(kind, name, namespace, &value)?;
        // A version named in the patch is a condition; without one the patch is tried again.
        let stated = json::text(&value, "/metadata/resourceVersion");
        let conditional = stated != json::text(&live, "/metadata/resourceVersion");
        match replace(cluster, &read, value, options, true) {
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

/// The result of a patch on a tree; also for subresources that are no objects of their own.
pub fn patched(kind: KindRef, name: &str, live: &Value, patch: &Patch) -> ApiResult<Value> {
    let mut value = live.clone();
    match patch {
        Patch::Json(patch) => json_patch::patch(&mut value, patch).map_err(|error| {
            ApiError::new(
                422,
                "Invalid",
                format!("the server rejected our request due to an error in our request: {error}"),
            )
            .with_details(serde_json::json!({"name": name, "kind": kind.plural}))
        })?,
        Patch::Merge(patch) => merge::json_merge(&mut value, patch),
        Patch::Strategic(patch) => {
            strategic::merge(&mut value, patch, kind.schema).map_err(ApiError::bad_request)?;
        }
        Patch::Apply { .. } => {}
    }
    Ok(value)
}

fn check_identity(kind: KindRef, name: &str, namespace: &str, value: &Value) -> ApiResult<()> {
    let stated = json::text(value, "/metadata/name");
    if stated != name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({stated}) does not match the name on the URL ({name})"
        )));
    }
    if kind.namespaced && json::text(value, "/metadata/namespace") != namespace {
        return Err(ApiError::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

fn apply(
    cluster: &Cluster,
    kind: KindRef,
    namespace: &str,
    name: &str,
    config: &Value,
    force: bool,
    options: &Options,
) -> ApiResult<Written> {
    if options.manager.is_empty() {
        let mut errors = FieldErrors::default();
        errors.required("fieldManager", "is required for apply patch");
        return Err(ApiError::invalid_named(
            "PatchOptions.meta.k8s.io",
            "meta.k8s.io",
            "PatchOptions",
            "",
            errors,
        ));
    }
    let config = prepare(kind, namespace, name, config, options)?;
    loop {
        let writer = Writer {
            manager: &options.manager,
            subresource: &options.subresource,
        };
        let Some(read) = cluster.store.get(kind, namespace, name) else {
            if !options.subresource.is_empty() {
                return Err(ApiError::not_found(kind, name));
            }
            if !json::text(&config, "/metadata/uid").is_empty() {
                let why = "uid mismatch: the provided object specified uid, and no existing object was found";
                return Err(ApiError::conflict(kind, name, why));
            }
            let mut new = managed::apply(&managed::zero(kind), &config, kind, writer, force)?;
            json::drop_nulls(&mut new);
            match create_decoded(cluster, kind, namespace, new, options, false) {
                Err(error) if error.reason == "AlreadyExists" => continue,
                result => return result,
            }
        };
        let live = read.value();
        let mut new = managed::apply(&live, &config, kind, writer, force)?;
        let stated = json::text(&config, "/metadata/resourceVersion");
        let conditional = !stated.is_empty();
        if !conditional {
            json::remove(&mut new, &["metadata", "resourceVersion"]);
        }
        match replace(cluster, &read, new, options, false) {
            Err(Failure::Stale) if !conditional => continue,
            Err(failure) => return Err(failure.refusal(kind, name)),
            Ok(object) => {
                return Ok(Written {
                    object,
                    created: false,
                    warnings: Vec::new(),
                });
            }
        }
    }
}

/// The applied configuration in the form of its kind, holding nothing the caller did not send.
fn prepare(
    kind: KindRef,
    namespace: &str,
    name: &str,
    config: &Value,
    options: &Options,
) -> ApiResult<Value> {
    if json::text(config, "/apiVersion").is_empty() || json::text(config, "/kind").is_empty() {
        return Err(ApiError::bad_request(
            "apiVersion and kind must be set in an apply configuration",
        ));
    }
    if !json::at(config, "/metadata/managedFields").is_null() {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    let lenient = Options {
        validation: super::Validation::Ignore,
        ..options.clone()
    };
    let (mut decoded, _) = decode(kind, config.clone(), &lenient)?;
    if let Some(field) = crate::kinds::typed::unknown_fields(config, &decoded).first() {
        return Err(ApiError::new(
            500,
            "InternalError",
            format!(
                "failed to create typed patch object ({namespace}/{name}; {}, Kind={}): .{field}: field not declared in schema",
                kind.api_version(),
                kind.name
            ),
        ));
    }
    restrict(&mut decoded, config);
    (match json::text(&decoded, "/metadata/name") {
        "" => {
            json::set(&mut decoded, &["metadata", "name"], name);
            Ok(())
        }
        stated if stated != name => Err(ApiError::bad_request(format!(
            "the name of the object ({stated}) does not match the name on the URL ({name})"
        ))),
        _ => Ok(()),
    })?;
    settle_namespace(kind, namespace, &mut decoded)?;
    if options.subresource == "status" {
        json::remove(&mut decoded, &["spec"]);
    } else if kind.has_status() {
        json::remove(&mut decoded, &["status"]);
    }
    Ok(decoded)
}

/// Removes what decoding added: required fields of the type that the caller left out.
fn restrict(decoded: &mut Value, given: &Value) {
    match (decoded, given) {
        (Value::Object(decoded), Value::Object(given)) => {
            decoded.retain(|field, _| given.contains_key(field));
            for (field, value) in decoded {
                restrict(value, &given[field]);
            }
        }
        (Value::Array(decoded), Value::Array(given)) => {
            decoded
                .iter_mut()
                .zip(given)
                .for_each(|(decoded, given)| restrict(decoded, given));
        }
        _ => {}
    }
}
