//! Whose replicas move back to a cluster, and how many of them at a time. Pure.

use std::time::Duration;

use api_types::projects::{FailbackMode, FailbackPolicy};

use crate::db::clusters::Return;

/// An environment of which replicas left a cluster and are not back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    pub project: String,
    pub environment: String,
    pub policy: FailbackPolicy,
    pub services: u64,
    pub replicas: u64,
    /// Somebody stopped moving all of them back.
    pub stopped: bool,
}

impl Absent {
    /// Its part of an order.
    fn returning(&self, automatic: bool, percent: Option<u32>) -> Return {
        Return {
            project: self.project.clone(),
            environment: self.environment.clone(),
            automatic,
            percent,
            replicas: self.replicas,
        }
    }
}

/// Whether an environment's replicas move back where a person asked for it, or `automatic`ally.
#[must_use]
pub fn permits(mode: FailbackMode, automatic: bool) -> bool {
    match mode {
        FailbackMode::Never => false,
        FailbackMode::Confirm => !automatic,
        FailbackMode::Automatic => true,
    }
}

/// What is under way once a person asked for all that may move: what moves by itself is theirs from then on.
#[must_use]
pub fn asked(under_way: &[Return], absent: &[Absent], percent: Option<u32>) -> Vec<Return> {
    let mut all = under_way.to_vec();
    for one in absent.iter().filter(|one| permits(one.policy.mode, false)) {
        match all
            .iter_mut()
            .find(|known| known.is_of(&one.project, &one.environment))
        {
            Some(known) if known.automatic => (known.automatic, known.percent) = (false, percent),
            Some(_) => {}
            None => all.push(one.returning(false, percent)),
        }
    }
    all
}

/// What is under way by the policies of now: without what may no longer move, and with what moves by itself, unless
/// somebody stopped that, once its cluster was `well_for` as long as the environment says.
#[must_use]
pub fn revised(
    under_way: &[Return],
    absent: &[Absent],
    policy_of: impl Fn(&Return) -> Option<FailbackPolicy>,
    well_for: impl Fn(Duration) -> bool,
) -> Vec<Return> {
    let may = |one: &&Return| policy_of(one).is_some_and(|policy| permits(policy.mode, one.automatic));
    let mut all: Vec<Return> = under_way.iter().filter(may).cloned().collect();
    for one in absent.iter().filter(|one| !one.stopped) {
        let known = all
            .iter()
            .any(|known| known.is_of(&one.project, &one.environment));
        let wait = Duration::from_secs(60 * u64::from(one.policy.after_minutes));
        if !known && permits(one.policy.mode, true) && well_for(wait) {
            all.push(one.returning(true, None));
        }
    }
    all
}

/// A service of which replicas may move back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    /// Replicas that the cluster held.
    pub held: u32,
    /// Replicas that it holds now.
    pub holds: u32,
}

impl Away {
    /// Replicas that may move back.
    #[must_use]
    pub fn left(self) -> u32 {
        self.held.saturating_sub(self.holds)
    }
}

