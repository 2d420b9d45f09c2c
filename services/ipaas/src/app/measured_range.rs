//! What one service's pods used over a time, by the Prometheus of their cluster; pods that are gone by now count as well.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use api_types::internal::{Moment, RangeMeasurements, RangeQuery, RangeResult};
use futures::{StreamExt as _, stream};
use platform::error::chain;
use platform::{ApiError, ApiResult};

use crate::app::names::ServiceKey;
use crate::app::prometheus::{self, Course, Span};
use crate::cluster::member::Member;
use crate::state::AppState;

/// For all queries together; who asked gives up later.
const TIMEOUT: Duration = Duration::from_secs(10);
const QUERIES_AT_A_TIME: usize = 2;
/// As many as a policy has metrics, and some.
const MOST_QUERIES: usize = 16;
const MOST_MOMENTS: i64 = 1_000;
/// Letters that Kubernetes makes names of.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// What can't be had is said where it belongs.
///
/// # Errors
/// 400 `invalid_range` where more is asked for than is answered.
pub async fn measure(state: &AppState, member: &Member, query: &RangeQuery) -> ApiResult<RangeMeasurements> {
    let seconds = query.to.saturating_sub(query.from);
    let moments = seconds / i64::from(query.step_seconds.max(1));
    if query.step_seconds == 0 || seconds < 0 || moments >= MOST_MOMENTS {
        return Err(ApiError::invalid(
            "invalid_range",
            format!("between 1 and {MOST_MOMENTS} moments are answered, in their order"),
        ));
    }
    if query.queries.len() > MOST_QUERIES {
        return Err(ApiError::invalid(
            "invalid_range",
            format!("at most {MOST_QUERIES} queries are asked over a time"),
        ));
    }
    let service = Service::of(member, query);
    let mut answers = ask(state, query).await.into_iter();
    let running = answers
        .next()
        .unwrap_or_else(|| Err("nothing was asked".to_owned()))
        .map(|courses| service.sort(courses, None));
    let ran = running
        .as_ref()
        .ok()
        .map(Sorted::pods)
        .filter(|ran| !ran.is_empty());
    let queries = answers.map(|answer| result(answer.map(|courses| service.sort(courses, ran.as_ref()))));
    Ok(RangeMeasurements {
        queries: queries.collect(),
        running: result(running),
    })
}

fn result(sorted: Result<Sorted, String>) -> RangeResult {
    match sorted {
        Ok(sorted) => RangeResult {
            error: None,
            moments: sorted.moments(),
        },
        Err(error) => RangeResult {
            error: Some(error),
            moments: Vec::new(),
        },
    }
}

/// The courses of the query that says which pods ran, and of the others.
async fn ask(state: &AppState, query: &RangeQuery) -> Vec<Result<Vec<Course>, String>> {
    let expressions: Vec<String> = [&query.running]
        .into_iter()
        .chain(&query.queries)
        .cloned()
        .collect();
    let Some(url) = &query.prometheus_url else {
        let why = "the cluster has no Prometheus; name its address at the cluster";
        return vec![Err(why.to_owned()); expressions.len()];
    };
    let span = Span {
        from: query.from,
        to: query.to,
        step_seconds: query.step_seconds,
    };
    let deadline = tokio::time::Instant::now() + TIMEOUT;
    let http = &state.foundation.http;
    let one = |expression: String| async move {
        let asked = prometheus::query_range(http, url, &expression, span, TIMEOUT);
        match tokio::time::timeout_at(deadline, asked).await {
            Ok(outcome) => outcome.map_err(|error| chain(&error)),
            Err(_) => Err(format!(
                "Prometheus did not answer within {} s",
                TIMEOUT.as_secs()
            )),
        }
    };
    metrics::counter!("longshore_measurement_queries_total").increment(expressions.len() as u64);
    stream::iter(expressions.into_iter().map(one))
        .buffered(QUERIES_AT_A_TIME)
        .collect()
        .await
}

/// Which series are of a service.
struct Service<'a> {
    namespace: String,
    name: &'a str,
    /// Its pods as they are now.
    pods: HashSet<String>,
}

impl<'a> Service<'a> {
    fn of(member: &Member, query: &'a RangeQuery) -> Self {
        let place = &query.service;
        let key = ServiceKey::new(&place.project, &place.environment, &place.service);
        let pods = member.tables.pods.read();
        Self {
            namespace: key.namespace(),
            name: &place.service,
            pods: pods
                .of_service(&key)
                .map(|row| pods.name(row).to_owned())
                .collect(),
        }
    }

    /// By moment: what is of its pods, of it as a whole, and of everybody. Of pods only those that ran then, where
    /// that is known.
    fn sort(&self, courses: Vec<Course>, ran: Option<&Ran>) -> Sorted {
        let mut sorted = Sorted::default();
        for (labels, points) in courses {
            if labels.keys().all(|label| label == "__name__") {
                sorted.everybody.extend(points);
                continue;
            }
            let of = |label: &str| labels.get(label).map(String::as_str);
            if of("namespace") != Some(self.namespace.as_str()) {
                continue;
            }
            if let Some(pod) = of("pod") {
                if !self.pods.contains(pod) && !is_replica(pod, self.name) {
                    continue;
                }
                for (at, value) in points {
                    let counts = value >= 0.0 && ran.is_none_or(|ran| ran.has(pod, at));
                    if counts {
                        let pods = sorted.pods.entry(at).or_default();
                        *pods.entry(pod.to_owned()).or_insert(0.0) += value;
                    }
                }
            } else if of("service").or_else(|| of("deployment")) == Some(self.name) {
                for (at, value) in points {
                    *sorted.service.entry(at).or_insert(0.0) += value;
                }
            }
        }
        sorted
    }
}

