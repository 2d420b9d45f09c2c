//! Whether a cluster counts as answering. Pure.
//!
//! It flips only after a while of one kind of probe, both ways, so that a lost packet moves nothing and
//! a flapping cluster isn't trusted at its first good answer.

use std::time::Duration;

use api_types::clusters::ClusterState;
use chrono::{DateTime, Utc};

/// What is known of a cluster at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    pub state: ClusterState,
    /// When it was last known to answer.
    pub last_contact: Option<DateTime<Utc>>,
    /// What ipaas's last probe says; absent when ipaas itself doesn't answer or has no such connection.
    pub probe: Option<Probe>,
    /// Since when somebody is looking. Silence while nobody asked is no silence.
    pub watched_since: DateTime<Utc>,
}

/// The present run of probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub reachable: bool,
    /// Whether what it has was read whole: before that nobody knows what it has room for.
    pub synced: bool,
    pub since: Option<DateTime<Utc>>,
    pub error: Option<String>,
}

/// How long it takes to believe a change.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub unreachable_after: Duration,
    pub ready_after: Duration,
}

/// The cluster's new state and the reason for a person, or nothing when it stays as it is.
#[must_use]
pub fn judge(sight: &Sight, patience: Patience, now: DateTime<Utc>) -> Option<(ClusterState, String)> {
    let answers = sight.probe.as_ref().is_some_and(|probe| probe.reachable);
    let silent_since = sight
        .last_contact
        .map_or(sight.watched_since, |contact| contact.max(sight.watched_since));
    match sight.state {
        ClusterState::Pending if answers && sight.probe.as_ref().is_some_and(|probe| probe.synced) => {
            Some((ClusterState::Ready, String::new()))
        }
        ClusterState::Unreachable if answers => {
            let since = sight.probe.as_ref().and_then(|probe| probe.since).unwrap_or(now);
            passed(since, now, patience.ready_after).then(|| (ClusterState::Ready, String::new()))
        }
        ClusterState::Ready | ClusterState::Pending
            if !answers && passed(silent_since, now, patience.unreachable_after) =>
        {
            Some((ClusterState::Unreachable, reason(sight, patience)))
        }
        _ => None,
    }
}

fn passed(since: DateTime<Utc>, now: DateTime<Utc>, wait: Duration) -> bool {
    (now - since).to_std().is_ok_and(|elapsed| elapsed >= wait)
}

fn reason(sight: &Sight, patience: Patience) -> String {
    let seconds = patience.unreachable_after.as_secs();
    match &sight.probe {
        None => format!(
            "ipaas, which probes it, has not told of an answer for {seconds} s; look whether ipaas runs"
        ),
        Some(Probe {
            error: Some(error), ..
        }) => {
            format!("its API server has not answered for {seconds} s: {error}")
        }
        Some(_) => format!("its API server has not answered for {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATIENCE: Patience = Patience {
        unreachable_after: Duration::from_secs(30),
        ready_after: Duration::from_secs(30),
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn sight(state: ClusterState, contact: Option<i64>, probe: Option<(bool, i64)>) -> Sight {
        Sight {
            state,
            last_contact: contact.map(at),
            probe: probe.map(|(reachable, since)| Probe {
                reachable,
                synced: reachable,
                since: Some(at(since)),
                error: (!reachable).then(|| "connection refused".to_owned()),
            }),
            watched_since: at(-1000),
        }
    }

    fn state(sight: &Sight, now: i64) -> Option<ClusterState> {
        judge(sight, PATIENCE, at(now)).map(|(state, _)| state)
    }

    #[test]
    fn silence_counts_only_after_a_while() {
        let silent = sight(ClusterState::Ready, Some(0), Some((false, 5)));
        assert_eq!(state(&silent, 29), None);
        assert_eq!(state(&silent, 30), Some(ClusterState::Unreachable));
        let (_, reason) = judge(&silent, PATIENCE, at(31)).unwrap();
        assert_eq!(
            reason,
            "its API server has not answered for 30 s: connection refused"
        );
    }

    #[test]
    fn a_return_counts_only_after_a_while() {
        let back = sight(ClusterState::Unreachable, Some(100), Some((true, 90)));
        assert_eq!(state(&back, 110), None);
        assert_eq!(state(&back, 120), Some(ClusterState::Ready));
    }

    #[test]
    fn the_first_answer_is_enough_for_a_new_cluster() {
        assert_eq!(
            state(&sight(ClusterState::Pending, None, Some((true, 0))), 0),
            Some(ClusterState::Ready)
        );
        assert_eq!(state(&sight(ClusterState::Pending, None, None), -990), None);
        let mut unread = sight(ClusterState::Pending, None, Some((true, 0)));
        unread.probe.as_mut().unwrap().synced = false;
        assert_eq!(
            state(&unread, 0),
            None,
            "nothing is placed on what isn't known yet"
        );
    }

    #[test]
    fn an_ipaas_that_is_away_is_silence_too() {
        let blind = sight(ClusterState::Ready, Some(0), None);
        assert_eq!(state(&blind, 29), None);
        let (state, reason) = judge(&blind, PATIENCE, at(30)).unwrap();
        assert_eq!(state, ClusterState::Unreachable);
        assert!(reason.contains("look whether ipaas runs"));
    }

    #[test]
    fn silence_while_nobody_looked_is_none() {
        let mut old = sight(ClusterState::Ready, Some(-5000), None);
        old.watched_since = at(0);
        assert_eq!(state(&old, 29), None);
        assert_eq!(state(&old, 30), Some(ClusterState::Unreachable));
    }

    proptest! {
        #[test]
        fn flapping_faster_than_the_patience_flips_nothing(
            ready in any::<bool>(), runs in prop::collection::vec(1i64..30, 1..40)
        ) {
            let mut state = if ready { ClusterState::Ready } else { ClusterState::Unreachable };
            let first = state;
            let (mut now, mut contact, mut good) = (0, 0, ready);
            for run in runs {
                good = !good;
                let since = now;
                for _ in 0..run {
                    if good { contact = now; }
                    let seen = sight(state, Some(contact), Some((good, since)));
                    if let Some((next, _)) = judge(&seen, PATIENCE, at(now)) { state = next; }
                    now += 1;
                }
            }
            prop_assert_eq!(state, first);
        }
    }
}
