//! The query API of Prometheus for the platform's own queries, where no Prometheus is at hand.
//!
//! Pods that are gone have figures up to when they went. `rate` is the plain difference over the time that
//! was there, without extrapolation. What is not understood is refused, never guessed.

mod evaluate;
mod parse;

use serde_json::{Value, json};

use super::series::View;
use super::state::seconds_of;
use crate::api::query::Query;
use crate::cluster::Cluster;

/// As many points as the real one gives at most.
const MOST_POINTS: f64 = 11_000.0;

/// Answers `query` or `query_range`; the second part is false for a refusal.
pub fn answer(cluster: &Cluster, range: bool, parameters: &Query) -> (Value, bool) {
    let answered = if range {
        over_a_range(cluster, parameters)
    } else {
        at_a_moment(cluster, parameters)
    };
    match answered {
        Ok(data) => (json!({"status": "success", "data": data}), true),
        Err(why) => (
            json!({"status": "error", "errorType": "bad_data", "error": why}),
            false,
        ),
    }
}

fn expression(parameters: &Query) -> Result<parse::Expression, String> {
    let text = parameters.get("query").unwrap_or("");
    parse::parse(text).map_err(|why| format!("invalid parameter \"query\": {why}"))
}

fn time(parameters: &Query, name: &str) -> Result<Option<f64>, String> {
    let Some(text) = parameters.get(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let read = text
        .parse::<f64>()
        .ok()
        .filter(|seconds| seconds.is_finite())
        .or_else(|| crate::json::parse_time(text).map(seconds_of));
    read.map(Some)
        .ok_or_else(|| format!("invalid parameter {name:?}: cannot parse {text:?} to a valid timestamp"))
}

fn shown(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    value.to_string()
}

fn at_a_moment(cluster: &Cluster, parameters: &Query) -> Result<Value, String> {
    let expression = expression(parameters)?;
    let at = time(parameters, "time")?.unwrap_or_else(|| seconds_of(crate::clock::now()));
    let view = View::of(cluster, |_, _| true);
    Ok(match evaluate::evaluate(&expression, &view, at)? {
        evaluate::Outcome::Scalar(value) => json!({"resultType": "scalar", "result": [at, shown(value)]}),
        evaluate::Outcome::Vector(series) => {
            let result: Vec<Value> = series
                .into_iter()
                .map(|(labels, value)| json!({"metric": labels, "value": [at, shown(value)]}))
                .collect();
            json!({"resultType": "vector", "result": result})
        }
    })
}

fn over_a_range(cluster: &Cluster, parameters: &Query) -> Result<Value, String> {
    let expression = expression(parameters)?;
    let needed =
        |name: &str| time(parameters, name)?.ok_or_else(|| format!("invalid parameter {name:?}: missing"));
    let (start, end) = (needed("start")?, needed("end")?);
    let step = parameters.get("step").unwrap_or("");
    let step = step
        .parse::<f64>()
        .ok()
        .or_else(|| parse::duration(step))
        .filter(|step| step.is_finite() && *step > 0.0)
        .ok_or("invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer")?;
    if end < start {
        return Err("invalid parameter \"end\": end timestamp must not be before start time".into());
    }
    if (end - start) / step > MOST_POINTS {
        return Err("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)".into());
    }
    let view = View::of(cluster, |_, _| true);
    let mut series: std::collections::BTreeMap<evaluate::Labels, Vec<Value>> =
        std::collections::BTreeMap::new();
    let mut at = start;
    while at <= end + 1e-9 {
        let points = match evaluate::evaluate(&expression, &view, at)? {
            evaluate::Outcome::Scalar(value) => vec![(evaluate::Labels::new(), value)],
            evaluate::Outcome::Vector(series) => series,
        };
        for (labels, value) in points {
            series.entry(labels).or_default().push(json!([at, shown(value)]));
        }
        at += step;
    }
    let result: Vec<Value> = series
        .into_iter()
        .map(|(labels, values)| json!({"metric": labels, "values": values}))
        .collect();
    Ok(json!({"resultType": "matrix", "result": result}))
}
