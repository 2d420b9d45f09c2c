//! What a measurement says: what was measured, the figures, and which targets they meet.

use serde_json::{Map, Value, json};

#[derive(Default)]
pub struct Report {
    parameters: Map<String, Value>,
    figures: Map<String, Value>,
    targets: Map<String, Value>,
    met: bool,
}

impl Report {
    pub fn new() -> Self {
        Self {
            met: true,
            ..Self::default()
        }
    }

    pub fn parameter(&mut self, name: &str, value: impl Into<Value>) {
        self.parameters.insert(name.to_owned(), value.into());
    }

    /// A figure without a target.
    pub fn figure(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), rounded(value));
    }

    /// A figure that should be at most so much.
    pub fn at_most(&mut self, name: &str, value: f64, most: f64) {
        self.target(name, value, format!("<= {most}"), value <= most);
    }

    /// A figure that should be at least so much.
    pub fn at_least(&mut self, name: &str, value: f64, least: f64) {
        self.target(name, value, format!(">= {least}"), value >= least);
    }

    fn target(&mut self, name: &str, value: f64, target: String, met: bool) {
        self.figure(name, value);
        self.targets.insert(name.to_owned(), target.into());
        self.met &= met;
    }

    pub fn line(&self, bench: &str) -> String {
        json!({
            "bench": bench,
            "parameters": self.parameters,
            "figures": self.figures,
            "targets": self.targets,
            "met": self.met,
        })
        .to_string()
    }
}

/// Four significant digits; more is noise.
fn rounded(value: f64) -> Value {
    if value == 0.0 || !value.is_finite() {
        return json!(value);
    }
    let digits = (3 - value.abs().log10().floor() as i32).clamp(0, 9);
    let scale = 10_f64.powi(digits);
    json!((value * scale).round() / scale)
}

/// The value below which this share of the samples lies; 0 without any.
pub fn percentile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().saturating_sub(1) as f64;
    samples
        .get((last * share).round() as usize)
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_target_is_said() {
        let mut report = Report::new();
        report.parameter("pods", 10);
        report.at_most("p99_ms", 12.3456, 20.0);
        report.at_least("rate_per_s", 10.0, 100.0);
        let line: Value = serde_json::from_str(&report.line("x")).expect("it is JSON");
        assert_eq!(
            line,
            json!({
                "bench": "x",
                "parameters": { "pods": 10 },
                "figures": { "p99_ms": 12.35, "rate_per_s": 10.0 },
                "targets": { "p99_ms": "<= 20", "rate_per_s": ">= 100" },
                "met": false,
            })
        );
    }

    #[test]
    fn percentiles_are_of_the_sorted_samples() {
        let mut samples: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&mut samples, 0.99), 99.0);
        assert_eq!(percentile(&mut samples, 0.5), 50.0);
        assert_eq!(percentile(&mut [], 0.5), 0.0);
    }
}
