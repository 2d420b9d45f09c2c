//! Whether what is on a lost cluster moves by itself. Pure.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// One cluster that doesn't answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    pub since: DateTime<Utc>,
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

impl Away {
    /// Whether the grace period is over.
    #[must_use]
    pub fn is_due(self, grace: Duration, now: DateTime<Utc>) -> bool {
        (now - self.since).to_std().is_ok_and(|away| away >= grace)
    }
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

    #[test]
    fn grace_counts_from_when_it_was_found_unreachable() {
        let at = |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        let away = Away { since: at(0) };
        let grace = Duration::from_secs(300);
        assert!(!away.is_due(grace, at(299)));
        assert!(away.is_due(grace, at(300)));
        // A clock that was set back doesn't make it due.
        assert!(!away.is_due(grace, at(-10)));
    }
}
