//! What of an object is ours: the fields that our field manager owns, and what stands in them.
//!
//! The API server keeps in `managedFields` who set which field. A digest over our fields and their
//! values, taken from the reply to an apply, differs from a later one exactly when somebody changed,
//! took or removed something of ours; what others add beside it is none of our business. Values are
//! hashed under a key, since secrets are among them.

use std::collections::BTreeMap;
use std::num::ParseIntError;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::app::names::MANAGER;

/// Our fields of an object, each with a short digest of its value.
pub type Fields = BTreeMap<String, String>;

/// Digest of [`Fields`]; as text 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct FieldsDigest([u8; 16]);

impl From<FieldsDigest> for String {
    fn from(digest: FieldsDigest) -> Self {
        format!("{:032x}", u128::from_be_bytes(digest.0))
    }
}

impl TryFrom<String> for FieldsDigest {
    type Error = ParseIntError;

    fn try_from(text: String) -> Result<Self, ParseIntError> {
        u128::from_str_radix(&text, 16).map(|number| Self(number.to_be_bytes()))
    }
}

impl FieldsDigest {
    #[must_use]
    pub fn of(fields: &Fields) -> Self {
        let mut hasher = Sha256::new();
        for (path, value) in fields {
            hasher.update(path.as_bytes());
            hasher.update([0]);
            hasher.update(value.as_bytes());
            hasher.update([0]);
        }
        let full: [u8; 32] = hasher.finalize().into();
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        Self(short)
    }
}

/// Reads our fields of objects; the key keeps secret values from being guessed from their digests.
#[derive(Clone)]
pub struct FieldReader {
    key: [u8; 32],
}

impl std::fmt::Debug for FieldReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("FieldReader(…)")
    }
}

impl FieldReader {
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Our fields of an object; empty when it has none.
    #[must_use]
    pub fn read(&self, object: &Value) -> Fields {
        let mut fields = Fields::new();
        for entry in ours(object) {
            if let Some(owned) = entry.get("fieldsV1") {
                self.walk(owned, Some(object), &mut String::new(), &mut fields);
            }
        }
        fields
    }

    fn walk(&self, owned: &Value, live: Option<&Value>, path: &mut String, fields: &mut Fields) {
        let Some(children) = owned.as_object() else { return };
        let mut inner = false;
        for (key, child) in children {
            let Some((kind, name)) = key.split_once(':') else {
                continue; // "." is the item itself; its fields say all there is.
            };
            inner = true;
            let length = path.len();
            let next = match kind {
                "f" => {
                    step(path, name);
                    live.and_then(|live| live.get(name))
                }
                "k" => {
                    let keys: Value = serde_json::from_str(name).unwrap_or_default();
                    path.push_str(&format!("[{}]", described(&keys)));
                    live.and_then(|live| element(live, &keys))
                }
                "v" => {
                    let wanted: Value = serde_json::from_str(name).unwrap_or_default();
                    path.push_str(&format!("[{name}]"));
                    live.and_then(Value::as_array)
                        .and_then(|items| items.iter().find(|item| **item == wanted))
                }
                _ => {
                    path.push_str(&format!("[{name}]"));
                    name.parse::<usize>()
                        .ok()
                        .and_then(|index| live.and_then(|live| live.get(index)))
                }
            };
            self.walk(child, next, path, fields);
            path.truncate(length);
        }
        if !inner && !path.is_empty() {
            fields.insert(path.clone(), self.value_digest(path, live));
        }
    }

    fn value_digest(&self, path: &str, value: Option<&Value>) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.key);
        hasher.update(path.as_bytes());
        match value {
            Some(value) => hash_value(&mut hasher, value),
            None => hasher.update(b"absent"),
        }
        hasher.finalize()[..6]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Whether our manager has ever applied this object.
#[must_use]
pub fn applied_by_us(object: &Value) -> bool {
    ours(object).next().is_some()
}

/// What differs between what we left and what is there: at most five fields by name.
#[must_use]
pub fn differing(left: &Fields, found: &Fields) -> Vec<String> {
    let mut paths: Vec<&String> = left
        .iter()
        .filter(|(path, value)| found.get(*path) != Some(value))
        .map(|(path, _)| path)
        .chain(found.keys().filter(|path| !left.contains_key(*path)))
        .collect();
    paths.sort();
    let more = paths.len().saturating_sub(5);
    let mut named: Vec<String> = paths.into_iter().take(5).cloned().collect();
    if more > 0 {
        named.push(format!("{more} more fields"));
    }
    named
}

fn ours(object: &Value) -> impl Iterator<Item = &Value> {
    object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|entry| {
            entry.get("manager").and_then(Value::as_str) == Some(MANAGER)
                && entry.get("operation").and_then(Value::as_str) == Some("Apply")
                && entry
                    .get("subresource")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .is_empty()
        })
}

fn step(path: &mut String, name: &str) {
    // Label and annotation names have dots and slashes; brackets keep them in one piece.
    if name.contains(['.', '/']) {
        path.push_str(&format!("[{name}]"));
    } else {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    }
}

fn described(keys: &Value) -> String {
    let Some(keys) = keys.as_object() else {
        return String::new();
    };
    let mut parts: Vec<String> = keys
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}={text}"),
            other => format!("{name}={other}"),
        })
        .collect();
    parts.sort();
    parts.join(",")
}

fn element<'a>(live: &'a Value, keys: &Value) -> Option<&'a Value> {
    let keys = keys.as_object()?;
    live.as_array()?
        .iter()
        .find(|item| keys.iter().all(|(name, value)| item.get(name) == Some(value)))
}

