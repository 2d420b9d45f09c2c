//! Strategic merge patch: what `kubectl` sends for the built-in kinds.

use serde_json::{Map, Value};

use crate::kinds::schema::{ListMap, Schema};

const PATCH: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const DELETE_PRIMITIVES: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Applies a patch in place. An error says what in the patch makes no sense.
pub fn merge(target: &mut Value, patch: &Value, schema: &'static Schema) -> Result<(), String> {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    match patch.get(PATCH).and_then(Value::as_str) {
        Some("replace") => {
            let mut replacement = patch.clone();
            replacement.remove(PATCH);
            *target = Value::Object(replacement);
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        Some("merge") | None => {}
        Some(other) => return Err(format!("unknown patch type '{other}' in map")),
    }
    let object = crate::json::object_mut(target);
    if let Some(Value::Array(kept)) = patch.get(RETAIN) {
        object.retain(|field, _| kept.iter().any(|name| name.as_str() == Some(field)));
    }
    for (directive, value) in patch {
        if let Some(field) = directive.strip_prefix(DELETE_PRIMITIVES)
            && let (Some(Value::Array(items)), Value::Array(gone)) = (object.get_mut(field), value)
        {
            items.retain(|item| !gone.contains(item));
        }
    }
    for (field, value) in patch {
        if field.starts_with('$') {
            continue;
        }
        if value.is_null() {
            object.remove(field);
            continue;
        }
        let child = schema.field(field);
        match value {
            Value::Object(_) => {
                let slot = object.entry(field.clone()).or_insert(Value::Null);
                if !slot.is_object() {
                    *slot = Value::Object(Map::new());
                }
                merge(slot, value, child)?;
            }
            Value::Array(items) => {
                let slot = object
                    .entry(field.clone())
                    .or_insert_with(|| Value::Array(Vec::new()));
                let order = patch.get(&format!("{ORDER}{field}")).and_then(Value::as_array);
                merge_list(slot, items, order, child)?;
            }
            scalar => {
                object.insert(field.clone(), scalar.clone());
            }
        }
    }
    for (directive, value) in patch {
        if let Some(field) = directive.strip_prefix(ORDER)
            && !patch.contains_key(field)
            && let (Some(Value::Array(items)), Some(order)) = (object.get_mut(field), value.as_array())
        {
            sort(items, order, schema.field(field));
        }
    }
    Ok(())
}

fn merge_list(
    slot: &mut Value,
    items: &[Value],
    order: Option<&Vec<Value>>,
    schema: &'static Schema,
) -> Result<(), String> {
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    let current = slot.as_array_mut().expect("was made a list just above");
    if let Some(list) = schema.patch_map() {
        let replace = items.iter().any(|item| item[PATCH] == "replace");
        if replace {
            current.clear();
        }
        for item in items {
            if item[PATCH] != "replace" {
                merge_item(current, item, list)?;
            }
        }
    } else if schema.is_set() {
        for item in items {
            if !current.contains(item) {
                current.push(item.clone());
            }
        }
    } else {
        *current = items.to_vec();
    }
    if let Some(order) = order {
        sort(current, order, schema);
    }
    Ok(())
}

fn merge_item(current: &mut Vec<Value>, item: &Value, list: &'static ListMap) -> Result<(), String> {
    let key = &item[list.merge_key];
    if key.is_null() {
        return Err(format!(
            "map: {item} does not contain declared merge key: {}",
            list.merge_key
        ));
    }
    if item[PATCH] == "delete" {
        current.retain(|other| other[list.merge_key] != *key);
        return Ok(());
    }
    match current.iter_mut().find(|other| other[list.merge_key] == *key) {
        Some(existing) => merge(existing, item, list.item),
        None => {
            let mut new = Value::Object(Map::new());
            merge(&mut new, item, list.item)?;
            current.push(new);
            Ok(())
        }
    }
}

/// Puts the items named by an order directive into that order; the others stay where they fit.
fn sort(items: &mut Vec<Value>, order: &[Value], schema: &'static Schema) {
    let position = |item: &Value| {
        order.iter().position(|wanted| match schema.patch_map() {
            Some(list) => wanted[list.merge_key] == item[list.merge_key],
            None => wanted == item,
        })
    };
    let (mut named, others): (Vec<Value>, Vec<Value>) =
        items.drain(..).partition(|item| position(item).is_some());
    named.sort_by_key(|item| position(item));
    items.extend(named);
    items.extend(others);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::schema;
    use serde_json::json;

    fn patched(mut target: Value, patch: Value) -> Value {
        merge(&mut target, &patch, &schema::WORKLOAD).unwrap();
        target
    }

    fn with(containers: Value) -> Value {
        json!({"spec": {"template": {"spec": {"containers": containers}}}})
    }

    #[test]
    fn containers_merge_by_name() {
        let result = patched(
            with(json!([{"name": "a", "image": "x", "env": [{"name": "E", "value": "1"}]}, {"name": "b"}])),
            with(
                json!([{"name": "a", "image": "y", "env": [{"name": "F", "value": "2"}]}, {"name": "b", "$patch": "delete"}]),
            ),
        );
        assert_eq!(
            result,
            with(
                json!([{"name": "a", "image": "y", "env": [{"name": "E", "value": "1"}, {"name": "F", "value": "2"}]}])
            )
        );
    }

    #[test]
    fn order_and_null_and_retain_keys() {
        let mut patch = with(json!([{"name": "c", "image": "z"}]));
        patch["spec"]["template"]["spec"]["$setElementOrder/containers"] =
            json!([{"name": "c"}, {"name": "a"}]);
        patch["spec"]["strategy"] = json!({"type": "Recreate", "$retainKeys": ["type"]});
        patch["spec"]["replicas"] = Value::Null;
        let mut target = with(json!([{"name": "a"}]));
        target["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}});
        target["spec"]["replicas"] = 3.into();
        let result = patched(target, patch);
        assert_eq!(
            result["spec"]["template"]["spec"]["containers"],
            json!([{"name": "c", "image": "z"}, {"name": "a"}])
        );
        assert_eq!(result["spec"]["strategy"], json!({"type": "Recreate"}));
        assert!(result["spec"].get("replicas").is_none());
    }

    #[test]
    fn finalizers_are_a_set() {
        let result = patched(
            json!({"metadata": {"finalizers": ["a/1", "b/1"]}}),
            json!({"metadata": {"finalizers": ["c/1"], "$deleteFromPrimitiveList/finalizers": ["a/1"]}}),
        );
        assert_eq!(result["metadata"]["finalizers"], json!(["b/1", "c/1"]));
    }

    #[test]
    fn a_list_item_without_its_key_is_refused() {
        let mut target = with(json!([]));
        assert!(merge(&mut target, &with(json!([{"image": "x"}])), &schema::WORKLOAD).is_err());
    }
}
