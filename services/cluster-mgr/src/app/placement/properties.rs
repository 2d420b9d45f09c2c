//! What holds for every division.

use std::collections::BTreeMap;

use api_types::placement::{Placement, PlacementStrategy};
use proptest::prelude::*;

use super::*;

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

prop_compose! {
    fn candidate()(
        ready in prop::bool::weighted(0.85),
        cordoned in prop::bool::weighted(0.1),
        excluded in prop::bool::weighted(0.1),
        further in prop::option::weighted(0.95, 0u64..30),
        held in prop_oneof![3 => Just(0u32), 2 => 0u32..12],
    ) -> Candidate<'static> {
        Candidate {
            name: "",
            region: "",
            zone: "",
            ready,
            closed: cordoned.then_some(Obstacle::Cordoned),
            excluded: excluded.then_some(Obstacle::Removing),
            capacity: further.map(|further| further + u64::from(held)),
            held,
            stuck: 0,
            exhausted: false,
        }
    }
}

fn candidates() -> impl Strategy<Value = Vec<Candidate<'static>>> {
    prop::collection::vec(candidate(), 1..=NAMES.len()).prop_map(|mut all| {
        for (candidate, name) in all.iter_mut().zip(NAMES) {
            candidate.name = name;
        }
        all
    })
}

fn placement() -> impl Strategy<Value = Placement> {
    let strategy = prop_oneof![
        2 => Just(PlacementStrategy::FreeCapacity),
        1 => prop::collection::vec(0u32..5, NAMES.len()).prop_map(|weights| PlacementStrategy::Weights {
            weights: NAMES.into_iter().map(str::to_owned).zip(weights).collect(),
        }),
    ];
    (strategy, prop_oneof![2 => Just(0u32), 1 => 0u32..4]).prop_map(|(strategy, min_per_cluster)| Placement {
        strategy,
        min_per_cluster,
        ..Placement::default()
    })
}

fn limits() -> impl Strategy<Value = Placement> {
    let percent = || prop::option::of(10u32..=100);
    (percent(), percent(), percent()).prop_map(|(cluster, zone, region)| Placement {
        max_percent_per_cluster: cluster,
        max_percent_per_zone: zone,
        max_percent_per_region: region,
        ..Placement::default()
    })
}

fn run<'a>(placement: &'a Placement, replicas: u32, candidates: &'a [Candidate<'a>]) -> Decision<'a> {
    decide(
        Request {
            placement,
            replicas,
            seed: "p/e/s",
            afresh: false,
        },
        candidates,
    )
}

fn counts(decision: &Decision<'_>) -> Vec<u32> {
    decision.replicas().collect()
}

