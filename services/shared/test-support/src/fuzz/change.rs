//! Good text and good documents with something changed in them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::text;

#[derive(Clone, Debug)]
enum Edit {
    Insert(String),
    Remove(usize),
    Repeat(usize),
    Byte(u8),
}

/// Text with a few places changed. Bytes that are no UTF-8 then become what a lossy reader makes of them.
pub fn edited<T: Into<String>>(text: T) -> impl Strategy<Value = String> {
    let text = text.into();
    let edit = prop_oneof![
        3 => super::text().prop_map(Edit::Insert),
        3 => (1..40_usize).prop_map(Edit::Remove),
        1 => (1..200_usize).prop_map(Edit::Repeat),
        3 => any::<u8>().prop_map(Edit::Byte),
    ];
    vec((any::<Index>(), edit), 0..5).prop_map(move |edits| {
        let mut bytes = text.as_bytes().to_vec();
        for (place, edit) in edits {
            let whole = bytes.len();
            let at = place.index(whole + 1);
            let end = |length: usize| (at + length).min(whole);
            match edit {
                Edit::Insert(text) => drop(bytes.splice(at..at, text.into_bytes())),
                Edit::Remove(length) => drop(bytes.drain(at..end(length))),
                Edit::Repeat(length) => {
                    let part = bytes[at..end(length)].to_vec();
                    bytes.splice(at..at, part);
                }
                Edit::Byte(byte) => {
                    if let Some(place) = bytes.get_mut(at) {
                        *place = byte;
                    }
                }
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A value that could stand anywhere in a document.
pub fn value() -> BoxedStrategy<Value> {
    let number = prop_oneof![
        select(
            &[
                0_i64,
                1,
                -1,
                2,
                65_535,
                65_536,
                86_400,
                86_401,
                2_147_483_647,
                4_294_967_295,
                i64::MIN,
                i64::MAX
            ][..]
        ),
        any::<i64>(),
    ];
    prop_oneof![
        8 => text().prop_map(Value::String),
        6 => number.prop_map(Value::from),
        1 => Just(json!(1.5)),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
        1 => Just(json!([])),
        1 => Just(json!({})),
        1 => vec(text(), 0..3).prop_map(Value::from),
    ]
    .boxed()
}

#[derive(Clone, Debug)]
enum Change {
    Replace(Value),
    Remove,
    Repeat,
    Add(String, Value),
}

/// A document with a few places changed: others' values, fields gone, twice or too many.
pub fn changed(document: Value) -> impl Strategy<Value = Value> {
    let change = prop_oneof![
        8 => value().prop_map(Change::Replace),
        2 => Just(Change::Remove),
        2 => Just(Change::Repeat),
        1 => (text(), value()).prop_map(|(name, value)| Change::Add(name, value)),
    ];
    vec((any::<Index>(), change), 0..4).prop_map(move |changes| {
        let mut document = document.clone();
        for (place, change) in changes {
            let mut places = Vec::new();
            gather(&document, String::new(), &mut places);
            change.carry_out(&mut document, &places[place.index(places.len())]);
        }
        document
    })
}

/// The pointers to everything in a document.
fn gather(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                gather(item, format!("{at}/{index}"), places);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                gather(item, format!("{at}/{name}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}

impl Change {
    fn carry_out(self, document: &mut Value, place: &str) {
        let (above, last) = place.rsplit_once('/').unwrap_or_default();
        match self {
            Self::Replace(value) => *document.pointer_mut(place).expect("a place in it") = value,
            Self::Add(name, value) => {
                if let Some(Value::Object(fields)) = document.pointer_mut(above) {
                    fields.insert(name, value);
                }
            }
            Self::Remove => match document.pointer_mut(above) {
                Some(Value::Object(fields)) => {
                    fields.remove(&last.replace("~1", "/").replace("~0", "~"));
                }
                Some(Value::Array(items)) => drop(last.parse().map(|index: usize| items.remove(index))),
                _ => {}
            },
            Self::Repeat => {
                if let Some(Value::Array(items)) = document.pointer_mut(above)
                    && let Ok(index) = last.parse::<usize>()
                {
                    items.insert(index, items[index].clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest! {
        #[test]
        fn a_document_without_changes_is_reached_and_others_differ(document in changed(json!({ "a": [1, { "b/c": "d" }] }))) {
            let mut places = Vec::new();
            gather(&document, String::new(), &mut places);
            prop_assert!(places.iter().all(|place| document.pointer(place).is_some()), "{}", document);
        }
    }
}
