//! What one container has used up to a moment, and what it uses then.

use serde_json::Value;

use crate::kinds::quantity::{self, Quantity};

pub const MEBI: f64 = 1024.0 * 1024.0;
/// The figures at rest move in waves of this length, in seconds.
const WAVE: f64 = 300.0;

/// Counters that only grow while a container runs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counters {
    pub cpu_seconds: f64,
    pub received: f64,
    pub sent: f64,
    pub read: f64,
    pub written: f64,
    pub periods: f64,
    pub throttled_periods: f64,
    pub throttled_seconds: f64,
    pub requests: f64,
}

impl Counters {
    pub fn each(self, other: Self, with: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            cpu_seconds: with(self.cpu_seconds, other.cpu_seconds),
            received: with(self.received, other.received),
            sent: with(self.sent, other.sent),
            read: with(self.read, other.read),
            written: with(self.written, other.written),
            periods: with(self.periods, other.periods),
            throttled_periods: with(self.throttled_periods, other.throttled_periods),
            throttled_seconds: with(self.throttled_seconds, other.throttled_seconds),
            requests: with(self.requests, other.requests),
        }
    }
}

/// What a container asks for and what it is held to; cores and bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub cpu_request: f64,
    pub memory_request: f64,
    pub cpu_limit: Option<f64>,
    pub memory_limit: Option<f64>,
}

impl Bounds {
    pub fn of(container: &Value) -> Self {
        let amount = |list: &str, name: &str| quantity::read(&container["resources"][list][name]);
        let cores = |amount: Quantity| amount.milli() as f64 / 1000.0;
        let bytes = |amount: Quantity| amount.units() as f64;
        Self {
            cpu_request: amount("requests", "cpu").map_or(0.1, cores),
            memory_request: amount("requests", "memory").map_or(48.0 * MEBI, bytes),
            cpu_limit: amount("limits", "cpu").map(cores),
            memory_limit: amount("limits", "memory").map(bytes),
        }
    }
}

/// Where in the wave a container is: each pod at its own place.
fn phase(uid: &str) -> f64 {
    let sum = uid
        .bytes()
        .fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    f64::from(sum % 1000) / 1000.0 * std::f64::consts::TAU
}

/// Cores used at rest: two to four hundredths of what was asked for.
pub fn cpu_at_rest(uid: &str, bounds: &Bounds, at: f64) -> f64 {
    let turn = std::f64::consts::TAU / WAVE;
    bounds.cpu_request * (0.03 + 0.01 * (at * turn + phase(uid)).sin())
}

/// Bytes used at rest: about a third of what was asked for.
pub fn memory_at_rest(uid: &str, bounds: &Bounds, at: f64) -> f64 {
    let turn = std::f64::consts::TAU / WAVE;
    bounds.memory_request * (0.35 + 0.02 * (at * turn + phase(uid)).sin())
}

/// What has been used at rest between two moments, in closed form: pods at rest cost no time.
pub fn at_rest(uid: &str, bounds: &Bounds, from: f64, to: f64) -> Counters {
    if to <= from {
        return Counters::default();
    }
    let turn = std::f64::consts::TAU / WAVE;
    let wave = |at: f64| -(at * turn + phase(uid)).cos() / turn;
    let seconds = to - from;
    Counters {
        cpu_seconds: bounds.cpu_request * (0.03 * seconds + 0.01 * (wave(to) - wave(from))),
        received: 40.0 * seconds,
        sent: 60.0 * seconds,
        read: 0.0,
        written: 20.0 * seconds,
        periods: if bounds.cpu_limit.is_some() {
            seconds / 2.0
        } else {
            0.0
        },
        ..Counters::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_the_sum_of_the_rates() {
        let spec = serde_json::json!({"resources": {"requests": {"cpu": "500m", "memory": "256Mi"}}});
        let bounds = Bounds::of(&spec);
        let mut sum = 0.0;
        for tenth in 0..3000 {
            let at = f64::from(tenth) / 10.0;
            let rate = cpu_at_rest("some-uid", &bounds, at + 0.05);
            assert!((0.01..=0.02).contains(&rate), "{rate}");
            sum += rate / 10.0;
        }
        let whole = at_rest("some-uid", &bounds, 0.0, 300.0).cpu_seconds;
        assert!((sum - whole).abs() < 1e-3, "{sum} {whole}");
        let memory = memory_at_rest("some-uid", &bounds, 17.0);
        assert!((80.0 * MEBI..100.0 * MEBI).contains(&memory), "{memory}");
    }
}
