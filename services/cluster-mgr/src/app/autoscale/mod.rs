//! How many replicas a service should have, by what is measured of it. Pure.
//!
//! The rule: the sum over all pods of all clusters, divided by the target of one. Each metric proposes a number
//! ([`metric`]), the largest counts, then windows and steps ([`past`]), then the bounds that hold now ([`schedule`]). What
//! is not known holds: it blocks shrinking and nothing else.

pub mod gather;
pub mod metric;
pub mod past;
#[cfg(test)]
mod properties;
pub mod recording;
pub mod replay;
pub mod schedule;
#[cfg(test)]
mod tests;
pub(crate) mod thinning;

use api_types::autoscaling::{AutoscalingDecision, AutoscalingPolicy, DecisionOutcome, MetricReading};
use chrono::{DateTime, Duration, Utc};
use platform::text::counted;

use metric::{Aim, Reading, figure};
use past::Past;

/// What was read of one metric of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub name: String,
    pub amount: Amount,
    /// Why a part of it, or all of it, is missing.
    pub error: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Amount {
    Unknown,
    /// Of each pod; a pod that is missing is taken to have this, if it must be guessed.
    Pods {
        reading: Reading,
        missing_has: f64,
    },
    /// Of the service; not `whole` where a cluster's part is missing.
    Total {
        total: f64,
        whole: bool,
    },
}

/// What a decision is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// Replicas wanted now.
    pub current: u32,
    pub ready: u32,
    /// In the order of the policy's metrics.
    pub metrics: Vec<Measured>,
}

/// Decides for one service.
#[must_use]
pub fn decide(
    policy: &AutoscalingPolicy,
    inputs: &Inputs,
    past: &Past,
    now: DateTime<Utc>,
) -> AutoscalingDecision {
    let current = inputs.current;
    let readings: Vec<MetricReading> = policy
        .metrics
        .iter()
        .zip(&inputs.metrics)
        .map(|(metric, measured)| read(policy, metric.target, measured, past, current, now))
        .collect();
    let unknown = readings
        .iter()
        .filter(|reading| reading.proposed.is_none())
        .count();
    let proposed = readings.iter().filter_map(|reading| reading.proposed).max();
    let bounds = schedule::bounds(policy, now);
    let mut bound = Vec::new();
    let mut recommended = proposed.unwrap_or(current);
    if unknown > 0 && recommended <= current {
        recommended = current;
        bound.push("unknown".to_owned());
    }
    let held = proposed.is_none() || (unknown > 0 && recommended == current);
    let (mut wanted, bound_by) = if held {
        (current, None)
    } else {
        past.bind(policy, recommended, current, now)
    };
    bound.extend(bound_by.map(str::to_owned));
    if wanted < bounds.min {
        wanted = bounds.min;
        bound.push("minimum".to_owned());
    }
    if wanted > bounds.max {
        wanted = bounds.max;
        bound.push("maximum".to_owned());
    }
    let outcome = match (wanted != current, held) {
        (true, _) if policy.dry_run => DecisionOutcome::Recorded,
        (true, _) => DecisionOutcome::Scaled,
        (false, true) => DecisionOutcome::Held,
        (false, false) => DecisionOutcome::Kept,
    };
    let mut decision = AutoscalingDecision {
        at: now,
        outcome,
        current,
        ready: inputs.ready,
        recommended,
        wanted,
        min_replicas: bounds.min,
        max_replicas: bounds.max,
        schedules: bounds.schedules,
        bounds: bound,
        metrics: readings,
        message: String::new(),
    };
    decision.message = message(&decision);
    decision
}

/// The same decision where no more replicas than `most` may be had: growth ends there, and says so.
#[must_use]
pub fn within_quota(mut decision: AutoscalingDecision, most: u32) -> AutoscalingDecision {
    let most = most.max(decision.current);
    if decision.wanted <= most {
        return decision;
    }
    decision.wanted = most;
    decision.bounds.push("quota".to_owned());
    if decision.wanted == decision.current {
        decision.outcome = DecisionOutcome::Kept;
    }
    decision.message = message(&decision);
    decision
}

fn read(
    policy: &AutoscalingPolicy,
    target: f64,
    measured: &Measured,
    past: &Past,
    current: u32,
    now: DateTime<Utc>,
) -> MetricReading {
    let ahead = Duration::seconds(i64::from(policy.foresight_seconds));
    let expect = |total: f64| past.expected(&measured.name, total, now, ahead);
    let tolerance = f64::from(policy.tolerance_percent) / 100.0;
    let aim = |missing_has: f64| Aim {
        target,
        missing_has,
        rounding: policy.rounding,
        tolerance,
    };
    let (value, total, expected, reading, proposal) = match &measured.amount {
        Amount::Unknown => (None, None, None, Reading::default(), None),
        Amount::Pods { reading, missing_has } => {
            let expected = expect(reading.total).filter(|_| reading.is_whole());
            (
                reading.average(),
                (reading.measured > 0).then_some(reading.total),
                expected,
                *reading,
                aim(*missing_has).propose(reading, expected, current),
            )
        }
        Amount::Total { total, whole } => {
            let expected = expect(*total).filter(|_| *whole);
            let counted = expected.unwrap_or(*total);
            let reading = Reading {
                measured: current,
                total: *total,
                // A part that is missing is no number of pods; it is counted as one so that it shows.
                missing: u32::from(!whole),
                unready: 0,
            };
            let average = total / f64::from(current.max(1));
            (
                Some(average),
                Some(*total),
                expected,
                reading,
                Some(aim(target).propose_total(counted, *whole, current)),
            )
        }
    };
    MetricReading {
        name: measured.name.clone(),
        target,
        value,
        total,
        expected,
        measured: reading.measured,
        missing: reading.missing,
        unready: reading.unready,
        proposed: proposal.as_ref().map(|proposal| proposal.replicas),
        formula: proposal.map_or_else(|| "nothing was read".to_owned(), |proposal| proposal.formula),
        error: measured.error.clone(),
    }
}

fn message(decision: &AutoscalingDecision) -> String {
    let by = decision
        .metrics
        .iter()
        .filter(|reading| reading.proposed.is_some())
        .max_by_key(|reading| reading.proposed)
        .and_then(|reading| {
            let value = figure(reading.value?);
            Some(format!(
                "{} is {value}, target {}",
                reading.name,
                figure(reading.target)
            ))
        });
    let unread: Vec<&str> = decision
        .metrics
        .iter()
        .filter(|reading| reading.proposed.is_none())
        .map(|reading| reading.name.as_str())
        .collect();
    let mut text = match decision.outcome {
        DecisionOutcome::Scaled => format!("{} -> {}", decision.current, counted(decision.wanted, "replica")),
        DecisionOutcome::Recorded => format!(
            "would go from {} to {}",
            decision.current,
            counted(decision.wanted, "replica")
        ),
        DecisionOutcome::Kept => format!("kept at {}", counted(decision.current, "replica")),
        DecisionOutcome::Held => format!("held at {}", counted(decision.current, "replica")),
    };
    if let Some(by) = by {
        text.push_str(": ");
        text.push_str(&by);
    }
    if !unread.is_empty() {
        text.push_str(&format!("; {} could not be read", unread.join(", ")));
    }
    if !decision.bounds.is_empty() {
        text.push_str(&format!("; bound by {}", decision.bounds.join(", ")));
    }
    text
}
