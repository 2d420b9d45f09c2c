//! Moves from one division to another, as many as one wants.

use crate::app::placement::Candidate;

/// Replicas that go from one candidate to another, by their places in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub from: usize,
    pub to: usize,
    pub replicas: u32,
}

/// The moves that turn `held` into `target`, the largest first. Where the sums differ, what grows or shrinks is no
/// move.
#[must_use]
pub fn moves(held: &[u32], target: &[u32]) -> Vec<Move> {
    walk(held, target, u32::MAX).1
}

/// What `held` becomes on the way to `target` with at most so many moves; growth and shrinking are done whole.
#[must_use]
pub fn limited(held: &[u32], target: &[u32], most: u32) -> Vec<u32> {
    walk(held, target, most).0
}

/// As if up to so many replicas had moved back to the candidate at `home` already, each from where most are; no more than
/// it has room for, and none while it takes none.
pub fn bring_back(candidates: &mut [Candidate<'_>], home: usize, replicas: u32) {
    let open = |candidate: &Candidate<'_>| {
        candidate.ready && candidate.closed.is_none() && candidate.excluded.is_none() && !candidate.exhausted
    };
    let candidate = &candidates[home];
    if !open(candidate) {
        return;
    }
    let room = candidate
        .capacity
        .unwrap_or(0)
        .saturating_sub(u64::from(candidate.held));
    let mut left = u64::from(replicas).min(room);
    while left > 0 {
        let donors = candidates.iter().enumerate();
        // Of those that don't answer nobody knows whether they would end them.
        let largest = donors
            .filter(|(index, donor)| *index != home && donor.ready && donor.held > 0)
            .max_by_key(|(index, donor)| (donor.held, std::cmp::Reverse(*index)))
            .map(|(index, _)| index);
        let Some(donor) = largest else { return };
        candidates[donor].held -= 1;
        candidates[home].held += 1;
        left -= 1;
    }
}

/// Always from where there is most too much to where there is most too little, so that a few moves do most.
fn walk(held: &[u32], target: &[u32], most: u32) -> (Vec<u32>, Vec<Move>) {
    let mut counts = held.to_vec();
    let sum = |counts: &[u32]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
    let over = |counts: &[u32]| largest(counts, target);
    let under = |counts: &[u32]| largest(target, counts);
    while sum(&counts) < sum(target) {
        let Some((index, gap)) = under(&counts) else { break };
        counts[index] += gap.min((sum(target) - sum(&counts)).min(u64::from(u32::MAX)) as u32);
    }
    while sum(&counts) > sum(target) {
        let Some((index, gap)) = over(&counts) else { break };
        counts[index] -= gap.min((sum(&counts) - sum(target)).min(u64::from(u32::MAX)) as u32);
    }
    let mut moves = Vec::new();
    let mut left = most;
    while let (Some((from, too_much)), Some((to, too_little))) = (over(&counts), under(&counts)) {
        let replicas = too_much.min(too_little).min(left);
        if replicas == 0 {
            break;
        }
        counts[from] -= replicas;
        counts[to] += replicas;
        left -= replicas;
        moves.push(Move { from, to, replicas });
    }
    (counts, moves)
}

/// Where `a` exceeds `b` most, and by how much.
fn largest(a: &[u32], b: &[u32]) -> Option<(usize, u32)> {
    a.iter()
        .zip(b)
        .map(|(a, b)| a.saturating_sub(*b))
        .enumerate()
        .filter(|(_, gap)| *gap > 0)
        .max_by_key(|(index, gap)| (*gap, std::cmp::Reverse(*index)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_differences_move_first() {
        let (held, target) = ([9, 5, 0, 0], [4, 3, 6, 1]);
        let told: Vec<_> = moves(&held, &target)
            .iter()
            .map(|one| (one.from, one.to, one.replicas))
            .collect();
        assert_eq!(told, [(0, 2, 5), (1, 2, 1), (1, 3, 1)]);
        assert_eq!(limited(&held, &target, 3), [6, 5, 3, 0]);
        assert_eq!(limited(&held, &target, 100), target);
        // Two more are wanted: they come whatever is allowed to move.
        assert_eq!(limited(&[4, 0], &[2, 4], 0), [4, 2]);
        assert_eq!(limited(&[4, 4], &[1, 5], 0), [2, 4]);
    }

    fn candidate(held: u32, capacity: u64) -> Candidate<'static> {
        Candidate {
            name: "",
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

    fn held(candidates: &[Candidate<'_>]) -> Vec<u32> {
        candidates.iter().map(|candidate| candidate.held).collect()
    }

    #[test]
    fn what_comes_back_comes_from_where_most_is_as_far_as_there_is_room() {
        let mut all = [candidate(0, 3), candidate(6, 9), candidate(4, 9)];
        bring_back(&mut all, 0, 2);
        assert_eq!(held(&all), [2, 4, 4]);
        bring_back(&mut all, 0, 5);
        assert_eq!(held(&all), [3, 3, 4], "it has room for three");
        // One that doesn't answer gives nothing, and gets nothing.
        all[1].ready = false;
        all[0].capacity = Some(100);
        bring_back(&mut all, 0, 50);
        assert_eq!(held(&all), [7, 3, 0]);
        bring_back(&mut all, 1, 1);
        assert_eq!(held(&all), [7, 3, 0]);
    }

    proptest! {
        #[test]
        fn moves_lead_to_the_target_and_no_further_than_allowed(
            pairs in prop::collection::vec((0u32..20, 0u32..20), 1..8), most in 0u32..30
        ) {
            let (held, target): (Vec<u32>, Vec<u32>) = pairs.into_iter().unzip();
            prop_assert_eq!(&limited(&held, &target, u32::MAX), &target);
            let counts = limited(&held, &target, most);
            prop_assert_eq!(counts.iter().sum::<u32>(), target.iter().sum::<u32>());
            for ((held, target), count) in held.iter().zip(&target).zip(&counts) {
                prop_assert!(count >= held.min(target) && count <= held.max(target), "never past the target");
            }
            let gone: u32 = held.iter().zip(&counts).map(|(held, count)| held.saturating_sub(*count)).sum();
            let fewer = held.iter().sum::<u32>().saturating_sub(target.iter().sum());
            prop_assert!(gone <= fewer + most);
        }
    }
}
