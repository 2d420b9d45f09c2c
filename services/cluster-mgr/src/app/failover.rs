//! Whether what is on a lost cluster moves by itself. Pure.

use std::time::Duration;

use api_types::clusters::ClusterState;
use chrono::{DateTime, Utc};

/// A cluster, as far as failing over is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub health: ClusterState,
    /// Whether it is seen as it is now.
    pub answers: bool,
    /// Since when it is in this state.
    pub since: DateTime<Utc>,
    /// Its evacuation is ordered already.
    pub ordered: bool,
}

/// What to do about the clusters that are away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Those that were away for the grace period are evacuated.
    Go,
    /// So many are away together that it is likelier that the watcher is blind: a person decides.
    Brake,
}

/// The brake: more than a third of the clusters, and more than one, are away together.
#[must_use]
pub fn judge(away: usize, all: usize) -> Verdict {
    if away > 1 && away * 3 > all {
        Verdict::Brake
    } else {
        Verdict::Go
    }
}

/// Which of the clusters (by position) were lost for the grace period, and what to do about them.
#[must_use]
pub fn due(all: &[Standing], grace: Duration, now: DateTime<Utc>) -> (Vec<usize>, Verdict) {
    // One that can't be seen but isn't lost adds to the doubt whether the others are.
    let away = all
        .iter()
        .filter(|one| match one.health {
            ClusterState::Unreachable => true,
            ClusterState::Suspect => !one.answers,
            _ => false,
        })
        .count();
    let lost = all.iter().enumerate().filter(|(_, one)| {
        one.health == ClusterState::Unreachable && !one.ordered && passed(one.since, grace, now)
    });
    let lost = lost.map(|(position, _)| position).collect();
    (lost, judge(away, all.len()))
}

/// Whether a cluster that left by itself has been well for long enough to be taken back.
#[must_use]
pub fn may_return(one: Standing, wait: Duration, now: DateTime<Utc>) -> bool {
    one.health == ClusterState::Ready && passed(one.since, wait, now)
}

fn passed(since: DateTime<Utc>, wait: Duration, now: DateTime<Utc>) -> bool {
    (now - since).to_std().is_ok_and(|elapsed| elapsed >= wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_few_moves_and_a_third_together_brakes() {
        for (away, all, verdict) in [
            (1, 1, Verdict::Go),
            (1, 2, Verdict::Go),
            (2, 2, Verdict::Brake),
            (2, 5, Verdict::Brake),
            (2, 6, Verdict::Go),
            (3, 9, Verdict::Go),
            (4, 9, Verdict::Brake),
            (33, 100, Verdict::Go),
            (34, 100, Verdict::Brake),
        ] {
            assert_eq!(judge(away, all), verdict, "{away} of {all}");
        }
    }

    fn standing(health: ClusterState, since: i64) -> Standing {
        Standing {
            health,
            answers: health == ClusterState::Ready,
            since: at(since),
            ordered: false,
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    const GRACE: Duration = Duration::from_secs(300);

    #[test]
    fn grace_counts_from_when_it_was_found_unreachable() {
        let mut all = vec![standing(ClusterState::Ready, 0); 5];
        all[3] = standing(ClusterState::Unreachable, 0);
        assert_eq!(due(&all, GRACE, at(299)), (vec![], Verdict::Go));
        assert_eq!(due(&all, GRACE, at(300)), (vec![3], Verdict::Go));
        // A clock that was set back doesn't make it due.
        assert_eq!(due(&all, GRACE, at(-10)), (vec![], Verdict::Go));
        all[3].ordered = true;
        assert_eq!(due(&all, GRACE, at(300)), (vec![], Verdict::Go));
    }

    #[test]
    fn a_suspect_cluster_never_moves_and_brakes_when_it_is_not_seen() {
        let mut all = vec![standing(ClusterState::Ready, 0); 5];
        all[0] = standing(ClusterState::Unreachable, 0);
        all[1] = standing(ClusterState::Suspect, 0);
        assert_eq!(due(&all, GRACE, at(400)), (vec![0], Verdict::Brake));
        all[1].answers = true;
        assert_eq!(due(&all, GRACE, at(400)), (vec![0], Verdict::Go));
    }

    #[test]
    fn it_is_taken_back_once_it_was_ready_for_long_enough() {
        assert!(!may_return(standing(ClusterState::Ready, 0), GRACE, at(299)));
        assert!(may_return(standing(ClusterState::Ready, 0), GRACE, at(300)));
        assert!(!may_return(standing(ClusterState::Recovering, 0), GRACE, at(300)));
    }
}
