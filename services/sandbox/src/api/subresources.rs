//! Subresources other than `status`: scale, log, eviction, binding, token, finalize.

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::body::{self, Body};
use super::errors::{ApiError, ApiResult, FieldErrors};
use super::path::Resource;
use super::resources::{options, read_patch, written};
use super::{Call, logs, read_json, streams, tokens};
use crate::controllers::{disruption, scheduler};
use crate::json;
use crate::registry::delete::{self, DeleteOptions};
use crate::registry::{patch, update};

pub async fn answer(
    call: &Call,
    target: &Resource,
    verb: &str,
    request: Request<Incoming>,
) -> ApiResult<Response<Body>> {
    let (cluster, kind, namespace, name) = (&call.cluster, target.kind, target.namespace(), target.name());
    match target.subresource.as_str() {
        "scale" => scale(call, target, verb, request).await,
        "log" => logs::answer(call, target),
        "exec" | "attach" | "portforward" => streams::answer(call, target, request),
        "eviction" => evict(call, target, request).await,
        "binding" => {
            let body = read_json(request).await?;
            let pod = cluster
                .store
                .get(kind, namespace, name)
                .ok_or_else(|| ApiError::not_found(kind, name))?;
            if pod.field("spec.nodeName") != Some("") {
                let node = pod.field("spec.nodeName").unwrap_or("");
                let why = format!("pod {name} is already assigned to node {node:?}");
                return Err(ApiError::conflict(kind, name, &why));
            }
            scheduler::bind(cluster, &pod, json::text(&body, "/target/name"))?;
            Ok(body::json(StatusCode::CREATED, &success()))
        }
        "token" => {
            let body = read_json(request).await?;
            Ok(body::json(
                StatusCode::CREATED,
                &tokens::request(cluster, namespace, name, &body)?,
            ))
        }
        "finalize" => {
            let body = read_json(request).await?;
            let result = update::update(cluster, kind, namespace, name, body, &options(call, target)?)?;
            Ok(written(call, &result))
        }
        _ => Err(ApiError::no_such_path()),
    }
}

fn success() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})
}

/// The scale of a workload, as `autoscaling/v1`.
fn scale_of(object: &crate::store::Object) -> Value {
    let value = object.bare_value();
    let selector = &value["spec"]["selector"];
    let labels: Vec<String> = selector["matchLabels"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or("")))
        .collect();
    let mut metadata = json!({});
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        metadata[field] = value["metadata"][field].clone();
    }
    let mut spec = json!({});
    let replicas = json::integer(&value, "/spec/replicas").unwrap_or(0);
    if replicas != 0 {
        spec["replicas"] = replicas.into();
    }
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": spec,
        "status": {
            "replicas": json::integer(&value, "/status/replicas").unwrap_or(0),
            "selector": labels.join(","),
        },
    })
}

async fn scale(
    call: &Call,
    target: &Resource,
    verb: &str,
    request: Request<Incoming>,
) -> ApiResult<Response<Body>> {
    let (cluster, kind, namespace, name) = (&call.cluster, target.kind, target.namespace(), target.name());
    let found = || {
        cluster
            .store
            .get(kind, namespace, name)
            .ok_or_else(|| ApiError::not_found(kind, name))
    };
    if verb == "get" {
        return Ok(body::json(StatusCode::OK, &scale_of(&*found()?)));
    }
    let current = scale_of(&*found()?);
    let wanted = if verb == "patch" {
        match read_patch(call, request).await? {
            patch::Patch::Apply { config, .. } => config,
            other => patch::patched(kind, name, &current, &other)?,
        }
    } else {
        read_json(request).await?
    };
    let stated = json::text(&wanted, "/metadata/name");
    if !stated.is_empty() && stated != name {
        return Err(ApiError::bad_request(format!(
            "the name of the object ({stated}) does not match the name on the URL ({name})"
        )));
    }
    let version = json::text(&wanted, "/metadata/resourceVersion");
    let conditional = !version.is_empty()
        && (verb == "update" || version != json::text(&current, "/metadata/resourceVersion"));
    let replicas = json::integer(&wanted, "/spec/replicas").unwrap_or(0);
    if replicas < 0 {
        let mut errors = FieldErrors::default();
        errors.invalid("spec.replicas", replicas, "must be greater than or equal to 0");
        return Err(ApiError::invalid_named(
            "Scale.autoscaling",
            "autoscaling",
            "Scale",
            name,
            errors,
        ));
    }
    let version = version.to_owned();
    let object = update::modify(cluster, kind, namespace, name, &options(call, target)?, |value| {
        if conditional && json::text(value, "/metadata/resourceVersion") != version {
            return Err(ApiError::modified(kind, name));
        }
        json::set(value, &["spec", "replicas"], replicas);
        Ok(())
    })?;
    Ok(body::json(StatusCode::OK, &scale_of(&object)))
}

/// An eviction is a deletion that asks first.
async fn evict(call: &Call, target: &Resource, request: Request<Incoming>) -> ApiResult<Response<Body>> {
    let (cluster, kind, namespace, name) = (&call.cluster, target.kind, target.namespace(), target.name());
    let body = read_json(request).await?;
    let stated = json::text(&body, "/metadata/name");
    if !stated.is_empty() && stated != name {
        return Err(ApiError::bad_request(
            "name in URL does not match name in Eviction object",
        ));
    }
    let given = &body["deleteOptions"];
    let wanted = DeleteOptions {
        grace_seconds: given["gracePeriodSeconds"].as_i64(),
        uid: given["preconditions"]["uid"].as_str().map(str::to_owned),
        resource_version: given["preconditions"]["resourceVersion"]
            .as_str()
            .map(str::to_owned),
        propagation: None,
        dry_run: call.query.dry_run()?,
    };
    let pod = cluster
        .store
        .get(kind, namespace, name)
        .ok_or_else(|| ApiError::not_found(kind, name))?;
    disruption::check_eviction(cluster, &pod)?;
    delete::delete(cluster, kind, namespace, name, &wanted)?;
    Ok(body::json(StatusCode::CREATED, &success()))
}
