//! What differs between two specs: a list keyed by names, and the same as a text diff. Pure.
//!
//! Works on redacted specs, so that a changed secret shows as a changed fingerprint.

use std::collections::BTreeMap;

use api_types::services::{ChangeKind, SpecChange};
use api_types::spec::ServiceSpec;
use serde_json::Value;

/// Lists whose items have a name, and the field that is it.
const NAMED: [(&str, &str); 6] = [
    ("env", "name"),
    ("config_files", "path"),
    ("secrets", "name"),
    ("ports", "name"),
    ("volumes", "name"),
    ("host_aliases", "ip"),
];

/// Every difference, in the order of the spec's parts.
#[must_use]
pub fn changes(before: &ServiceSpec, after: &ServiceSpec) -> Vec<SpecChange> {
    let mut found = Vec::new();
    compare("", &value(before), &value(after), &mut found);
    found
}

/// The parts of the spec that differ: `image`, `env`.
#[must_use]
pub fn changed_parts(before: &ServiceSpec, after: &ServiceSpec) -> Vec<String> {
    let mut parts: Vec<String> = changes(before, after)
        .iter()
        .map(|change| {
            let end = change.path.find(['.', '[']).unwrap_or(change.path.len());
            change.path[..end].to_owned()
        })
        .collect();
    parts.dedup();
    parts
}

/// A unified diff of the two as YAML.
#[must_use]
pub fn unified(before: (&str, &ServiceSpec), after: (&str, &ServiceSpec)) -> String {
    let yaml = |spec: &ServiceSpec| serde_saphyr::to_string(spec).expect("a spec is plain data");
    similar::TextDiff::from_lines(yaml(before.1), yaml(after.1))
        .unified_diff()
        .context_radius(3)
        .header(before.0, after.0)
        .to_string()
}

fn value(spec: &ServiceSpec) -> Value {
    serde_json::to_value(spec).expect("a spec is plain data")
}

fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<SpecChange>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let mut fields: Vec<&String> = before.keys().collect();
            fields.extend(after.keys().filter(|field| !before.contains_key(*field)));
            for field in fields {
                let inner = if path.is_empty() {
                    field.clone()
                } else if path == "annotations" {
                    format!("{path}[{field}]")
                } else {
                    format!("{path}.{field}")
                };
                let (before, after) = (before.get(field), after.get(field));
                match NAMED.iter().find(|(list, _)| path.is_empty() && field == list) {
                    Some((_, key)) => compare_named(&inner, key, before, after, found),
                    None => compare_optional(&inner, before, after, found),
                }
            }
        }
        _ => found.push(change(path, Some(before), Some(after))),
    }
}

fn compare_optional(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<SpecChange>) {
    match (
        before.filter(|value| !value.is_null()),
        after.filter(|value| !value.is_null()),
    ) {
        (Some(before), Some(after)) => compare(path, before, after, found),
        (None, None) => {}
        // A map that appears is told entry by entry.
        (before, after) if path == "annotations" => {
            let empty = Value::Object(serde_json::Map::new());
            compare(path, before.unwrap_or(&empty), after.unwrap_or(&empty), found);
        }
        (before, after) => found.push(change(path, before, after)),
    }
}

fn compare_named(
    path: &str,
    key: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<SpecChange>,
) {
    let items = |list: Option<&Value>| -> (Vec<String>, BTreeMap<String, Value>) {
        let list = list.and_then(Value::as_array).cloned().unwrap_or_default();
        let name = |item: &Value| item[key].as_str().unwrap_or_default().to_owned();
        (
            list.iter().map(name).collect(),
            list.into_iter().map(|item| (name(&item), item)).collect(),
        )
    };
    let ((before_order, before), (after_order, after)) = (items(before), items(after));
    let mut names = before_order;
    names.extend(after_order.into_iter().filter(|name| !before.contains_key(name)));
    for name in names {
        compare_optional(
            &format!("{path}[{name}]"),
            before.get(&name),
            after.get(&name),
            found,
        );
    }
}

