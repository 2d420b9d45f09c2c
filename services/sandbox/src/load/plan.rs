//! The load on one service: how many requests come, and what each costs.

use serde::{Deserialize, Serialize};

/// Requests per second over time, counted in seconds from when the load was put on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    Constant {
        rps: f64,
    },
    /// From one rate to another, and there it stays.
    Ramp {
        from: f64,
        to: f64,
        seconds: f64,
    },
    /// A smooth wave that starts at its lowest.
    Day {
        low: f64,
        high: f64,
        #[serde(default = "day")]
        seconds: f64,
    },
    /// A peak that comes after a while and goes again.
    Spike {
        base: f64,
        peak: f64,
        after_seconds: f64,
        for_seconds: f64,
    },
}

fn day() -> f64 {
    86_400.0
}

impl Shape {
    pub fn rate(&self, seconds: f64) -> f64 {
        let rate = match *self {
            Self::Constant { rps } => rps,
            Self::Ramp {
                from,
                to,
                seconds: over,
            } => from + (to - from) * (seconds / over).clamp(0.0, 1.0),
            Self::Day {
                low,
                high,
                seconds: over,
            } => low + (high - low) * (1.0 - (std::f64::consts::TAU * seconds / over).cos()) / 2.0,
            Self::Spike {
                base,
                peak,
                after_seconds,
                for_seconds,
            } => {
                if (after_seconds..after_seconds + for_seconds).contains(&seconds) {
                    peak
                } else {
                    base
                }
            }
        };
        rate.max(0.0)
    }

    fn numbers(&self) -> Vec<f64> {
        match *self {
            Self::Constant { rps } => vec![rps],
            Self::Ramp { from, to, seconds } => vec![from, to, seconds],
            Self::Day { low, high, seconds } => vec![low, high, seconds],
            Self::Spike {
                base,
                peak,
                after_seconds,
                for_seconds,
            } => vec![base, peak, after_seconds, for_seconds],
        }
    }
}

/// The load on a service and what a request costs the pod that takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub shape: Shape,
    #[serde(default = "five")]
    pub cpu_milliseconds: f64,
    /// Memory that each request per second keeps in use.
    #[serde(default)]
    pub memory_bytes: f64,
    #[serde(default = "kilo")]
    pub received_bytes: f64,
    #[serde(default = "four_kilo")]
    pub sent_bytes: f64,
    #[serde(default)]
    pub read_bytes: f64,
    #[serde(default)]
    pub written_bytes: f64,
}

fn five() -> f64 {
    5.0
}

fn kilo() -> f64 {
    1024.0
}

fn four_kilo() -> f64 {
    4096.0
}

/// No number of a plan is larger.
const MOST: f64 = 1e12;

impl Plan {
    pub fn of(shape: Shape) -> Self {
        Self {
            shape,
            cpu_milliseconds: five(),
            memory_bytes: 0.0,
            received_bytes: kilo(),
            sent_bytes: four_kilo(),
            read_bytes: 0.0,
            written_bytes: 0.0,
        }
    }

    pub fn read(value: serde_json::Value) -> Result<Self, String> {
        let plan: Self = serde_json::from_value(value).map_err(|error| error.to_string())?;
        let mut numbers = plan.shape.numbers();
        numbers.extend([
            plan.cpu_milliseconds,
            plan.memory_bytes,
            plan.received_bytes,
            plan.sent_bytes,
            plan.read_bytes,
            plan.written_bytes,
        ]);
        if numbers.iter().any(|number| !(0.0..=MOST).contains(number)) {
            return Err("the numbers of a load must be 0 to 1e12".into());
        }
        match plan.shape {
            Shape::Ramp { seconds, .. } | Shape::Day { seconds, .. } if seconds == 0.0 => {
                Err("seconds must be above 0".into())
            }
            _ => Ok(plan),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shapes() {
        let ramp = Shape::Ramp {
            from: 10.0,
            to: 30.0,
            seconds: 10.0,
        };
        assert_eq!([0.0, 5.0, 50.0].map(|at| ramp.rate(at)), [10.0, 20.0, 30.0]);
        let spike = Shape::Spike {
            base: 1.0,
            peak: 9.0,
            after_seconds: 5.0,
            for_seconds: 2.0,
        };
        assert_eq!(
            [4.9, 5.0, 6.9, 7.0].map(|at| spike.rate(at)),
            [1.0, 9.0, 9.0, 1.0]
        );
        let day = Shape::Day {
            low: 10.0,
            high: 50.0,
            seconds: 100.0,
        };
        assert_eq!(
            [0.0, 50.0, 100.0].map(|at| day.rate(at).round()),
            [10.0, 50.0, 10.0]
        );
    }

    #[test]
    fn plans_are_refused_with_a_reason() {
        assert!(Plan::read(json!({"shape": {"type": "constant", "rps": 5}})).is_ok());
        for (body, why) in [
            (json!({"shape": {"type": "constant", "rps": -5}}), "0 to 1e12"),
            (
                json!({"shape": {"type": "ramp", "from": 1, "to": 2, "seconds": 0}}),
                "above 0",
            ),
            (json!({"shape": {"type": "square"}}), "unknown variant"),
            (
                json!({"shape": {"type": "constant", "rps": 5}, "cost": 1}),
                "unknown field",
            ),
        ] {
            let refused = Plan::read(body).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }
}
