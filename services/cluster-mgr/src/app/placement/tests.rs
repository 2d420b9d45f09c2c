use api_types::clusters::{Taint, TaintEffect};
use api_types::placement::{Placement, PlacementStrategy};

use super::*;

fn open(name: &str, capacity: u64, held: u32) -> Candidate<'_> {
    Candidate {
        name,
        region: "",
        zone: "",
        ready: true,
        closed: None,
        excluded: None,
        capacity: Some(capacity),
        held,
        stuck: 0,
        exhausted: false,
    }
}

fn free() -> Placement {
    Placement::default()
}

fn weights(pairs: &[(&str, u32)]) -> Placement {
    Placement {
        strategy: PlacementStrategy::Weights {
            weights: pairs
                .iter()
                .map(|(name, weight)| ((*name).to_owned(), *weight))
                .collect(),
        },
        ..Placement::default()
    }
}

fn pinned(pairs: &[(&str, u32)]) -> Placement {
    Placement {
        strategy: PlacementStrategy::Pinned {
            replicas: pairs
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
        },
        ..Placement::default()
    }
}

fn decided(placement: &Placement, replicas: u32, candidates: &[Candidate<'_>]) -> (Vec<u32>, u32) {
    let decision = decide(
        Request {
            placement,
            replicas,
            seed: "shop/test/web",
            afresh: false,
        },
        candidates,
    );
    (decision.replicas().collect(), decision.unplaced)
}

#[test]
fn replicas_follow_free_capacity() {
    let candidates = [open("a", 30, 0), open("b", 20, 0), open("c", 10, 0)];
    assert_eq!(decided(&free(), 6, &candidates), (vec![3, 2, 1], 0));
    assert_eq!(decided(&free(), 60, &candidates), (vec![30, 20, 10], 0));
    assert_eq!(decided(&free(), 61, &candidates), (vec![30, 20, 10], 1));
}

#[test]
fn two_equal_clusters_share_evenly() {
    let candidates = [open("a", 10, 0), open("b", 10, 0)];
    assert_eq!(decided(&free(), 4, &candidates), (vec![2, 2], 0));
    let (odd, _) = decided(&free(), 3, &candidates);
    assert_eq!(odd.iter().sum::<u32>(), 3);
    assert_eq!(odd.iter().max(), Some(&2));
}

#[test]
fn growth_divides_only_the_difference_and_shrinking_is_proportional() {
    let candidates = [open("a", 100, 6), open("b", 100, 2)];
    assert_eq!(decided(&free(), 8, &candidates), (vec![6, 2], 0));
    assert_eq!(decided(&free(), 12, &candidates), (vec![6, 6], 0));
    assert_eq!(decided(&free(), 4, &candidates), (vec![3, 1], 0));
    assert_eq!(decided(&free(), 0, &candidates), (vec![0, 0], 0));
}

#[test]
fn weights_are_kept_as_far_as_there_is_room() {
    let placement = weights(&[("a", 3), ("b", 1)]);
    assert_eq!(
        decided(&placement, 8, &[open("a", 100, 0), open("b", 100, 0)]),
        (vec![6, 2], 0)
    );
    assert_eq!(
        decided(&placement, 8, &[open("a", 4, 0), open("b", 100, 0)]),
        (vec![4, 4], 0)
    );
    assert_eq!(
        decided(
            &placement,
            8,
            &[open("a", 100, 0), open("b", 100, 0), open("c", 100, 0)]
        ),
        (vec![6, 2, 0], 0)
    );
    assert_eq!(
        decided(
            &placement,
            4,
            &[open("a", 100, 0), open("b", 100, 0), open("c", 100, 4)]
        ),
        (vec![3, 1, 0], 0),
        "a cluster without weight gives up what it has"
    );
}

#[test]
fn a_change_of_weights_divides_afresh() {
    let placement = weights(&[("a", 3), ("b", 1)]);
    let candidates = [open("a", 100, 4), open("b", 100, 4)];
    assert_eq!(decided(&placement, 8, &candidates), (vec![4, 4], 0));
    let decision = decide(
        Request {
            placement: &placement,
            replicas: 8,
            seed: "x",
            afresh: true,
        },
        &candidates,
    );
    assert_eq!(decision.replicas().collect::<Vec<_>>(), [6, 2]);
    assert_eq!(decision.reason(1).previous, 4);
}

#[test]
fn every_cluster_gets_its_minimum_as_far_as_they_reach() {
    let placement = Placement {
        min_per_cluster: 2,
        ..free()
    };
    let candidates = [open("a", 100, 0), open("b", 10, 0), open("c", 5, 0)];
    assert_eq!(decided(&placement, 7, &candidates), (vec![3, 2, 2], 0));
    assert_eq!(decided(&placement, 3, &candidates), (vec![1, 1, 1], 0));
    assert_eq!(
        decided(&placement, 2, &candidates)
            .0
            .iter()
            .filter(|count| **count == 1)
            .count(),
        2
    );
    // A cluster that comes later gets its minimum from those that have more.
    assert_eq!(
        decided(
            &placement,
            6,
            &[open("a", 100, 4), open("b", 10, 2), open("c", 5, 0)]
        ),
        (vec![2, 2, 2], 0)
    );
    assert_eq!(
        decided(
            &placement,
            6,
            &[open("a", 100, 4), open("b", 10, 2), open("c", 1, 0)]
        ),
        (vec![3, 2, 1], 0)
    );
}

#[test]
fn a_cluster_that_does_not_answer_keeps_what_it_has_and_gets_nothing() {
    let away = Candidate {
        ready: false,
        ..open("a", 100, 3)
    };
    assert_eq!(decided(&free(), 6, &[away, open("b", 100, 3)]), (vec![3, 3], 0));
    assert_eq!(decided(&free(), 10, &[away, open("b", 100, 3)]), (vec![3, 7], 0));
    assert_eq!(
        decided(&free(), 4, &[away, open("b", 100, 3)]),
        (vec![1, 3], 0),
        "those that may not be there go first"
    );
}

#[test]
fn a_cordoned_cluster_keeps_and_gets_nothing_and_an_excluded_one_gives_all() {
    let cordoned = Candidate {
        closed: Some(Obstacle::Cordoned),
        ..open("a", 100, 2)
    };
    assert_eq!(
        decided(&free(), 6, &[cordoned, open("b", 100, 1)]),
        (vec![2, 4], 0)
    );
    let excluded = Candidate {
        excluded: Some(Obstacle::Removing),
        ..open("a", 100, 2)
    };
    assert_eq!(
        decided(&free(), 3, &[excluded, open("b", 100, 1)]),
        (vec![0, 3], 0)
    );
    let candidates = [excluded, open("b", 2, 1)];
    let placement = free();
    let decision = decide(
        Request {
            placement: &placement,
            replicas: 3,
            seed: "",
            afresh: false,
        },
        &candidates,
    );
    assert_eq!(decision.unplaced, 1);
    assert!(
        decision.message.contains("b has room for 2"),
        "{}",
        decision.message
    );
}

#[test]
fn a_cluster_that_was_never_seen_is_no_candidate_unless_pinned() {
    let unseen = Candidate {
        capacity: None,
        ..open("a", 0, 0)
    };
    assert_eq!(decided(&free(), 3, &[unseen, open("b", 100, 0)]), (vec![0, 3], 0));
    assert_eq!(decided(&pinned(&[("a", 3)]), 3, &[unseen]), (vec![3], 0));
}

#[test]
fn pins_are_exact_as_far_as_there_is_room() {
    let placement = pinned(&[("a", 3), ("b", 2)]);
    assert_eq!(
        decided(
            &placement,
            5,
            &[open("a", 2, 0), open("b", 100, 4), open("c", 9, 1)]
        ),
        (vec![2, 2, 0], 1)
    );
    let away = Candidate {
        ready: false,
        ..open("a", 100, 0)
    };
    assert_eq!(
        decided(&placement, 5, &[away, open("b", 100, 0)]),
        (vec![3, 2], 0)
    );
}

#[test]
fn reasons_tell_the_inputs_and_the_bounds() {
    let candidates = [open("a", 3, 3), open("b", 100, 0)];
    let placement = Placement {
        min_per_cluster: 1,
        ..free()
    };
    let decision = decide(
        Request {
            placement: &placement,
            replicas: 5,
            seed: "",
            afresh: false,
        },
        &candidates,
    );
    let reason = decision.reason(0);
    assert_eq!((reason.previous, reason.capacity, reason.weight), (3, Some(3), 3));
    assert_eq!(reason.bounds, ["capacity", "kept"]);
    assert_eq!(
        reason.message,
        "3 of 5: room for 3 of 103 replicas; 3 kept from before; it has room for no more"
    );
    assert_eq!(decision.message, "5 replicas on 2 clusters");
}

#[test]
fn remainders_spread_over_services() {
    let candidates = [open("a", 10, 0), open("b", 10, 0), open("c", 10, 0)];
    let placement = free();
    let mut got = [0; 3];
    for number in 0..300 {
        let seed = format!("shop/test/web-{number}");
        let decision = decide(
            Request {
                placement: &placement,
                replicas: 1,
                seed: &seed,
                afresh: false,
            },
            &candidates,
        );
        for (total, replicas) in got.iter_mut().zip(decision.replicas()) {
            *total += replicas;
        }
    }
    assert!(got.iter().all(|total| (60..=140).contains(total)), "{got:?}");
}

#[test]
fn what_no_node_takes_goes_where_there_is_room_or_stays() {
    let full = Candidate {
        stuck: 2,
        ..open("a", 40, 4)
    };
    assert_eq!(decided(&free(), 8, &[full, open("b", 100, 4)]), (vec![2, 6], 0));
    assert_eq!(decided(&free(), 8, &[full, open("b", 5, 4)]), (vec![3, 5], 0));
    assert_eq!(decided(&free(), 8, &[full, open("b", 4, 4)]), (vec![4, 4], 0));
    assert_eq!(
        decided(&free(), 10, &[full, open("b", 4, 4)]),
        (vec![4, 4], 2),
        "nothing new goes where no node takes what is there"
    );
    assert_eq!(decided(&free(), 6, &[full, open("b", 4, 4)]), (vec![2, 4], 0));
    let cordoned = Candidate {
        closed: Some(Obstacle::Cordoned),
        ..full
    };
    assert_eq!(decided(&free(), 8, &[cordoned, open("b", 5, 4)]), (vec![3, 5], 0));
    let away = Candidate { ready: false, ..full };
    assert_eq!(decided(&free(), 8, &[away, open("b", 100, 4)]), (vec![4, 4], 0));
    // For a while it gets nothing new, whatever it seems to have room for.
    let exhausted = Candidate {
        exhausted: true,
        ..open("a", 40, 2)
    };
    let candidates = [exhausted, open("b", 100, 6)];
    assert_eq!(decided(&free(), 12, &candidates), (vec![2, 10], 0));
    let placement = free();
    let request = Request {
        placement: &placement,
        replicas: 8,
        seed: "",
        afresh: false,
    };
    let candidates = [full, open("b", 100, 4)];
    let reason = decide(request, &candidates).reason(0);
    assert_eq!(reason.bounds, ["given_back"]);
    assert!(
        reason
            .message
            .contains("2 found no node for long and went elsewhere"),
        "{}",
        reason.message
    );
}

#[test]
fn no_cluster_gets_more_than_its_share() {
    let placement = Placement {
        max_percent_per_cluster: Some(50),
        ..free()
    };
    let candidates = [open("a", 100, 0), open("b", 10, 0), open("c", 10, 0)];
    assert_eq!(decided(&placement, 8, &candidates), (vec![4, 2, 2], 0));
    assert_eq!(decided(&placement, 1, &candidates), (vec![1, 0, 0], 0));
    // What is there moves when the share shrinks below it, and what has no place stays unplaced.
    let full = [open("a", 100, 6), open("b", 10, 2)];
    assert_eq!(decided(&placement, 8, &full), (vec![4, 4], 0));
    let alone = [open("a", 100, 8), open("b", 2, 0)];
    assert_eq!(decided(&placement, 8, &alone), (vec![4, 2], 2));
    let request = Request {
        placement: &placement,
        replicas: 8,
        seed: "",
        afresh: false,
    };
    let decision = decide(request, &alone);
    assert_eq!(
        decision.message,
        "2 of 8 replicas fit nowhere: a may have no more than 50 % in one cluster, b has room for 2"
    );
    let reason = decision.reason(0);
    assert_eq!(reason.bounds, ["spread_limit"]);
    assert!(
        reason.message.ends_with("; at most 50 % in one cluster"),
        "{}",
        reason.message
    );
}

/// A minimum that a full zone keeps from its cluster frees no room in the region: each look would move a replica.
#[test]
fn nothing_moves_for_a_minimum_that_a_full_zone_refuses() {
    let placement = Placement {
        min_per_cluster: 1,
        max_percent_per_zone: Some(10),
        max_percent_per_region: Some(24),
        ..Placement::default()
    };
    let west = |zone: &'static str, candidate: Candidate<'static>| Candidate {
        region: "west",
        zone,
        ..candidate
    };
    let away = Candidate {
        ready: false,
        capacity: None,
        ..open("a", 0, 9)
    };
    let candidates = |held: [u32; 3]| {
        [
            west("b", away),
            west("", open("c", 5, held[0])),
            west("b", open("d", 1, held[1])),
            west("", open("e", 3, held[2])),
        ]
    };
    let first = decided(&placement, 59, &candidates([0, 1, 3]));
    assert_eq!(first, (vec![9, 3, 0, 3], 44));
    assert_eq!(decided(&placement, 59, &candidates([3, 0, 3])), first);
}

#[test]
fn no_region_and_no_zone_gets_more_than_its_share() {
    let at = |name, region, zone, held| Candidate {
        region,
        zone,
        ..open(name, 100, held)
    };
    let candidates = [
        at("n1", "north", "a", 4),
        at("n2", "north", "b", 4),
        at("s1", "south", "a", 0),
    ];
    let regions = Placement {
        max_percent_per_region: Some(60),
        ..free()
    };
    let (counts, unplaced) = decided(&regions, 8, &candidates);
    assert_eq!((counts[0] + counts[1], counts[2], unplaced), (5, 3, 0));
    let zones = Placement {
        max_percent_per_zone: Some(25),
        ..free()
    };
    assert_eq!(decided(&zones, 8, &candidates), (vec![2, 2, 2], 2));
    // Minimums within a full region come from those that have more there.
    let both = Placement {
        min_per_cluster: 2,
        ..regions
    };
    let lopsided = [
        at("n1", "north", "", 5),
        at("n2", "north", "", 0),
        at("s1", "south", "", 3),
    ];
    assert_eq!(decided(&both, 8, &lopsided), (vec![3, 2, 3], 0));
}

#[test]
fn what_stands_in_the_way_is_named() {
    let taint = Taint {
        key: "dedicated".to_owned(),
        value: "batch".to_owned(),
        effect: TaintEffect::NoPlacement,
    };
    let candidates = [
        Candidate {
            closed: Some(Obstacle::Taint(&taint)),
            ..open("a", 100, 2)
        },
        Candidate {
            excluded: Some(Obstacle::Avoided("batch")),
            ..open("b", 100, 1)
        },
        open("c", 1, 0),
    ];
    let placement = free();
    let request = Request {
        placement: &placement,
        replicas: 4,
        seed: "",
        afresh: false,
    };
    let decision = decide(request, &candidates);
    assert_eq!(decision.replicas().collect::<Vec<_>>(), [2, 0, 1]);
    assert_eq!(
        decision.message,
        "1 of 4 replicas fit nowhere: a has the taint dedicated=batch, which is not tolerated, \
         b runs batch, which may not share a cluster with it, c has room for 1"
    );
    assert_eq!(decision.reason(0).bounds, ["taint", "kept"]);
    assert_eq!(decision.reason(1).bounds, ["avoid"]);
    assert_eq!(
        decision.reason(1).message,
        "gives up its 1: the cluster runs batch, which may not share a cluster with it"
    );
}
