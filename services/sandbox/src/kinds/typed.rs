//! Decoding through the real types: what does not fit them is refused, what they do not know falls
//! away, and the rest comes out in the form the API uses.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::quantity;

/// For kinds without a type: the custom ones.
pub fn untyped(value: Value) -> Result<Value, String> {
    Ok(value)
}

pub fn typed<T: DeserializeOwned + Serialize>(mut value: Value) -> Result<Value, String> {
    crate::json::drop_nulls(&mut value);
    quantity::canonicalize(&mut value).map_err(|error| error.to_string())?;
    drop_empty(&mut value);
    let decoded: T = serde_json::from_value(value).map_err(|error| go_words(&error.to_string()))?;
    let mut value = serde_json::to_value(decoded).map_err(|error| error.to_string())?;
    drop_empty(&mut value);
    Ok(value)
}

/// `invalid type: string "3", expected i32` in the manner of the Go decoder.
pub fn go_words(error: &str) -> String {
    let Some(rest) = error.strip_prefix("invalid type: ") else {
        return error.to_owned();
    };
    let (found, expected) = rest.split_once(", expected ").unwrap_or((rest, "another type"));
    let found = match found.split([' ', '`']).next().unwrap_or("") {
        "string" => "string",
        "integer" | "floating" => "number",
        "boolean" => "bool",
        "map" => "object",
        "sequence" => "array",
        other => other,
    };
    format!("json: cannot unmarshal {found} into Go value of type {expected}")
}

/// Maps that Go leaves out when they are empty; structs (`emptyDir: {}`) stay.
const MAPS: [&str; 14] = [
    "labels",
    "annotations",
    "data",
    "binaryData",
    "stringData",
    "nodeSelector",
    "matchLabels",
    "limits",
    "requests",
    "selector",
    "capacity",
    "allocatable",
    "overhead",
    "deprecatedTopology",
];

/// Lists that the real server writes even when they are empty.
const KEPT_LISTS: [&str; 3] = ["containers", "rules", "endpoints"];

fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|field, child| match child {
                Value::Object(map) if map.is_empty() => !MAPS.contains(&field.as_str()),
                Value::Array(list) if list.is_empty() => KEPT_LISTS.contains(&field.as_str()),
                _ => true,
            });
            object.values_mut().for_each(drop_empty);
        }
        Value::Array(array) => array.iter_mut().for_each(drop_empty),
        _ => {}
    }
}

/// Paths of the fields that decoding dropped, as strict field validation names them.
pub fn unknown_fields(given: &Value, decoded: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(given, decoded, &mut String::new(), &mut found);
    found
}

fn compare(given: &Value, decoded: &Value, path: &mut String, found: &mut Vec<String>) {
    match (given, decoded) {
        (Value::Object(given), decoded) => {
            for (field, child) in given {
                let empty = match child {
                    Value::Null => true,
                    Value::Object(map) => map.is_empty(),
                    Value::Array(list) => list.is_empty(),
                    _ => false,
                };
                let length = path.len();
                if length > 0 {
                    path.push('.');
                }
                path.push_str(field);
                match decoded.get(field) {
                    None if !empty => found.push(path.clone()),
                    None => {}
                    Some(decoded) => compare(child, decoded, path, found),
                }
                path.truncate(length);
            }
        }
        (Value::Array(given), Value::Array(decoded)) => {
            for (position, (given, decoded)) in given.iter().zip(decoded).enumerate() {
                let length = path.len();
                path.push_str(&format!("[{position}]"));
                compare(given, decoded, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}
