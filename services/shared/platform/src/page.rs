//! Cursors and limits of lists.

use api_types::common::Page;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, ApiResult};
use crate::extract::has_zero_byte;

const DEFAULT_LIMIT: u32 = 50;
const MAXIMUM_LIMIT: u32 = 500;

/// Items a page: what was asked for within 1 to 500, 50 when nothing was.
#[must_use]
pub fn limit(asked: Option<u32>) -> usize {
    asked.unwrap_or(DEFAULT_LIMIT).clamp(1, MAXIMUM_LIMIT) as usize
}

/// Packs the place of the last item into text that means nothing to the caller.
pub fn encode_cursor<T: Serialize>(place: &T) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).expect("a cursor is plain data"))
}

/// Unpacks a cursor.
///
/// # Errors
/// 400 `invalid_cursor` for anything that [`encode_cursor`] did not make for the same list.
pub fn decode_cursor<T: DeserializeOwned>(cursor: Option<&str>) -> ApiResult<Option<T>> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else {
        return Ok(None);
    };
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        // No text of a list has one, and PostgreSQL would choke on it.
        .filter(|bytes| !has_zero_byte(bytes))
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .map(Some)
        .ok_or_else(|| {
            ApiError::invalid(
                "invalid_cursor",
                "the cursor is not one of this list; start again without it",
            )
        })
}

/// A page out of what was read: `items` holds one more than `limit` when there are more. `place` tells
/// where to go on after an item, as a cursor.
pub fn of<T>(mut items: Vec<T>, limit: usize, total_estimate: u64, place: impl Fn(&T) -> String) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items.last().filter(|_| more).map(place);
    Page {
        items,
        next_cursor,
        total_estimate,
        gaps: Vec::new(),
    }
}

/// A sort as asked for: a field of `allowed`, `-` before it for descending.
///
/// # Errors
/// 400 `invalid_sort` names the fields there are.
pub fn sort<'a>(asked: Option<&str>, allowed: &[&'a str], default: &'a str) -> ApiResult<(&'a str, bool)> {
    let asked = asked.filter(|asked| !asked.is_empty()).unwrap_or(default);
    let (field, descending) = match asked.strip_prefix('-') {
        Some(field) => (field, true),
        None => (asked, false),
    };
    allowed
        .iter()
        .find(|name| **name == field)
        .map(|name| (*name, descending))
        .or_else(|| {
            (field == default.trim_start_matches('-')).then(|| (default.trim_start_matches('-'), descending))
        })
        .ok_or_else(|| {
            ApiError::invalid(
                "invalid_sort",
                format!("can't sort by `{field}`; choose one of {}", allowed.join(", ")),
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_rubbish_is_refused() {
        let cursor = encode_cursor(&("web", 7));
        assert_eq!(
            decode_cursor::<(String, u32)>(Some(&cursor)).unwrap(),
            Some(("web".into(), 7))
        );
        assert_eq!(decode_cursor::<(String, u32)>(None).unwrap(), None);
        assert_eq!(
            decode_cursor::<(String, u32)>(Some("@@")).unwrap_err().code,
            "invalid_cursor"
        );
        assert_eq!(
            decode_cursor::<u32>(Some(&cursor)).unwrap_err().code,
            "invalid_cursor"
        );
        let zero = encode_cursor(&("we\0b", 7));
        assert_eq!(
            decode_cursor::<(String, u32)>(Some(&zero)).unwrap_err().code,
            "invalid_cursor"
        );
    }

    #[test]
    fn a_sort_is_checked() {
        assert_eq!(
            sort(Some("-name"), &["name", "age"], "name").unwrap(),
            ("name", true)
        );
        assert_eq!(sort(None, &["name", "age"], "-age").unwrap(), ("age", true));
        assert_eq!(
            sort(Some("color"), &["name"], "name").unwrap_err().code,
            "invalid_sort"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_either_a_cursor_or_refused(text in ".*") {
            if let Err(error) = decode_cursor::<(String, u32)>(Some(&text)) {
                proptest::prop_assert_eq!(error.code, "invalid_cursor");
            }
        }
    }
}
