//! Query strings of lists.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::{changed, edited, text};

/// Some of a list's parameters, once or again, with values that it knows and others. `good` are cursors that lists
/// gave out.
pub fn queries(
    parameters: &'static [(&'static str, &'static [&'static str])],
    good: Vec<String>,
) -> impl Strategy<Value = String> {
    let known = select(parameters).prop_flat_map(|(name, values)| {
        let values = if values.is_empty() { &["1"][..] } else { values };
        (
            Just(name),
            select(values).prop_map(|value| value.as_bytes().to_vec()),
        )
    });
    let odd = (select(parameters), odd()).prop_map(|((name, _), value)| (name, value));
    let cursor = cursors(good).prop_map(|cursor| ("cursor", cursor.into_bytes()));
    vec(prop_oneof![3 => known, 4 => odd, 3 => cursor], 0..5).prop_map(|pairs| {
        pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", escaped(value)))
            .collect::<Vec<_>>()
            .join("&")
    })
}

fn odd() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => text().prop_map(String::into_bytes), 1 => vec(any::<u8>(), 0..8)]
}

/// Rubbish, good ones of this and of other lists, and good ones with something changed in what they hold.
fn cursors(good: Vec<String>) -> BoxedStrategy<String> {
    if good.is_empty() {
        return text().boxed();
    }
    let inside = select(good.clone()).prop_flat_map(|cursor| {
        let bytes = URL_SAFE_NO_PAD
            .decode(cursor)
            .expect("a cursor that was given out");
        let document: Value = serde_json::from_slice(&bytes).expect("what a cursor holds");
        changed(document).prop_map(|document| URL_SAFE_NO_PAD.encode(document.to_string()))
    });
    let outside = select(good.clone()).prop_flat_map(edited::<String>);
    prop_oneof![1 => text(), 2 => select(good), 2 => outside, 6 => inside].boxed()
}

/// Anything as a part of a path or a query.
#[must_use]
pub fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(*byte));
        } else {
            write!(text, "%{byte:02X}").expect("writing to a string");
        }
        text
    })
}