fn change(path: &str, before: Option<&Value>, after: Option<&Value>) -> SpecChange {
    SpecChange {
        path: path.to_owned(),
        kind: match (before, after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        },
        before: before.cloned(),
        after: after.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn spec(value: serde_json::Value) -> ServiceSpec {
        serde_json::from_value(value).unwrap()
    }

    fn paths(changes: &[SpecChange]) -> Vec<(&str, ChangeKind)> {
        changes
            .iter()
            .map(|change| (change.path.as_str(), change.kind))
            .collect()
    }

    #[test]
    fn differences_are_keyed_by_names() {
        let before = spec(json!({
            "image": "web:1",
            "args": ["a"],
            "env": [{ "name": "LOG_LEVEL", "value": "info" }, { "name": "OLD", "value": "x" }],
            "secrets": [{ "name": "TOKEN", "fingerprint": "aa" }],
            "resources": { "cpu_limit": "1" },
            "annotations": { "example.com/a": "1" }
        }));
        let after = spec(json!({
            "image": "web:2",
            "env": [{ "name": "NEW", "value": "y" }, { "name": "LOG_LEVEL", "value": "debug" }],
            "secrets": [{ "name": "TOKEN", "fingerprint": "bb" }],
            "resources": { "cpu_limit": "2" },
            "run_as_user": 7,
            "probes": { "liveness": { "check": { "type": "tcp", "port": 80 } } },
            "annotations": { "example.com/a": "2", "example.com/b": "" }
        }));
        use ChangeKind::{Added, Changed, Removed};
        let mut found = changes(&before, &after);
        found.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(
            paths(&found),
            [
                ("annotations[example.com/a]", Changed),
                ("annotations[example.com/b]", Added),
                ("args", Removed),
                ("env[LOG_LEVEL].value", Changed),
                ("env[NEW]", Added),
                ("env[OLD]", Removed),
                ("image", Changed),
                ("probes.liveness", Added),
                ("resources.cpu_limit", Changed),
                ("run_as_user", Added),
                ("secrets[TOKEN].fingerprint", Changed),
            ]
        );
        let image = found.iter().find(|change| change.path == "image").unwrap();
        assert_eq!(image.before, Some(json!("web:1")));
        assert_eq!(image.after, Some(json!("web:2")));
        let mut parts = changed_parts(&before, &after);
        parts.sort();
        assert_eq!(
            parts,
            [
                "annotations",
                "args",
                "env",
                "image",
                "probes",
                "resources",
                "run_as_user",
                "secrets"
            ]
        );
    }

    #[test]
    fn the_text_shows_the_same() {
        let before = spec(json!({ "image": "web:1" }));
        let after = spec(json!({ "image": "web:2" }));
        let text = unified(("revision 1", &before), ("revision 2", &after));
        assert!(text.starts_with("--- revision 1\n+++ revision 2\n"), "{text}");
        assert!(
            text.contains("\n-image: web:1\n") || text.contains("\n-image: \"web:1\"\n"),
            "{text}"
        );
        assert_eq!(unified(("a", &before), ("b", &before)), "");
    }

    proptest! {
        #[test]
        fn equal_specs_differ_in_nothing_and_order_alone_is_no_difference(
            names in prop::collection::btree_set("[A-Z]{1,4}", 0..6),
            value in "[a-z]{0,5}",
        ) {
            let list = |names: Vec<&String>| -> serde_json::Value {
                names.into_iter().map(|name| json!({ "name": name, "value": value })).collect()
            };
            let forward = spec(json!({ "image": "web", "env": list(names.iter().collect()) }));
            let backward = spec(json!({ "image": "web", "env": list(names.iter().rev().collect()) }));
            prop_assert_eq!(changes(&forward, &backward), vec![]);
            let empty = spec(json!({ "image": "web" }));
            prop_assert_eq!(changes(&empty, &forward).len(), names.len());
        }
    }
}
