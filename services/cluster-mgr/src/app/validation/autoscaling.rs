//! Policies of autoscaling.

use std::collections::BTreeSet;

use api_types::autoscaling::{AutoscalingPolicy, MetricSource, ScalingBehavior};

use crate::app::autoscale::gather::name;
use crate::app::autoscale::schedule::{read_cron, read_time_zone};
use crate::app::validation::Fields;
use crate::app::validation::placement::MOST_REPLICAS;

const MOST_METRICS: usize = 8;
const MOST_SCHEDULES: usize = 32;
const MOST_STEPS: usize = 8;
const LONGEST_QUERY: usize = 4000;
const LONGEST_NAME: usize = 100;
const MOST_TOLERANCE: u32 = 50;
const MOST_FORESIGHT: u32 = 600;
pub const LONGEST_WINDOW: u32 = 3600;
pub const LONGEST_PERIOD: u32 = 1800;
/// A month.
const LONGEST_MINUTES: u32 = 31 * 24 * 60;

pub fn check(policy: &AutoscalingPolicy, fields: &mut Fields) {
    bounds(policy.min_replicas, policy.max_replicas, "", fields);
    metrics(policy, fields);
    at_most(
        "tolerance_percent",
        policy.tolerance_percent,
        MOST_TOLERANCE,
        fields,
    );
    at_most(
        "foresight_seconds",
        policy.foresight_seconds,
        MOST_FORESIGHT,
        fields,
    );
    behavior("up", &policy.up, fields);
    behavior("down", &policy.down, fields);
    schedules(policy, fields);
}

fn at_most(field: impl Into<String>, value: u32, most: u32, fields: &mut Fields) {
    if value > most {
        fields.refuse(field, format!("must be at most {most}"));
    }
}

fn bounds(min: u32, max: u32, prefix: &str, fields: &mut Fields) {
    if min == 0 {
        fields.refuse(
            format!("{prefix}min_replicas"),
            "must be at least 1: without a replica nothing is measured",
        );
    }
    if max < min {
        fields.refuse(
            format!("{prefix}max_replicas"),
            "must not be less than the minimum",
        );
    }
    at_most(format!("{prefix}max_replicas"), max, MOST_REPLICAS, fields);
}

fn metrics(policy: &AutoscalingPolicy, fields: &mut Fields) {
    if policy.metrics.is_empty() {
        fields.refuse("metrics", "at least one is needed");
    }
    if policy.metrics.len() > MOST_METRICS {
        fields.refuse("metrics", format!("at most {MOST_METRICS}"));
    }
    let mut seen = BTreeSet::new();
    for (index, metric) in policy.metrics.iter().enumerate() {
        let at = format!("metrics[{index}]");
        if !(metric.target.is_finite() && metric.target > 0.0) {
            fields.refuse(format!("{at}.target"), "must be a number above 0");
        }
        if let MetricSource::Promql { query } = &metric.source {
            if query.trim().is_empty() {
                fields.refuse(format!("{at}.source.query"), "a query is needed");
            } else if query.len() > LONGEST_QUERY {
                fields.refuse(
                    format!("{at}.source.query"),
                    format!("at most {LONGEST_QUERY} characters"),
                );
            }
        }
        if !seen.insert(name(&metric.source)) {
            fields.refuse(format!("{at}.source"), "is there twice");
        }
    }
}

fn behavior(field: &str, behavior: &ScalingBehavior, fields: &mut Fields) {
    at_most(
        format!("{field}.stabilization_seconds"),
        behavior.stabilization_seconds,
        LONGEST_WINDOW,
        fields,
    );
    if behavior.steps.len() > MOST_STEPS {
        fields.refuse(format!("{field}.steps"), format!("at most {MOST_STEPS}"));
    }
    for (index, step) in behavior.steps.iter().enumerate() {
        let at = format!("{field}.steps[{index}]");
        if step.value == 0 {
            fields.refuse(
                format!("{at}.value"),
                "must be at least 1; to turn a direction off, select `disabled`",
            );
        }
        at_most(format!("{at}.value"), step.value, MOST_REPLICAS, fields);
        if step.period_seconds == 0 {
            fields.refuse(format!("{at}.period_seconds"), "must be at least 1");
        }
        at_most(
            format!("{at}.period_seconds"),
            step.period_seconds,
            LONGEST_PERIOD,
            fields,
        );
    }
}

fn schedules(policy: &AutoscalingPolicy, fields: &mut Fields) {
    if policy.schedules.len() > MOST_SCHEDULES {
        fields.refuse("schedules", format!("at most {MOST_SCHEDULES}"));
    }
    let mut seen = BTreeSet::new();
    for (index, schedule) in policy.schedules.iter().enumerate() {
        let at = format!("schedules[{index}]");
        if schedule.name.trim().is_empty() || schedule.name.len() > LONGEST_NAME {
            fields.refuse(
                format!("{at}.name"),
                format!("must have 1 to {LONGEST_NAME} characters"),
            );
        } else if !seen.insert(&schedule.name) {
            fields.refuse(format!("{at}.name"), "is there twice");
        }
        fields.check(format!("{at}.cron"), read_cron(&schedule.cron));
        fields.check(format!("{at}.time_zone"), read_time_zone(&schedule.time_zone));
        if schedule.minutes == 0 {
            fields.refuse(format!("{at}.minutes"), "must be at least 1");
        }
        at_most(format!("{at}.minutes"), schedule.minutes, LONGEST_MINUTES, fields);
        let prefix = format!("{at}.");
        bounds(schedule.min_replicas, schedule.max_replicas, &prefix, fields);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(change: Value) -> Vec<String> {
        let mut policy = json!({
            "min_replicas": 2, "max_replicas": 10,
            "metrics": [{ "source": { "type": "cpu" }, "target": 50.0 }],
        });
        for (field, value) in change.as_object().unwrap() {
            policy[field] = value.clone();
        }
        let mut fields = Fields::default();
        check(&serde_json::from_value(policy).unwrap(), &mut fields);
        fields.paths().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn every_field_is_refused_where_it_is() {
        assert!(refused(json!({})).is_empty());
        assert_eq!(refused(json!({ "min_replicas": 0 })), ["min_replicas"]);
        assert_eq!(refused(json!({ "max_replicas": 1 })), ["max_replicas"]);
        assert_eq!(refused(json!({ "metrics": [] })), ["metrics"]);
        let metrics = json!([
            { "source": { "type": "memory", "of": "limit" }, "target": 0.0 },
            { "source": { "type": "promql", "query": " " }, "target": 5.0 },
            { "source": { "type": "memory", "of": "limit" }, "target": 5.0 },
        ]);
        assert_eq!(
            refused(json!({ "metrics": metrics })),
            [
                "metrics[0].target",
                "metrics[1].source.query",
                "metrics[2].source"
            ]
        );
        let steps = json!({
            "stabilization_seconds": 3601,
            "steps": [{ "unit": "percent", "value": 0, "period_seconds": 0 }],
        });
        assert_eq!(
            refused(json!({ "down": steps })),
            [
                "down.stabilization_seconds",
                "down.steps[0].value",
                "down.steps[0].period_seconds"
            ]
        );
        let schedule = json!([{
            "name": "", "cron": "8", "time_zone": "Nowhere", "minutes": 0, "min_replicas": 5, "max_replicas": 4,
        }]);
        assert_eq!(
            refused(json!({ "schedules": schedule })),
            [
                "schedules[0].name",
                "schedules[0].cron",
                "schedules[0].time_zone",
                "schedules[0].minutes",
                "schedules[0].max_replicas"
            ]
        );
    }
}