/// The same for the same value, whatever the order of its keys.
fn hash_value(hasher: &mut Sha256, value: &Value) {
    match value {
        Value::Object(map) => {
            hasher.update(b"{");
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            for (name, inner) in entries {
                hasher.update(name.as_bytes());
                hasher.update([0]);
                hash_value(hasher, inner);
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            for inner in items {
                hash_value(hasher, inner);
                hasher.update(b",");
            }
            hasher.update(b"]");
        }
        scalar => hasher.update(scalar.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_digest_is_text_and_back() {
        for byte in [0, 1, 255] {
            let digest = FieldsDigest([byte; 16]);
            let text = serde_json::to_string(&digest).unwrap();
            assert_eq!(text.len(), 34, "{text}");
            assert_eq!(serde_json::from_str::<FieldsDigest>(&text).unwrap(), digest);
        }
        assert!(serde_json::from_str::<FieldsDigest>("\"not one\"").is_err());
    }

    fn reader() -> FieldReader {
        FieldReader::new([7; 32])
    }

    fn deployment() -> Value {
        json!({
            "metadata": {
                "labels": { "longshore.dev/service": "web", "added": "by others" },
                "managedFields": [
                    { "manager": "longshore", "operation": "Apply", "fieldsV1": {
                        "f:metadata": { "f:labels": { "f:longshore.dev/service": {} } },
                        "f:spec": {
                            "f:replicas": {},
                            "f:template": { "f:spec": { "f:containers": {
                                "k:{\"name\":\"web\"}": {
                                    ".": {}, "f:name": {}, "f:image": {},
                                    "f:ports": { "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:name": {} } },
                                },
                            } } },
                        },
                    } },
                    { "manager": "kube-controller-manager", "operation": "Update", "fieldsV1": { "f:status": {} } },
                    { "manager": "longshore", "operation": "Apply", "subresource": "scale", "fieldsV1": { "f:x": {} } },
                ],
            },
            "spec": {
                "replicas": 3,
                "paused": false,
                "template": { "spec": { "containers": [
                    { "name": "sidecar", "image": "x" },
                    { "name": "web", "image": "web:1", "ports": [
                        { "containerPort": 80, "protocol": "UDP", "name": "other" },
                        { "containerPort": 80, "protocol": "TCP", "name": "http" } ] },
                ] } },
            },
        })
    }

    #[test]
    fn our_fields_are_named_and_others_are_not() {
        let fields = reader().read(&deployment());
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "metadata.labels[longshore.dev/service]",
                "spec.replicas",
                "spec.template.spec.containers[name=web].image",
                "spec.template.spec.containers[name=web].name",
                "spec.template.spec.containers[name=web].ports[containerPort=80,protocol=TCP].name",
            ]
        );
        assert!(applied_by_us(&deployment()));
    }

    #[test]
    fn what_others_change_beside_us_does_not_show() {
        let mut changed = deployment();
        changed["metadata"]["labels"]["added"] = json!("again");
        changed["spec"]["paused"] = json!(true);
        changed["spec"]["template"]["spec"]["containers"][0]["image"] = json!("y");
        assert_eq!(reader().read(&changed), reader().read(&deployment()));
    }

    #[test]
    fn a_changed_value_a_lost_field_and_a_removed_item_are_named() {
        let left = reader().read(&deployment());
        let mut changed = deployment();
        changed["spec"]["replicas"] = json!(5);
        let found = reader().read(&changed);
        assert_ne!(FieldsDigest::of(&left), FieldsDigest::of(&found));
        assert_eq!(differing(&left, &found), ["spec.replicas"]);

        let mut taken = deployment();
        taken["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]
            .as_object_mut()
            .unwrap()
            .remove("f:replicas");
        assert_eq!(differing(&left, &reader().read(&taken)), ["spec.replicas"]);

        let mut removed = deployment();
        removed["spec"]["template"]["spec"]["containers"]
            .as_array_mut()
            .unwrap()
            .remove(1);
        assert_eq!(differing(&left, &reader().read(&removed)).len(), 3);
    }

    #[test]
    fn many_differences_are_counted() {
        let left: Fields = (0..9).map(|n| (format!("f{n}"), "a".to_owned())).collect();
        let named = differing(&left, &Fields::new());
        assert_eq!(named.len(), 6);
        assert_eq!(named[5], "4 more fields");
    }

    #[test]
    fn the_order_of_keys_is_no_difference_and_another_key_gives_other_digests() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":[{"x":1,"y":2}]}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"b":[{"y":2,"x":1}],"a":1}"#).unwrap();
        assert_eq!(
            reader().value_digest("p", Some(&one)),
            reader().value_digest("p", Some(&two))
        );
        assert_ne!(
            reader().value_digest("p", Some(&one)),
            FieldReader::new([8; 32]).value_digest("p", Some(&one))
        );
    }

    #[test]
    fn rubbish_in_managed_fields_is_survived() {
        for rubbish in [
            json!({}),
            json!({ "metadata": { "managedFields": "x" } }),
            json!(null),
        ] {
            assert!(reader().read(&rubbish).is_empty());
            assert!(!applied_by_us(&rubbish));
        }
        let odd = json!({ "metadata": { "managedFields": [{ "manager": "longshore", "operation": "Apply",
            "fieldsV1": { "f:a": { "k:notjson": {}, "v:notjson": {}, "i:x": {} }, "zz": {} } }] } });
        assert_eq!(reader().read(&odd).len(), 3);
    }
}
