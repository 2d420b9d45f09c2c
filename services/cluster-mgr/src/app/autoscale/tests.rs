use api_types::autoscaling::{
    MetricSource, MetricTarget, Rounding, ScalingStep, Share, StepSelection, StepUnit,
};
use api_types::pods::PodPhase;
use serde_json::json;

use super::metric::{Pod, foresee};
use super::*;

pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

pub fn policy() -> AutoscalingPolicy {
    let mut policy: AutoscalingPolicy = serde_json::from_value(json!({
        "min_replicas": 1,
        "max_replicas": 100,
        "metrics": [{ "source": { "type": "cpu" }, "target": 50.0 }],
    }))
    .unwrap();
    policy.up.stabilization_seconds = 0;
    policy
}

pub fn cpu(measured: u32, each: f64, missing: u32, unready: u32) -> Measured {
    Measured {
        name: "cpu".into(),
        amount: Amount::Pods {
            reading: Reading {
                measured,
                total: each * f64::from(measured),
                missing,
                unready,
            },
            missing_has: 100.0,
        },
        error: None,
    }
}

pub fn inputs(current: u32, metrics: Vec<Measured>) -> Inputs {
    Inputs {
        current,
        ready: current,
        metrics,
    }
}

fn wanted(policy: &AutoscalingPolicy, current: u32, measured: Measured) -> u32 {
    decide(policy, &inputs(current, vec![measured]), &Past::default(), at(0)).wanted
}

#[test]
fn the_reference_case() {
    let mut policy = policy();
    let decision = decide(
        &policy,
        &inputs(4, vec![cpu(4, 80.0, 0, 0)]),
        &Past::default(),
        at(0),
    );
    assert_eq!((decision.wanted, decision.outcome), (6, DecisionOutcome::Scaled));
    assert_eq!(
        decision.metrics[0].formula,
        "320 / 50 = 6.4, fewest within 10 % -> 6"
    );
    assert_eq!(decision.message, "4 -> 6 replicas: cpu is 80, target 50");
    policy.rounding = Rounding::Ceil;
    assert_eq!(wanted(&policy, 4, cpu(4, 80.0, 0, 0)), 7);
}

#[test]
fn what_is_missing_shrinks_nothing_where_the_rest_is_just_at_its_target() {
    assert_eq!(wanted(&policy(), 4, cpu(2, 50.0, 2, 0)), 4);
}

#[test]
fn near_the_target_nothing_changes() {
    for each in [43.0, 50.0, 55.0] {
        assert_eq!(wanted(&policy(), 10, cpu(10, each, 0, 0)), 10, "{each}");
    }
    assert_eq!(wanted(&policy(), 10, cpu(10, 56.0, 0, 0)), 11);
    assert_eq!(wanted(&policy(), 10, cpu(10, 40.0, 0, 0)), 8);
}

#[test]
fn an_incomplete_view_is_damped() {
    // 10 pods at 80: 16 in fact. Of four nothing is known: they might have nothing.
    assert_eq!(wanted(&policy(), 10, cpu(6, 80.0, 4, 0)), 10);
    assert_eq!(wanted(&policy(), 10, cpu(8, 80.0, 0, 2)), 12);
    // At 10 each, two would do; those of which nothing is known are taken to be at 100.
    assert_eq!(wanted(&policy(), 10, cpu(9, 10.0, 1, 0)), 4);
    assert_eq!(wanted(&policy(), 10, cpu(5, 10.0, 5, 0)), 10);
    // Who isn't ready has no say in shrinking.
    assert_eq!(wanted(&policy(), 10, cpu(8, 10.0, 0, 2)), 2);
}

