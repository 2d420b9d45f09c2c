//! Which decisions are worth keeping when no decision is made of them any more. Pure.
//!
//! Decisions that are the same but for the figures, one after the other, are a run. Of a run the first and the last are
//! kept, and one in ten minutes between them, so that a chart of it stays what it is.

use api_types::autoscaling::{AutoscalingDecision, DecisionOutcome};
use chrono::{DateTime, Duration, Utc};

use super::past::GROWTH;
use crate::app::validation::autoscaling::{LONGEST_PERIOD, LONGEST_WINDOW};
use crate::db::autoscaling_decisions::Class;

/// For so long every decision is kept.
pub const WHOLE: Duration = Duration::minutes(65);
/// One in so many seconds stands for the others of a run.
const SLOT_SECONDS: i64 = 600;

// What is thinned is older than anything that a policy can look back at: a restart forgets no window.
const _: () = assert!(WHOLE.num_seconds() > LONGEST_WINDOW as i64);
const _: () = assert!(WHOLE.num_seconds() > LONGEST_PERIOD as i64);
const _: () = assert!(WHOLE.num_seconds() > GROWTH.num_seconds());

/// What is known of a service's last decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    at: DateTime<Utc>,
    class: Class,
    kind: Kind,
}

/// What makes two decisions the same.
#[derive(Clone, Debug, PartialEq)]
struct Kind {
    outcome: DecisionOutcome,
    current: u32,
    wanted: u32,
    ready: u32,
    min_replicas: u32,
    max_replicas: u32,
    bounds: Vec<String>,
    /// Of each metric, whether it was read.
    read: Vec<bool>,
}

impl Kind {
    fn of(decision: &AutoscalingDecision) -> Self {
        Self {
            outcome: decision.outcome,
            current: decision.current,
            wanted: decision.wanted,
            ready: decision.ready,
            min_replicas: decision.min_replicas,
            max_replicas: decision.max_replicas,
            bounds: decision.bounds.clone(),
            read: decision
                .metrics
                .iter()
                .map(|reading| reading.proposed.is_some())
                .collect(),
        }
    }
}

impl Latest {
    #[must_use]
    pub fn of(decision: &AutoscalingDecision, class: Class) -> Self {
        Self {
            at: decision.at,
            class,
            kind: Kind::of(decision),
        }
    }

    /// When it was made, if the next decision makes it the end of a run that is to be kept now.
    #[must_use]
    pub fn ended_by(&self, next: &AutoscalingDecision) -> Option<DateTime<Utc>> {
        (self.class == Class::Passing && self.kind != Kind::of(next)).then_some(self.at)
    }
}

