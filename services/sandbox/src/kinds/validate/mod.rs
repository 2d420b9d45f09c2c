//! What the real API server refuses, kind by kind.

pub mod pod_spec;
mod workload;

use std::collections::HashSet;

use serde_json::Value;

use super::names;
use crate::api::errors::FieldErrors;
use crate::json::{integer, items, text};
pub use workload::{cron_job, deployment, job, replica_set, stateful_set};

/// Size of everything a ConfigMap or Secret may hold.
const LARGEST: usize = 1024 * 1024;

/// Checks that hold for the metadata of every kind.
pub fn metadata(object: &Value, rule: names::Rule, namespaced: bool, errors: &mut FieldErrors) {
    let name = text(object, "/metadata/name");
    let prefix = text(object, "/metadata/generateName");
    if name.is_empty() {
        errors.required("metadata.name", "name or generateName is required");
    }
    for fault in if name.is_empty() {
        Vec::new()
    } else {
        rule.check(name)
    } {
        errors.invalid("metadata.name", name, fault);
    }
    if !prefix.is_empty() && name.is_empty() {
        let sample = format!("{}a", prefix.trim_end_matches('-'));
        for fault in rule.check(&sample) {
            errors.invalid("metadata.generateName", prefix, fault);
        }
    }
    if namespaced {
        let namespace = text(object, "/metadata/namespace");
        for fault in names::Rule::Label.check(namespace) {
            errors.invalid("metadata.namespace", namespace, fault);
        }
    }
    labels(&object["metadata"]["labels"], "metadata.labels", errors);
    for key in object["metadata"]["annotations"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
    {
        for fault in names::qualified(&key.to_lowercase()) {
            errors.invalid("metadata.annotations", key.as_str(), fault);
        }
    }
    for finalizer in items(object, "/metadata/finalizers")
        .iter()
        .filter_map(Value::as_str)
    {
        for fault in names::qualified(finalizer) {
            errors.invalid("metadata.finalizers", finalizer, fault);
        }
    }
    for (position, owner) in items(object, "/metadata/ownerReferences").iter().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner[field].as_str().unwrap_or("").is_empty() {
                errors.invalid(
                    format!("metadata.ownerReferences[{position}].{field}"),
                    "",
                    format!(
                        "{} must not be empty",
                        if field == "apiVersion" { "version" } else { field }
                    ),
                );
            }
        }
    }
}

pub(super) fn labels(map: &Value, field: &str, errors: &mut FieldErrors) {
    for (key, value) in map.as_object().into_iter().flatten() {
        for fault in names::qualified(key) {
            errors.invalid(field, key.as_str(), fault);
        }
        let value = value.as_str().unwrap_or("");
        if let Some(fault) = names::label_value(value) {
            errors.invalid(field, value, fault);
        }
    }
}

pub(super) fn non_negative(object: &Value, pointer: &str, field: &str, errors: &mut FieldErrors) {
    if let Some(number) = integer(object, pointer)
        && number < 0
    {
        errors.invalid(field, number, "must be greater than or equal to 0");
    }
}

pub(super) fn port(value: &Value, field: String, errors: &mut FieldErrors) {
    let number = value.as_i64().unwrap_or(0);
    if !(1..=65_535).contains(&number) {
        errors.invalid(field, number, "must be between 1 and 65535, inclusive");
    }
}

pub(super) fn one_of(value: &Value, supported: &[&str], field: impl Into<String>, errors: &mut FieldErrors) {
    match value.as_str() {
        Some(text) if supported.contains(&text) => {}
        Some(text) => errors.not_supported(field, text, supported),
        None => errors.required(field, ""),
    }
}

pub fn pod(pod: &Value, old: Option<&Value>, errors: &mut FieldErrors) {
    match old {
        None => pod_spec::check(&pod["spec"], "spec", errors),
        Some(old) => pod_spec::check_update(&pod["spec"], &old["spec"], errors),
    }
}

pub fn config_map(map: &Value, old: Option<&Value>, errors: &mut FieldErrors) {
    let mut size = 0;
    for field in ["data", "binaryData"] {
        for (key, value) in map[field].as_object().into_iter().flatten() {
            if let Some(fault) = names::config_key(key) {
                errors.invalid(format!("{field}[{key}]"), key.as_str(), fault);
            }
            if field == "binaryData" && map["data"].get(key).is_some() {
                errors.invalid(
                    format!("data[{key}]"),
                    key.as_str(),
                    "duplicate of key present in binaryData",
                );
            }
            size += value.as_str().map_or(0, str::len);
        }
    }
    if size > LARGEST {
        errors.push("", crate::api::errors::Fault::TooLong(LARGEST));
    }
    unchanged_if_immutable(map, old, &["data", "binaryData"], errors);
}

