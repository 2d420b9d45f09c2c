//! Pages over the pods of all clusters: filter, search, sort, go on.
//!
//! A page is one pass over the rows, all cores at work on a cluster each, that keeps the best so many in hand; nothing
//! is sorted whole and nothing is copied but the page. The cursor is the last item's sort key and identity, so a page
//! neither repeats nor skips a pod that stays, whatever changes between two pages.

use std::net::IpAddr;

use api_types::pods::Pod;
use auth::Visible;
use memchr::memmem::Finder;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::app::names::ServiceKey;
use crate::index::best::{Best, Candidate, Identity, Key, Part};
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

/// A page, and how many pods the whole list has.
#[derive(Debug)]
pub struct PodPage {
    pub items: Vec<Pod>,
    pub next: Option<Cursor>,
    pub total: u64,
}

/// The page over the parts of all clusters.
#[must_use]
pub fn page(parts: &[Part<'_>], query: &PodQuery) -> PodPage {
    let wanted = query.limit + 1;
    let (mut found, total) = parts.par_iter().map(|part| best_of(part, query)).reduce(
        || (Vec::new(), 0),
        |(mut best, total), (other, more)| {
            best.extend(other);
            best.sort_unstable_by(|a, b| a.order(b, query.descending));
            best.truncate(wanted);
            (best, total + more)
        },
    );
    let more = found.len() > query.limit;
    found.truncate(query.limit);
    let next = found.last().filter(|_| more).map(|last| {
        let identity = last.identity();
        Cursor {
            sort: query.sort,
            descending: query.descending,
            text: last.key.text.to_owned(),
            number: last.key.number,
            cluster: identity.cluster.to_owned(),
            namespace: identity.namespace.to_owned(),
            name: identity.name.to_owned(),
        }
    });
    let shown = |Candidate { part, row, .. }: &Candidate<'_>| {
        part.table.shown(row, part.cluster, part.observed_at, part.stale)
    };
    let items = found.iter().map(shown).collect();
    PodPage { items, next, total }
}

/// What one cluster has for the page, best first and one more than the page holds, and how many fit in all.
fn best_of<'a>(part: &'a Part<'a>, query: &'a PodQuery) -> (Vec<Candidate<'a>>, u64) {
    let Some(mut filter) = Filter::new(part, query) else {
        return (Vec::new(), 0);
    };
    let after = query.after.as_ref().map(|cursor| {
        let key = Key {
            text: &cursor.text,
            number: cursor.number,
        };
        let identity = Identity {
            cluster: &cursor.cluster,
            namespace: &cursor.namespace,
            name: &cursor.name,
        };
        (key, identity)
    });
    let mut best = Best::new(query.limit + 1, query.descending);
    let mut total = 0;
    let mut consider = |row: &'a PodRow| {
        if !filter.takes(row) {
            return;
        }
        total += 1;
        let key = key_of(part, row, query.sort);
        let candidate = Candidate { key, part, row };
        let passed = |after| candidate.passed(after, query.descending);
        if !after.as_ref().is_some_and(passed) {
            best.offer(candidate);
        }
    };
    match (&query.project, &query.environment, &query.service) {
        (Some(project), Some(environment), Some(service)) => part
            .table
            .of_service(&ServiceKey::new(project, environment, service))
            .for_each(&mut consider),
        _ => part.table.rows().for_each(&mut consider),
    }
    (best.sorted(), total)
}

fn key_of<'a>(part: &Part<'a>, row: &PodRow, sort: PodSort) -> Key<'a> {
    let texts = &part.table.texts;
    let (text, number) = match sort {
        PodSort::Name => (part.table.name(row), 0),
        PodSort::CreatedAt => ("", row.created_at),
        PodSort::Restarts => ("", i64::from(row.restarts)),
        PodSort::Status => (texts.text(row.status), 0),
        PodSort::Cluster => (part.cluster, 0),
        PodSort::Node => (texts.text(row.node), 0),
    };
    Key { text, number }
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
        let texts = &self.table.texts;
        let mut shared_has = |symbol: Symbol| {
            *self.known[symbol.position()].get_or_insert_with(|| is_in(&texts.text(symbol).to_lowercase()))
        };
        shared_has(row.node)
            || shared_has(row.image)
            || shared_has(row.service)
            || is_in(self.table.name(row))
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
