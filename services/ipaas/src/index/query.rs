//! Pages over the pods of all clusters: filter, search, sort, go on.
//!
//! A page is one pass over the rows, all cores at work on a cluster each, that keeps the best so many in
//! a heap; nothing is sorted whole and nothing is copied but the page. The cursor is the last item's sort key and identity, so a page
//! neither repeats nor skips a pod that stays, whatever changes between two pages.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::net::IpAddr;

use api_types::pods::Pod;
use auth::Visible;
use chrono::{DateTime, Utc};
use memchr::memmem::Finder;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::app::names::ServiceKey;
use crate::index::interner::Symbol;
use crate::index::pods::{PodRow, PodTable};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PodSort {
    Name,
    CreatedAt,
    Restarts,
    Status,
    Cluster,
    Node,
}

/// The fields to sort by, as people write them.
pub const SORTS: [(&str, PodSort); 6] = [
    ("name", PodSort::Name),
    ("created_at", PodSort::CreatedAt),
    ("restarts", PodSort::Restarts),
    ("status", PodSort::Status),
    ("cluster", PodSort::Cluster),
    ("node", PodSort::Node),
];

/// What a page is asked for.
#[derive(Clone, Debug)]
pub struct PodQuery {
    pub visible: Visible,
    pub project: Option<String>,
    pub environment: Option<String>,
    pub service: Option<String>,
    pub node: Option<String>,
    /// Any of these; all when empty.
    pub statuses: Vec<String>,
    pub ready: Option<bool>,
    pub text: Option<String>,
    pub sort: PodSort,
    pub descending: bool,
    pub after: Option<Cursor>,
    pub limit: usize,
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    sort: PodSort,
    descending: bool,
    text: String,
    number: i64,
    cluster: String,
    namespace: String,
    name: String,
}

impl Cursor {
    /// Whether it belongs to a list in this order.
    #[must_use]
    pub fn fits(&self, sort: PodSort, descending: bool) -> bool {
        self.sort == sort && self.descending == descending
    }
}

/// One cluster's part.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    pub cluster: &'a str,
    pub table: &'a PodTable,
    pub observed_at: DateTime<Utc>,
    pub stale: bool,
}

/// A page, and how many pods the whole list has.
#[derive(Debug)]
pub struct PodPage {
    pub items: Vec<Pod>,
    pub next: Option<Cursor>,
    pub total: u64,
}

/// Sort key and identity; borrowed, so that the pass allocates nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    text: &'a str,
    number: i64,
    cluster: &'a str,
    namespace: &'a str,
    name: &'a str,
}

struct Candidate<'a> {
    place: Place<'a>,
    descending: bool,
    part: usize,
    row: &'a PodRow,
}

impl Ord for Candidate<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = self.place.cmp(&other.place);
        if self.descending { order.reverse() } else { order }
    }
}

impl PartialOrd for Candidate<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Candidate<'_> {}

/// The page over the parts of all clusters.
#[must_use]
pub fn page(parts: &[Part<'_>], query: &PodQuery) -> PodPage {
    let kept = query.limit + 1;
    let (mut found, total) = parts
        .par_iter()
        .enumerate()
        .map(|(number, part)| best_of(number, part, query))
        .reduce(
            || (Vec::new(), 0),
            |(mut best, total), (other, more)| {
                best.extend(other);
                best.sort_unstable();
                best.truncate(kept);
                (best, total + more)
            },
        );
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    let next = found.last().filter(|_| more).map(|last| Cursor {
        sort: query.sort,
        descending: query.descending,
        text: last.place.text.to_owned(),
        number: last.place.number,
        cluster: last.place.cluster.to_owned(),
        namespace: last.place.namespace.to_owned(),
        name: last.place.name.to_owned(),
    });
    let items = found
        .iter()
        .map(|candidate| {
            let part = &parts[candidate.part];
            part.table
                .shown(candidate.row, part.cluster, part.observed_at, part.stale)
        })
        .collect();
    PodPage { items, next, total }
}

/// What one cluster has for the page, best first and one more than the page holds, and how many fit in all.
fn best_of<'a>(number: usize, part: &Part<'a>, query: &'a PodQuery) -> (Vec<Candidate<'a>>, u64) {
    let Some(mut filter) = Filter::new(part, query) else {
        return (Vec::new(), 0);
    };
    let after = query.after.as_ref().map(|cursor| Place {
        text: &cursor.text,
        number: cursor.number,
        cluster: &cursor.cluster,
        namespace: &cursor.namespace,
        name: &cursor.name,
    });
    let mut best: BinaryHeap<Candidate<'a>> = BinaryHeap::with_capacity(query.limit + 2);
    let mut total = 0;
    let mut consider = |row: &'a PodRow| {
        if !filter.takes(row) {
            return;
        }
        total += 1;
        let place = place_of(part, row, query.sort);
        let passed = after.is_some_and(|after| {
            if query.descending {
                place >= after
            } else {
                place <= after
            }
        });
        if passed {
            return;
        }
        let candidate = Candidate {
            place,
            descending: query.descending,
            part: number,
            row,
        };
        if best.len() <= query.limit {
            best.push(candidate);
        } else if best.peek().is_some_and(|worst| candidate < *worst) {
            best.pop();
            best.push(candidate);
        }
    };
    match (&query.project, &query.environment, &query.service) {
        (Some(project), Some(environment), Some(service)) => part
            .table
            .of_service(&ServiceKey::new(project, environment, service))
            .for_each(&mut consider),
        _ => part.table.rows().for_each(&mut consider),
    }
    (best.into_sorted_vec(), total)
}

