//! Replicas and where they may go.

use std::collections::BTreeSet;

use api_types::placement::{Placement, PlacementStrategy};

use crate::app::validation::{Fields, names};

/// What one service may have; more is a slip of the finger.
pub const MOST_REPLICAS: u32 = 10_000;
const MOST_WEIGHT: u32 = 1_000_000;
/// Of tolerations, and of services to avoid.
const LONGEST_LIST: usize = 32;

/// The clusters that exist, and whether the environment spans each.
pub struct Known<'a>(pub Vec<(&'a str, bool)>);

impl Known<'_> {
    fn check(&self, field: String, name: &str, fields: &mut Fields) {
        match self.0.iter().find(|(known, _)| *known == name) {
            None => fields.refuse(field, format!("there is no cluster `{name}`")),
            Some((_, false)) => {
                fields.refuse(
                    field,
                    format!("cluster `{name}` is not one of this environment's"),
                );
            }
            Some((_, true)) => {}
        }
    }
}

/// `own` is the service's name, as far as it is known.
pub fn check(placement: &Placement, own: &str, known: &Known<'_>, fields: &mut Fields) {
    let mut seen = BTreeSet::new();
    for (index, name) in placement.clusters.iter().enumerate() {
        let field = format!("placement.clusters[{index}]");
        if seen.insert(name) {
            known.check(field, name, fields);
        } else {
            fields.refuse(field, format!("`{name}` is named twice"));
        }
    }
    match &placement.strategy {
        PlacementStrategy::FreeCapacity => {}
        PlacementStrategy::Weights { weights } => {
            let at = "placement.strategy.weights";
            for (name, weight) in weights {
                known.check(format!("{at}[{name}]"), name, fields);
                if *weight > MOST_WEIGHT {
                    fields.refuse(format!("{at}[{name}]"), format!("must be at most {MOST_WEIGHT}"));
                }
            }
            if weights.values().all(|weight| *weight == 0) {
                fields.refuse(at, "at least one cluster needs a weight above 0");
            }
        }
        PlacementStrategy::Pinned { replicas } => {
            let at = "placement.strategy.replicas";
            for name in replicas.keys() {
                known.check(format!("{at}[{name}]"), name, fields);
                if !placement.clusters.is_empty() && !placement.clusters.contains(name) {
                    fields.refuse(format!("{at}[{name}]"), "is not among `placement.clusters`");
                }
            }
            if replicas.is_empty() {
                fields.refuse(at, "name at least one cluster");
            }
            if pinned_sum(placement).is_some_and(|sum| sum > u64::from(MOST_REPLICAS)) {
                fields.refuse(at, format!("at most {MOST_REPLICAS} replicas in all"));
            }
        }
    }
    for (name, percent) in [
        ("max_percent_per_cluster", placement.max_percent_per_cluster),
        ("max_percent_per_zone", placement.max_percent_per_zone),
        ("max_percent_per_region", placement.max_percent_per_region),
    ] {
        if percent.is_some_and(|percent| !(1..=100).contains(&percent)) {
            fields.refuse(format!("placement.{name}"), "must be from 1 to 100");
        }
    }
    for (index, toleration) in placement.tolerations.iter().enumerate() {
        let field = format!("placement.tolerations[{index}]");
        fields.check(format!("{field}.key"), names::qualified(&toleration.key));
        if let Some(value) = &toleration.value {
            fields.check(format!("{field}.value"), names::label_value(value));
        }
    }
    let mut avoided = BTreeSet::new();
    for (index, name) in placement.avoid.iter().enumerate() {
        let field = format!("placement.avoid[{index}]");
        if name == own {
            fields.refuse(
                field,
                "a service can't avoid itself; limit its share of one cluster instead",
            );
        } else if avoided.insert(name) {
            fields.check(field, names::service(name));
        } else {
            fields.refuse(field, format!("`{name}` is named twice"));
        }
    }
    for (name, count) in [
        ("tolerations", placement.tolerations.len()),
        ("avoid", placement.avoid.len()),
    ] {
        if count > LONGEST_LIST {
            fields.refuse(format!("placement.{name}"), format!("at most {LONGEST_LIST}"));
        }
    }
    if placement.min_per_cluster > MOST_REPLICAS {
        fields.refuse(
            "placement.min_per_cluster",
            format!("must be at most {MOST_REPLICAS}"),
        );
    }
}

