//! The arithmetic of a rolling update: pure functions over counts.

use serde_json::Value;

/// A ReplicaSet, as far as its size matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    pub name: String,
    pub replicas: i64,
    pub available: i64,
    /// What the deployment's size plus surge was when this size was decided.
    pub annotated_most: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub replicas: i64,
    pub surge: i64,
    pub unavailable: i64,
}

/// A number, or a percentage of a total.
fn scaled(value: &Value, total: i64, up: bool) -> i64 {
    match value {
        Value::Number(number) => number.as_i64().unwrap_or(0),
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            let product = percent * total;
            if up {
                (product + 99).div_euclid(100)
            } else {
                product.div_euclid(100)
            }
        }
        _ => 0,
    }
}

impl Bounds {
    /// Surge rounds up, unavailable down; both zero would never move, so one may be unavailable.
    pub fn of(spec: &Value) -> Self {
        let replicas = spec["replicas"].as_i64().unwrap_or(1);
        let strategy = &spec["strategy"];
        if strategy["type"] == "Recreate" {
            return Self {
                replicas,
                surge: 0,
                unavailable: 0,
            };
        }
        let rolling = &strategy["rollingUpdate"];
        let surge = scaled(&rolling["maxSurge"], replicas, true);
        let mut unavailable = scaled(&rolling["maxUnavailable"], replicas, false);
        if surge == 0 && unavailable == 0 {
            unavailable = 1;
        }
        Self {
            replicas,
            surge,
            unavailable: unavailable.min(replicas),
        }
    }

    pub fn most(&self) -> i64 {
        if self.replicas == 0 {
            0
        } else {
            self.replicas + self.surge
        }
    }

    /// The size the new set may have now, given the sizes of all.
    pub fn new_set_size(&self, new: i64, total: i64) -> i64 {
        if new > self.replicas {
            return self.replicas;
        }
        let room = self.replicas + self.surge - total;
        if room <= 0 {
            new
        } else {
            new + room.min(self.replicas - new)
        }
    }

    /// New sizes of the old sets (oldest first): pods that do not work go first, then as many as
    /// may be missing.
    pub fn old_set_sizes(&self, old: &[Set], new: &Set) -> Vec<i64> {
        let mut sizes: Vec<i64> = old.iter().map(|set| set.replicas).collect();
        let total: i64 = sizes.iter().sum::<i64>() + new.replicas;
        let least = self.replicas - self.unavailable;
        let new_unavailable = new.replicas - new.available;
        let mut may_go = total - least - new_unavailable;
        if may_go <= 0 {
            return sizes;
        }
        for (size, set) in sizes.iter_mut().zip(old) {
            let broken = (set.replicas - set.available).max(0).min(may_go);
            *size -= broken;
            may_go -= broken;
        }
        let available: i64 = old.iter().map(|set| set.available).sum::<i64>() + new.available;
        let mut may_go = available - least;
        for size in &mut sizes {
            let gone = (*size).min(may_go.max(0));
            *size -= gone;
            may_go -= gone;
        }
        sizes
    }

    /// Sizes after the deployment itself was scaled in the middle of a rollout: in proportion.
    /// Sets come with the newest first.
    pub fn proportional(&self, sets: &[Set]) -> Vec<i64> {
        let mut sizes: Vec<i64> = sets.iter().map(|set| set.replicas).collect();
        let total: i64 = sizes.iter().sum();
        let allowed = self.most();
        let to_add = allowed - total;
        let mut order: Vec<usize> = (0..sets.len()).collect();
        // Growing, the larger and newer come first; shrinking, the larger and older.
        if to_add > 0 {
            order.sort_by_key(|index| (-sets[*index].replicas, *index));
        } else {
            order.sort_by_key(|index| (-sets[*index].replicas, std::cmp::Reverse(*index)));
        }
        let mut added = 0;
        for index in &order {
            let set = &sets[*index];
            if to_add == 0 || set.replicas == 0 {
                continue;
            }
            let base = if set.annotated_most > 0 {
                set.annotated_most
            } else {
                total.max(1)
            };
            let share = div_round(set.replicas * allowed, base) - set.replicas;
            let left = to_add - added;
            let share = if to_add > 0 {
                share.clamp(0, left)
            } else {
                share.clamp(left, 0)
            };
            sizes[*index] = (set.replicas + share).max(0);
            added += share;
        }
        if let Some(first) = order.first() {
            sizes[*first] = (sizes[*first] + to_add - added).max(0);
        }
        sizes
    }
}

fn div_round(number: i64, by: i64) -> i64 {
    (2 * number + by).div_euclid(2 * by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn set(replicas: i64, available: i64) -> Set {
        Set {
            name: String::new(),
            replicas,
            available,
            annotated_most: 0,
        }
    }

    #[test]
    fn percentages_round_away_from_trouble() {
        let spec = |surge: &str, unavailable: &str| json!({"replicas": 5, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}});
        assert_eq!(
            Bounds::of(&spec("25%", "25%")),
            Bounds {
                replicas: 5,
                surge: 2,
                unavailable: 1
            }
        );
        assert_eq!(
            Bounds::of(&spec("0%", "0%")),
            Bounds {
                replicas: 5,
                surge: 0,
                unavailable: 1
            }
        );
        assert_eq!(
            Bounds::of(&spec("100%", "0%")),
            Bounds {
                replicas: 5,
                surge: 5,
                unavailable: 0
            }
        );
    }

    proptest! {
        /// Played to its end with pods that become available, a rollout keeps its bounds at every
        /// step and arrives.
        #[test]
        fn a_rollout_keeps_its_bounds_and_arrives(
            replicas in 1_i64..20, surge in 0_i64..6, unavailable in 0_i64..6, works in 0_i64..20
        ) {
            prop_assume!(surge + unavailable > 0);
            let bounds = Bounds { replicas, surge, unavailable: unavailable.min(replicas) };
            let mut old = set(replicas, works.min(replicas));
            let all_worked = old.available == replicas;
            let mut new = set(0, 0);
            for _ in 0..200 {
                new.replicas = bounds.new_set_size(new.replicas, old.replicas + new.replicas);
                prop_assert!(old.replicas + new.replicas <= replicas + surge);
                let size = bounds.old_set_sizes(&[old.clone()], &new)[0];
                old.available = old.available.min(size);
                old.replicas = size;
                if all_worked {
                    prop_assert!(old.available + new.available >= replicas - bounds.unavailable);
                }
                // One more pod of the new set becomes available.
                new.available = (new.available + 1).min(new.replicas);
            }
            prop_assert_eq!((old.replicas, new.replicas), (0, replicas));
        }

        #[test]
        fn proportional_scaling_adds_up(
            sizes in proptest::collection::vec(1_i64..10, 1..4), replicas in 1_i64..40, surge in 0_i64..5
        ) {
            let total: i64 = sizes.iter().sum();
            let sets: Vec<Set> = sizes.iter().map(|size| Set { annotated_most: total, ..set(*size, *size) }).collect();
            let bounds = Bounds { replicas, surge, unavailable: 0 };
            let scaled = bounds.proportional(&sets);
            prop_assert_eq!(scaled.iter().sum::<i64>(), bounds.most());
        }
    }
}
