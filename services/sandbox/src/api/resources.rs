//! Verbs on objects.

use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::Value;

use super::auth::Attributes;
use super::body::{self, Body, Format};
use super::errors::{ApiError, ApiResult};
use super::path::Resource;
use super::{Call, content_type, lists, parse, read, read_json, subresources, tables, watch, yaml};
use crate::registry::delete::{self, DeleteOptions, Propagation};
use crate::registry::patch::{self, Patch};
use crate::registry::{Options, Written, create, update};

pub const PATCH_TYPES: &str = "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml";

const CUSTOM_PATCH_TYPES: &str =
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

fn verb(call: &Call, target: &Resource) -> &'static str {
    let one = target.name.is_some();
    match call.method {
        Method::GET | Method::HEAD if !one && call.query.flag("watch") => "watch",
        Method::GET | Method::HEAD if !one => "list",
        Method::GET | Method::HEAD => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if one => "delete",
        Method::DELETE => "deletecollection",
        _ => "",
    }
}

/// How this call's writes are done.
pub fn options(call: &Call, target: &Resource) -> ApiResult<Options> {
    Ok(Options {
        manager: call.manager(),
        subresource: target.subresource.clone(),
        dry_run: call.query.dry_run()?,
        validation: call.query.validation()?,
    })
}

pub async fn answer(call: &Call, target: &Resource, request: Request<Incoming>) -> ApiResult<Response<Body>> {
    let verb = verb(call, target);
    call.authorize(&Attributes {
        verb,
        group: target.kind.group,
        resource: target.kind.plural,
        subresource: &target.subresource,
        // A namespace's own name is the namespace it is about.
        namespace: if target.kind == &crate::kinds::core::NAMESPACE {
            target.name()
        } else {
            target.namespace()
        },
        name: target.name(),
        path: "",
    })?;
    if target.name.is_none() && matches!(verb, "update" | "patch") {
        return Err(ApiError::method_not_allowed());
    }
    if call.format == Format::Unacceptable {
        return Err(ApiError::not_acceptable("application/json, application/yaml"));
    }
    if !target.subresource.is_empty() {
        let subresource = target
            .kind
            .subresource(&target.subresource)
            .ok_or_else(ApiError::no_such_path)?;
        if !subresource.verbs.contains(&verb) {
            return Err(ApiError::method_not_allowed());
        }
        if !matches!(subresource.name, "status" | "ephemeralcontainers") {
            return subresources::answer(call, target, verb, request).await;
        }
    }
    let (cluster, kind, namespace, name) = (&call.cluster, target.kind, target.namespace(), target.name());
    match verb {
        "get" => {
            let found = cluster
                .store
                .get(kind, namespace, name)
                .ok_or_else(|| ApiError::not_found(kind, name))?;
            Ok(object(call, StatusCode::OK, &found))
        }
        "list" => lists::answer(call, target),
        "watch" => watch::answer(call, target),
        "create" => {
            if target.name.is_some() {
                return Err(ApiError::method_not_allowed());
            }
            let value = read_json(request).await?;
            let result = create::create(cluster, kind, namespace, value, &options(call, target)?)?;
            Ok(written(call, &result))
        }
        "update" => {
            let value = read_json(request).await?;
            let result = update::update(cluster, kind, namespace, name, value, &options(call, target)?)?;
            Ok(written(call, &result))
        }
        "patch" => {
            let wanted = read_patch(call, request).await?;
            if kind.is_custom() && matches!(wanted, Patch::Strategic(_)) {
                // Nothing says how the lists of a custom kind merge.
                return Err(ApiError::unsupported_media_type(CUSTOM_PATCH_TYPES));
            }
            let mut options = options(call, target)?;
            if matches!(wanted, Patch::Apply { .. }) && call.query.get("fieldManager").is_none() {
                // An apply must name its manager; the user agent does not count.
                options.manager.clear();
            }
            let result = patch::patch(cluster, kind, namespace, name, &wanted, &options)?;
            Ok(written(call, &result))
        }
        "delete" => {
            let wanted = read_delete_options(call, request).await?;
            let deleted = delete::delete(cluster, kind, namespace, name, &wanted)?;
            Ok(body::json(StatusCode::OK, &delete::answer(&deleted)))
        }
        "deletecollection" => {
            let wanted = read_delete_options(call, request).await?;
            lists::delete_all(call, target, &wanted)
        }
        _ => Err(ApiError::method_not_allowed()),
    }
}

