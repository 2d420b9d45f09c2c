//! Random probes and heartbeats.

use proptest::prelude::*;

use super::tests::{PATIENCE, agent, at, sight};
use super::*;

fn take(sight: &mut Sight, judgement: Judgement, now: i64) {
    if judgement.state != sight.state {
        sight.since = at(now);
    }
    sight.state = judgement.state;
    sight.reason = judgement.reason;
    sight.flaps = judgement.flaps;
    sight.probe_silent = judgement.probe_silent;
}

/// One second after the other: whether ipaas looks, whether the cluster answers it, whether the agent renews.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    seconds: i64,
    looks: bool,
    answers: bool,
    renews: bool,
}

fn stretch() -> impl Strategy<Value = Stretch> {
    (1i64..120, prop::bool::weighted(0.8), any::<bool>(), any::<bool>()).prop_map(
        |(seconds, looks, answers, renews)| Stretch {
            seconds,
            looks,
            answers,
            renews,
        },
    )
}

proptest! {
    #[test]
    fn flapping_faster_than_the_patience_flips_nothing(
        ready in any::<bool>(), runs in prop::collection::vec(1i64..30, 1..40)
    ) {
        let first = if ready { ClusterState::Ready } else { ClusterState::Recovering };
        let mut seen = sight(first, Some(0), Some((ready, 0)));
        let (mut now, mut contact, mut good) = (0, 0, ready);
        for run in runs {
            good = !good;
            let since = now;
            for _ in 0..run {
                if good { contact = now; }
                let fresh = sight(seen.state, Some(contact), Some((good, since)));
                seen.last_contact = fresh.last_contact;
                seen.probe = fresh.probe;
                let judgement = judge(&seen, PATIENCE, at(now));
                take(&mut seen, judgement, now);
                now += 1;
            }
        }
        prop_assert_eq!(seen.state, first);
    }

    #[test]
    fn never_unreachable_while_a_witness_is_fresh_and_never_open_while_one_is_silent(
        stretches in prop::collection::vec(stretch(), 1..30)
    ) {
        let mut seen = sight(ClusterState::Ready, Some(0), Some((true, 0)));
        seen.watched_since = at(0);
        seen.agent = agent(0, 0);
        let (mut now, mut run, mut looked) = (0, (true, 0), true);
        let (mut probed, mut renewed, mut looked_since) = (0, 0, 0);
        for stretch in stretches {
            for _ in 0..stretch.seconds {
                now += 1;
                if stretch.looks {
                    if !looked || run.0 != stretch.answers { run = (stretch.answers, now); }
                    if stretch.answers { probed = now; }
                    let fresh = sight(seen.state, Some(probed), Some(run));
                    seen.last_contact = fresh.last_contact;
                    seen.probe = fresh.probe;
                } else {
                    seen.probe = None;
                    looked_since = now;
                }
                looked = stretch.looks;
                if stretch.renews { renewed = now; }
                seen.agent = agent(renewed, renewed);
                let before = seen.clone();
                let judgement = judge(&seen, PATIENCE, at(now));
                take(&mut seen, judgement, now);

                let silent = |since: i64| now - since >= 30;
                let probe_speaks = stretch.looks && stretch.answers;
                if probe_speaks || !silent(renewed) {
                    prop_assert_ne!(seen.state, ClusterState::Unreachable);
                }
                let newly_lost = seen.state == ClusterState::Unreachable && before.state != seen.state;
                if newly_lost {
                    prop_assert!(silent(looked_since) && silent(probed), "somebody looked, for long enough");
                }
                if silent(renewed) || stretch.looks && silent(looked_since) && !stretch.answers && silent(run.1) {
                    prop_assert_ne!(seen.state, ClusterState::Ready);
                    prop_assert_ne!(seen.state, ClusterState::Recovering);
                }
                if before.state != ClusterState::Ready && seen.state == ClusterState::Ready {
                    prop_assert_eq!(before.state, ClusterState::Recovering);
                    let held = (at(now) - before.since).to_std().unwrap();
                    prop_assert!(held >= hold_down(before.flaps, PATIENCE));
                }
                if seen.state != before.state {
                    let silent_reason = matches!(seen.state, ClusterState::Ready | ClusterState::Pending);
                    prop_assert!(silent_reason || !seen.reason.is_empty());
                }
            }
        }
    }
}
