//! Small readers and writers over `serde_json::Value`, since every object here is one.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

static NULL: Value = Value::Null;

/// The value at a JSON pointer, or null.
pub fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&NULL)
}

/// The string at a JSON pointer, or "".
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    at(value, pointer).as_str().unwrap_or("")
}

pub fn integer(value: &Value, pointer: &str) -> Option<i64> {
    at(value, pointer).as_i64()
}

pub fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    at(value, pointer).as_array().map_or(&[], Vec::as_slice)
}

/// The value as an object; anything else is replaced by an empty one first.
pub fn object_mut(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("was made an object just above")
}

/// The object behind a chain of fields, created on the way.
pub fn nested<'a>(value: &'a mut Value, fields: &[&str]) -> &'a mut Map<String, Value> {
    let mut current = value;
    for field in fields {
        current = object_mut(current)
            .entry((*field).to_owned())
            .or_insert(Value::Null);
    }
    object_mut(current)
}

/// Sets a field behind a chain of fields, creating the objects on the way.
pub fn set(value: &mut Value, fields: &[&str], new: impl Into<Value>) {
    let (last, parents) = fields.split_last().expect("a path has at least one field");
    nested(value, parents).insert((*last).to_owned(), new.into());
}

/// Removes a field behind a chain of fields; says whether it was there.
pub fn remove(value: &mut Value, fields: &[&str]) -> bool {
    let (last, parents) = fields.split_last().expect("a path has at least one field");
    let mut current = value;
    for field in parents {
        match current.get_mut(*field) {
            Some(next) => current = next,
            None => return false,
        }
    }
    current
        .as_object_mut()
        .is_some_and(|object| object.remove(*last).is_some())
}

/// Sets a field of an object when it is missing or null.
pub fn default_field(object: &mut Map<String, Value>, field: &str, value: impl Into<Value>) {
    let slot = object.entry(field.to_owned()).or_insert(Value::Null);
    if slot.is_null() {
        *slot = value.into();
    }
}

/// Removes every null, as the typed decoding of the real server does.
pub fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, child| !child.is_null());
            object.values_mut().for_each(drop_nulls);
        }
        Value::Array(array) => array.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// A time as `metav1.Time` writes it: whole seconds.
pub fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A time as `metav1.MicroTime` writes it.
pub fn micros(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

pub fn now() -> String {
    seconds(crate::clock::now())
}

pub fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.with_timezone(&Utc))
}