/// A singleton has one replica, or none while it is stopped.
pub fn singleton(placement: &Placement, replicas: u32, fields: &mut Fields) {
    let pinned = pinned_sum(placement);
    if placement.singleton && pinned.unwrap_or(u64::from(replicas)) > 1 {
        let field = if pinned.is_some() {
            "placement.strategy.replicas"
        } else {
            "replicas"
        };
        fields.refuse(field, "a singleton has at most one replica");
    }
}

/// The replicas of a pinned placement, all together.
pub fn pinned_sum(placement: &Placement) -> Option<u64> {
    match &placement.strategy {
        PlacementStrategy::Pinned { replicas } => {
            Some(replicas.values().map(|count| u64::from(*count)).sum())
        }
        _ => None,
    }
}

pub fn replicas(count: u32, fields: &mut Fields) {
    if count > MOST_REPLICAS {
        fields.refuse("replicas", format!("at most {MOST_REPLICAS}"));
    }
}

#[cfg(test)]
mod tests {
    use api_types::placement::Toleration;

    use super::*;

    fn refused(placement: &Placement) -> Vec<String> {
        let mut fields = Fields::default();
        check(
            placement,
            "web",
            &Known(vec![("east", true), ("west", false)]),
            &mut fields,
        );
        fields.paths().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn only_clusters_of_the_environment_can_be_named_and_shares_are_percents() {
        assert!(refused(&Placement::default()).is_empty());
        let named = |clusters: &[&str]| Placement {
            clusters: clusters.iter().map(|name| (*name).to_owned()).collect(),
            ..Placement::default()
        };
        assert!(refused(&named(&["east"])).is_empty());
        let share = |percent| Placement {
            max_percent_per_region: Some(percent),
            ..Placement::default()
        };
        assert!(refused(&share(100)).is_empty());
        for percent in [0, 101] {
            assert_eq!(refused(&share(percent)), ["placement.max_percent_per_region"]);
        }
        assert_eq!(
            refused(&named(&["east", "west", "north", "east"])),
            [
                "placement.clusters[1]",
                "placement.clusters[2]",
                "placement.clusters[3]"
            ]
        );
    }

    #[test]
    fn who_is_avoided_is_another_service_named_once() {
        let placement = Placement {
            avoid: ["db", "web", "db", "Db"].map(str::to_owned).to_vec(),
            tolerations: vec![Toleration {
                key: "dedicated".to_owned(),
                value: Some("a b".to_owned()),
            }],
            ..Placement::default()
        };
        assert_eq!(
            refused(&placement),
            [
                "placement.tolerations[0].value",
                "placement.avoid[1]",
                "placement.avoid[2]",
                "placement.avoid[3]"
            ]
        );
    }

    #[test]
    fn a_singleton_has_at_most_one_replica() {
        let refused = |placement: &Placement, replicas| {
            let mut fields = Fields::default();
            singleton(placement, replicas, &mut fields);
            fields.paths().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let single = Placement {
            singleton: true,
            ..Placement::default()
        };
        assert!(refused(&single, 0).is_empty() && refused(&single, 1).is_empty());
        assert_eq!(refused(&single, 2), ["replicas"]);
        assert!(refused(&Placement::default(), 2).is_empty());
        let pinned = |each| Placement {
            strategy: PlacementStrategy::Pinned {
                replicas: [("east".to_owned(), each), ("west".to_owned(), 1)].into(),
            },
            ..single.clone()
        };
        assert!(refused(&pinned(0), 5).is_empty());
        assert_eq!(refused(&pinned(1), 1), ["placement.strategy.replicas"]);
    }

    #[test]
    fn weights_and_pins_are_checked_by_name() {
        let weights = |pairs: &[(&str, u32)]| Placement {
            strategy: PlacementStrategy::Weights {
                weights: pairs
                    .iter()
                    .map(|(name, weight)| ((*name).to_owned(), *weight))
                    .collect(),
            },
            ..Placement::default()
        };
        assert_eq!(refused(&weights(&[("east", 0)])), ["placement.strategy.weights"]);
        assert_eq!(
            refused(&weights(&[("north", 2)])),
            ["placement.strategy.weights[north]"]
        );
        let pinned = Placement {
            strategy: PlacementStrategy::Pinned {
                replicas: [("east".to_owned(), 6000), ("west".to_owned(), 5000)].into(),
            },
            ..Placement::default()
        };
        assert_eq!(
            refused(&pinned),
            ["placement.strategy.replicas[west]", "placement.strategy.replicas"]
        );
    }
}
