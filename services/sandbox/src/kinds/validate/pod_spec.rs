//! Pod specs, alone or in a template.

use std::collections::HashSet;

use serde_json::Value;

use super::{names, non_negative, one_of, port};
use crate::api::errors::{Fault, FieldErrors};
use crate::json::{integer, items, text};
use crate::kinds::quantity;

const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];

pub fn check(spec: &Value, field: &str, errors: &mut FieldErrors) {
    let mut volumes = HashSet::new();
    for (position, volume) in items(spec, "/volumes").iter().enumerate() {
        let field = format!("{field}.volumes[{position}].name");
        let name = text(volume, "/name");
        if name.is_empty() {
            errors.required(field, "");
            continue;
        }
        for fault in names::Rule::Label.check(name) {
            errors.invalid(field.clone(), name, fault);
        }
        if !volumes.insert(name) {
            errors.duplicate(field, name);
        }
    }
    let containers = items(spec, "/containers");
    if containers.is_empty() {
        errors.required(format!("{field}.containers"), "");
    }
    let mut seen = HashSet::new();
    for list in ["containers", "initContainers"] {
        for (position, one) in items(spec, &format!("/{list}")).iter().enumerate() {
            let field = format!("{field}.{list}[{position}]");
            container(one, &field, &volumes, errors);
            let name = text(one, "/name");
            if !name.is_empty() && !seen.insert(name) {
                errors.duplicate(format!("{field}.name"), name);
            }
        }
    }
    if !items(spec, "/ephemeralContainers").is_empty() {
        errors.forbidden(format!("{field}.ephemeralContainers"), "cannot be set on create");
    }
    one_of(
        &spec["restartPolicy"],
        &["Always", "OnFailure", "Never"],
        format!("{field}.restartPolicy"),
        errors,
    );
    one_of(
        &spec["dnsPolicy"],
        &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
        format!("{field}.dnsPolicy"),
        errors,
    );
    non_negative(
        spec,
        "/terminationGracePeriodSeconds",
        &format!("{field}.terminationGracePeriodSeconds"),
        errors,
    );
    super::labels(&spec["nodeSelector"], &format!("{field}.nodeSelector"), errors);
    let account = text(spec, "/serviceAccountName");
    if !account.is_empty() {
        for fault in names::Rule::Subdomain.check(account) {
            errors.invalid(format!("{field}.serviceAccountName"), account, fault);
        }
    }
}

fn container(container: &Value, field: &str, volumes: &HashSet<&str>, errors: &mut FieldErrors) {
    let name = text(container, "/name");
    if name.is_empty() {
        errors.required(format!("{field}.name"), "");
    } else {
        for fault in names::Rule::Label.check(name) {
            errors.invalid(format!("{field}.name"), name, fault);
        }
    }
    let image = text(container, "/image");
    if image.is_empty() {
        errors.required(format!("{field}.image"), "");
    } else if image.trim() != image {
        errors.invalid(
            format!("{field}.image"),
            image,
            "must not have leading or trailing whitespace",
        );
    }
    one_of(
        &container["imagePullPolicy"],
        PULL_POLICIES,
        format!("{field}.imagePullPolicy"),
        errors,
    );
    ports(container, field, errors);
    environment(container, field, errors);
    let mut paths = HashSet::new();
    for (position, mount) in items(container, "/volumeMounts").iter().enumerate() {
        let field = format!("{field}.volumeMounts[{position}]");
        let (volume, path) = (text(mount, "/name"), text(mount, "/mountPath"));
        if volume.is_empty() {
            errors.required(format!("{field}.name"), "");
        } else if !volumes.contains(volume) {
            errors.push(format!("{field}.name"), Fault::NotFound(volume.into()));
        }
        if path.is_empty() {
            errors.required(format!("{field}.mountPath"), "");
        } else if !paths.insert(path) {
            errors.invalid(format!("{field}.mountPath"), path, "must be unique");
        }
    }
    resources(&container["resources"], &format!("{field}.resources"), errors);
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if container[probe].is_object() {
            self::probe(&container[probe], probe, &format!("{field}.{probe}"), errors);
        }
    }
}

