//! The environment of a container: literals, config maps, secrets, fields, services.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::json;
use crate::kinds::core::{CONFIG_MAP, SECRET, SERVICE};
use crate::kinds::{KindRef, quantity};

/// Variables in the order of their names, each with whether it came out of a secret.
pub type Environment = BTreeMap<String, Variable>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    pub value: String,
    pub secret: bool,
}

/// The data of a ConfigMap or Secret, decoded; none when it does not exist.
pub fn data_of(
    cluster: &Cluster,
    kind: KindRef,
    namespace: &str,
    name: &str,
) -> Option<BTreeMap<String, Vec<u8>>> {
    use base64::Engine as _;
    let object = cluster.store.get(kind, namespace, name)?.bare_value();
    let decode = |text: &str| {
        base64::engine::general_purpose::STANDARD
            .decode(text)
            .unwrap_or_default()
    };
    let mut data = BTreeMap::new();
    for (field, encoded) in [("data", kind == &SECRET), ("binaryData", true)] {
        for (key, text) in object[field].as_object().into_iter().flatten() {
            let text = text.as_str().unwrap_or("");
            data.insert(
                key.clone(),
                if encoded {
                    decode(text)
                } else {
                    text.as_bytes().to_vec()
                },
            );
        }
    }
    Some(data)
}

/// A container's spec in its pod.
pub fn spec_of<'a>(pod: &'a Value, name: &str) -> &'a Value {
    const NONE: &Value = &Value::Null;
    ["containers", "initContainers", "ephemeralContainers"]
        .iter()
        .flat_map(|list| json::items(pod, &format!("/spec/{list}")))
        .find(|spec| spec["name"] == name)
        .unwrap_or(NONE)
}

/// Resolves everything, or says in the kubelet's words what is not there.
pub fn resolve(cluster: &Cluster, pod: &Value, container: &Value) -> Result<Environment, String> {
    let namespace = json::text(pod, "/metadata/namespace");
    let mut environment = Environment::new();
    if pod["spec"]["enableServiceLinks"] != false {
        add_services(cluster, namespace, &mut environment);
    }
    for source in json::items(container, "/envFrom") {
        let prefix = json::text(source, "/prefix");
        for (field, kind, word) in [
            ("configMapRef", &CONFIG_MAP, "configmap"),
            ("secretRef", &SECRET, "secret"),
        ] {
            let Some(reference) = source.get(field) else {
                continue;
            };
            let name = json::text(reference, "/name");
            match data_of(cluster, kind, namespace, name) {
                None if reference["optional"] == true => {}
                None => return Err(format!("{word} {name:?} not found")),
                Some(data) => {
                    for (key, bytes) in data {
                        let value = String::from_utf8_lossy(&bytes).into_owned();
                        environment.insert(
                            format!("{prefix}{key}"),
                            Variable {
                                value,
                                secret: kind == &SECRET,
                            },
                        );
                    }
                }
            }
        }
    }
    for variable in json::items(container, "/env") {
        let name = json::text(variable, "/name").to_owned();
        let source = &variable["valueFrom"];
        let found = if source.is_object() {
            from_source(cluster, pod, container, source)?
        } else {
            let value = expand(json::text(variable, "/value"), &environment);
            Some(Variable { value, secret: false })
        };
        if let Some(found) = found {
            environment.insert(name, found);
        }
    }
    Ok(environment)
}

fn from_source(
    cluster: &Cluster,
    pod: &Value,
    container: &Value,
    source: &Value,
) -> Result<Option<Variable>, String> {
    let namespace = json::text(pod, "/metadata/namespace");
    for (field, kind, word, shown) in [
        ("configMapKeyRef", &CONFIG_MAP, "configmap", "ConfigMap"),
        ("secretKeyRef", &SECRET, "secret", "Secret"),
    ] {
        let Some(reference) = source.get(field) else {
            continue;
        };
        let (name, key) = (json::text(reference, "/name"), json::text(reference, "/key"));
        let optional = reference["optional"] == true;
        let value = match data_of(cluster, kind, namespace, name) {
            None if optional => return Ok(None),
            None => return Err(format!("{word} {name:?} not found")),
            Some(mut data) => data.remove(key),
        };
        return match value {
            None if optional => Ok(None),
            None => Err(format!("couldn't find key {key} in {shown} {namespace}/{name}")),
            Some(bytes) => {
                let value = String::from_utf8_lossy(&bytes).into_owned();
                Ok(Some(Variable {
                    value,
                    secret: kind == &SECRET,
                }))
            }
        };
    }
    let value = if let Some(reference) = source.get("fieldRef") {
        field(pod, json::text(reference, "/fieldPath"))
    } else if let Some(reference) = source.get("resourceFieldRef") {
        resource(
            container,
            json::text(reference, "/resource"),
            &reference["divisor"],
        )
    } else {
        String::new()
    };
    Ok(Some(Variable { value, secret: false }))
}

