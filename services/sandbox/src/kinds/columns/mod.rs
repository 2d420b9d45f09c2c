//! The columns of server-side tables (`kubectl get`).

mod others;
mod pods;
mod workloads;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::json;
pub use others::*;
pub use pods::*;
pub use workloads::*;

pub struct Column {
    pub name: &'static str,
    pub format: &'static str,
    pub description: &'static str,
    /// 0 is always shown, 1 with `-o wide`.
    pub priority: u8,
    pub number: bool,
    pub cell: fn(&Value) -> Value,
}

const fn text(name: &'static str, cell: fn(&Value) -> Value) -> Column {
    Column {
        name,
        format: "",
        description: "",
        priority: 0,
        number: false,
        cell,
    }
}

const fn wide(name: &'static str, cell: fn(&Value) -> Value) -> Column {
    Column {
        name,
        format: "",
        description: "",
        priority: 1,
        number: false,
        cell,
    }
}

const fn number(name: &'static str, cell: fn(&Value) -> Value) -> Column {
    Column {
        name,
        format: "",
        description: "",
        priority: 0,
        number: true,
        cell,
    }
}

const NAME: Column = Column {
    name: "Name",
    format: "name",
    description: "Name must be unique within a namespace.",
    priority: 0,
    number: false,
    cell: |object| at(object, "/metadata/name"),
};

const AGE: Column = text("Age", |object| {
    age(json::text(object, "/metadata/creationTimestamp")).into()
});

fn at(value: &Value, pointer: &str) -> Value {
    match json::at(value, pointer) {
        Value::Null => "<none>".into(),
        Value::String(text) if text.is_empty() => "<none>".into(),
        other => other.clone(),
    }
}

fn count(value: &Value, pointer: &str) -> Value {
    json::integer(value, pointer).unwrap_or(0).into()
}

fn size(value: &Value, pointer: &str) -> Value {
    match json::at(value, pointer) {
        Value::Object(map) => map.len().into(),
        Value::Array(list) => list.len().into(),
        _ => 0.into(),
    }
}

/// The age of something created at a time, as kubectl writes it.
pub fn age(created: &str) -> String {
    match json::parse_time(created) {
        Some(created) => duration((crate::clock::now() - created).num_seconds()),
        None => "<unknown>".into(),
    }
}

/// A number of seconds in at most two units.
pub fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |big: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{big}{unit}")
        } else {
            format!("{big}{unit}{small}{small_unit}")
        }
    };
    match seconds {
        ..-1 => "<invalid>".into(),
        -1..=0 => "0s".into(),
        1..120 => format!("{seconds}s"),
        120..600 => pair(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => pair(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => pair(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        _ => pair(days / 365, "y", days % 365, "d"),
    }
}

fn joined(value: &Value, pointer: &str, cell: impl Fn(&Value) -> String) -> String {
    let parts: Vec<String> = json::items(value, pointer).iter().map(cell).collect();
    if parts.is_empty() {
        "<none>".into()
    } else {
        parts.join(",")
    }
}

fn selector(value: &Value, pointer: &str) -> Value {
    let map = json::at(value, pointer).as_object();
    let parts: Vec<String> = map
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or("")))
        .collect();
    if parts.is_empty() {
        "<none>".into()
    } else {
        parts.join(",").into()
    }
}

fn containers(value: &Value, field: &str) -> Value {
    joined(value, "/spec/template/spec/containers", |container| {
        container[field].as_str().unwrap_or("").to_owned()
    })
    .into()
}

fn since(time: DateTime<Utc>) -> String {
    duration((crate::clock::now() - time).num_seconds())
}

pub const NAME_AND_AGE: &[Column] = &[NAME, AGE];

/// The definitions and cells of a table, as `meta.k8s.io/v1` has them.
pub fn definitions(columns: &[Column]) -> Vec<Value> {
    columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name,
                "type": if column.number { "integer" } else { "string" },
                "format": column.format,
                "description": column.description,
                "priority": column.priority,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_kubectl() {
        for (seconds, text) in [
            (0, "0s"),
            (119, "119s"),
            (121, "2m1s"),
            (600, "10m"),
            (10_800, "3h"),
            (11_000, "3h3m"),
            (100_000, "27h"),
            (200_000, "2d7h"),
            (700_000, "8d"),
            (70_000_000, "2y80d"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
