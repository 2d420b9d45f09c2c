//! One version of one object.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::Key;
use super::body::Body;
use crate::json;
use crate::kinds::KindRef;

pub type Labels = Box<[(Arc<str>, Arc<str>)]>;

/// Another object that this one belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub uid: Arc<str>,
    pub kind: Arc<str>,
    pub name: Arc<str>,
    pub controller: bool,
}

/// An immutable version of an object: its bytes, and what lists, watches and loops ask most.
#[derive(Debug)]
pub struct Object {
    pub kind: KindRef,
    pub key: Key,
    pub version: u64,
    pub uid: Arc<str>,
    pub labels: Arc<Labels>,
    /// Values of the kind's selectable fields and facts, in their order.
    pub fields: Box<[Arc<str>]>,
    pub owners: Box<[Owner]>,
    pub deleting: bool,
    pub generation: i64,
    /// The JSON object without `apiVersion` and `kind`.
    body: Body,
}

impl Object {
    /// Takes a state in. Strings that the old version has too are shared with it.
    pub(super) fn new(
        kind: KindRef,
        mut value: Value,
        version: u64,
        old: Option<&Object>,
        words: &mut Words,
    ) -> Arc<Self> {
        if version > 0 {
            json::set(&mut value, &["metadata", "resourceVersion"], version.to_string());
        }
        let key = match old {
            Some(old) => old.key.clone(),
            None => Key {
                namespace: words.get(json::text(&value, "/metadata/namespace")),
                name: json::text(&value, "/metadata/name").into(),
            },
        };
        let labels = labels_of(&value, words);
        let labels = words.labels(labels);
        let uid = json::text(&value, "/metadata/uid");
        let uid = match old {
            Some(old) if &*old.uid == uid => old.uid.clone(),
            _ => uid.into(),
        };
        let selectable = kind.selectable.iter().map(|field| field_text(&value, field));
        let facts = kind.facts.iter().map(|(_, fact)| fact(&value));
        let fields = selectable
            .chain(facts)
            .enumerate()
            .map(|(position, text)| match old.map(|old| &old.fields[position]) {
                Some(old) if **old == *text => old.clone(),
                _ => words.get(&text),
            })
            .collect();
        let owners = json::items(&value, "/metadata/ownerReferences")
            .iter()
            .map(|owner| Owner {
                uid: words.get(json::text(owner, "/uid")),
                kind: words.get(json::text(owner, "/kind")),
                name: words.get(json::text(owner, "/name")),
                controller: owner["controller"] == true,
            })
            .collect();
        let generation = json::integer(&value, "/metadata/generation").unwrap_or(0);
        let deleting = !json::at(&value, "/metadata/deletionTimestamp").is_null();
        if let Some(object) = value.as_object_mut() {
            object.remove("apiVersion");
            object.remove("kind");
        }
        let body = if kind.alike {
            Body::shared(&value, words)
        } else {
            Body::whole(&value)
        };
        Arc::new(Self {
            kind,
            key,
            version,
            uid,
            labels,
            fields,
            owners,
            deleting,
            generation,
            body,
        })
    }

    /// An object that is not stored: the answer to a dry run.
    pub fn detached(kind: KindRef, value: Value) -> Arc<Self> {
        let version = json::text(&value, "/metadata/resourceVersion")
            .parse()
            .unwrap_or(0);
        Self::new(kind, value, version, None, &mut Words::default())
    }

    pub fn name(&self) -> &str {
        &self.key.name
    }