#[test]
fn the_largest_of_several_metrics_counts_and_an_unknown_one_blocks_shrinking_only() {
    let mut policy = policy();
    policy.metrics.push(MetricTarget {
        source: MetricSource::Memory { of: Share::Request },
        target: 80.0,
    });
    let memory = |amount| Measured {
        name: "memory".into(),
        amount,
        error: None,
    };
    let known = |each: f64| Measured {
        name: "memory".into(),
        ..cpu(4, each, 0, 0)
    };
    let decide =
        |first, second| super::decide(&policy, &inputs(4, vec![first, second]), &Past::default(), at(0));
    assert_eq!(decide(cpu(4, 10.0, 0, 0), known(160.0)).wanted, 8);
    assert_eq!(decide(cpu(4, 10.0, 0, 0), known(80.0)).wanted, 4);
    let grown = decide(cpu(4, 80.0, 0, 0), memory(Amount::Unknown));
    assert_eq!(grown.wanted, 6);
    let held = decide(cpu(4, 10.0, 0, 0), memory(Amount::Unknown));
    assert_eq!((held.wanted, held.outcome), (4, DecisionOutcome::Held));
    assert_eq!(held.bounds, ["unknown"]);
    assert!(
        held.message.contains("memory could not be read"),
        "{}",
        held.message
    );
    let blind = decide(
        Measured {
            amount: Amount::Unknown,
            ..cpu(0, 0.0, 0, 0)
        },
        memory(Amount::Unknown),
    );
    assert_eq!((blind.wanted, blind.outcome), (4, DecisionOutcome::Held));
}

#[test]
fn a_sum_that_lacks_a_part_only_grows() {
    let total = |total, whole| Measured {
        name: "queue".into(),
        amount: Amount::Total { total, whole },
        error: None,
    };
    assert_eq!(wanted(&policy(), 4, total(1000.0, false)), 8);
    assert_eq!(wanted(&policy(), 4, total(50.0, false)), 4);
    assert_eq!(wanted(&policy(), 4, total(50.0, true)), 1);
}

#[test]
fn bounds_hold_whatever_is_measured() {
    let mut policy = policy();
    policy.min_replicas = 3;
    policy.max_replicas = 5;
    let decision =
        |current, measured| super::decide(&policy, &inputs(current, vec![measured]), &Past::default(), at(0));
    assert_eq!(decision(4, cpu(4, 80.0, 0, 0)).bounds, ["maximum"]);
    assert_eq!(decision(4, cpu(4, 1.0, 0, 0)).bounds, ["minimum"]);
    let blind = decision(9, cpu(0, 0.0, 9, 0));
    assert_eq!((blind.wanted, blind.outcome), (5, DecisionOutcome::Scaled));
}

#[test]
fn a_dry_run_records() {
    let mut policy = policy();
    policy.dry_run = true;
    let decision = decide(
        &policy,
        &inputs(4, vec![cpu(4, 80.0, 0, 0)]),
        &Past::default(),
        at(0),
    );
    assert_eq!(
        (decision.wanted, decision.outcome),
        (6, DecisionOutcome::Recorded)
    );
}

/// Plays looks 15 s apart, each with the load of all pods together.
fn play(policy: &AutoscalingPolicy, start: u32, loads: impl IntoIterator<Item = f64>) -> Vec<u32> {
    let mut past = Past::default();
    let mut current = start;
    (0..)
        .zip(loads)
        .map(|(turn, load)| {
            let measured = cpu(current, load / f64::from(current), 0, 0);
            let decision = decide(policy, &inputs(current, vec![measured]), &past, at(turn * 15));
            past.note(&decision, past::window(policy));
            current = decision.wanted;
            current
        })
        .collect()
}

#[test]
fn what_was_needed_lately_is_kept() {
    let mut policy = policy();
    policy.foresight_seconds = 0;
    policy.down.stabilization_seconds = 60;
    // Needed 16 until the fourth look; gone a minute after it.
    let load = [800.0; 4].into_iter().chain([100.0; 6]);
    let seen = play(&policy, 16, load);
    assert_eq!(seen, [16, 16, 16, 16, 16, 16, 16, 2, 2, 2]);
}

#[test]
fn steps_limit_what_comes_within_their_period() {
    let mut policy = policy();
    policy.foresight_seconds = 0;
    policy.up.steps = vec![ScalingStep {
        unit: StepUnit::Replicas,
        value: 3,
        period_seconds: 30,
    }];
    assert_eq!(play(&policy, 2, [2000.0; 5]), [5, 5, 8, 8, 11]);
    policy.up.steps.push(ScalingStep {
        unit: StepUnit::Percent,
        value: 100,
        period_seconds: 30,
    });
    assert_eq!(play(&policy, 5, [2000.0; 3]), [10, 10, 20]);
    policy.up.select = StepSelection::Min;
    assert_eq!(play(&policy, 5, [2000.0; 3]), [8, 8, 11]);
    policy.up.select = StepSelection::Disabled;
    assert_eq!(play(&policy, 5, [2000.0; 2]), [5, 5]);
}