/// A field of the pod as the downward API gives it.
fn field(pod: &Value, path: &str) -> String {
    for map in ["labels", "annotations"] {
        let prefix = format!("metadata.{map}");
        if let Some(key) = path
            .strip_prefix(&format!("{prefix}['"))
            .and_then(|rest| rest.strip_suffix("']"))
        {
            return pod["metadata"][map][key].as_str().unwrap_or("").to_owned();
        }
        if path == prefix {
            let lines = pod["metadata"][map].as_object().into_iter().flatten();
            let lines: Vec<String> = lines.map(|(key, value)| format!("{key}={value}")).collect();
            return lines.join("\n");
        }
    }
    if path == "status.podIPs" {
        return json::text(pod, "/status/podIP").to_owned();
    }
    json::text(pod, &format!("/{}", path.replace('.', "/"))).to_owned()
}

fn resource(container: &Value, path: &str, divisor: &Value) -> String {
    let (list, name) = path.split_once('.').unwrap_or((path, ""));
    let amount = quantity::read(&container["resources"][list][name]);
    let unit = quantity::read(divisor).map_or(0, |unit| unit.milli());
    let unit = if unit == 0 { 1000 } else { unit };
    let milli = amount.map_or(0, |amount| amount.milli());
    (milli.div_euclid(unit) + i64::from(milli.rem_euclid(unit) != 0)).to_string()
}

/// `$(NAME)` stands for an earlier variable, `$$(NAME)` for itself.
pub fn expand(text: &str, environment: &Environment) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find('$') {
        out.push_str(&rest[..position]);
        rest = &rest[position..];
        if let Some(after) = rest.strip_prefix("$$") {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix("$(").and_then(|inner| inner.split_once(')')) {
            match environment.get(name) {
                Some(variable) => out.push_str(&variable.value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = after;
        } else {
            out.push('$');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// `NAME_SERVICE_HOST` and `NAME_SERVICE_PORT` for the services of the namespace and the API server's.
fn add_services(cluster: &Cluster, namespace: &str, environment: &mut Environment) {
    let mut services = cluster.store.list(&SERVICE, Some(namespace)).0;
    services.extend(cluster.store.get(&SERVICE, "default", "kubernetes"));
    for service in services {
        let value = service.bare_value();
        let address = json::text(&value, "/spec/clusterIP");
        if address.is_empty() || address == "None" {
            continue;
        }
        let name = service.name().to_uppercase().replace('-', "_");
        let port = value["spec"]["ports"][0]["port"].to_string();
        for (suffix, value) in [("HOST", address.to_owned()), ("PORT", port)] {
            environment.insert(
                format!("{name}_SERVICE_{suffix}"),
                Variable { value, secret: false },
            );
        }
    }
}

/// The first volume that cannot be mounted, in the kubelet's words.
pub fn missing_volume(cluster: &Cluster, pod: &Value) -> Option<String> {
    let namespace = json::text(pod, "/metadata/namespace");
    for volume in json::items(pod, "/spec/volumes") {
        let sources = [
            (&volume["configMap"], "/name", &CONFIG_MAP, "configmap"),
            (&volume["secret"], "/secretName", &SECRET, "secret"),
        ];
        for (source, field, kind, word) in sources {
            let name = json::text(source, field);
            if name.is_empty() || source["optional"] == true {
                continue;
            }
            if cluster.store.get(kind, namespace, name).is_none() {
                let volume = json::text(volume, "/name");
                return Some(format!(
                    "MountVolume.SetUp failed for volume {volume:?} : {word} {name:?} not found"
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansion() {
        let variable = |value: &str| Variable {
            value: value.into(),
            secret: false,
        };
        let environment =
            Environment::from([("A".to_owned(), variable("1")), ("B".to_owned(), variable(""))]);
        for (text, expanded) in [
            ("$(A)-$(B)-$(C)", "1--$(C)"),
            ("$$(A)", "$(A)"),
            ("$A $", "$A $"),
            ("$(A", "$(A"),
            ("plain", "plain"),
        ] {
            assert_eq!(expand(text, &environment), expanded, "{text}");
        }
    }

    #[test]
    fn fields_of_the_pod() {
        let pod = serde_json::json!({
            "metadata": {"name": "web", "labels": {"a/b": "c"}}, "spec": {"nodeName": "n"}, "status": {"podIP": "127.1.0.2"},
        });
        for (path, value) in [
            ("metadata.name", "web"),
            ("metadata.labels['a/b']", "c"),
            ("spec.nodeName", "n"),
            ("status.podIP", "127.1.0.2"),
        ] {
            assert_eq!(field(&pod, path), value);
        }
    }
}