/// Whether a pod is called as a replica of a Deployment: after it, a hash of its template, and five letters. So are
/// found those that are gone. Of a Deployment whose name is too long to be put before them whole, none is found.
fn is_replica(pod: &str, deployment: &str) -> bool {
    let rest = pod
        .strip_prefix(deployment)
        .and_then(|rest| rest.strip_prefix('-'));
    let Some((hash, own)) = rest.and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    let made = |part: &str| part.bytes().all(|letter| LETTERS.contains(&letter));
    (1..=10).contains(&hash.len()) && own.len() == 5 && made(hash) && made(own)
}

/// When each pod ran.
#[derive(Debug, Default)]
struct Ran(HashMap<String, HashSet<i64>>);

impl Ran {
    fn has(&self, pod: &str, at: i64) -> bool {
        self.0.get(pod).is_some_and(|moments| moments.contains(&at))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a query gave for a service, by moment.
#[derive(Debug, Default)]
struct Sorted {
    pods: BTreeMap<i64, HashMap<String, f64>>,
    service: BTreeMap<i64, f64>,
    everybody: BTreeMap<i64, f64>,
}

impl Sorted {
    fn pods(&self) -> Ran {
        let mut ran = Ran::default();
        for (at, pods) in &self.pods {
            for pod in pods.keys() {
                ran.0.entry(pod.clone()).or_default().insert(*at);
            }
        }
        ran
    }

    fn moments(self) -> Vec<Moment> {
        let mut moments: BTreeMap<i64, Moment> = BTreeMap::new();
        for (at, pods) in self.pods {
            let moment = moments.entry(at).or_default();
            moment.pods = u32::try_from(pods.len()).unwrap_or(u32::MAX);
            moment.of_pods = pods.values().sum();
        }
        // What is of the service comes before what is of everybody.
        for (at, value) in self.everybody.into_iter().chain(self.service) {
            moments.entry(at).or_default().total = Some(value);
        }
        moments
            .into_iter()
            .map(|(at, moment)| Moment { at, ..moment })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::prometheus::Labels;

    fn course(labels: &[(&str, &str)], points: &[(i64, f64)]) -> Course {
        let labels: Labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        (labels, points.to_vec())
    }

    fn of_pod(pod: &str, points: &[(i64, f64)]) -> Course {
        course(&[("namespace", "shop-test"), ("pod", pod)], points)
    }

    fn web() -> Service<'static> {
        Service {
            namespace: "shop-test".to_owned(),
            name: "web",
            pods: HashSet::from(["web-by-hand".to_owned()]),
        }
    }

    #[test]
    fn a_replica_is_known_by_its_name_when_it_is_gone() {
        for (pod, is) in [
            ("web-6d4b75cb6d-x2x2x", true),
            ("web-api-6d4b75cb6d-x2x2x", false),
            ("web-0", false),
            ("web-6d4b75cb6d", false),
            ("web-6d4b75cb6d-x2x2", false),
            ("webs-6d4b75cb6d-x2x2x", false),
            ("web-aeiou-x2x2x", false),
        ] {
            assert_eq!(is_replica(pod, "web"), is, "{pod}");
        }
    }

    #[test]
    fn pods_are_added_up_at_each_moment_and_others_left_out() {
        let other = course(
            &[("namespace", "other"), ("pod", "web-6d4b75cb6d-x2x2x")],
            &[(15, 9.0)],
        );
        let sorted = web().sort(
            vec![
                of_pod("web-6d4b75cb6d-x2x2x", &[(15, 1.0), (30, 2.0)]),
                of_pod("web-by-hand", &[(30, 4.0)]),
                of_pod("api-6d4b75cb6d-x2x2x", &[(15, 8.0)]),
                other,
            ],
            None,
        );
        let moments = sorted.moments();
        let of: Vec<_> = moments
            .iter()
            .map(|moment| (moment.at, moment.pods, moment.of_pods))
            .collect();
        assert_eq!(of, [(15, 1, 1.0), (30, 2, 6.0)]);
    }

    #[test]
    fn a_value_that_outlives_its_pod_does_not_count() {
        let gone = "web-6d4b75cb6d-x2x2x";
        let ran = web()
            .sort(
                vec![
                    of_pod(gone, &[(15, 0.1)]),
                    of_pod("web-by-hand", &[(15, 0.1), (30, 0.1)]),
                ],
                None,
            )
            .pods();
        let memory = vec![
            of_pod(gone, &[(15, 5.0), (30, 5.0)]),
            of_pod("web-by-hand", &[(15, 5.0), (30, 5.0)]),
        ];
        let moments = web().sort(memory, Some(&ran)).moments();
        assert_eq!((moments[0].pods, moments[0].of_pods), (2, 10.0));
        assert_eq!((moments[1].pods, moments[1].of_pods), (1, 5.0));
    }

    #[test]
    fn what_is_of_the_service_comes_before_what_is_of_everybody() {
        let sorted = web().sort(
            vec![
                course(&[("namespace", "shop-test"), ("service", "web")], &[(15, 7.0)]),
                course(&[("__name__", "queue")], &[(15, 1.0), (30, 2.0)]),
                course(&[("node", "a")], &[(15, 3.0)]),
            ],
            None,
        );
        let totals: Vec<_> = sorted
            .moments()
            .iter()
            .map(|moment| (moment.at, moment.total))
            .collect();
        assert_eq!(totals, [(15, Some(7.0)), (30, Some(2.0))]);
    }
}
