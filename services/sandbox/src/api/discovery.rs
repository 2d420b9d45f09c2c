//! What the server has: versions, groups, resources, health.

use std::collections::BTreeMap;

use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::Call;
use super::body::{self, Body};
use super::errors::{ApiError, ApiResult};
use super::{metrics, openapi, reviews};
use crate::cluster::VERSION;
use crate::kinds::{Kind, STANDARD_VERBS};
use crate::store::Store;

const CHECKS: [&str; 4] = ["ping", "log", "etcd", "poststarthook/start-sandbox-controllers"];

pub fn answer(call: &Call) -> ApiResult<Response<Body>> {
    let reads = call.method == Method::GET || call.method == Method::HEAD;
    let found = find(call)?;
    if reads {
        Ok(found)
    } else {
        Err(ApiError::method_not_allowed())
    }
}

fn find(call: &Call) -> ApiResult<Response<Body>> {
    let parts: Vec<&str> = call.path.split('/').filter(|part| !part.is_empty()).collect();
    let store = &call.cluster.store;
    let ok = |value: Value| Ok(body::json(StatusCode::OK, &value));
    match parts.as_slice() {
        [] => ok(paths(store)),
        ["version"] => ok(version()),
        ["metrics"] => Ok(body::full(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            crate::load::series::exposition(&call.cluster),
        )),
        ["healthz" | "livez" | "readyz", ..] => Ok(health(call, parts[0])),
        ["api"] => ok(json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": call.cluster.server.url().trim_start_matches("https://")}],
        })),
        ["api", "v1"] => ok(resources(store, "", "v1")),
        ["apis"] => ok(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups(store)})),
        ["apis", group] => groups(store)
            .into_iter()
            .find(|known| known["name"] == **group)
            .map(|mut found| {
                found["kind"] = "APIGroup".into();
                found["apiVersion"] = "v1".into();
                body::json(StatusCode::OK, &found)
            })
            .ok_or_else(ApiError::no_such_path),
        ["apis", group, version] if group_versions(store).contains_key(&(*group, *version)) => {
            ok(resources(store, group, version))
        }
        ["openapi", ..] => openapi::answer(call, &parts[1..]),
        _ => Err(ApiError::no_such_path()),
    }
}

fn version() -> Value {
    let number = VERSION.trim_start_matches('v');
    let mut parts = number.split('.');
    json!({
        "major": parts.next(),
        "minor": parts.next(),
        "emulationMajor": "1",
        "emulationMinor": number.split('.').nth(1),
        "gitVersion": VERSION,
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "2025-08-13T00:00:00Z",
        "goVersion": "go1.24.5",
        "compiler": "gc",
        "platform": "linux/amd64",
    })
}

fn health(call: &Call, kind: &str) -> Response<Body> {
    if call.query.get("verbose").is_none() {
        return body::text(StatusCode::OK, "ok");
    }
    let mut text: String = CHECKS.iter().map(|check| format!("[+]{check} ok\n")).collect();
    text.push_str(&format!("{kind} check passed\n"));
    body::text(StatusCode::OK, text)
}

fn paths(store: &Store) -> Value {
    let mut paths = vec![
        "/api".to_owned(),
        "/api/v1".into(),
        "/apis".into(),
        "/apis/".into(),
    ];
    for (group, version) in group_versions(store)
        .keys()
        .filter(|(group, _)| !group.is_empty())
    {
        paths.push(format!("/apis/{group}"));
        paths.push(format!("/apis/{group}/{version}"));
    }
    paths.extend(
        [
            "/healthz",
            "/livez",
            "/openapi/v2",
            "/openapi/v3",
            "/readyz",
            "/version",
        ]
        .map(str::to_owned),
    );
    json!({"paths": paths})
}

/// The group versions, each with its kinds.
pub fn group_versions(store: &Store) -> BTreeMap<(&'static str, &'static str), Vec<&'static Kind>> {
    let mut found: BTreeMap<_, Vec<&'static Kind>> = BTreeMap::new();
    for kind in store.kinds() {
        found.entry((kind.group, kind.version)).or_default().push(kind);
    }
    for group in reviews::GROUPS {
        found.entry((group, "v1")).or_default();
    }
    found.entry((metrics::GROUP, metrics::VERSION)).or_default();
    found
}

fn groups(store: &Store) -> Vec<Value> {
    let mut groups: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (group, version) in group_versions(store)
        .into_keys()
        .filter(|(group, _)| !group.is_empty())
    {
        let version = json!({"groupVersion": format!("{group}/{version}"), "version": version});
        groups.entry(group).or_default().push(version);
    }
    groups
        .into_iter()
        .map(
            |(group, versions)| json!({"name": group, "preferredVersion": versions[0], "versions": versions}),
        )
        .collect()
}

fn resources(store: &Store, group: &str, version: &str) -> Value {
    let mut listed = Vec::new();
    for (_, found) in group_versions(store)
        .into_iter()
        .filter(|(key, _)| *key == (group, version))
    {
        for kind in found {
            listed.push(resource(kind));
            for sub in kind.subresources {
                let mut entry = json!({
                    "name": format!("{}/{}", kind.plural, sub.name),
                    "singularName": "",
                    "namespaced": kind.namespaced,
                    "kind": sub.kind,
                    "verbs": sub.verbs,
                });
                if let Some((group, version)) = sub.group_version {
                    entry["group"] = group.into();
                    entry["version"] = version.into();
                }
                listed.push(entry);
            }
        }
    }
    for (name, kind, namespaced) in reviews::of_group(group) {
        listed.push(json!({
            "name": name, "singularName": kind.to_lowercase(), "namespaced": namespaced, "kind": kind, "verbs": ["create"],
        }));
    }
    if (group, version) == (metrics::GROUP, metrics::VERSION) {
        listed.extend(metrics::resources());
    }
    let group_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed})
}

fn resource(kind: &Kind) -> Value {
    let mut entry = json!({
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": STANDARD_VERBS,
    });
    if !kind.short_names.is_empty() {
        entry["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        entry["categories"] = json!(kind.categories);
    }
    entry
}