    pub fn namespace(&self) -> &str {
        &self.key.namespace
    }

    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels
            .iter()
            .find(|(label, _)| &**label == name)
            .map(|(_, value)| &**value)
    }

    /// The value of a field selector's field, if the kind has it.
    pub fn field(&self, name: &str) -> Option<&str> {
        match name {
            "metadata.name" => Some(&self.key.name),
            "metadata.namespace" => Some(&self.key.namespace),
            _ => {
                let position = self.kind.selectable.iter().position(|field| *field == name)?;
                Some(&self.fields[position])
            }
        }
    }

    /// A fact that the kind's row derives from every version.
    pub fn fact(&self, name: &str) -> &str {
        let position = self.kind.facts.iter().position(|(fact, _)| *fact == name);
        position.map_or("", |position| &self.fields[self.kind.selectable.len() + position])
    }

    /// The owner that controls this object.
    pub fn controller(&self) -> Option<&Owner> {
        self.owners.iter().find(|owner| owner.controller)
    }

    /// The object as a tree.
    pub fn value(&self) -> Value {
        let mut value = self.bare_value();
        let object = json::object_mut(&mut value);
        object.insert("apiVersion".into(), self.kind.api_version().into());
        object.insert("kind".into(), self.kind.name.into());
        value
    }

    /// The object as a tree, without `apiVersion` and `kind`, as it stands in a list.
    pub fn bare_value(&self) -> Value {
        self.body.value().unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// What it has in common with all that differ from it in their names, addresses and times only; one text for all of
    /// them.
    pub fn shared_text(&self) -> Option<&Arc<str>> {
        self.body.shared_text()
    }

    /// Appends the JSON of the object; in a list it goes without `apiVersion` and `kind`.
    pub fn write(&self, typed: bool, out: &mut Vec<u8>) {
        if typed {
            out.extend_from_slice(b"{\"apiVersion\":\"");
            out.extend_from_slice(self.kind.api_version().as_bytes());
            out.extend_from_slice(b"\",\"kind\":\"");
            out.extend_from_slice(self.kind.name.as_bytes());
            out.extend_from_slice(b"\",");
            let start = out.len();
            self.body.write(out);
            // Its own brace is the one written above.
            out.remove(start);
        } else {
            self.body.write(out);
        }
    }

    pub fn bytes(&self) -> Bytes {
        let mut out = Vec::with_capacity(2048);
        self.write(true, &mut out);
        out.into()
    }
}

/// Words that many objects have in common, kept once.
#[derive(Debug, Default)]
pub struct Words {
    known: HashSet<Arc<str>>,
    labels: HashSet<Arc<Labels>>,
    /// When there are more than this, those that nobody uses are dropped.
    sweep_at: usize,
}

impl Words {
    /// A set of labels, kept once.
    pub fn labels(&mut self, labels: Labels) -> Arc<Labels> {
        if let Some(known) = self.labels.get(&labels) {
            return known.clone();
        }
        let labels = Arc::new(labels);
        self.labels.insert(labels.clone());
        labels
    }

    pub fn get(&mut self, word: &str) -> Arc<str> {
        if let Some(known) = self.known.get(word) {
            return known.clone();
        }
        if self.known.len() >= self.sweep_at {
            self.labels.retain(|labels| Arc::strong_count(labels) > 1);
            self.known.retain(|word| Arc::strong_count(word) > 1);
            self.sweep_at = (self.known.len() * 2).max(1024);
        }
        let word: Arc<str> = word.into();
        self.known.insert(word.clone());
        word
    }
}

fn labels_of(value: &Value, words: &mut Words) -> Labels {
    let map = json::at(value, "/metadata/labels").as_object();
    let mut labels: Vec<(Arc<str>, Arc<str>)> = map
        .into_iter()
        .flatten()
        .map(|(name, value)| (words.get(name), words.get(value.as_str().unwrap_or(""))))
        .collect();
    labels.sort();
    labels.into_boxed_slice()
}

/// A field's value as a selector compares it.
fn field_text(value: &Value, field: &str) -> String {
    let mut current = value;
    for part in field.split('.') {
        current = &current[part];
    }
    match current {
        Value::Null => match field {
            "spec.unschedulable" => "false".into(),
            _ => String::new(),
        },
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_once_and_dropped_when_unused() {
        let mut words = Words::default();
        let kept = words.get("kept");
        assert!(Arc::ptr_eq(&kept, &words.get("kept")));
        for number in 0..10_000 {
            words.get(&number.to_string());
        }
        assert!(words.known.len() <= 1024, "{}", words.known.len());
        assert!(words.known.contains("kept"));
    }
}