fn ports(container: &Value, field: &str, errors: &mut FieldErrors) {
    let mut seen = HashSet::new();
    for (position, one) in items(container, "/ports").iter().enumerate() {
        let field = format!("{field}.ports[{position}]");
        let name = text(one, "/name");
        if !name.is_empty() {
            match names::port_name(name) {
                Some(fault) => errors.invalid(format!("{field}.name"), name, fault),
                None if !seen.insert(name) => errors.duplicate(format!("{field}.name"), name),
                None => {}
            }
        }
        if integer(one, "/containerPort").unwrap_or(0) == 0 {
            errors.required(format!("{field}.containerPort"), "");
        } else {
            port(&one["containerPort"], format!("{field}.containerPort"), errors);
        }
        one_of(
            &one["protocol"],
            &["SCTP", "TCP", "UDP"],
            format!("{field}.protocol"),
            errors,
        );
    }
}

fn environment(container: &Value, field: &str, errors: &mut FieldErrors) {
    for (position, variable) in items(container, "/env").iter().enumerate() {
        let field = format!("{field}.env[{position}]");
        let name = text(variable, "/name");
        if name.is_empty() {
            errors.required(format!("{field}.name"), "");
        } else if let Some(fault) = names::environment_name(name) {
            errors.invalid(format!("{field}.name"), name, fault);
        }
        let source = &variable["valueFrom"];
        if let Some(source) = source.as_object() {
            if !text(variable, "/value").is_empty() {
                errors.invalid(
                    format!("{field}.valueFrom"),
                    "",
                    "may not be specified when `value` is not empty",
                );
            }
            if source.is_empty() {
                errors.invalid(
                    format!("{field}.valueFrom"),
                    "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
                );
            } else if source.len() > 1 {
                errors.invalid(
                    format!("{field}.valueFrom"),
                    "",
                    "may not have more than one field specified at a time",
                );
            }
            for reference in ["configMapKeyRef", "secretKeyRef"] {
                if let Some(selector) = source.get(reference)
                    && text(selector, "/key").is_empty()
                {
                    errors.required(format!("{field}.valueFrom.{reference}.key"), "");
                }
            }
        }
    }
}

fn resources(resources: &Value, field: &str, errors: &mut FieldErrors) {
    for list in ["limits", "requests"] {
        for (name, amount) in resources[list].as_object().into_iter().flatten() {
            let field = format!("{field}.{list}");
            let standard = matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage")
                || name.starts_with("hugepages-");
            if !standard && !name.contains('/') {
                errors.invalid(
                    format!("{field}[{name}]"),
                    name.as_str(),
                    "must be a standard resource type or fully qualified",
                );
                errors.invalid(
                    format!("{field}[{name}]"),
                    name.as_str(),
                    "must be a standard resource for containers",
                );
            }
            if quantity::read(amount).is_some_and(quantity::Quantity::is_negative) {
                errors.invalid(
                    format!("{field}[{name}]"),
                    amount.clone(),
                    "must be greater than or equal to 0",
                );
            }
            if name.contains('/') && quantity::read(amount).is_some_and(|amount| amount.milli() % 1000 != 0) {
                errors.invalid(format!("{field}[{name}]"), amount.clone(), "must be an integer");
            }
        }
    }
    for (name, request) in resources["requests"].as_object().into_iter().flatten() {
        let limit = &resources["limits"][name];
        // Of devices a pod may use what it asks for, no more.
        if name.contains('/') {
            if limit.is_null() {
                errors.required(
                    format!("{field}.limits"),
                    "Limit must be set for non overcommitable resources",
                );
            } else if let (Some(wanted), Some(most)) = (quantity::read(request), quantity::read(limit))
                && wanted.cmp(most).is_ne()
            {
                errors.invalid(
                    format!("{field}.requests"),
                    request.clone(),
                    format!("must be equal to {name} limit of {most}"),
                );
            }
            continue;
        }
        if let (Some(wanted), Some(most)) = (quantity::read(request), quantity::read(limit))
            && wanted.cmp(most).is_gt()
        {
            errors.invalid(
                format!("{field}.requests"),
                request.clone(),
                format!("must be less than or equal to {name} limit of {most}"),
            );
        }
    }
}

