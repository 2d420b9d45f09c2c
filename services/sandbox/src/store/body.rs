//! The JSON of one version of one object. Objects of kinds of which there are very many, and which
//! differ in a few words only, share the rest: two pods of a set keep their names, addresses and
//! times, and one text with gaps for them.

use std::sync::Arc;

use serde_json::Value;

use super::object::Words;

/// Marks a gap in the shared text, and ends a word; JSON texts never hold it.
const GAP: char = '\0';
/// A word that is the same as the one before it.
const SAME: char = '\u{1}';

/// Fields whose values differ from object to object, wherever they stand.
const WORDS: [&str; 13] = [
    "resourceVersion",
    "creationTimestamp",
    "podIP",
    "ip",
    "hostIP",
    "nodeName",
    "containerID",
    "startedAt",
    "finishedAt",
    "startTime",
    "lastTransitionTime",
    "time",
    "deletionTimestamp",
];
/// The same, right below the metadata.
const METADATA_WORDS: [&str; 2] = ["name", "uid"];

#[derive(Debug)]
pub enum Body {
    Whole(Box<[u8]>),
    Shared { text: Arc<str>, words: Box<str> },
}

impl Body {
    pub fn whole(value: &Value) -> Self {
        // Without the room that the growing buffer left over: there are many of these.
        Self::Whole(
            serde_json::to_vec(value)
                .expect("a JSON value serialises")
                .into_boxed_slice(),
        )
    }

    pub fn shared(value: &Value, known: &mut Words) -> Self {
        let mut split = Split::default();
        split.value(value, "", false);
        Self::Shared {
            text: known.get(&split.text),
            words: split.words.into_boxed_str(),
        }
    }

    pub fn shared_text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Whole(_) => None,
            Self::Shared { text, .. } => Some(text),
        }
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Whole(bytes) => out.extend_from_slice(bytes),
            Self::Shared { text, words } => {
                let mut words = words.split(GAP);
                let mut last = "";
                for (position, piece) in text.split(GAP).enumerate() {
                    if position > 0 {
                        let word = words.next().unwrap_or("");
                        if !word.starts_with(SAME) {
                            last = word;
                        }
                        out.extend_from_slice(last.as_bytes());
                    }
                    out.extend_from_slice(piece.as_bytes());
                }
            }
        }
    }

    pub fn value(&self) -> Option<Value> {
        match self {
            Self::Whole(bytes) => serde_json::from_slice(bytes).ok(),
            Self::Shared { text, words } => {
                let mut bytes = Vec::with_capacity(text.len() + words.len() + 64);
                self.write(&mut bytes);
                serde_json::from_slice(&bytes).ok()
            }
        }
    }
}

#[derive(Default)]
struct Split {
    text: String,
    words: String,
    last: String,
}

impl Split {
    fn value(&mut self, value: &Value, field: &str, in_metadata: bool) {
        match value {
            Value::Object(object) => {
                self.text.push('{');
                for (position, (name, child)) in object.iter().enumerate() {
                    if position > 0 {
                        self.text.push(',');
                    }
                    self.text.push_str(&Value::from(name.as_str()).to_string());
                    self.text.push(':');
                    let differs = WORDS.contains(&name.as_str())
                        || (in_metadata && METADATA_WORDS.contains(&name.as_str()));
                    match child {
                        Value::String(word) if differs => self.word(&Value::from(word.as_str()).to_string()),
                        child => self.value(child, name, field.is_empty() && name == "metadata"),
                    }
                }
                self.text.push('}');
            }
            Value::Array(items) => {
                self.text.push('[');
                for (position, item) in items.iter().enumerate() {
                    if position > 0 {
                        self.text.push(',');
                    }
                    self.value(item, field, false);
                }
                self.text.push(']');
            }
            other => self.text.push_str(&other.to_string()),
        }
    }

    fn word(&mut self, word: &str) {
        self.text.push(GAP);
        if !self.words.is_empty() {
            self.words.push(GAP);
        }
        if word == self.last {
            self.words.push(SAME);
        } else {
            self.words.push_str(word);
            self.last = word.to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn trees() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a\u{0}\u{1}\"\\\\é]{0,4}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let field = prop_oneof![
                Just("metadata".to_owned()),
                Just("name".to_owned()),
                Just("podIP".to_owned()),
                Just("time".to_owned()),
                "[a-c\"]{1,2}",
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((field, inner), 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(value in trees()) {
            let body = Body::shared(&value, &mut Words::default());
            prop_assert_eq!(body.value(), Some(value));
        }
    }

    #[test]
    fn pods_of_a_set_share_their_text() {
        let pod = |name: &str, address: &str| {
            json!({"metadata": {"name": name, "uid": name, "labels": {"app": "web"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
                "spec": {"containers": [{"name": "app", "image": "web:1"}], "nodeName": "one"},
                "status": {"podIP": address, "podIPs": [{"ip": address}], "startTime": "2026-01-01T00:00:00Z"}})
        };
        let mut known = Words::default();
        let bodies = [
            Body::shared(&pod("a", "127.0.0.2"), &mut known),
            Body::shared(&pod("b", "127.0.0.3"), &mut known),
        ];
        let [Body::Shared { text: one, words }, Body::Shared { text: two, .. }] = &bodies else {
            panic!("not shared: {bodies:?}");
        };
        assert!(Arc::ptr_eq(one, two));
        assert!(words.len() < 80, "{words:?}");
    }
}
