//! What a service's earlier decisions say to the next one. Made of stored decisions alone, so a restart forgets none of it.

use std::collections::{BTreeMap, VecDeque};

use api_types::autoscaling::{AutoscalingDecision, AutoscalingPolicy, DecisionOutcome, StepSelection};
use chrono::{DateTime, Duration, Utc};

use super::metric::foresee;

/// How far back growth is looked for: a minute, and a little for periods that take longer.
pub(super) const GROWTH: Duration = Duration::seconds(65);

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    recommendations: VecDeque<(DateTime<Utc>, u32)>,
    /// Replicas that came (or went, below 0).
    changes: VecDeque<(DateTime<Utc>, i64)>,
    /// The sums of each metric, where nothing was missing.
    sums: BTreeMap<String, VecDeque<(DateTime<Utc>, f64)>>,
}

/// The longest time that a policy looks back.
#[must_use]
pub fn window(policy: &AutoscalingPolicy) -> Duration {
    let of = |behavior: &api_types::autoscaling::ScalingBehavior| {
        let periods = behavior.steps.iter().map(|step| step.period_seconds);
        periods.chain([behavior.stabilization_seconds]).max().unwrap_or(0)
    };
    Duration::seconds(i64::from(of(&policy.up).max(of(&policy.down)))).max(GROWTH)
}

impl Past {
    /// Of a policy that was set when a service had so many replicas: they count as recommended then, so that nothing
    /// shrinks before a whole window was seen.
    #[must_use]
    pub fn starting(at: DateTime<Utc>, replicas: u32) -> Self {
        Self {
            recommendations: VecDeque::from([(at, replicas)]),
            ..Self::default()
        }
    }

    /// Takes a decision in; they come in the order in which they were made.
    pub fn note(&mut self, decision: &AutoscalingDecision, window: Duration) {
        let at = decision.at;
        if decision.outcome != DecisionOutcome::Held {
            self.recommendations.push_back((at, decision.recommended));
        }
        if decision.outcome == DecisionOutcome::Scaled {
            let change = i64::from(decision.wanted) - i64::from(decision.current);
            self.changes.push_back((at, change));
        }
        for reading in &decision.metrics {
            if let (Some(total), 0) = (reading.total, reading.missing) {
                let sums = self.sums.entry(reading.name.clone()).or_default();
                sums.push_back((at, total));
                forget(sums, at - GROWTH);
            }
        }
        forget(&mut self.recommendations, at - window);
        forget(&mut self.changes, at - window);
        self.sums
            .retain(|_, sums| sums.back().is_some_and(|(last, _)| *last > at - GROWTH));
    }

    /// The sum that a metric will have `ahead`, if it grows: through what was read before, and what is read now.
    #[must_use]
    pub fn expected(&self, metric: &str, total: f64, now: DateTime<Utc>, ahead: Duration) -> Option<f64> {
        let seconds = |at: DateTime<Utc>| (at - now).as_seconds_f64();
        let earlier = self.sums.get(metric).into_iter().flatten();
        let mut samples: Vec<(f64, f64)> = earlier
            .filter(|(at, _)| *at >= now - GROWTH && *at < now)
            .map(|(at, sum)| (seconds(*at), *sum))
            .collect();
        samples.push((0.0, total));
        foresee(&samples, ahead.as_seconds_f64())
    }

    /// What the windows and steps of a policy make of a recommendation, and what bound it.
    ///
    /// The rule of Kubernetes' HPA with `behavior` (KEP-853): up counts the least that was recommended in its window, down
    /// the most; then what came and went within each step's period limits what may come and go now.
    #[must_use]
    pub fn bind(
        &self,
        policy: &AutoscalingPolicy,
        recommended: u32,
        current: u32,
        now: DateTime<Utc>,
    ) -> (u32, Option<&'static str>) {
        let within = |seconds: u32| {
            let since = now - Duration::seconds(i64::from(seconds));
            let earlier = self.recommendations.iter().filter(move |(at, _)| *at > since);
            earlier.map(|(_, count)| *count).chain([recommended])
        };
        let least = within(policy.up.stabilization_seconds)
            .min()
            .unwrap_or(recommended);
        let most = within(policy.down.stabilization_seconds)
            .max()
            .unwrap_or(recommended);
        let stable = current.max(least).min(most);
        let mut bound = (stable != recommended).then_some("stabilization");
        let behavior = match stable.cmp(&current) {
            std::cmp::Ordering::Equal => return (current, bound),
            std::cmp::Ordering::Greater => &policy.up,
            std::cmp::Ordering::Less => &policy.down,
        };
        if behavior.select == StepSelection::Disabled {
            return (current, Some("disabled"));
        }
        let up = stable > current;
        let limits = behavior.steps.iter().map(|step| {
            let since = now - Duration::seconds(i64::from(step.period_seconds));
            let changed: i64 = self
                .changes
                .iter()
                .filter(|(at, _)| *at > since)
                .map(|(_, change)| change)
                .sum();
            step.limit(i64::from(current) - changed, up)
        });
        let most_generous = (behavior.select == StepSelection::Max) == up;
        let limit = if most_generous { limits.max() } else { limits.min() };
        let Some(limit) = limit else {
            return (stable, bound);
        };
        // A limit never turns the direction round.
        let limited = if up {
            stable.min(limit.max(current))
        } else {
            stable.max(limit.min(current))
        };
        if limited != stable {
            bound = Some("steps");
        }
        (limited, bound)
    }
}

trait Limit {
    fn limit(&self, start: i64, up: bool) -> u32;
}

impl Limit for api_types::autoscaling::ScalingStep {
    /// How far it lets the replicas go from what they were at the beginning of its period.
    fn limit(&self, start: i64, up: bool) -> u32 {
        use api_types::autoscaling::StepUnit;
        let (start, value) = (start.max(0), i64::from(self.value));
        let limit = match (self.unit, up) {
            (StepUnit::Replicas, true) => start + value,
            (StepUnit::Replicas, false) => start - value,
            (StepUnit::Percent, true) => (start * (100 + value) + 99) / 100,
            (StepUnit::Percent, false) => start * (100 - value) / 100,
        };
        u32::try_from(limit.max(0)).unwrap_or(u32::MAX)
    }
}

fn forget<T>(kept: &mut VecDeque<(DateTime<Utc>, T)>, before: DateTime<Utc>) {
    while kept.front().is_some_and(|(at, _)| *at <= before) {
        kept.pop_front();
    }
}
