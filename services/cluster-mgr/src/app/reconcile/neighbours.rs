//! Services that may not share a cluster, and where each is. Pure.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

pub use crate::db::services::Place as ServicePlace;

/// Who avoids whom, and which clusters hold replicas of each of them.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    /// The names that each declares to avoid, in its own environment.
    avoids: HashMap<ServicePlace, Vec<String>>,
    /// The names of those that declare to avoid each.
    avoided_by: HashMap<ServicePlace, Vec<String>>,
    clusters: HashMap<ServicePlace, BTreeSet<Uuid>>,
}

/// One that stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour<'a> {
    pub name: &'a str,
    /// What is there of the service itself has to leave; otherwise it stays, and only nothing new comes.
    pub leave: bool,
}

impl Neighbours {
    #[must_use]
    pub fn new(declared: Vec<(ServicePlace, Vec<String>)>) -> Self {
        let mut neighbours = Self::default();
        for (place, names) in declared {
            for name in &names {
                let other = (place.0.clone(), place.1.clone(), name.clone());
                neighbours
                    .avoided_by
                    .entry(other)
                    .or_default()
                    .push(place.2.clone());
            }
            neighbours.avoids.insert(place, names);
        }
        neighbours
    }

    /// Every service that avoids another or is avoided.
    pub fn concerned(&self) -> impl Iterator<Item = &ServicePlace> {
        self.avoids.keys().chain(
            self.avoided_by
                .keys()
                .filter(|place| !self.avoids.contains_key(*place)),
        )
    }

    /// Whether a service's own word on whom it avoids is in it.
    #[must_use]
    pub fn know(&self, place: &ServicePlace, declared: &[String]) -> bool {
        declared.is_empty() || self.avoids.get(place).is_some_and(|names| names == declared)
    }

    /// Tells that a cluster holds replicas of a service.
    pub fn settle(&mut self, place: &ServicePlace, cluster: Uuid) {
        self.clusters.entry(place.clone()).or_default().insert(cluster);
    }

    /// Tells where a service is now.
    pub fn moved(&mut self, place: &ServicePlace, clusters: impl Iterator<Item = Uuid>) {
        if self.avoids.contains_key(place) || self.avoided_by.contains_key(place) {
            self.clusters.insert(place.clone(), clusters.collect());
        }
    }

    /// Who on a cluster stands in the way of a service that declares to avoid `declared`.
    ///
    /// Where two that avoid each other are together already, the one that declares it leaves; where both do, the
    /// one whose name is later.
    #[must_use]
    pub fn on<'a>(
        &'a self,
        place: &ServicePlace,
        declared: &'a [String],
        cluster: Uuid,
    ) -> Option<Neighbour<'a>> {
        let other = |name: &str| (place.0.clone(), place.1.clone(), name.to_owned());
        let is_there = |name: &str| {
            self.clusters
                .get(&other(name))
                .is_some_and(|clusters| clusters.contains(&cluster))
        };
        let mine = declared
            .iter()
            .filter(|name| is_there(name))
            .map(|name| Neighbour {
                name,
                leave: place.2 > *name
                    || !self
                        .avoids
                        .get(&other(name))
                        .is_some_and(|names| names.contains(&place.2)),
            });
        let theirs = self
            .avoided_by
            .get(place)
            .into_iter()
            .flatten()
            .filter(|name| !declared.contains(*name) && is_there(name))
            .map(|name| Neighbour { name, leave: false });
        mine.chain(theirs).max_by_key(|neighbour| neighbour.leave)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> ServicePlace {
        ("shop".to_owned(), "test".to_owned(), name.to_owned())
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_one_that_declares_leaves_and_of_two_the_later() {
        let (east, west) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut neighbours = Neighbours::new(vec![
            (place("batch"), names(&["web"])),
            (place("left"), names(&["right"])),
            (place("right"), names(&["left"])),
        ]);
        for name in ["batch", "web", "left", "right"] {
            neighbours.settle(&place(name), east);
        }
        let on = |neighbours: &Neighbours, name: &str, declared: &[&str], cluster| {
            let declared = names(declared);
            neighbours
                .on(&place(name), &declared, cluster)
                .map(|neighbour| (neighbour.name.to_owned(), neighbour.leave))
        };
        assert_eq!(
            on(&neighbours, "batch", &["web"], east),
            Some(("web".to_owned(), true))
        );
        assert_eq!(
            on(&neighbours, "web", &[], east),
            Some(("batch".to_owned(), false))
        );
        assert_eq!(
            on(&neighbours, "left", &["right"], east),
            Some(("right".to_owned(), false))
        );
        assert_eq!(
            on(&neighbours, "right", &["left"], east),
            Some(("left".to_owned(), true))
        );
        assert_eq!(on(&neighbours, "batch", &["web"], west), None);
        neighbours.moved(&place("batch"), [west].into_iter());
        assert_eq!(on(&neighbours, "web", &[], east), None);
        assert_eq!(neighbours.concerned().count(), 4);
        assert!(neighbours.know(&place("batch"), &names(&["web"])) && neighbours.know(&place("new"), &[]));
        assert!(!neighbours.know(&place("batch"), &names(&["web", "db"])));
        assert!(!neighbours.know(&place("new"), &names(&["web"])));
        // Another environment's service of that name is another service.
        let elsewhere = ("shop".to_owned(), "production".to_owned(), "web".to_owned());
        assert_eq!(neighbours.on(&elsewhere, &[], west), None);
    }
}
