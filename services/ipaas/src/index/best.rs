//! The first so many of all pods in an order, without sorting the others.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use crate::index::pods::{PodRow, PodTable};

/// One cluster's part.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    pub cluster: &'a str,
    pub table: &'a PodTable,
    pub observed_at: DateTime<Utc>,
    pub stale: bool,
}

/// What a pod is sorted by: either, the other is 0 or empty. The number is compared first, so that two empty texts are not:
/// that is a masked load from an address where nothing is, which costs a processor with AVX-512 over 100 ns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key<'a> {
    pub number: i64,
    pub text: &'a str,
}

/// Which pod it is; decides between those with the same key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity<'a> {
    pub cluster: &'a str,
    pub namespace: &'a str,
    pub name: &'a str,
}

/// A pod that may be on the page; borrowed, so that the pass allocates nothing. Who it is, is read only when the keys are
/// the same.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    pub key: Key<'a>,
    pub part: &'a Part<'a>,
    pub row: &'a PodRow,
}

impl<'a> Candidate<'a> {
    pub fn identity(&self) -> Identity<'a> {
        let table = self.part.table;
        Identity {
            cluster: self.part.cluster,
            namespace: table.texts.text(self.row.namespace),
            name: table.name(self.row),
        }
    }

    pub fn order(&self, other: &Self, descending: bool) -> Ordering {
        let order = self.key.cmp(&other.key);
        let order = order.then_with(|| self.identity().cmp(&other.identity()));
        if descending { order.reverse() } else { order }
    }

    /// Whether it is on an earlier page than the one after the cursor.
    pub fn passed(&self, after: &(Key<'_>, Identity<'_>), descending: bool) -> bool {
        let order = self.key.cmp(&after.0);
        let order = order.then_with(|| self.identity().cmp(&after.1));
        if descending { order.is_ge() } else { order.is_le() }
    }
}

/// The first so many of all that are offered, in any order: those that can't be among them are turned away at once, the
/// others are sorted out when there are several times too many. So even when each is better than those before, as the
/// newest pods are, an offer costs about two comparisons.
pub struct Best<'a> {
    wanted: usize,
    descending: bool,
    kept: Vec<Candidate<'a>>,
    /// The last of the wanted ones when they were sorted out.
    bar: Option<Candidate<'a>>,
}

/// So many times the wanted number are kept before they are sorted out.
const TIMES_KEPT: usize = 4;

impl<'a> Best<'a> {
    pub fn new(wanted: usize, descending: bool) -> Self {
        Self {
            wanted,
            descending,
            kept: Vec::new(),
            bar: None,
        }
    }

    pub fn offer(&mut self, candidate: Candidate<'a>) {
        let is_worse = |bar: &Candidate<'_>| candidate.order(bar, self.descending).is_ge();
        if self.bar.as_ref().is_some_and(is_worse) {
            return;
        }
        self.kept.push(candidate);
        if self.kept.len() >= self.wanted * TIMES_KEPT {
            let descending = self.descending;
            let order = |a: &Candidate<'_>, b: &Candidate<'_>| a.order(b, descending);
            let (_, bar, _) = self.kept.select_nth_unstable_by(self.wanted - 1, order);
            self.bar = Some(*bar);
            self.kept.truncate(self.wanted);
        }
    }

    pub fn sorted(mut self) -> Vec<Candidate<'a>> {
        let descending = self.descending;
        self.kept.sort_unstable_by(|a, b| a.order(b, descending));
        self.kept.truncate(self.wanted);
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::wire;

    fn table(pods: &[(u8, u8)]) -> PodTable {
        let mut table = PodTable::default();
        for (number, (namespace, _)) in pods.iter().enumerate() {
            let text = format!(r#"{{"metadata":{{"name":"pod-{number}","namespace":"n-{namespace}"}}}}"#);
            let pod: wire::Pod = serde_json::from_str(&text).unwrap();
            table.upsert(&pod);
        }
        table
    }

    proptest! {
        #[test]
        fn they_are_what_sorting_all_of_them_gives(
            pods in prop::collection::vec((0_u8..4, 0_u8..6), 0..120),
            wanted in 1_usize..9,
            descending: bool,
        ) {
            let table = table(&pods);
            let part = Part { cluster: "a", table: &table, observed_at: DateTime::default(), stale: false };
            let mut all: Vec<Candidate<'_>> = table
                .rows()
                .zip(&pods)
                .map(|(row, (_, number))| Candidate {
                    key: Key { text: "", number: i64::from(*number) },
                    part: &part,
                    row,
                })
                .collect();
            let mut best = Best::new(wanted, descending);
            for candidate in &all {
                best.offer(*candidate);
            }
            all.sort_by(|a, b| a.order(b, descending));
            all.truncate(wanted);
            let names = |found: &[Candidate<'_>]| -> Vec<String> {
                found.iter().map(|one| one.identity().name.to_owned()).collect()
            };
            prop_assert_eq!(names(&best.sorted()), names(&all));
        }
    }
}
