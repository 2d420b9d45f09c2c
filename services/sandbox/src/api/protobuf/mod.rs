//! Bodies in protobuf, which `kubectl` from 1.32 on sends for what it makes up itself
//! (`create deployment`, `auth can-i`): decoded into the JSON they stand for. Answers stay JSON,
//! which every client takes.

pub mod document;

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::DateTime;
use serde_json::{Map, Value};

use crate::json;

pub const CONTENT_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// Every body begins with this.
const MAGIC: &[u8] = b"k8s\0";

/// How deep messages may lie in each other; those of the API lie less than half as deep.
const DEEPEST: usize = 40;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Malformed {
    #[error("the body does not begin as a Kubernetes object does")]
    Magic,
    #[error("the body is cut short")]
    Short,
    #[error("the body holds a type of field that no object has")]
    WireType,
    #[error("the body holds a {0}, which is not known here")]
    UnknownKind(String),
    #[error("the body holds messages too deep in each other")]
    TooDeep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    List,
    Map,
    /// The message's fields stand among those of its parent.
    Inline,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    name: &'static str,
    shape: Shape,
    kind: &'static str,
}

type Message = HashMap<u64, Field>;

static MESSAGES: LazyLock<HashMap<&'static str, Message>> = LazyLock::new(|| {
    let mut messages: HashMap<&str, Message> = HashMap::new();
    let mut current = "";
    for line in include_str!("messages.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let Some(field) = line.strip_prefix(' ') else {
            current = line;
            messages.entry(current).or_default();
            continue;
        };
        let mut words = field.split(' ');
        let (Some(number), Some(name), Some(kind)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let Ok(number) = number.parse() else { continue };
        let (shape, kind) = match kind.as_bytes()[0] {
            b'[' => (Shape::List, &kind[1..kind.len() - 1]),
            b'{' => (Shape::Map, &kind[1..kind.len() - 1]),
            b'^' => (Shape::Inline, &kind[1..]),
            _ => (Shape::One, kind),
        };
        messages
            .entry(current)
            .or_default()
            .insert(number, Field { name, shape, kind });
    }
    messages
});

/// What stands behind a field's number.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Malformed::Short)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed::Short)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn field(&mut self) -> Result<Option<(u64, Wire<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let little_endian = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let wire = match key & 7 {
            0 => Wire::Number(self.varint()?),
            1 => Wire::Number(little_endian(self.take(8)?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed::Short)?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Number(little_endian(self.take(4)?)),
            _ => return Err(Malformed::WireType),
        };
        Ok(Some((key >> 3, wire)))
    }
}

