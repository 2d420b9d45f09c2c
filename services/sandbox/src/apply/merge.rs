//! Merging states by schema, removing what nobody owns any more, and JSON merge patch.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::{FieldSet, Step, item_step};
use crate::kinds::schema::Schema;

/// `config` laid over `live`: leaves and atomics are replaced, maps merge, keyed lists merge by key.
pub fn typed(live: &Value, config: &Value, schema: &'static Schema) -> Value {
    if schema.is_leaf(config) {
        return config.clone();
    }
    match (live, config) {
        (Value::Object(live), Value::Object(config)) => {
            let mut merged = live.clone();
            for (field, value) in config {
                let child = schema.field(field);
                let value = match live.get(field) {
                    Some(old) if !old.is_null() => typed(old, value, child),
                    _ => value.clone(),
                };
                merged.insert(field.clone(), value);
            }
            Value::Object(merged)
        }
        (Value::Array(live), Value::Array(config)) => Value::Array(lists(live, config, schema)),
        _ => config.clone(),
    }
}

/// Items of both lists: those of `config` in their order, those only in `live` where they stood.
fn lists(live: &[Value], config: &[Value], schema: &'static Schema) -> Vec<Value> {
    let step = |item: &Value| item_step(item, schema);
    let old: Vec<(Step, &Value)> = live.iter().map(|item| (step(item).0, item)).collect();
    let wanted: BTreeMap<Step, ()> = config.iter().map(|item| (step(item).0, ())).collect();
    let mut result = Vec::with_capacity(live.len() + config.len());
    let mut next = 0;
    for item in config {
        while next < old.len() && !wanted.contains_key(&old[next].0) {
            result.push(old[next].1.clone());
            next += 1;
        }
        let (step, item_schema) = step(item);
        match old.iter().position(|(other, _)| *other == step) {
            Some(position) => {
                while next < position {
                    if !wanted.contains_key(&old[next].0) {
                        result.push(old[next].1.clone());
                    }
                    next += 1;
                }
                next = next.max(position + 1);
                result.push(typed(old[position].1, item, item_schema));
            }
            None => result.push(item.clone()),
        }
    }
    for (step, item) in &old[next.min(old.len())..] {
        if !wanted.contains_key(step) {
            result.push((*item).clone());
        }
    }
    result
}

/// Removes from a value everything that `last` held and nobody in `owned` holds.
pub fn prune(value: &mut Value, last: &FieldSet, owned: &FieldSet, schema: &'static Schema) {
    match value {
        Value::Object(object) => {
            for (step, below) in &last.children {
                let Step::Field(field) = step else { continue };
                match owned.children.get(step) {
                    None => {
                        object.remove(field);
                    }
                    Some(owned) => {
                        if let Some(child) = object.get_mut(field) {
                            prune(child, below, owned, schema.field(field));
                        }
                    }
                }
            }
        }
        Value::Array(items) => {
            items.retain_mut(|item| {
                let (step, item_schema) = item_step(item, schema);
                let Some(below) = last.children.get(&step) else {
                    return true;
                };
                match owned.children.get(&step) {
                    None => false,
                    Some(owned) => {
                        prune(item, below, owned, item_schema);
                        true
                    }
                }
            });
        }
        _ => {}
    }
}

/// JSON merge patch (RFC 7386).
pub fn json_merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let object = crate::json::object_mut(target);
    for (field, value) in patch {
        if value.is_null() {
            object.remove(field);
        } else {
            json_merge(object.entry(field.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0_i64..9).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn merge_patch_is_idempotent(mut target in json_value(), patch in json_value()) {
            json_merge(&mut target, &patch);
            let once = target.clone();
            json_merge(&mut target, &patch);
            prop_assert_eq!(target, once);
        }

        #[test]
        fn laying_a_state_over_itself_changes_nothing(value in json_value()) {
            prop_assert_eq!(typed(&value, &value, &Schema::Any), value);
        }

        #[test]
        fn keyed_lists_hold_every_key_once(old in proptest::collection::btree_set(0_u8..6, 0..5),
                                           new in proptest::collection::btree_set(0_u8..6, 0..5)) {
            let list = |numbers: &std::collections::BTreeSet<u8>| {
                Value::from(numbers.iter().map(|number| json!({"name": number.to_string()})).collect::<Vec<_>>())
            };
            let schema = crate::kinds::schema::POD_SPEC.field("containers");
            let merged = typed(&list(&old), &list(&new), schema);
            let mut names: Vec<&str> = merged.as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap()).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            prop_assert_eq!(count, names.len());
            prop_assert_eq!(count, old.union(&new).count());
        }
    }

    #[test]
    fn order_follows_the_config() {
        let schema = crate::kinds::schema::POD_SPEC.field("containers");
        let named =
            |names: &[&str]| Value::from(names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>());
        assert_eq!(
            typed(&named(&["a", "b", "c"]), &named(&["c", "x"]), schema),
            named(&["a", "b", "c", "x"])
        );
        assert_eq!(
            typed(&named(&["a", "b"]), &named(&["b", "a"]), schema),
            named(&["b", "a"])
        );
    }
}
