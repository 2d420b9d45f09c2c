//! Takes secrets out of what is written down.
//!
//! Two nets: what the API document marks as `format: password`, and names that sound like secrets, for
//! what no document knows. Long texts are cut, since the audit tells what was done and is no backup; a fingerprint of the
//! whole stays, so that a change further on is one.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::secret::digest;

const REPLACEMENT: &str = "[redacted]";
const LONGEST_TEXT: usize = 2048;
const LARGEST_BODY: usize = 32 * 1024;
/// Hexadecimal digits of a SHA-256.
const FINGERPRINT: usize = 12;
/// A document that refers to itself ends here; no body of ours is half as deep.
const DEEPEST: usize = 32;

const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "kubeconfig",
    "private_key",
    "privatekey",
    "api_key",
    "apikey",
    "access_key",
    "credential",
    "authorization",
];
/// What stays readable within something that is secret as a whole.
const NEVER_SECRET: &[&str] = &["name", "path", "fingerprint", "key"];

/// What an operation's body hides, as its document tells.
#[derive(Clone, Debug)]
pub struct Secrets {
    document: Arc<Value>,
    schema: Value,
}

impl Secrets {
    /// Of an operation of a document.
    #[must_use]
    pub fn of(document: &Arc<Value>, operation: &Value) -> Self {
        let schema = operation["requestBody"]["content"]["application/json"]["schema"].clone();
        Self {
            document: Arc::clone(document),
            schema,
        }
    }

    /// Of what an operation answers with when all is well.
    #[must_use]
    pub fn of_answer(document: &Arc<Value>, operation: &Value) -> Self {
        let schema = ["200", "201", "202"]
            .iter()
            .map(|status| &operation["responses"][*status]["content"]["application/json"]["schema"])
            .find(|schema| schema.is_object())
            .cloned()
            .unwrap_or_default();
        Self {
            document: Arc::clone(document),
            schema,
        }
    }

    /// The body as it may be written down.
    #[must_use]
    pub fn take_out(&self, body: &Value) -> Value {
        let clean = clean_names(self.clean(body, &[&self.schema], 0), false);
        let text = clean.to_string();
        if text.len() > LARGEST_BODY {
            return json!({ "left_out": whole(&text) });
        }
        clean
    }

    fn clean(&self, value: &Value, schemas: &[&Value], depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::from(REPLACEMENT);
        }
        let mut all = Vec::new();
        for schema in schemas {
            self.alternatives(schema, &mut all, 0);
        }
        if all.iter().any(|schema| schema["format"] == "password") && !value.is_null() {
            return Value::from(REPLACEMENT);
        }
        match value {
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, field)| {
                        let known: Vec<&Value> = all
                            .iter()
                            .flat_map(|schema| [&schema["properties"][name], &schema["additionalProperties"]])
                            .filter(|schema| schema.is_object())
                            .collect();
                        (name.clone(), self.clean(field, &known, depth + 1))
                    })
                    .collect(),
            ),
            Value::Array(items) => {
                let known: Vec<&Value> = all
                    .iter()
                    .map(|schema| &schema["items"])
                    .filter(|schema| schema.is_object())
                    .collect();
                items
                    .iter()
                    .map(|item| self.clean(item, &known, depth + 1))
                    .collect()
            }
            other => other.clone(),
        }
    }

    /// A schema with everything it refers to and is composed of.
    fn alternatives<'a>(&'a self, schema: &'a Value, all: &mut Vec<&'a Value>, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        all.push(schema);
        if let Some(place) = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#'))
            && let Some(target) = self.document.pointer(place)
        {
            self.alternatives(target, all, depth + 1);
        }
        for composition in ["allOf", "anyOf", "oneOf"] {
            for part in schema[composition].as_array().into_iter().flatten() {
                self.alternatives(part, all, depth + 1);
            }
        }
    }
}

/// What tells a text from others of its beginning.
fn whole(text: &str) -> String {
    let fingerprint = &digest(text)[..FINGERPRINT];
    format!("{} bytes in all, fingerprint {fingerprint}", text.len())
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    SECRET_NAMES.iter().any(|sign| name.contains(sign))
}

