//! `metrics.k8s.io`: what nodes and pods use now. Computed when asked, never stored.

use std::collections::HashMap;
use std::sync::Arc;

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::Call;
use super::auth::Attributes;
use super::body::{self, Body};
use super::errors::{ApiError, ApiResult};
use super::lists::Filter;
use crate::json;
use crate::kinds::KindRef;
use crate::kinds::core::{NODE, POD};
use crate::load::figures::MEBI;
use crate::load::seconds_of;
use crate::load::series::{View, used_by_node};
use crate::store::Object;

pub const GROUP: &str = "metrics.k8s.io";
pub const VERSION: &str = "v1beta1";
const API_VERSION: &str = "metrics.k8s.io/v1beta1";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    pub resource: String,
    pub namespace: Option<String>,
    pub name: Option<String>,
}

pub fn resources() -> Vec<Value> {
    [("nodes", "NodeMetrics", false), ("pods", "PodMetrics", true)]
        .into_iter()
        .map(|(name, kind, namespaced)| {
            json!({"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]})
        })
        .collect()
}

/// The kind whose objects are measured.
pub fn measured(resource: &str, namespaced: bool) -> Option<KindRef> {
    match (resource, namespaced) {
        ("nodes", false) => Some(&NODE),
        ("pods", _) => Some(&POD),
        _ => None,
    }
}

/// What the answer is made of.
enum Figures<'a> {
    Nodes(HashMap<String, (f64, f64)>),
    Pods(View<'a>),
}

pub fn answer(call: &Call, target: &Target) -> ApiResult<Response<Body>> {
    let kind = measured(&target.resource, target.namespace.is_some()).ok_or_else(ApiError::no_such_path)?;
    let (namespace, name) = (
        target.namespace.as_deref().unwrap_or(""),
        target.name.as_deref().unwrap_or(""),
    );
    call.authorize(&Attributes {
        verb: if name.is_empty() { "list" } else { "get" },
        group: GROUP,
        resource: &target.resource,
        namespace,
        name,
        ..Attributes::default()
    })?;
    if call.method != Method::GET {
        return Err(ApiError::method_not_allowed());
    }
    let cluster = &call.cluster;
    let at = seconds_of(crate::clock::now());
    let figures = if kind == &NODE {
        Figures::Nodes(used_by_node(cluster, at))
    } else {
        Figures::Pods(View::of(cluster, |of, pod| {
            (namespace.is_empty() || of == namespace) && (name.is_empty() || pod == name)
        }))
    };
    let measure = |object: &Arc<Object>| match &figures {
        Figures::Nodes(used) => Some(of_node(used, object)),
        Figures::Pods(view) => of_pod(view, object, at),
    };
    if !name.is_empty() {
        let found = cluster
            .store
            .get(kind, namespace, name)
            .and_then(|object| measure(&object));
        let found = found.ok_or_else(|| {
            let message = format!("{}.{GROUP} {name:?} not found", target.resource);
            ApiError::new(404, "NotFound", message)
                .with_details(json!({"name": name, "group": GROUP, "kind": target.resource}))
        })?;
        return Ok(body::json(StatusCode::OK, &found));
    }
    let filter = Filter::for_kind(call, kind)?;
    let (objects, version) = cluster.store.list(kind, target.namespace.as_deref());
    let items: Vec<Value> = objects
        .iter()
        .filter(|object| filter.matches(object))
        .filter_map(measure)
        .collect();
    let list = if kind == &NODE {
        "NodeMetricsList"
    } else {
        "PodMetricsList"
    };
    Ok(body::json(
        StatusCode::OK,
        &json!({"kind": list, "apiVersion": API_VERSION, "metadata": {"resourceVersion": version.to_string()}, "items": items}),
    ))
}

fn measurement(kind: &str, object: &Object) -> Value {
    let mut metadata = json!({"name": object.name(), "creationTimestamp": json::now()});
    if !object.namespace().is_empty() {
        metadata["namespace"] = object.namespace().into();
    }
    if !object.labels.is_empty() {
        let labels: HashMap<&str, &str> = object
            .labels
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        metadata["labels"] = json!(labels);
    }
    json!({"kind": kind, "apiVersion": API_VERSION, "metadata": metadata, "timestamp": json::now(), "window": "15s"})
}

/// Cores and bytes as `metrics.k8s.io` writes them.
fn usage(cores: f64, memory: f64) -> Value {
    json!({
        "cpu": format!("{}u", (cores * 1e6) as i64),
        "memory": format!("{}Ki", (memory / 1024.0) as i64),
    })
}

fn of_pod(view: &View<'_>, pod: &Arc<Object>, at: f64) -> Option<Value> {
    let containers: Vec<Value> = view
        .used(pod.namespace(), pod.name(), at)
        .into_iter()
        .map(|(name, used)| json!({"name": name, "usage": usage(used.cores, used.memory)}))
        .collect();
    if containers.is_empty() {
        return None;
    }
    let mut value = measurement("PodMetrics", pod);
    value["containers"] = containers.into();
    Some(value)
}

fn of_node(used: &HashMap<String, (f64, f64)>, node: &Object) -> Value {
    let (cores, memory) = used.get(node.name()).copied().unwrap_or_default();
    let mut value = measurement("NodeMetrics", node);
    // A node at rest uses a little itself.
    value["usage"] = usage(cores + 0.05, memory + 600.0 * MEBI);
    value
}
