//! What every list of every service owes to any query.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::{ask, queries};

/// All that a list may find wrong with a query.
const REFUSALS: &[&str] = &["invalid_query", "invalid_sort", "invalid_cursor"];

/// Asks `lists` by `get` with queries that nobody would send: each is answered with a page, or refused with 400 and a
/// code that says what is wrong with it. `parameters` and `cursors` as for [`queries`].
pub fn ask_lists(
    source: &'static str,
    number: u32,
    lists: &[impl AsRef<str>],
    parameters: &'static [(&'static str, &'static [&'static str])],
    cursors: Vec<String>,
    get: impl AsyncFn(&str) -> (u16, Value),
) {
    let lists: Vec<String> = lists.iter().map(|list| list.as_ref().to_owned()).collect();
    let strategy = (select(lists), queries(parameters, cursors));
    ask(source, number, &strategy, async |(list, query)| {
        let path = format!("{list}?{query}");
        let (status, body) = get(&path).await;
        if status == 200 {
            prop_assert!(body["items"].is_array(), "{path}: {body}");
            return Ok(());
        }
        let code = body["code"].as_str().unwrap_or_default();
        prop_assert!(
            status == 400 && REFUSALS.contains(&code),
            "{path}: {status} {body}"
        );
        Ok(())
    });
}