/// The second net; `within` says that the value is inside something that sounds secret.
fn clean_names(value: Value, within: bool) -> Value {
    match value {
        Value::Object(fields) => {
            // {"name": "DB_PASSWORD", "value": "…"}: the value is as secret as the name says.
            let named = fields
                .get("name")
                .and_then(Value::as_str)
                .is_some_and(sounds_secret);
            let fields = fields.into_iter().map(|(name, field)| {
                let secret = sounds_secret(&name)
                    || (named && name == "value")
                    || (within && !NEVER_SECRET.contains(&name.as_str()));
                let field = clean_names(field, secret);
                (name, field)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(|item| clean_names(item, within)).collect(),
        Value::Null | Value::Bool(_) => value,
        _ if within => Value::from(REPLACEMENT),
        Value::String(text) if text.len() > LONGEST_TEXT => {
            let kept: String = text.chars().take(LONGEST_TEXT / 8).collect();
            Value::from(format!("{kept}… ({})", whole(&text)))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let document = Arc::new(json!({ "components": { "schemas": {
            "NewService": { "type": "object", "properties": {
                "name": { "type": "string" },
                "spec": { "$ref": "#/components/schemas/Spec" },
            } },
            "Spec": { "type": "object", "properties": {
                "entries": { "type": "array", "items": { "$ref": "#/components/schemas/Entry" } },
                "chain": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Spec" }] },
                "map": { "additionalProperties": { "type": "string", "format": "password" } },
            } },
            "Entry": { "type": "object", "properties": {
                "name": { "type": "string" },
                "value": { "type": ["string", "null"], "format": "password" },
            } },
        } } }));
        let operation = json!({ "requestBody": { "content": { "application/json": { "schema": {
            "$ref": "#/components/schemas/NewService" } } } } });
        Secrets::of(&document, &operation)
    }

    #[test]
    fn what_the_document_marks_is_taken_out_at_any_depth() {
        let body = json!({ "name": "web", "spec": {
            "entries": [{ "name": "A", "value": "hidden" }, { "name": "B", "value": null }],
            "chain": { "chain": { "entries": [{ "name": "C", "value": "hidden" }] } },
            "map": { "x": "hidden" },
            "count": 3,
        } });
        let clean = secrets().take_out(&body);
        assert!(!clean.to_string().contains("hidden"), "{clean}");
        assert_eq!(clean["spec"]["entries"][0]["name"], "A");
        assert_eq!(clean["spec"]["entries"][1]["value"], Value::Null);
        assert_eq!(clean["spec"]["count"], 3);
        assert_eq!(clean["name"], "web");
    }

    #[test]
    fn names_that_sound_secret_are_taken_out() {
        let body = json!({
            "Password": "hidden",
            "api-key": 7777,
            "secrets": [{ "name": "A", "value": "hidden", "path": "/a" }, "hidden"],
            "env": [{ "name": "DB_PASSWORD", "value": "hidden" }, { "name": "LEVEL", "value": "info" }],
            "kubeconfig": { "users": ["hidden"] },
            "must_change_password": true,
        });
        let clean = Secrets::of(&Arc::new(json!({})), &json!({})).take_out(&body);
        assert!(!clean.to_string().contains("hidden"), "{clean}");
        assert!(!clean.to_string().contains("7777"), "{clean}");
        assert_eq!(clean["secrets"][0]["path"], "/a");
        assert_eq!(clean["env"][1]["value"], "info");
        assert_eq!(clean["must_change_password"], true);
    }

    #[test]
    fn long_bodies_are_cut() {
        let clean = secrets().take_out(&json!({ "comment": "ä".repeat(5000) }));
        let text = clean["comment"].as_str().unwrap();
        assert!(
            text.len() < 1000 && text.contains("… (10000 bytes in all, fingerprint "),
            "{text}"
        );
        let many: Vec<Value> = (0..5000).map(|number| json!({ "number": number })).collect();
        let clean = secrets().take_out(&json!({ "list": many }));
        assert!(clean["left_out"].is_string());
    }

    #[test]
    fn a_change_that_is_cut_off_is_still_one() {
        let cut = |body: &Value| secrets().take_out(body);
        let long = |end: &str| json!({ "comment": format!("{}{end}", "x".repeat(5000)) });
        assert_eq!(cut(&long("a")), cut(&long("a")));
        assert_ne!(cut(&long("a")), cut(&long("b")));
        let many = |last: u32| {
            let mut list = vec![10_000; 10_000];
            list.push(last);
            json!({ "list": list })
        };
        assert!(cut(&many(1))["left_out"].is_string());
        assert_eq!(cut(&many(1)), cut(&many(1)));
        assert_ne!(cut(&many(1)), cut(&many(2)));
    }

    proptest::proptest! {
        #[test]
        fn a_marked_value_never_stays(value in "[a-z]{6,12}", depth in 0usize..6) {
            let marked = format!("hidden-{value}");
            let mut spec = json!({ "entries": [{ "name": "n", "value": marked }] });
            for _ in 0..depth {
                spec = json!({ "chain": spec });
            }
            let clean = secrets().take_out(&json!({ "spec": spec })).to_string();
            proptest::prop_assert!(!clean.contains(&marked));
        }
    }
}
