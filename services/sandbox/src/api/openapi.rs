//! The OpenAPI documents, as far as clients need them: `kubectl` asks them whether the server
//! knows dry runs and field validation. They name the paths and say nothing about fields.

use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::Call;
use super::body::{self, Body};
use super::discovery::group_versions;
use super::errors::{ApiError, ApiResult};
use crate::cluster::VERSION;
use crate::kinds::{Kind, KindRef};

pub fn answer(call: &Call, parts: &[&str]) -> ApiResult<Response<Body>> {
    let protobuf = call
        .headers
        .get(http::header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("proto-openapi.spec.v2"));
    let store = &call.cluster.store;
    match parts {
        ["v2"] if protobuf => Ok(body::full(
            StatusCode::OK,
            // With a dot where the request has an at sign, which is not allowed in a media type.
            "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
            super::protobuf::document::document(&store.kinds()),
        )),
        ["v2"] => Ok(body::json(StatusCode::OK, &document_v2(&store.kinds()))),
        ["v3"] => {
            let mut paths = Map::new();
            for (group, version) in group_versions(store).keys() {
                let path = group_path(group, version);
                let url = format!("/openapi/v3/{path}?hash=1");
                paths.insert(path, json!({"serverRelativeURL": url}));
            }
            Ok(body::json(StatusCode::OK, &json!({"paths": paths})))
        }
        ["v3", rest @ ..] => {
            let path = rest.join("/");
            let found = group_versions(store)
                .into_iter()
                .find(|((group, version), _)| group_path(group, version) == path);
            let (_, kinds) = found.ok_or_else(ApiError::no_such_path)?;
            Ok(body::json(StatusCode::OK, &document_v3(&kinds)))
        }
        _ => Err(ApiError::no_such_path()),
    }
}

fn group_path(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

/// The path of one object of a kind.
pub fn object_path(kind: &Kind) -> String {
    let namespace = if kind.namespaced {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    format!(
        "/{}{namespace}/{}/{{name}}",
        group_path(kind.group, kind.version),
        kind.plural
    )
}

pub const PATCH_PARAMETERS: [&str; 4] = ["dryRun", "fieldManager", "fieldValidation", "force"];

pub fn group_version_kind(kind: &Kind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.name})
}

fn document_v3(kinds: &[&'static Kind]) -> Value {
    let mut paths = Map::new();
    for kind in kinds {
        let parameters: Vec<Value> = PATCH_PARAMETERS
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}}))
            .collect();
        paths.insert(
            object_path(kind),
            json!({"patch": {
                "parameters": parameters,
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": group_version_kind(kind),
            }}),
        );
    }
    json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": VERSION}, "paths": paths, "components": {"schemas": {}}})
}

fn document_v2(kinds: &[KindRef]) -> Value {
    let mut paths = Map::new();
    for kind in kinds {
        let parameters: Vec<Value> = PATCH_PARAMETERS
            .iter()
            .map(|name| json!({"name": name, "in": "query", "type": "string", "uniqueItems": true}))
            .collect();
        paths.insert(
            object_path(kind),
            json!({"patch": {
                "parameters": parameters,
                "responses": {"200": {"description": "OK"}},
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": group_version_kind(kind),
            }}),
        );
    }
    json!({"swagger": "2.0", "info": {"title": "Kubernetes", "version": VERSION}, "paths": paths, "definitions": {}})
}
