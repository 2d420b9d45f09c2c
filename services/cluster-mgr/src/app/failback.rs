//! How much of what left a cluster moves back at a time. Pure.

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

/// How many replicas of each move back next: in their order, until they are `percent` of all that were away, and at
/// least one.
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

    proptest! {
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
