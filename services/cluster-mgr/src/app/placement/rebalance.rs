//! Moves from one division to another, as many as one wants.

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