/// One object in the form the client wants.
pub fn object(call: &Call, status: StatusCode, object: &crate::store::Object) -> Response<Body> {
    match call.format {
        Format::Object | Format::Unacceptable => body::full(status, "application/json", object.bytes()),
        Format::Metadata => body::json(status, &tables::metadata(object)),
        Format::Table => {
            let version = object.version.to_string();
            let policy = tables::Inclusion::of(&call.query);
            body::json(
                status,
                &tables::table(object.kind, [object], policy, &version, true),
            )
        }
    }
}

pub fn written(call: &Call, written: &Written) -> Response<Body> {
    let status = if written.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let mut response = object(call, status, &written.object);
    warn(&mut response, &written.warnings);
    response
}

/// Warnings as the `kubectl` of today shows them.
pub fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings {
        let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{text}\"")) {
            response.headers_mut().append(http::header::WARNING, value);
        }
    }
}

pub async fn read_patch(call: &Call, request: Request<Incoming>) -> ApiResult<Patch> {
    let kind = content_type(request.headers());
    let force = call.query.get("force").is_some_and(|force| !force.is_empty());
    let apply = kind.starts_with("application/apply-patch+");
    if force && !apply {
        let mut errors = super::errors::FieldErrors::default();
        errors.forbidden("force", "may not be specified for non-apply patch");
        return Err(ApiError::invalid_named(
            "PatchOptions.meta.k8s.io",
            "meta.k8s.io",
            "PatchOptions",
            "",
            errors,
        ));
    }
    let bytes = read(request).await?;
    let json = || -> ApiResult<Value> {
        serde_json::from_slice(&bytes)
            .map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}")))
    };
    match kind.as_str() {
        "application/json-patch+json" => serde_json::from_slice(&bytes)
            .map(Patch::Json)
            .map_err(|error| ApiError::bad_request(format!("error decoding patch: {error}"))),
        "application/merge-patch+json" => Ok(Patch::Merge(json()?)),
        "application/strategic-merge-patch+json" => Ok(Patch::Strategic(json()?)),
        "application/apply-patch+yaml" => Ok(Patch::Apply {
            config: yaml(&bytes)?,
            force: call.query.flag("force"),
        }),
        _ => Err(ApiError::unsupported_media_type(PATCH_TYPES)),
    }
}

/// Options of a deletion: in the body, or in the query.
pub async fn read_delete_options(call: &Call, request: Request<Incoming>) -> ApiResult<DeleteOptions> {
    let kind = content_type(request.headers());
    let bytes = read(request).await?;
    let given = if bytes.is_empty() {
        Value::Null
    } else {
        parse(&kind, &bytes)?
    };
    let in_query = |name: &str| call.query.get(name).map(Value::from);
    let propagation = given
        .get("propagationPolicy")
        .cloned()
        .or_else(|| in_query("propagationPolicy"));
    let propagation = match propagation.as_ref().and_then(Value::as_str) {
        None | Some("") => match given["orphanDependents"].as_bool() {
            Some(true) => Some(Propagation::Orphan),
            Some(false) => Some(Propagation::Background),
            None => None,
        },
        Some("Background") => Some(Propagation::Background),
        Some("Foreground") => Some(Propagation::Foreground),
        Some("Orphan") => Some(Propagation::Orphan),
        Some(other) => {
            let mut errors = super::errors::FieldErrors::default();
            errors.not_supported(
                "propagationPolicy",
                other,
                &["Foreground", "Background", "Orphan"],
            );
            return Err(ApiError::invalid_named(
                "DeleteOptions.meta.k8s.io",
                "meta.k8s.io",
                "DeleteOptions",
                "",
                errors,
            ));
        }
    };
    let grace = match given["gracePeriodSeconds"].as_i64() {
        Some(grace) => Some(grace),
        None => call.query.number("gracePeriodSeconds")?,
    };
    let text = |field: &str| given["preconditions"][field].as_str().map(str::to_owned);
    let dry_run = given["dryRun"]
        .as_array()
        .is_some_and(|list| list.iter().any(|one| one == "All"));
    Ok(DeleteOptions {
        grace_seconds: grace,
        propagation,
        uid: text("uid"),
        resource_version: text("resourceVersion"),
        dry_run: dry_run || call.query.dry_run()?,
    })
}