/// Decodes a body.
pub fn decode(body: &[u8]) -> Result<Value, Malformed> {
    let mut envelope = Reader(body.strip_prefix(MAGIC).ok_or(Malformed::Magic)?);
    let (mut api_version, mut kind, mut raw): (String, String, &[u8]) = Default::default();
    while let Some((number, wire)) = envelope.field()? {
        match (number, wire) {
            (1, Wire::Bytes(meta)) => {
                let mut meta = Reader(meta);
                while let Some((number, wire)) = meta.field()? {
                    match (number, wire) {
                        (1, Wire::Bytes(text)) => api_version = text_of(text),
                        (2, Wire::Bytes(text)) => kind = text_of(text),
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let name = message_name(&api_version, &kind);
    let (name, _) = MESSAGES
        .get_key_value(name.as_str())
        .ok_or_else(|| Malformed::UnknownKind(format!("{api_version} {kind}")))?;
    let mut value = Value::Object(message(name, raw, 0)?);
    json::set(&mut value, &["apiVersion"], api_version);
    json::set(&mut value, &["kind"], kind);
    Ok(value)
}

fn message_name(api_version: &str, kind: &str) -> String {
    if kind == "DeleteOptions" {
        return "meta.v1.DeleteOptions".into();
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    format!("{}.{version}.{kind}", group.split('.').next().unwrap_or(group))
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn message(name: &str, bytes: &[u8], depth: usize) -> Result<Map<String, Value>, Malformed> {
    if depth > DEEPEST {
        return Err(Malformed::TooDeep);
    }
    let fields = MESSAGES
        .get(name)
        .ok_or_else(|| Malformed::UnknownKind(name.to_owned()))?;
    let mut object = Map::new();
    let mut reader = Reader(bytes);
    while let Some((number, wire)) = reader.field()? {
        // Fields newer than the table fall away, as unknown fields do.
        let Some(field) = fields.get(&number) else {
            continue;
        };
        match (field.shape, wire) {
            (Shape::Inline, Wire::Bytes(bytes)) => object.extend(message(field.kind, bytes, depth + 1)?),
            (Shape::Map, Wire::Bytes(bytes)) => {
                let (key, value) = entry(field.kind, bytes, depth)?;
                json::object_mut(object.entry(field.name).or_insert(Value::Null)).insert(key, value);
            }
            (Shape::List, wire) => {
                let list = object
                    .entry(field.name)
                    .or_insert_with(|| Value::Array(Vec::new()));
                if let (Some(value), Some(list)) = (value(field, wire, depth)?, list.as_array_mut()) {
                    list.push(value);
                }
            }
            (_, wire) => {
                if let Some(value) = value(field, wire, depth)?.filter(|value| is_said(field.name, value)) {
                    object.insert(field.name.to_owned(), value);
                }
            }
        }
    }
    Ok(object)
}

fn entry(kind: &'static str, bytes: &[u8], depth: usize) -> Result<(String, Value), Malformed> {
    let mut reader = Reader(bytes);
    let (mut key, mut found) = (String::new(), None);
    let field = Field {
        name: "",
        shape: Shape::One,
        kind,
    };
    while let Some((number, wire)) = reader.field()? {
        match (number, wire) {
            (1, Wire::Bytes(bytes)) => key = text_of(bytes),
            (2, wire) => found = value(&field, wire, depth)?,
            _ => {}
        }
    }
    Ok((key, found.unwrap_or_else(|| "".into())))
}

fn value(field: &Field, wire: Wire<'_>, depth: usize) -> Result<Option<Value>, Malformed> {
    use base64::Engine as _;
    Ok(match (field.kind, wire) {
        ("string", Wire::Bytes(bytes)) => Some(text_of(bytes).into()),
        ("bytes", Wire::Bytes(bytes)) => Some(base64::engine::general_purpose::STANDARD.encode(bytes).into()),
        ("bool", Wire::Number(number)) => Some((number != 0).into()),
        ("int", Wire::Number(number)) => Some(number.cast_signed().into()),
        ("double", Wire::Number(number)) => Some(f64::from_bits(number).into()),
        ("quantity", Wire::Bytes(bytes)) => match Reader(bytes).field()? {
            Some((1, Wire::Bytes(text))) => Some(text_of(text).into()),
            _ => None,
        },
        ("strings", Wire::Bytes(bytes)) => {
            let (mut reader, mut list) = (Reader(bytes), Vec::new());
            while let Some((_, wire)) = reader.field()? {
                if let Wire::Bytes(text) = wire {
                    list.push(text_of(text));
                }
            }
            Some(list.into())
        }
        ("intorstring", Wire::Bytes(bytes)) => int_or_string(bytes)?,
        ("time" | "microtime", Wire::Bytes(bytes)) => time(bytes, field.kind == "microtime")?,
        ("raw", Wire::Bytes(bytes)) => match Reader(bytes).field()? {
            Some((1, Wire::Bytes(text))) => serde_json::from_slice(text).ok(),
            _ => None,
        },
        (name, Wire::Bytes(bytes)) if MESSAGES.contains_key(name) => {
            Some(Value::Object(message(name, bytes, depth + 1)?))
        }
        _ => None,
    })
}

fn int_or_string(bytes: &[u8]) -> Result<Option<Value>, Malformed> {
    let mut reader = Reader(bytes);
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    while let Some((field, wire)) = reader.field()? {
        match (field, wire) {
            (1, Wire::Number(kind)) => is_text = kind != 0,
            (2, Wire::Number(value)) => number = value.cast_signed(),
            (3, Wire::Bytes(value)) => text = text_of(value),
            _ => {}
        }
    }
    Ok(Some(if is_text { text.into() } else { number.into() }))
}

/// A time; the zero time is none.
fn time(bytes: &[u8], micros: bool) -> Result<Option<Value>, Malformed> {
    let mut reader = Reader(bytes);
    let (mut seconds, mut nanos) = (0, 0);
    while let Some((field, wire)) = reader.field()? {
        match (field, wire) {
            (1, Wire::Number(value)) => seconds = value.cast_signed(),
            (2, Wire::Number(value)) => nanos = u32::try_from(value).unwrap_or(0),
            _ => {}
        }
    }
    let time = DateTime::from_timestamp(seconds, nanos).filter(|_| seconds > 0);
    Ok(time.map(|time| {
        if micros {
            json::micros(time)
        } else {
            json::seconds(time)
        }
        .into()
    }))
}

/// Numbers that Go leaves out when they are zero.
const ZERO_IS_NOTHING: [&str; 12] = [
    "minReadySeconds",
    "hostPort",
    "nodePort",
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
    "generation",
    "observedGeneration",
    "count",
    "deletionGracePeriodSeconds",
];

/// Flags for which false says something else than nothing.
const FALSE_IS_SAID: [&str; 19] = [
    "allocateLoadBalancerNodePorts",
    "allowPrivilegeEscalation",
    "allowVolumeExpansion",
    "automountServiceAccountToken",
    "blockOwnerDeletion",
    "controller",
    "enableServiceLinks",
    "hostUsers",
    "immutable",
    "manualSelector",
    "optional",
    "orphanDependents",
    "privileged",
    "readOnlyRootFilesystem",
    "runAsNonRoot",
    "setHostnameAsFQDN",
    "shareProcessNamespace",
    "suspend",
    "ready",
];

/// Protobuf sends what JSON would leave out.
fn is_said(name: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Bool(false) => FALSE_IS_SAID.contains(&name),
        Value::Number(number) => number.as_i64() != Some(0) || !ZERO_IS_NOTHING.contains(&name),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        out.extend_from_slice(bytes);
        out
    }

    fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &meta), field(2, raw)].concat()
    }

    #[test]
    fn a_config_map() {
        let entry = [field(1, b"key"), field(2, b"value")].concat();
        let raw = [field(1, &field(1, b"settings")), field(2, &entry)].concat();
        assert_eq!(
            decode(&body("v1", "ConfigMap", &raw)).unwrap(),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"key": "value"}})
        );
    }

    #[test]
    fn numbers_and_inlined_messages() {
        // Deployment.spec{replicas: 3, template.spec.containers[0].livenessProbe.handler.httpGet.path}
        let probe = field(1, &field(2, &field(1, b"/live")));
        let container = [field(1, b"app"), field(10, &probe)].concat();
        let template = field(2, &field(2, &container));
        let spec = [vec![1 << 3, 3], field(3, &template)].concat();
        let value = decode(&body("apps/v1", "Deployment", &field(2, &spec))).unwrap();
        assert_eq!(value["spec"]["replicas"], 3);
        let container = &value["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(
            container,
            &json!({"name": "app", "livenessProbe": {"httpGet": {"path": "/live"}}})
        );
    }

    #[test]
    fn every_type_of_the_table_is_known() {
        const PLAIN: [&str; 11] = [
            "string",
            "bytes",
            "bool",
            "int",
            "double",
            "quantity",
            "strings",
            "intorstring",
            "time",
            "microtime",
            "raw",
        ];
        for (name, fields) in MESSAGES.iter() {
            for field in fields.values() {
                let known = PLAIN.contains(&field.kind) || MESSAGES.contains_key(field.kind);
                assert!(known, "{name}.{}: {}", field.name, field.kind);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn nonsense_never_panics(raw in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100)) {
            let _ = decode(&body("v1", "Pod", &raw));
            let _ = decode(&raw);
        }
    }
}
