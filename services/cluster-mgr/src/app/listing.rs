//! Pages of lists that are small enough to be sorted in memory: clusters, projects, environments.

use api_types::common::{ListQuery, Page};
use platform::page::{decode_cursor, encode_cursor, limit, sort};
use platform::{ApiError, ApiResult};

/// A field to sort by and how to read it; texts compare byte by byte.
pub type Sort<T> = (&'static str, fn(&T) -> String);

/// One page. The first sort's field also tells items apart.
pub fn paginate<T>(mut items: Vec<T>, query: &ListQuery, sorts: &[Sort<T>]) -> ApiResult<Page<T>> {
    let (identity_name, identity) = sorts[0];
    let names: Vec<&str> = sorts.iter().map(|(name, _)| *name).collect();
    let (field, descending) = sort(query.sort.as_deref(), &names, identity_name)?;
    let key = sorts
        .iter()
        .find(|(name, _)| *name == field)
        .map_or(identity, |(_, key)| *key);
    let place = |item: &T| (key(item), identity(item));
    items.sort_by_cached_key(place);
    if descending {
        items.reverse();
    }
    let total_estimate = items.len() as u64;
    let cursor: Option<(String, bool, (String, String))> = decode_cursor(query.cursor.as_deref())?;
    if let Some((cursor_field, cursor_descending, last)) = cursor {
        if cursor_field != field || cursor_descending != descending {
            return Err(ApiError::invalid(
                "invalid_cursor",
                "the cursor is of another order; start again without it",
            ));
        }
        items.retain(|item| {
            if descending {
                place(item) < last
            } else {
                place(item) > last
            }
        });
    }
    let limit = limit(query.limit);
    let next_cursor = (items.len() > limit).then(|| {
        items.truncate(limit);
        let last = items.last().expect("a page has at least one item");
        encode_cursor(&(field, descending, place(last)))
    });
    Ok(Page {
        items,
        next_cursor,
        total_estimate,
        gaps: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SORTS: [Sort<(String, u8)>; 2] = [
        ("name", |item| item.0.clone()),
        ("age", |item| format!("{:03}", item.1)),
    ];

    fn names(sort: &str, limit: u32) -> Vec<String> {
        let items: Vec<_> = [("c", 1), ("a", 2), ("b", 2), ("d", 0)]
            .map(|(name, age)| (name.to_owned(), age))
            .into();
        let mut query = ListQuery {
            sort: Some(sort.to_owned()),
            limit: Some(limit),
            ..ListQuery::default()
        };
        let mut found = Vec::new();
        loop {
            let page = paginate(items.clone(), &query, &SORTS).unwrap();
            assert_eq!(page.total_estimate, 4);
            found.extend(page.items.into_iter().map(|(name, _)| name));
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                return found;
            }
        }
    }

    #[test]
    fn pages_join_to_the_whole_in_every_order() {
        for limit in 1..=5 {
            assert_eq!(names("name", limit), ["a", "b", "c", "d"]);
            assert_eq!(names("-name", limit), ["d", "c", "b", "a"]);
            assert_eq!(names("age", limit), ["d", "c", "a", "b"]);
            assert_eq!(names("-age", limit), ["b", "a", "c", "d"]);
        }
    }
}
