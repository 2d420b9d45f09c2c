//! What holds for any policy, any pods and any past.

use api_types::autoscaling::{Rounding, ScalingBehavior, ScalingStep, StepSelection, StepUnit};
use proptest::prelude::*;

use super::tests::{at, cpu, inputs, policy};
use super::*;

fn behavior() -> impl Strategy<Value = ScalingBehavior> {
    let step =
        (any::<bool>(), 1..200u32, 15..120u32).prop_map(|(percent, value, period_seconds)| ScalingStep {
            unit: if percent {
                StepUnit::Percent
            } else {
                StepUnit::Replicas
            },
            value,
            period_seconds,
        });
    let select = prop_oneof![
        3 => Just(StepSelection::Max),
        2 => Just(StepSelection::Min),
        1 => Just(StepSelection::Disabled)
    ];
    (0..300u32, select, prop::collection::vec(step, 0..3)).prop_map(
        |(stabilization_seconds, select, steps)| ScalingBehavior {
            stabilization_seconds,
            select,
            steps,
        },
    )
}

fn any_policy() -> impl Strategy<Value = AutoscalingPolicy> {
    (
        (1..50u32, 0..50u32),
        any::<bool>(),
        0..40u32,
        0..120u32,
        behavior(),
        behavior(),
        1.0..200.0,
    )
        .prop_map(|((min, more), ceil, tolerance, foresight, up, down, target)| {
            let mut policy = policy();
            policy.min_replicas = min;
            policy.max_replicas = min + more;
            policy.rounding = if ceil { Rounding::Ceil } else { Rounding::Fewest };
            policy.tolerance_percent = tolerance;
            policy.foresight_seconds = foresight;
            policy.up = up;
            policy.down = down;
            policy.metrics[0].target = target;
            policy
        })
}

/// Decisions 15 s apart, of which the last was 15 s ago.
fn past(policy: &AutoscalingPolicy, looks: &[(u32, f64)]) -> Past {
    let mut past = Past::default();
    for (turn, (current, each)) in (0i64..).zip(looks) {
        let now = at((turn - looks.len() as i64) * 15);
        let inputs = inputs(*current, vec![cpu(*current, *each, 0, 0)]);
        let decision = decide(policy, &inputs, &past, now);
        past.note(&decision, past::window(policy));
    }
    past
}

fn looks() -> impl Strategy<Value = Vec<(u32, f64)>> {
    prop::collection::vec((1..100u32, 0.0..300.0), 0..20)
}

proptest! {
    #[test]
    fn the_bounds_hold(
        policy in any_policy(), looks in looks(), current in 0..200u32,
        (measured, each, missing, unready) in (0..100u32, 0.0..1e6, 0..50u32, 0..50u32),
    ) {
        let past = past(&policy, &looks);
        let measured = cpu(measured, each, missing, unready);
        let decision = decide(&policy, &inputs(current, vec![measured]), &past, at(0));
        prop_assert!((policy.min_replicas..=policy.max_replicas).contains(&decision.wanted));
    }

    #[test]
    fn more_load_never_means_fewer_replicas(
        policy in any_policy(), looks in looks(), current in 1..100u32,
        (measured, each, more, missing, unready) in (1..100u32, 0.0..300.0, 0.0..300.0, 0..50u32, 0..50u32),
    ) {
        let past = past(&policy, &looks);
        let wanted = |each: f64| {
            let measured = cpu(measured, each, missing, unready);
            decide(&policy, &inputs(current, vec![measured]), &past, at(0)).wanted
        };
        prop_assert!(wanted(each) <= wanted(each + more));
    }

    #[test]
    fn what_is_unknown_never_shrinks(
        policy in any_policy(), looks in looks(), within in 0.0..1.0,
        (measured, each) in (1..100u32, 0.0..300.0),
    ) {
        let span = f64::from(policy.max_replicas - policy.min_replicas);
        let current = policy.min_replicas + (span * within) as u32;
        let past = past(&policy, &looks);
        let mut policy = policy;
        policy.metrics.push(policy.metrics[0].clone());
        let unknown = Measured { name: "other".into(), amount: Amount::Unknown, error: Some("no answer".into()) };
        let one = decide(&policy, &inputs(current, vec![cpu(measured, each, 0, 0), unknown.clone()]), &past, at(0));
        prop_assert!(one.wanted >= current);
        let none = decide(&policy, &inputs(current, vec![unknown.clone(), unknown]), &past, at(0));
        prop_assert_eq!(none.wanted, current);
        prop_assert_eq!(none.outcome, DecisionOutcome::Held);
    }

    #[test]
    fn missing_pods_never_turn_the_direction_round(
        current in 1..100u32, measured in 1..100u32, each in 0.0..300.0, missing in 0..100u32, unready in 0..50u32,
    ) {
        let policy = policy();
        let whole = decide(&policy, &inputs(current, vec![cpu(measured, each, 0, 0)]), &Past::default(), at(0));
        let part = decide(&policy, &inputs(current, vec![cpu(measured, each, missing, unready)]), &Past::default(), at(0));
        if whole.wanted >= current {
            prop_assert!(part.wanted >= current.min(policy.max_replicas));
            prop_assert!(part.wanted <= whole.wanted.max(current));
        } else {
            prop_assert!(part.wanted >= whole.wanted);
            prop_assert!(part.wanted <= current);
        }
    }
}