fn place_of<'a>(part: &Part<'a>, row: &'a PodRow, sort: PodSort) -> Place<'a> {
    let texts = &part.table.texts;
    let (text, number) = match sort {
        PodSort::Name => (&*row.name, 0),
        PodSort::CreatedAt => ("", row.created_at),
        PodSort::Restarts => ("", i64::from(row.restarts)),
        PodSort::Status => (texts.text(row.status), 0),
        PodSort::Cluster => (part.cluster, 0),
        PodSort::Node => (texts.text(row.node), 0),
    };
    Place {
        text,
        number,
        cluster: part.cluster,
        namespace: texts.text(row.namespace),
        name: &row.name,
    }
}

/// The query in the symbols of one table, so that a row is judged by comparing numbers.
struct Filter<'a> {
    table: &'a PodTable,
    stale: bool,
    visible: &'a Visible,
    project: Option<Symbol>,
    environment: Option<Symbol>,
    service: Option<Symbol>,
    node: Option<Symbol>,
    statuses: Option<Vec<Symbol>>,
    ready: Option<bool>,
    text: Option<Finder<'static>>,
    address: Option<AddressPrefix>,
    /// Whether a shared text has the searched one in it, found out once a text.
    known: Vec<Option<bool>>,
}

impl<'a> Filter<'a> {
    /// `None` when no row of this table can fit.
    fn new(part: &Part<'a>, query: &'a PodQuery) -> Option<Self> {
        let texts = &part.table.texts;
        let symbol = |wanted: &Option<String>| match wanted {
            Some(wanted) => texts.find(wanted).map(Some),
            None => Some(None),
        };
        let statuses = (!query.statuses.is_empty()).then(|| {
            query
                .statuses
                .iter()
                .filter_map(|status| texts.find(status))
                .collect::<Vec<_>>()
        });
        if statuses.as_ref().is_some_and(Vec::is_empty) {
            return None;
        }
        let text = query
            .text
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_lowercase);
        Some(Self {
            table: part.table,
            stale: part.stale,
            visible: &query.visible,
            project: symbol(&query.project)?,
            environment: symbol(&query.environment)?,
            service: symbol(&query.service)?,
            node: symbol(&query.node)?,
            statuses,
            ready: query.ready,
            known: vec![None; if text.is_some() { texts.positions() } else { 0 }],
            address: text.as_deref().and_then(AddressPrefix::new),
            text: text.map(|text| Finder::new(&text).into_owned()),
        })
    }

    fn takes(&mut self, row: &PodRow) -> bool {
        let is = |wanted: Option<Symbol>, own: Symbol| wanted.is_none_or(|wanted| wanted == own);
        is(self.project, row.project)
            && is(self.environment, row.environment)
            && is(self.service, row.service)
            && is(self.node, row.node)
            && self
                .statuses
                .as_ref()
                .is_none_or(|statuses| statuses.contains(&row.status))
            && self.ready.is_none_or(|ready| ready == (row.ready && !self.stale))
            && self.may_be_seen(row)
            && self.has_text(row)
    }

    fn may_be_seen(&self, row: &PodRow) -> bool {
        match self.visible {
            Visible::Everything => true,
            Visible::Only(_) => {
                row.service != Symbol::EMPTY
                    && self.visible.includes(
                        self.table.texts.text(row.project),
                        self.table.texts.text(row.environment),
                    )
            }
        }
    }

    fn has_text(&mut self, row: &PodRow) -> bool {
        let Some(text) = &self.text else { return true };
        let is_in = |own: &str| text.find(own.as_bytes()).is_some();
        if is_in(&row.name) {
            return true;
        }
        let texts = &self.table.texts;
        let mut shared_has = |symbol: Symbol| {
            *self.known[symbol.position()].get_or_insert_with(|| is_in(&texts.text(symbol).to_lowercase()))
        };
        shared_has(row.node)
            || shared_has(row.image)
            || shared_has(row.service)
            || self
                .address
                .as_ref()
                .zip(row.ip)
                .is_some_and(|(prefix, ip)| prefix.begins(ip))
    }
}

/// The beginning of an address as people type it.
struct AddressPrefix {
    text: String,
    /// The octets that are whole; of IPv4.
    whole: Vec<u8>,
    /// What the next octet begins with.
    begun: String,
}

impl AddressPrefix {
    fn new(text: &str) -> Option<Self> {
        let is_one = text.contains(['.', ':'])
            && text
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
        if !is_one {
            return None;
        }
        let (whole, begun) = text.rsplit_once('.').unwrap_or(("", text));
        let octet = |part: &str| part.parse().ok().filter(|octet: &u8| octet.to_string() == part);
        let whole: Option<Vec<u8>> = whole.split('.').map(octet).collect();
        Some(Self {
            text: text.to_owned(),
            // More than an address has, when it begins none of IPv4.
            whole: whole.unwrap_or_else(|| vec![0; 5]),
            begun: begun.to_owned(),
        })
    }

    fn begins(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(ip) => {
                let octets = ip.octets();
                octets.starts_with(&self.whole)
                    && octets.get(self.whole.len()).is_some_and(|next| {
                        self.begun.is_empty() || next.to_string().starts_with(&self.begun)
                    })
            }
            IpAddr::V6(ip) => ip.to_string().starts_with(&self.text),
        }
    }
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