#[test]
fn growth_is_foreseen_and_noise_at_rest_is_not() {
    let growing = [(-30.0, 100.0), (-15.0, 150.0), (0.0, 200.0)];
    assert!((foresee(&growing, 30.0).unwrap() - 300.0).abs() < 1e-9);
    assert_eq!(
        foresee(&[(-30.0, 200.0), (-15.0, 150.0), (0.0, 100.0)], 30.0),
        None
    );
    assert_eq!(foresee(&growing[1..], 30.0), None);
    assert_eq!(foresee(&growing, 0.0), None);
    let policy = policy();
    let ramp = (0..6).map(|turn| 500.0 + 50.0 * f64::from(turn));
    let ahead = play(&policy, 10, ramp.clone());
    let blind = AutoscalingPolicy {
        foresight_seconds: 0,
        ..policy
    };
    let behind = play(&blind, 10, ramp);
    assert!(ahead[2] > behind[2], "{ahead:?} {behind:?}");
}

#[test]
fn the_past_is_made_of_stored_decisions_alone() {
    let policy = policy();
    let mut past = Past::default();
    let mut stored = Vec::new();
    let mut current = 4;
    for turn in 0..40i32 {
        let load = 80.0 + 60.0 * f64::from(turn % 7);
        let decision = decide(
            &policy,
            &inputs(current, vec![cpu(current, load * 4.0 / f64::from(current), 0, 0)]),
            &past,
            at(i64::from(turn) * 15),
        );
        past.note(&decision, past::window(&policy));
        current = decision.wanted;
        stored.push(serde_json::to_string(&decision).unwrap());
    }
    let mut again = Past::default();
    for text in stored.iter().skip(20) {
        again.note(&serde_json::from_str(text).unwrap(), past::window(&policy));
    }
    assert_eq!(past, again);
}

#[test]
fn pods_are_grouped_as_by_kubernetes() {
    let pod = Pod {
        phase: PodPhase::Running,
        stopping: false,
        ready: true,
        created_at: at(-3600),
        unready_since: None,
        value: Some(40.0),
    };
    let groups = |pod: Pod, cpu: bool| {
        let reading = Reading::of([pod], cpu, at(0));
        (reading.measured, reading.missing, reading.unready)
    };
    let unready = |created: i64, since: i64| Pod {
        ready: false,
        created_at: at(created),
        unready_since: Some(at(since)),
        ..pod
    };
    for (pod, cpu, expected) in [
        (pod, true, (1, 0, 0)),
        (
            Pod {
                stopping: true,
                ..pod
            },
            true,
            (0, 0, 0),
        ),
        (
            Pod {
                phase: PodPhase::Failed,
                ..pod
            },
            true,
            (0, 0, 0),
        ),
        (
            Pod {
                phase: PodPhase::Pending,
                value: None,
                ..pod
            },
            false,
            (0, 0, 1),
        ),
        (Pod { value: None, ..pod }, true, (0, 1, 0)),
        (
            Pod {
                value: Some(f64::NAN),
                ..pod
            },
            true,
            (0, 1, 0),
        ),
        // Just made: its CPU was measured while it started.
        (
            Pod {
                created_at: at(-20),
                ..pod
            },
            true,
            (0, 0, 1),
        ),
        (
            Pod {
                created_at: at(-20),
                ..pod
            },
            false,
            (1, 0, 0),
        ),
        // Not ready within its first five minutes, never ready, and no longer ready.
        (unready(-200, -100), true, (0, 0, 1)),
        (unready(-3600, -3595), true, (0, 0, 1)),
        (unready(-3600, -100), true, (1, 0, 0)),
        (unready(-3600, -3595), false, (1, 0, 0)),
    ] {
        assert_eq!(groups(pod, cpu), expected, "{pod:?}");
    }
}
