//! What one metric asks for.
//!
//! Pods are grouped and an incomplete view is damped as by Kubernetes' HPA (`pkg/controller/podautoscaler`,
//! `replica_calculator.go`); what is different is said where it is.

use api_types::autoscaling::Rounding;
use api_types::pods::PodPhase;
use chrono::{DateTime, Duration, Utc};
use platform::text::counted;

/// A pod this young was measured over a time in which it was starting, at least in part.
const STARTING: Duration = Duration::seconds(60);
/// For so long a pod that is not ready may use CPU only to get there.
const WARMING: Duration = Duration::minutes(5);
/// A pod that stopped being ready within this of its start never was.
const NEVER_READY: Duration = Duration::seconds(30);
/// Shrinking needs so many times the tolerance: who comes back to a number it has just left changed twice for nothing.
const SHRINK: f64 = 1.5;
/// Floating point must not make a whole number one more.
const EPSILON: f64 = 1e-9;

/// A pod as it is seen, with what one metric says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pod {
    pub phase: PodPhase,
    pub stopping: bool,
    pub ready: bool,
    pub created_at: DateTime<Utc>,
    /// When it stopped being ready, or was made.
    pub unready_since: Option<DateTime<Utc>>,
    pub value: Option<f64>,
}

/// A service's pods by what can be said of them, and the sum over those that count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    pub measured: u32,
    pub total: f64,
    /// They should have been measured and were not.
    pub missing: u32,
    /// They are starting, or not ready.
    pub unready: u32,
}

impl Reading {
    /// Groups pods; `cpu` leaves out those whose CPU goes into starting.
    #[must_use]
    pub fn of(pods: impl IntoIterator<Item = Pod>, cpu: bool, now: DateTime<Utc>) -> Self {
        let mut reading = Self::default();
        for pod in pods {
            if pod.stopping || matches!(pod.phase, PodPhase::Failed | PodPhase::Succeeded) {
                continue;
            }
            let value = pod.value.filter(|value| value.is_finite() && *value >= 0.0);
            match value {
                _ if pod.phase == PodPhase::Pending => reading.unready += 1,
                None => reading.missing += 1,
                Some(_) if cpu && is_starting(&pod, now) => reading.unready += 1,
                Some(value) => {
                    reading.measured += 1;
                    reading.total += value;
                }
            }
        }
        reading
    }

    /// Of a replica, on the average.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        (self.measured > 0).then(|| self.total / f64::from(self.measured))
    }

    /// Whether nothing of it has to be guessed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.measured > 0 && self.missing == 0
    }
}

fn is_starting(pod: &Pod, now: DateTime<Utc>) -> bool {
    let age = now - pod.created_at;
    if age < STARTING {
        return true;
    }
    let never_ready = pod
        .unready_since
        .is_none_or(|since| since < pod.created_at + NEVER_READY);
    !pod.ready && (age < WARMING || never_ready)
}

/// How a reading becomes a number of replicas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aim {
    /// What a replica should have.
    pub target: f64,
    /// What a missing pod is taken to have when the others say that fewer would do.
    pub missing_has: f64,
    pub rounding: Rounding,
    /// Share of the target, 0.1 for 10 %.
    pub tolerance: f64,
}

/// What a metric asks for, and how that was reckoned.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    pub replicas: u32,
    pub formula: String,
}

impl Aim {
    /// The replicas for a reading; `None` when nothing was measured. `expected` takes the place of the sum where it is
    /// more.
    #[must_use]
    pub fn propose(&self, reading: &Reading, expected: Option<f64>, current: u32) -> Option<Proposal> {
        if reading.measured == 0 {
            return None;
        }
        let total = expected.map_or(reading.total, |expected| expected.max(reading.total));
        let measured = f64::from(reading.measured);
        let ratio = total / (measured * self.target);
        let damped = reading.missing > 0 || (reading.unready > 0 && ratio > 1.0);
        let (total, count) = if !damped {
            (total, measured)
        } else if ratio < 1.0 {
            let missing = f64::from(reading.missing);
            (total + missing * self.missing_has, measured + missing)
        } else {
            (total, measured + f64::from(reading.missing + reading.unready))
        };
        let fair = total / (count * self.target);
        if self.is_within(fair) || (ratio < 1.0 && fair > 1.0) || (ratio >= 1.0 && fair < 1.0) {
            let formula = format!(
                "{} / {} = {}, {} of the target: kept",
                figure(total),
                counted(count, "pod"),
                figure(total / count),
                figure(fair)
            );
            return Some(Proposal {
                replicas: current,
                formula,
            });
        }
        Some(self.divide(total, fair > 1.0, current))
    }

    /// The replicas for a sum that is not of single pods: `whole` unless a part of it is missing.
    #[must_use]
    pub fn propose_total(&self, total: f64, whole: bool, current: u32) -> Proposal {
        let fair = total / (f64::from(current.max(1)) * self.target);
        if self.is_within(fair) || (fair < 1.0 && !whole) {
            return Proposal {
                replicas: current,
                formula: format!(
                    "{} / {}, {} of the target: kept",
                    figure(total),
                    counted(current, "replica"),
                    figure(fair)
                ),
            };
        }
        self.divide(total, fair > 1.0, current)
    }

    /// Whether a share of the target is near enough to change nothing.
    fn is_within(&self, fair: f64) -> bool {
        fair <= 1.0 + self.tolerance + EPSILON && fair >= 1.0 - SHRINK * self.tolerance - EPSILON
    }

    fn divide(&self, total: f64, grows: bool, current: u32) -> Proposal {
        let exact = total / self.target;
        let (unbound, how) = match self.rounding {
            Rounding::Fewest => (
                exact / (1.0 + self.tolerance),
                format!("fewest within {} %", figure(self.tolerance * 100.0)),
            ),
            Rounding::Ceil => (exact, "up".to_owned()),
        };
        let count = (unbound - EPSILON).ceil().clamp(0.0, f64::from(u32::MAX)) as u32;
        // Unlike the HPA: pods that aren't made yet don't turn growth round.
        let replicas = if grows {
            count.max(current)
        } else {
            count.min(current)
        };
        let kept = if replicas == count { "" } else { ", kept" };
        Proposal {
            replicas,
            formula: format!(
                "{} / {} = {}, {how} -> {count}{kept}",
                figure(total),
                figure(self.target),
                figure(exact)
            ),
        }
    }
}

/// A number as a person writes it.
pub fn figure(value: f64) -> String {
    if value.abs() >= 100_000.0 {
        return format!("{value:.0}");
    }
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a growing sum will be `ahead` seconds from now: a straight line through what was read, by least squares. `None`
/// when it does not grow, or too little was read. `samples` are seconds (any origin) and sums, oldest first.
#[must_use]
pub fn foresee(samples: &[(f64, f64)], ahead: f64) -> Option<f64> {
    let (last_at, last) = *samples.last()?;
    if samples.len() < 3 || ahead <= 0.0 {
        return None;
    }
    let count = samples.len() as f64;
    let mean_at = samples.iter().map(|(at, _)| at).sum::<f64>() / count;
    let mean = samples.iter().map(|(_, sum)| sum).sum::<f64>() / count;
    let spread: f64 = samples.iter().map(|(at, _)| (at - mean_at).powi(2)).sum();
    if spread <= 0.0 {
        return None;
    }
    let slope = samples
        .iter()
        .map(|(at, sum)| (at - mean_at) * (sum - mean))
        .sum::<f64>()
        / spread;
    let expected = mean + slope * (last_at + ahead - mean_at);
    (slope > 0.0 && expected > last).then_some(expected)
}
