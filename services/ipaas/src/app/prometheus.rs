//! A Prometheus, asked by its HTTP API.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

/// Tens of thousands of pods make some MiB.
const LARGEST: usize = 64 * 1024 * 1024;
const LONGEST_ERROR: usize = 300;
/// What is older is not what is.
const STALE_AFTER: Duration = Duration::from_secs(120);

pub type Labels = BTreeMap<String, String>;

/// What a query gave, without what is stale or no number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vector {
    pub series: Vec<(Labels, f64)>,
    /// How many were too old.
    pub stale: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error("Prometheus doesn't answer")]
    Unreachable(#[from] reqwest::Error),
    #[error("Prometheus refused the query: {0}")]
    Refused(String),
    #[error("Prometheus answered with something else than numbers by their labels")]
    NotAVector,
    #[error("Prometheus's answer can't be read")]
    Unreadable(#[source] serde_json::Error),
    #[error("Prometheus's answer is larger than {} MiB", LARGEST >> 20)]
    TooLarge,
}

/// Over a time: its first and its last moment, in seconds since 1970, and the seconds from one to the next.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub from: i64,
    pub to: i64,
    pub step_seconds: u32,
}

/// A series over a time: its labels, and what it was worth at moments, in seconds since 1970.
pub type Course = (Labels, Vec<(i64, f64)>);

#[derive(Deserialize)]
struct Answer<D> {
    data: Option<D>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "snake_case")]
enum Data {
    Vector(Vec<Series>),
    Scalar((f64, String)),
    Matrix(IgnoredAny),
    String(IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    metric: Labels,
    value: (f64, String),
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "snake_case")]
enum RangeData {
    Matrix(Vec<RangeSeries>),
    Vector(IgnoredAny),
    Scalar(IgnoredAny),
    String(IgnoredAny),
}

#[derive(Deserialize)]
struct RangeSeries {
    metric: Labels,
    #[serde(default)]
    values: Vec<(f64, Number)>,
}

/// A number as Prometheus writes it, in quotes. There are many in an answer over a time.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Asks for what an expression is worth now.
///
/// # Errors
/// In words that can be shown.
pub async fn query(
    http: &reqwest::Client,
    url: &str,
    expression: &str,
    timeout: Duration,
    now: DateTime<Utc>,
) -> Result<Vector, QueryError> {
    let answer = ask(http, url, "query", &[("query", expression)], timeout).await?;
    read(answer, now)
}

/// Asks for what an expression was worth over a time.
///
/// # Errors
/// In words that can be shown.
pub async fn query_range(
    http: &reqwest::Client,
    url: &str,
    expression: &str,
    span: Span,
    timeout: Duration,
) -> Result<Vec<Course>, QueryError> {
    let [start, end, step] =
        [span.from, span.to, i64::from(span.step_seconds)].map(|number| number.to_string());
    let form = [
        ("query", expression),
        ("start", start.as_str()),
        ("end", end.as_str()),
        ("step", step.as_str()),
    ];
    read_range(ask(http, url, "query_range", &form, timeout).await?)
}

async fn ask<D: DeserializeOwned>(
    http: &reqwest::Client,
    url: &str,
    what: &str,
    form: &[(&str, &str)],
    timeout: Duration,
) -> Result<Answer<D>, QueryError> {
    let url = format!("{}/api/v1/{what}", url.trim_end_matches('/'));
    let request = http.post(url).form(form).timeout(timeout);
    let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(QueryError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let status = response.status();
    match serde_json::from_slice(&body) {
        Ok(answer) => Ok(answer),
        Err(_) if !status.is_success() => Err(QueryError::Refused(format!("status {status}"))),
        Err(error) => Err(QueryError::Unreadable(error)),
    }
}

fn refused<D>(answer: Answer<D>) -> Result<Option<D>, QueryError> {
    match answer.error {
        Some(error) => Err(QueryError::Refused(error.chars().take(LONGEST_ERROR).collect())),
        None => Ok(answer.data),
    }
}

fn read_range(answer: Answer<RangeData>) -> Result<Vec<Course>, QueryError> {
    let Some(RangeData::Matrix(series)) = refused(answer)? else {
        return Err(QueryError::NotAVector);
    };
    let course = |RangeSeries { metric, values }| {
        let numbers = values.into_iter().filter(|(_, number)| number.0.is_finite());
        let points = numbers.map(|(at, number)| (at.round() as i64, number.0));
        (metric, points.collect::<Vec<_>>())
    };
    Ok(series.into_iter().map(course).collect())
}

fn read(answer: Answer<Data>, now: DateTime<Utc>) -> Result<Vector, QueryError> {
    let series = match refused(answer)? {
        Some(Data::Vector(series)) => series,
        Some(Data::Scalar(value)) => vec![Series {
            metric: Labels::new(),
            value,
        }],
        Some(Data::Matrix(_) | Data::String(_)) | None => return Err(QueryError::NotAVector),
    };
    let oldest = now.timestamp() as f64 - STALE_AFTER.as_secs_f64();
    let mut vector = Vector::default();
    for Series { metric, value } in series {
        if value.0 < oldest {
            vector.stale += 1;
        } else if let Ok(number) = value.1.parse::<f64>()
            && number.is_finite()
        {
            vector.series.push((metric, number));
        }
    }
    Ok(vector)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vector, QueryError> {
        read(
            serde_json::from_str(text).unwrap(),
            DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        )
    }

    #[test]
    fn what_is_stale_or_no_number_is_left_out() {
        let vector = of(r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"namespace":"shop-test","pod":"web-1"},"value":[1799999990,"0.25"]},
            {"metric":{"pod":"web-2"},"value":[1799999990,"NaN"]},
            {"metric":{"pod":"web-3"},"value":[1799999990,"+Inf"]},
            {"metric":{"pod":"web-4"},"value":[1799999000,"1"]}]}}"#)
        .unwrap();
        assert_eq!(vector.stale, 1);
        assert_eq!(vector.series.len(), 1);
        assert_eq!(vector.series[0].0["pod"], "web-1");
        assert_eq!(vector.series[0].1, 0.25);
        let scalar = of(r#"{"data":{"result":[1799999990,"7"],"resultType":"scalar"}}"#).unwrap();
        assert_eq!(scalar.series, [(Labels::new(), 7.0)]);
    }

    #[test]
    fn a_refusal_and_another_kind_of_answer_are_said() {
        let refused = of(r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#);
        assert!(refused.unwrap_err().to_string().contains("parse error"));
        let matrix = of(r#"{"data":{"resultType":"matrix","result":[]}}"#);
        assert!(matches!(matrix, Err(QueryError::NotAVector)));
    }

    #[test]
    fn a_course_has_the_moments_at_which_there_was_a_number() {
        let of = |text: &str| read_range(serde_json::from_str(text).unwrap());
        let courses = of(r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"pod":"web-1"},"values":[[1799999985,"0.25"],[1800000000.0,"NaN"],[1800000015,"0.5"]]}]}}"#)
        .unwrap();
        let points = [(1_799_999_985, 0.25), (1_800_000_015, 0.5)];
        assert_eq!(courses.len(), 1);
        assert_eq!(courses[0].0["pod"], "web-1");
        assert_eq!(courses[0].1, points);
        let refused = of(r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#);
        assert!(refused.unwrap_err().to_string().contains("parse error"));
        let vector = of(r#"{"data":{"resultType":"vector","result":[]}}"#);
        assert!(matches!(vector, Err(QueryError::NotAVector)));
    }
}