/// The candidates as they are once the decision is carried out.
fn carried_out<'a>(candidates: &[Candidate<'a>], decision: &Decision<'_>) -> Vec<Candidate<'a>> {
    candidates
        .iter()
        .zip(decision.replicas())
        .map(|(candidate, held)| Candidate { held, ..*candidate })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_sum_is_right(placement in placement(), replicas in 0u32..80, candidates in candidates()) {
        let decision = run(&placement, replicas, &candidates);
        let placed: u32 = counts(&decision).iter().sum();
        prop_assert_eq!(placed + decision.unplaced, replicas);
    }

    #[test]
    fn nothing_new_goes_over_capacity_or_where_it_must_not(
        placement in placement(), replicas in 0u32..80, candidates in candidates()
    ) {
        let decision = run(&placement, replicas, &candidates);
        for (candidate, place) in candidates.iter().zip(decision.places()) {
            if place.replicas > candidate.held {
                prop_assert!(candidate.ready && candidate.closed.is_none() && candidate.excluded.is_none());
                prop_assert!(u64::from(place.replicas) <= candidate.capacity.expect("it was observed"));
            }
            if candidate.excluded.is_some() {
                prop_assert_eq!(place.replicas, 0);
            }
        }
    }

    #[test]
    fn replicas_stay_unplaced_only_when_there_is_no_room(
        placement in placement(), replicas in 0u32..80, candidates in candidates()
    ) {
        let decision = run(&placement, replicas, &candidates);
        if decision.unplaced == 0 {
            return Ok(());
        }
        for (candidate, place) in candidates.iter().zip(decision.places()) {
            let weightless = matches!(&placement.strategy, PlacementStrategy::Weights { weights }
                if weights[candidate.name] == 0);
            if candidate.ready && candidate.closed.is_none() && candidate.excluded.is_none() && !weightless
                && let Some(capacity) = candidate.capacity
            {
                prop_assert_eq!(u64::from(place.replicas), capacity);
            }
        }
    }

    #[test]
    fn one_more_takes_from_nobody(placement in placement(), replicas in 0u32..80, candidates in candidates()) {
        let fewer = counts(&run(&placement, replicas, &candidates));
        let more = counts(&run(&placement, replicas + 1, &candidates));
        prop_assert!(fewer.iter().zip(&more).all(|(fewer, more)| fewer <= more), "{:?} {:?}", fewer, more);
    }

    #[test]
    fn moves_are_as_few_as_can_be(replicas in 0u32..80, candidates in candidates()) {
        let placement = Placement::default();
        let decision = run(&placement, replicas, &candidates);
        let kept_from: u64 = candidates
            .iter()
            .filter(|candidate| candidate.excluded.is_none())
            .map(|candidate| u64::from(candidate.held))
            .sum();
        let gone: u64 = candidates
            .iter()
            .zip(decision.places())
            .filter(|(candidate, _)| candidate.excluded.is_none())
            .map(|(candidate, place)| u64::from(candidate.held.saturating_sub(place.replicas)))
            .sum();
        prop_assert_eq!(gone, kept_from.saturating_sub(u64::from(replicas)));
    }

    #[test]
    fn nothing_moves_when_nothing_changes(
        placement in placement(), replicas in 0u32..80, candidates in candidates()
    ) {
        let first = run(&placement, replicas, &candidates);
        let after = carried_out(&candidates, &first);
        let second = run(&placement, replicas, &after);
        prop_assert_eq!(counts(&first), counts(&second));
    }

    #[test]
    fn minimums_are_met_where_the_replicas_reach(
        minimum in 1u32..4, replicas in 0u32..80, candidates in candidates()
    ) {
        let placement = Placement { min_per_cluster: minimum, ..Placement::default() };
        let decision = run(&placement, replicas, &candidates);
        let open = |candidate: &Candidate<'_>| {
            candidate.ready && candidate.closed.is_none() && candidate.excluded.is_none() && candidate.capacity.is_some()
        };
        let wants = |candidate: &Candidate<'_>| minimum.min(candidate.capacity.unwrap_or(0) as u32);
        let short = candidates
            .iter()
            .zip(decision.places())
            .any(|(candidate, place)| open(candidate) && place.replicas < wants(candidate));
        let above = candidates
            .iter()
            .zip(decision.places())
            .any(|(candidate, place)| open(candidate) && place.replicas > wants(candidate));
        prop_assert!(!(short && above), "{:?}", counts(&decision));
        prop_assert!(!short || decision.unplaced == 0);
    }

    #[test]
    fn pins_never_exceed_what_was_asked(
        pins in prop::collection::btree_map(prop::sample::select(NAMES.as_slice()), 0u32..10, 1..5),
        candidates in candidates()
    ) {
        let pins: BTreeMap<String, u32> = pins.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        let total = pins.values().sum();
        let placement = Placement {
            strategy: PlacementStrategy::Pinned { replicas: pins.clone() },
            ..Placement::default()
        };
        let decision = run(&placement, total, &candidates);
        let placed: u32 = counts(&decision).iter().sum();
        prop_assert_eq!(placed + decision.unplaced, total);
        for place in decision.places() {
            prop_assert!(place.replicas <= pins.get(&place.cluster).copied().unwrap_or(0));
        }
    }

    #[test]
    fn what_is_stuck_moves_only_where_there_is_room(
        placement in placement(), replicas in 0u32..80, candidates in candidates(),
        stuck in prop::collection::vec((0u32..6, prop::bool::weighted(0.2)), NAMES.len())
    ) {
        let candidates: Vec<Candidate<'_>> = candidates
            .into_iter()
            .zip(stuck)
            .map(|(candidate, (stuck, exhausted))| Candidate {
                stuck: stuck.min(candidate.held),
                exhausted,
                ..candidate
            })
            .collect();
        let decision = run(&placement, replicas, &candidates);
        let counts = counts(&decision);
        prop_assert_eq!(counts.iter().sum::<u32>() + decision.unplaced, replicas);
        for (candidate, count) in candidates.iter().zip(counts) {
            if candidate.stuck > 0 || candidate.exhausted {
                prop_assert!(count <= candidate.held, "nothing new goes there");
            }
        }
    }

    #[test]
    fn limits_hold_and_growth_under_them_takes_from_nobody(
        placement in placement(), limits in limits(), replicas in 0u32..80, candidates in candidates(),
        places in prop::collection::vec((0usize..3, 0usize..3), NAMES.len())
    ) {
        let placement = Placement { min_per_cluster: placement.min_per_cluster, strategy: placement.strategy, ..limits };
        let candidates: Vec<Candidate<'_>> = candidates
            .into_iter()
            .zip(places)
            .map(|(candidate, (region, zone))| Candidate {
                region: ["north", "south", "west"][region],
                zone: ["", "a", "b"][zone],
                ..candidate
            })
            .collect();
        let decision = run(&placement, replicas, &candidates);
        let first = counts(&decision);
        prop_assert_eq!(first.iter().sum::<u32>() + decision.unplaced, replicas);
        // What a cluster has that doesn't answer can't be moved.
        let away = |candidate: &Candidate<'_>| !candidate.ready || candidate.capacity.is_none();
        let stays = |candidate: &Candidate<'_>| if away(candidate) { candidate.held } else { 0 };
        let limit = |percent: Option<u32>| percent.map_or(u32::MAX, |percent| spread::most(replicas, percent));
        let mut sums: BTreeMap<(&str, &str), (u32, u32)> = BTreeMap::new();
        for (candidate, count) in candidates.iter().zip(&first) {
            prop_assert!(*count <= limit(placement.max_percent_per_cluster).max(stays(candidate)));
            for zone in ["", candidate.zone] {
                let sum = sums.entry((candidate.region, zone)).or_default();
                *sum = (sum.0 + count, sum.1 + stays(candidate));
                if candidate.zone.is_empty() {
                    break;
                }
            }
        }
        for ((_, zone), (sum, stays)) in sums {
            let percent = if zone.is_empty() { placement.max_percent_per_region } else { placement.max_percent_per_zone };
            prop_assert!(sum <= limit(percent).max(stays), "{:?} {:?}", first, placement);
        }
        // Carried out, it stays so; one more takes from nobody.
        let after = carried_out(&candidates, &decision);
        prop_assert_eq!(&counts(&run(&placement, replicas, &after)), &first);
        let without_minimum = Placement { min_per_cluster: 0, ..placement };
        let more = counts(&run(&without_minimum, replicas + 1, &after));
        prop_assert!(first.iter().zip(&more).all(|(fewer, more)| fewer <= more), "{:?} {:?}", first, more);
    }
}