/// The class of a decision, after the one before it.
#[must_use]
pub fn class(before: Option<&Latest>, decision: &AutoscalingDecision) -> Class {
    let slot = |at: DateTime<Utc>| at.timestamp().div_euclid(SLOT_SECONDS);
    let run = before.filter(|before| before.kind == Kind::of(decision));
    match (decision.outcome, run) {
        (DecisionOutcome::Scaled, _) | (DecisionOutcome::Recorded, None) => Class::Changing,
        (_, Some(before)) if slot(before.at) == slot(decision.at) => Class::Passing,
        _ => Class::Telling,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::past::{self, Past};
    use super::super::tests::{at, cpu, inputs, policy};
    use super::super::{Measured, decide};
    use super::*;

    const STEP: i64 = 15;

    /// Decisions about what was measured, with the classes that they end up with.
    fn play(
        policy: &api_types::autoscaling::AutoscalingPolicy,
        looks: &[Measured],
    ) -> Vec<(AutoscalingDecision, Class)> {
        let window = past::window(policy);
        let mut past = Past::starting(at(0), 4);
        let mut latest: Option<Latest> = None;
        let mut current = 4;
        let mut made: Vec<(AutoscalingDecision, Class)> = Vec::new();
        for (turn, look) in (1i64..).zip(looks) {
            let decision = decide(
                policy,
                &inputs(current, vec![look.clone()]),
                &past,
                at(turn * STEP),
            );
            let class = class(latest.as_ref(), &decision);
            if let Some(end) = latest.as_ref().and_then(|latest| latest.ended_by(&decision)) {
                let last = made.last_mut().unwrap();
                assert_eq!(last.0.at, end);
                last.1 = Class::Telling;
            }
            past.note(&decision, window);
            latest = Some(Latest::of(&decision, class));
            current = decision.wanted;
            made.push((decision, class));
        }
        made
    }

    /// As the sweep leaves them at a time.
    fn thinned(made: &[(AutoscalingDecision, Class)], now: DateTime<Utc>) -> Vec<AutoscalingDecision> {
        let is_left = |(decision, class): &&(AutoscalingDecision, Class)| {
            *class != Class::Passing || decision.at >= now - WHOLE
        };
        let left = made.iter().filter(is_left);
        left.map(|(decision, _)| decision.clone()).collect()
    }

    #[test]
    fn a_quiet_day_is_six_rows_an_hour() {
        let quiet = vec![cpu(4, 50.0, 0, 0); 24 * 240];
        let made = play(&policy(), &quiet);
        let left = thinned(&made, at(24 * 3600) + WHOLE);
        assert_eq!(left.len(), 24 * 6 + 1);
    }

    #[test]
    fn a_dry_run_is_no_change_each_time() {
        let mut dry = policy();
        dry.dry_run = true;
        let record = |at_seconds| {
            let decision = decide(
                &dry,
                &inputs(4, vec![cpu(4, 80.0, 0, 0)]),
                &Past::default(),
                at(at_seconds),
            );
            assert_eq!(decision.outcome, DecisionOutcome::Recorded);
            decision
        };
        let first = record(0);
        assert_eq!(class(None, &first), Class::Changing);
        let latest = Latest::of(&first, Class::Changing);
        assert_eq!(class(Some(&latest), &record(15)), Class::Passing);
        assert_eq!(class(Some(&latest), &record(900)), Class::Telling);
    }

    fn look() -> impl Strategy<Value = Measured> {
        prop_oneof![
            12 => Just(cpu(4, 50.0, 0, 0)),
            2 => (1..8u32, 0.0..200.0).prop_map(|(pods, each)| cpu(pods, each, 0, 0)),
            1 => Just(cpu(2, 40.0, 2, 0)),
            1 => Just(Measured { amount: super::super::Amount::Unknown, ..cpu(0, 0.0, 0, 0) }),
        ]
    }

    /// Looks in runs, as they come.
    fn looks() -> impl Strategy<Value = Vec<Measured>> {
        let run = (look(), 1..200usize).prop_map(|(look, times)| vec![look; times]);
        prop::collection::vec(run, 1..12).prop_map(|runs| runs.concat())
    }

    proptest! {
        #[test]
        fn nothing_but_repeats_is_thinned_and_no_window_is_forgotten(
            looks in looks(),
            window in 0..=LONGEST_WINDOW,
            period in 1..=LONGEST_PERIOD,
        ) {
            let mut policy = policy();
            policy.down.stabilization_seconds = window;
            policy.up.steps[0].period_seconds = period;
            let made = play(&policy, &looks);
            let now = made.last().unwrap().0.at;
            // Also what a later sweep leaves of it all.
            for time in [now, now + WHOLE * 2] {
                let left = thinned(&made, time);
                for pair in made.windows(2) {
                    if Kind::of(&pair[0].0) != Kind::of(&pair[1].0) {
                        prop_assert!(left.contains(&pair[0].0), "the last of a run is kept");
                        prop_assert!(left.contains(&pair[1].0), "the first of a run is kept");
                    }
                }
                for pair in left.windows(2) {
                    let apart = (pair[1].at - pair[0].at).num_seconds();
                    prop_assert!(apart < 2 * SLOT_SECONDS, "{apart} s apart");
                }
            }
            let window = past::window(&policy);
            let recalled = |decisions: &[AutoscalingDecision]| {
                let mut past = Past::starting(at(0), 4);
                for decision in decisions.iter().filter(|decision| decision.at >= now - window) {
                    past.note(decision, window);
                }
                past
            };
            let all: Vec<AutoscalingDecision> = made.iter().map(|(decision, _)| decision.clone()).collect();
            prop_assert_eq!(recalled(&thinned(&made, now)), recalled(&all));
        }
    }
}