pub fn secret(secret: &Value, old: Option<&Value>, errors: &mut FieldErrors) {
    let mut size = 0;
    for (key, value) in secret["data"].as_object().into_iter().flatten() {
        if let Some(fault) = names::config_key(key) {
            errors.invalid(format!("data[{key}]"), key.as_str(), fault);
        }
        size += value.as_str().map_or(0, |text| text.len() / 4 * 3);
    }
    if size > LARGEST {
        errors.push("data", crate::api::errors::Fault::TooLong(LARGEST));
    }
    let needed: &[&str] = match text(secret, "/type") {
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        _ => &[],
    };
    for key in needed.iter().filter(|key| secret["data"].get(**key).is_none()) {
        errors.required(format!("data[{key}]"), "");
    }
    if let Some(old) = old
        && old["type"] != secret["type"]
    {
        errors.invalid("type", secret["type"].clone(), "field is immutable");
    }
    unchanged_if_immutable(secret, old, &["data"], errors);
}

fn unchanged_if_immutable(new: &Value, old: Option<&Value>, fields: &[&str], errors: &mut FieldErrors) {
    let Some(old) = old.filter(|old| old["immutable"] == true) else {
        return;
    };
    if new["immutable"] != true {
        errors.forbidden("immutable", "field is immutable when `immutable` is set");
    }
    for field in fields.iter().filter(|field| old[**field] != new[**field]) {
        errors.forbidden(*field, "field is immutable when `immutable` is set");
    }
}

pub fn service(service: &Value, old: Option<&Value>, errors: &mut FieldErrors) {
    let kind = text(service, "/spec/type");
    one_of(
        &service["spec"]["type"],
        &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
        "spec.type",
        errors,
    );
    one_of(
        &service["spec"]["sessionAffinity"],
        &["ClientIP", "None"],
        "spec.sessionAffinity",
        errors,
    );
    let ports = items(service, "/spec/ports");
    let headless = text(service, "/spec/clusterIP") == "None";
    if ports.is_empty() && !headless && kind != "ExternalName" {
        errors.required("spec.ports", "");
    }
    if kind == "ExternalName" && text(service, "/spec/externalName").is_empty() {
        errors.required("spec.externalName", "");
    }
    let (mut names_seen, mut ports_seen) = (HashSet::new(), HashSet::new());
    for (position, one) in ports.iter().enumerate() {
        let field = format!("spec.ports[{position}]");
        let name = text(one, "/name");
        if name.is_empty() && ports.len() > 1 {
            errors.required(format!("{field}.name"), "");
        } else if !name.is_empty() {
            for fault in names::Rule::Label.check(name) {
                errors.invalid(format!("{field}.name"), name, fault);
            }
            if !names_seen.insert(name) {
                errors.duplicate(format!("{field}.name"), name);
            }
        }
        port(&one["port"], format!("{field}.port"), errors);
        one_of(
            &one["protocol"],
            &["SCTP", "TCP", "UDP"],
            format!("{field}.protocol"),
            errors,
        );
        match &one["targetPort"] {
            Value::String(target) => {
                if let Some(fault) = names::port_name(target) {
                    errors.invalid(format!("{field}.targetPort"), target.as_str(), fault);
                }
            }
            target => port(target, format!("{field}.targetPort"), errors),
        }
        if !ports_seen.insert((one["port"].as_i64(), text(one, "/protocol"))) {
            errors.duplicate(
                field,
                serde_json::json!({"port": one["port"], "protocol": one["protocol"]}),
            );
        }
    }
    labels(&service["spec"]["selector"], "spec.selector", errors);
    if let Some(old) = old {
        let before = text(old, "/spec/clusterIP");
        let after = text(service, "/spec/clusterIP");
        if !before.is_empty() && before != after && kind != "ExternalName" {
            errors.invalid(
                "spec.clusterIPs[0]",
                service["spec"]["clusterIPs"].clone(),
                "may not change once set",
            );
        }
    }
}

pub fn disruption_budget(budget: &Value, _: Option<&Value>, errors: &mut FieldErrors) {
    let spec = &budget["spec"];
    if !spec["minAvailable"].is_null() && !spec["maxUnavailable"].is_null() {
        errors.invalid("spec", "", "minAvailable and maxUnavailable cannot be both set");
    }
    for field in ["minAvailable", "maxUnavailable"] {
        workload::amount_or_percent(&spec[field], &format!("spec.{field}"), errors);
    }
}
