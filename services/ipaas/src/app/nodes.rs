//! Nodes of a cluster: pages from the index.

use api_types::clusters::Node;
use api_types::common::{ListQuery, Page};
use platform::ApiResult;
use platform::page::{decode_cursor, encode_cursor, limit, sort};
use serde::{Deserialize, Serialize};

use crate::state::AppState;

/// The last node of a page.
#[derive(Serialize, Deserialize)]
struct Cursor {
    descending: bool,
    name: String,
}

/// A page of a cluster's nodes by name.
///
/// # Errors
/// 404; 400 `invalid_cursor`, `invalid_sort`.
pub fn list(state: &AppState, cluster: &str, query: &ListQuery) -> ApiResult<Page<Node>> {
    let member = state.members.require_by_name(cluster)?;
    let (_, descending) = sort(query.sort.as_deref(), &["name"], "name")?;
    let after: Option<Cursor> = decode_cursor(query.cursor.as_deref())?;
    let text = query.q.as_deref().unwrap_or_default().trim().to_lowercase();
    let now = state.now();
    let freshness = member.freshness(now);
    let pods = member.tables.pods.read();
    let nodes = member.tables.nodes.read();
    let mut found: Vec<Node> = nodes
        .shown(&pods, freshness.observed_at, freshness.stale)
        .filter(|node| node.name.contains(&text) || node.internal_ip.starts_with(&text))
        .collect();
    let total = found.len() as u64;
    if descending {
        found.reverse();
    }
    if let Some(after) = after.filter(|after| after.descending == descending) {
        found.retain(|node| {
            if descending {
                node.name < after.name
            } else {
                node.name > after.name
            }
        });
    }
    let limit = limit(query.limit);
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|last| {
        encode_cursor(&Cursor {
            descending,
            name: last.name.clone(),
        })
    });
    Ok(Page {
        items: found,
        next_cursor,
        total_estimate: total,
        gaps: member.gap(now).into_iter().collect(),
    })
}