/// How many replicas of each of an environment's services move back next: in their order, until they are `percent` of
/// all that were away, and at least one.
#[must_use]
pub fn share(away: &[Away], all: u64, percent: u32) -> Vec<u32> {
    let most = all.saturating_mul(u64::from(percent)).div_ceil(100).max(1);
    let mut left = most;
    away.iter()
        .map(|one| {
            let part = u64::from(one.left()).min(left);
            left -= part;
            u32::try_from(part).unwrap_or(u32::MAX)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn absent(environment: &str, mode: FailbackMode, after_minutes: u32) -> Absent {
        Absent {
            project: "shop".to_owned(),
            environment: environment.to_owned(),
            policy: FailbackPolicy {
                mode,
                after_minutes,
                percent: 25,
            },
            services: 2,
            replicas: 8,
            stopped: false,
        }
    }

    /// One of each mode; the last moves back after ten minutes.
    fn each() -> Vec<Absent> {
        vec![
            absent("never", FailbackMode::Never, 0),
            absent("confirm", FailbackMode::Confirm, 0),
            absent("automatic", FailbackMode::Automatic, 0),
            absent("patient", FailbackMode::Automatic, 10),
        ]
    }

    fn names(all: &[Return]) -> Vec<(&str, bool, Option<u32>)> {
        all.iter()
            .map(|one| (one.environment.as_str(), one.automatic, one.percent))
            .collect()
    }

    /// After so many minutes in which the cluster was well.
    fn revise(under_way: &[Return], absent: &[Absent], minutes: u64) -> Vec<Return> {
        let policy_of = |one: &Return| {
            let own = absent
                .iter()
                .find(|absent| one.is_of(&absent.project, &absent.environment));
            own.map(|own| own.policy)
        };
        let well_for = |wait: Duration| Duration::from_secs(60 * minutes) >= wait;
        revised(under_way, absent, policy_of, well_for)
    }

    #[test]
    fn by_itself_moves_only_what_wants_that_and_waited_for_long_enough() {
        let mut all = each();
        let first = revise(&[], &all, 9);
        assert_eq!(names(&first), [("automatic", true, None)]);
        assert_eq!(first[0].replicas, 8);
        let second = revise(&first, &all, 10);
        assert_eq!(
            names(&second),
            [("automatic", true, None), ("patient", true, None)]
        );
        assert_eq!(revise(&second, &all, 11), second, "nothing new");
        // Somebody wants to be asked from now on.
        all[2].policy.mode = FailbackMode::Confirm;
        assert_eq!(names(&revise(&second, &all, 11)), [("patient", true, None)]);
        // What somebody stopped doesn't begin again.
        all[3].stopped = true;
        assert!(revise(&[], &all, 11).is_empty());
        let gone = |_: &Return| None;
        assert!(
            revised(&second, &[], gone, |_| true).is_empty(),
            "environments that are gone"
        );
    }

    #[test]
    fn a_person_moves_everything_but_what_never_moves() {
        let mut all = each();
        let ordered = asked(&[], &all, Some(50));
        assert_eq!(
            names(&ordered),
            [
                ("confirm", false, Some(50)),
                ("automatic", false, Some(50)),
                ("patient", false, Some(50))
            ]
        );
        assert_eq!(asked(&ordered, &all, Some(10)), ordered, "the same again");
        assert_eq!(revise(&ordered, &all, 0), ordered, "however short it was well");
        // What began by itself is the person's from then on.
        let by_itself = revise(&[], &all, 0);
        assert_eq!(
            names(&asked(&by_itself, &all, None)),
            [
                ("automatic", false, None),
                ("confirm", false, None),
                ("patient", false, None)
            ]
        );
        all[1].policy.mode = FailbackMode::Never;
        assert_eq!(
            names(&revise(&ordered, &all, 0)),
            [("automatic", false, Some(50)), ("patient", false, Some(50))]
        );
    }

    fn away(held: u32, holds: u32) -> Away {
        Away { held, holds }
    }

    #[test]
    fn a_share_is_taken_in_order_and_divides_a_service_where_it_must() {
        let all = [away(4, 0), away(3, 1), away(10, 0), away(2, 5)];
        assert_eq!(share(&all, 16, 25), [4, 0, 0, 0]);
        assert_eq!(share(&all, 16, 50), [4, 2, 2, 0]);
        assert_eq!(share(&all, 16, 100), [4, 2, 10, 0]);
        assert_eq!(share(&all[1..2], 3, 1), [1], "at least one");
        assert_eq!(share(&[], 0, 25), [0; 0]);
    }

    fn any_mode() -> impl Strategy<Value = FailbackMode> {
        prop::sample::select(vec![
            FailbackMode::Never,
            FailbackMode::Confirm,
            FailbackMode::Automatic,
        ])
    }

    proptest! {
        /// Whatever happened before, and however policies change.
        #[test]
        fn nothing_moves_that_its_policy_forbids(
            modes in prop::collection::vec((any_mode(), any_mode(), 0u32..20, any::<bool>()), 0..6),
            minutes in 0u64..20,
            person in any::<bool>(),
        ) {
            let mut all: Vec<Absent> = modes
                .iter()
                .enumerate()
                .map(|(index, (mode, _, after, stopped))| Absent {
                    stopped: *stopped,
                    ..absent(&format!("e{index}"), *mode, *after)
                })
                .collect();
            let mut under_way = revise(&[], &all, minutes);
            if person {
                under_way = asked(&under_way, &all, Some(10));
            }
            for (one, (_, later, _, _)) in all.iter_mut().zip(&modes) {
                one.policy.mode = *later;
            }
            for one in revise(&under_way, &all, minutes) {
                let own = all.iter().find(|own| own.environment == one.environment).unwrap();
                prop_assert!(permits(own.policy.mode, one.automatic));
                let known = under_way.iter().any(|known| known.environment == one.environment);
                prop_assert!(known || (!own.stopped && u64::from(own.policy.after_minutes) <= minutes));
            }
        }

        #[test]
        fn all_of_it_is_back_in_few_shares(
            held in prop::collection::vec(0u32..20, 0..12), percent in 1u32..=100
        ) {
            let mut all: Vec<Away> = held.iter().map(|held| away(*held, 0)).collect();
            let total: u64 = held.iter().map(|held| u64::from(*held)).sum();
            let most = (total * u64::from(percent)).div_ceil(100).max(1);
            let mut shares = 0;
            while all.iter().any(|one| one.left() > 0) {
                let part = share(&all, total, percent);
                let sum: u64 = part.iter().map(|count| u64::from(*count)).sum();
                prop_assert!(sum > 0 && sum <= most);
                for (one, part) in all.iter_mut().zip(part) {
                    prop_assert!(part <= one.left());
                    one.holds += part;
                }
                shares += 1;
            }
            prop_assert!(shares <= total.div_ceil(most));
        }
    }
}