fn probe(probe: &Value, kind: &str, field: &str, errors: &mut FieldErrors) {
    let handlers = ["exec", "httpGet", "tcpSocket", "grpc"]
        .iter()
        .filter(|name| probe[**name].is_object())
        .count();
    match handlers {
        0 => errors.required(field, "must specify a handler type"),
        1 => {}
        _ => errors.forbidden(field, "may not specify more than 1 handler type"),
    }
    for name in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        non_negative(probe, &format!("/{name}"), &format!("{field}.{name}"), errors);
    }
    if kind != "readinessProbe" && integer(probe, "/successThreshold").unwrap_or(1) != 1 {
        errors.invalid(
            format!("{field}.successThreshold"),
            probe["successThreshold"].clone(),
            "must be 1",
        );
    }
    if probe["exec"].is_object() && items(probe, "/exec/command").is_empty() {
        errors.required(format!("{field}.exec.command"), "");
    }
    for handler in ["httpGet", "tcpSocket"] {
        match probe[handler].get("port") {
            Some(Value::String(name)) => {
                if let Some(fault) = names::port_name(name) {
                    errors.invalid(format!("{field}.{handler}.port"), name.as_str(), fault);
                }
            }
            Some(number) => port(number, format!("{field}.{handler}.port"), errors),
            None if probe[handler].is_object() => errors.required(format!("{field}.{handler}.port"), ""),
            None => {}
        }
    }
}

/// Of a pod's spec only a few fields may change.
/// Fields that make no sense in a container that nothing may depend on.
const NOT_EPHEMERAL: [&str; 6] = [
    "ports",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
    "restartPolicy",
];

/// Ephemeral containers may come, and neither change nor go.
pub fn check_ephemeral(new: &Value, old: &Value, errors: &mut FieldErrors) {
    const AT: &str = "spec.ephemeralContainers";
    let (given, before) = (
        items(new, "/ephemeralContainers"),
        items(old, "/ephemeralContainers"),
    );
    for known in before {
        let name = text(known, "/name");
        match given.iter().find(|one| one["name"] == name) {
            None => errors.forbidden(
                AT,
                format!("existing ephemeral containers {name:?} may not be removed\n"),
            ),
            Some(one) if one != known => {
                errors.forbidden(
                    AT,
                    format!("existing ephemeral containers {name:?} may not be changed\n"),
                );
            }
            Some(_) => {}
        }
    }
    let own: Vec<&str> = ["containers", "initContainers"]
        .iter()
        .flat_map(|list| items(new, &format!("/{list}")))
        .map(|one| text(one, "/name"))
        .collect();
    let volumes = items(new, "/volumes")
        .iter()
        .map(|one| text(one, "/name"))
        .collect();
    let mut seen: HashSet<&str> = own.iter().copied().collect();
    for (position, one) in given.iter().enumerate() {
        let field = format!("{AT}[{position}]");
        container(one, &field, &volumes, errors);
        let name = text(one, "/name");
        if !name.is_empty() && !seen.insert(name) {
            errors.duplicate(format!("{field}.name"), name);
        }
        let target = text(one, "/targetContainerName");
        if !target.is_empty() && !own.contains(&target) {
            errors.push(
                format!("{field}.targetContainerName"),
                Fault::NotFound(target.into()),
            );
        }
        let has_resources = one["resources"].as_object().is_some_and(|some| !some.is_empty());
        for refused in NOT_EPHEMERAL.iter().filter(|refused| !one[**refused].is_null()) {
            errors.forbidden(
                format!("{field}.{refused}"),
                "cannot be set for an Ephemeral Container",
            );
        }
        if has_resources {
            errors.forbidden(
                format!("{field}.resources"),
                "cannot be set for an Ephemeral Container",
            );
        }
    }
}

pub fn check_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let mut expected = old.clone();
    for list in ["containers", "initContainers"] {
        let images: Vec<Value> = items(new, &format!("/{list}"))
            .iter()
            .map(|container| container["image"].clone())
            .collect();
        if let Some(containers) = expected.get_mut(list).and_then(Value::as_array_mut) {
            for (position, (container, image)) in containers.iter_mut().zip(images).enumerate() {
                if image.as_str().unwrap_or("").is_empty() {
                    errors.required(format!("spec.{list}[{position}].image"), "");
                }
                container["image"] = image;
            }
        }
    }
    for field in ["activeDeadlineSeconds", "tolerations"] {
        match new.get(field) {
            Some(value) => expected[field] = value.clone(),
            None => {
                crate::json::object_mut(&mut expected).remove(field);
            }
        }
    }
    if new != &expected {
        errors.forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
        );
    }
}
