//! From what the clusters' Prometheus say to what a decision is made of. Pure.

use std::collections::HashMap;

use api_types::autoscaling::{AutoscalingPolicy, Direction, MetricSource, MetricTarget, Share};
use api_types::internal::{MeasuredPod, MeasuredService, Measurements};
use api_types::spec::Resources;
use chrono::{DateTime, Utc};

use super::metric::{Pod, Reading};
use super::{Amount, Inputs, Measured};
use crate::app::quantity::{parse_cpu, parse_memory};

/// Clusters named in the words of one reading.
const NAMED: usize = 3;
/// What a pod of which nothing is known is taken to have at least, in percent, when the others would shrink.
const MISSING_PERCENT: f64 = 100.0;

/// A metric's query. Those of CPU, memory and network are the same for all services.
#[must_use]
pub fn query(source: &MetricSource) -> String {
    narrowed(source, "")
}

/// The same for one namespace, where the query is ours.
#[must_use]
pub fn query_within(source: &MetricSource, namespace: &str) -> String {
    narrowed(source, &format!(r#"namespace="{namespace}""#))
}

fn narrowed(source: &MetricSource, matcher: &str) -> String {
    // Without the pod's own cgroup and its pause container.
    let comma = if matcher.is_empty() { "" } else { "," };
    let containers = format!(r#"{{container!="",container!="POD"{comma}{matcher}}}"#);
    match source {
        MetricSource::Cpu { .. } => {
            format!("sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{containers}[1m]))")
        }
        MetricSource::Memory { .. } => {
            format!("sum by (namespace, pod) (container_memory_working_set_bytes{containers})")
        }
        MetricSource::Network { direction } => {
            let direction = match direction {
                Direction::Received => "receive",
                Direction::Sent => "transmit",
            };
            let pods = if matcher.is_empty() {
                String::new()
            } else {
                format!("{{{matcher}}}")
            };
            format!("sum by (namespace, pod) (rate(container_network_{direction}_bytes_total{pods}[1m]))")
        }
        MetricSource::Promql { query } => query.clone(),
    }
}

/// As it is called in readings.
#[must_use]
pub fn name(source: &MetricSource) -> String {
    let of = |what: &str, share: &Share| match share {
        Share::Request => what.to_owned(),
        Share::Limit => format!("{what} of limit"),
    };
    match source {
        MetricSource::Cpu { of: share } => of("cpu", share),
        MetricSource::Memory { of: share } => of("memory", share),
        MetricSource::Network {
            direction: Direction::Received,
        } => "network received".to_owned(),
        MetricSource::Network {
            direction: Direction::Sent,
        } => "network sent".to_owned(),
        MetricSource::Promql { query } => query.clone(),
    }
}

/// The different queries of many policies, each with its position.
#[derive(Debug, Default)]
pub struct Queries {
    pub texts: Vec<String>,
    positions: HashMap<String, usize>,
}

impl Queries {
    pub fn add(&mut self, policy: &AutoscalingPolicy) {
        for metric in &policy.metrics {
            let text = query(&metric.source);
            if !self.positions.contains_key(&text) {
                self.positions.insert(text.clone(), self.texts.len());
                self.texts.push(text);
            }
        }
    }
}

/// What one replica may use at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub cpu_millicores: u64,
    pub memory_bytes: u64,
}

impl Limits {
    /// None where they can't be read.
    #[must_use]
    pub fn of(resources: &Resources) -> Option<Self> {
        Some(Self {
            cpu_millicores: parse_cpu(&resources.cpu_limit).ok()?,
            memory_bytes: parse_memory(&resources.memory_limit).ok()?,
        })
    }
}

/// Whether a metric is of CPU, of which a part goes into starting.
#[must_use]
pub fn is_cpu(source: &MetricSource) -> bool {
    matches!(source, MetricSource::Cpu { .. })
}

/// What a pod of which nothing is known is taken to have when the others would shrink, in the unit of the target.
#[must_use]
pub fn missing_has(metric: &MetricTarget) -> f64 {
    match metric.source {
        MetricSource::Cpu { .. } | MetricSource::Memory { .. } => metric.target.max(MISSING_PERCENT),
        MetricSource::Network { .. } | MetricSource::Promql { .. } => metric.target,
    }
}

/// A service's part on one cluster.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub cluster: &'a str,
    /// Replicas that it is to run.
    pub replicas: u32,
    /// What it answered, and this service's position in it; or why it did not.
    pub answer: Result<(&'a Measurements, usize), &'a str>,
}

impl<'a> Place<'a> {
    fn service(&self) -> Result<(&'a Measurements, &'a MeasuredService), &'a str> {
        let (measurements, position) = self.answer?;
        if measurements.stale {
            return Err("the cluster doesn't answer");
        }
        let service = measurements
            .services
            .get(position)
            .ok_or("the answer lacks the service")?;
        Ok((measurements, service))
    }
}

/// Puts together what is known of a service on all of its clusters.
#[must_use]
pub fn inputs(
    policy: &AutoscalingPolicy,
    queries: &Queries,
    limits: Option<Limits>,
    places: &[Place<'_>],
    current: u32,
    now: DateTime<Utc>,
) -> Inputs {
    let answered = places.iter().filter_map(|place| place.service().ok());
    let ready = answered
        .flat_map(|(_, service)| &service.pods)
        .filter(|pod| pod.ready)
        .count();
    Inputs {
        current,
        ready: u32::try_from(ready).unwrap_or(u32::MAX),
        metrics: policy
            .metrics
            .iter()
            .map(|metric| measured(metric, queries, limits, places, now))
            .collect(),
    }
}

fn measured(
    metric: &MetricTarget,
    queries: &Queries,
    limits: Option<Limits>,
    places: &[Place<'_>],
    now: DateTime<Utc>,
) -> Measured {
    let position = queries.positions.get(&query(&metric.source)).copied();
    let mut errors = Vec::new();
    let mut found = Found::default();
    for place in places {
        match place.service() {
            Err(why) => {
                errors.push(format!("{}: {why}", place.cluster));
                found.pods.extend((0..place.replicas).map(|_| lost(now)));
                found.whole = false;
            }
            Ok((measurements, service)) => {
                let result = position.and_then(|position| measurements.queries.get(position));
                if let Some(error) = result.and_then(|result| result.error.as_ref()) {
                    errors.push(format!("{}: {error}", place.cluster));
                }
                let at = |values: &[(usize, f64)]| {
                    let mut own = values.iter().filter(|(own, _)| Some(*own) == position);
                    own.next().map(|(_, value)| *value)
                };
                for pod in &service.pods {
                    let value = at(&pod.values).and_then(|value| scaled(value, &metric.source, pod, limits));
                    found.of_pods |= value.is_some();
                    found.pods.push(seen(pod, value));
                }
                match at(&service.values).or_else(|| result.and_then(|result| result.value)) {
                    Some(value) => *found.total.get_or_insert(0.0) += value,
                    None => found.whole = false,
                }
            }
        }
    }
    let amount = found.amount(metric, now);
    if errors.is_empty() && amount.is_nothing() {
        errors.push("the query gave nothing for this service".to_owned());
    }
    if errors.len() > NAMED {
        let more = errors.len() - NAMED;
        errors.truncate(NAMED);
        errors.push(format!("and {more} more"));
    }
    Measured {
        name: name(&metric.source),
        amount,
        error: (!errors.is_empty()).then(|| errors.join("; ")),
    }
}

struct Found {
    pods: Vec<Pod>,
    of_pods: bool,
    total: Option<f64>,
    whole: bool,
}

impl Default for Found {
    fn default() -> Self {
        Self {
            pods: Vec::new(),
            of_pods: false,
            total: None,
            whole: true,
        }
    }
}

impl Found {
    fn amount(self, metric: &MetricTarget, now: DateTime<Utc>) -> Amount {
        match (self.of_pods, self.total) {
            (false, Some(total)) if total.is_finite() && total >= 0.0 => Amount::Total {
                total,
                whole: self.whole,
            },
            (true, _) => Amount::Pods {
                reading: Reading::of(self.pods, is_cpu(&metric.source), now),
                missing_has: missing_has(metric),
            },
            (false, _) => Amount::Unknown,
        }
    }
}

impl Amount {
    fn is_nothing(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

fn scaled(value: f64, source: &MetricSource, pod: &MeasuredPod, limits: Option<Limits>) -> Option<f64> {
    in_unit(value, source, pod.cpu_millicores.into(), pod.memory_bytes, limits)
}

/// A value in the unit of the target, for a pod that asks for so much.
#[must_use]
pub fn in_unit(
    value: f64,
    source: &MetricSource,
    cpu_millicores: u64,
    memory_bytes: u64,
    limits: Option<Limits>,
) -> Option<f64> {
    let percent = |of: f64| (of > 0.0).then(|| value / of * 100.0);
    match source {
        MetricSource::Cpu { of: Share::Request } => percent(cpu_millicores as f64 / 1000.0),
        MetricSource::Cpu { of: Share::Limit } => percent(limits?.cpu_millicores as f64 / 1000.0),
        MetricSource::Memory { of: Share::Request } => percent(memory_bytes as f64),
        MetricSource::Memory { of: Share::Limit } => percent(limits?.memory_bytes as f64),
        MetricSource::Network { .. } | MetricSource::Promql { .. } => Some(value),
    }
}

fn seen(pod: &MeasuredPod, value: Option<f64>) -> Pod {
    let time = |seconds: i64| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    Pod {
        phase: pod.phase,
        stopping: pod.stopping,
        ready: pod.ready,
        created_at: time(pod.created_at),
        unready_since: pod.unready_since.map(time),
        value,
    }
}

/// A pod that should be on a cluster of which nothing is known.
fn lost(now: DateTime<Utc>) -> Pod {
    Pod {
        phase: api_types::pods::PodPhase::Unknown,
        stopping: false,
        ready: false,
        created_at: now,
        unready_since: None,
        value: None,
    }
}

#[cfg(test)]
mod tests {
    use api_types::internal::QueryResult;
    use api_types::pods::PodPhase;

    use super::super::tests::{at, policy};
    use super::*;

    fn pod(values: &[(usize, f64)]) -> MeasuredPod {
        MeasuredPod {
            phase: PodPhase::Running,
            stopping: false,
            ready: true,
            created_at: at(-3600).timestamp(),
            unready_since: None,
            cpu_millicores: 500,
            gpus: 0,
            memory_bytes: 1 << 30,
            values: values.to_vec(),
        }
    }

    fn answer(pods: Vec<MeasuredPod>, values: &[(usize, f64)]) -> Measurements {
        Measurements {
            stale: false,
            queries: vec![QueryResult::default()],
            services: vec![MeasuredService {
                pods,
                values: values.to_vec(),
            }],
            claims: Vec::new(),
        }
    }

    fn of(policy: &AutoscalingPolicy, places: &[Place<'_>]) -> Measured {
        let mut queries = Queries::default();
        queries.add(policy);
        let limits = Some(Limits {
            cpu_millicores: 1000,
            memory_bytes: 1 << 31,
        });
        inputs(policy, &queries, limits, places, 4, at(0))
            .metrics
            .remove(0)
    }

    fn place<'a>(cluster: &'a str, answer: Result<(&'a Measurements, usize), &'a str>) -> Place<'a> {
        Place {
            cluster,
            replicas: 2,
            answer,
        }
    }

    #[test]
    fn cores_become_percent_and_a_silent_cluster_misses_its_pods() {
        let east = answer(vec![pod(&[(0, 0.4)]), pod(&[(0, 0.2)])], &[]);
        let stale = Measurements {
            stale: true,
            ..east.clone()
        };
        for west in [Err("no answer"), Ok((&stale, 0))] {
            let measured = of(&policy(), &[place("east", Ok((&east, 0))), place("west", west)]);
            let Amount::Pods { reading, missing_has } = measured.amount else {
                panic!("{measured:?}")
            };
            assert_eq!((reading.measured, reading.missing), (2, 2));
            assert!((reading.total - 120.0).abs() < 1e-9);
            assert_eq!(missing_has, 100.0);
            assert!(measured.error.unwrap().starts_with("west: "));
        }
    }

    #[test]
    fn a_limit_is_another_measure() {
        let mut policy = policy();
        policy.metrics[0].source = MetricSource::Cpu { of: Share::Limit };
        let east = answer(vec![pod(&[(0, 0.4)])], &[]);
        let Amount::Pods { reading, .. } = of(&policy, &[place("east", Ok((&east, 0)))]).amount else {
            panic!("of pods")
        };
        assert!((reading.total - 40.0).abs() < 1e-9);
    }

    #[test]
    fn a_query_may_be_of_the_service_as_a_whole() {
        let mut policy = policy();
        policy.metrics[0].source = MetricSource::Promql {
            query: "queue".to_owned(),
        };
        let east = answer(vec![pod(&[])], &[(0, 30.0)]);
        let mut west = answer(vec![pod(&[])], &[]);
        west.queries[0].value = Some(12.0);
        let both = [place("east", Ok((&east, 0))), place("west", Ok((&west, 0)))];
        assert_eq!(
            of(&policy, &both).amount,
            Amount::Total {
                total: 42.0,
                whole: true
            }
        );
        let one = [place("east", Ok((&east, 0))), place("west", Err("no answer"))];
        assert_eq!(
            of(&policy, &one).amount,
            Amount::Total {
                total: 30.0,
                whole: false
            }
        );
    }

    #[test]
    fn an_empty_answer_is_unknown_and_not_zero() {
        let empty = answer(vec![pod(&[]), pod(&[])], &[]);
        let measured = of(&policy(), &[place("east", Ok((&empty, 0)))]);
        assert_eq!(measured.amount, Amount::Unknown);
        assert_eq!(
            measured.error.as_deref(),
            Some("the query gave nothing for this service")
        );
    }

    #[test]
    fn a_query_of_ours_is_narrowed_to_a_namespace() {
        let cpu = MetricSource::Cpu { of: Share::Request };
        let received = MetricSource::Network {
            direction: Direction::Received,
        };
        assert_eq!(
            query_within(&cpu, "shop-test"),
            r#"sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!="",container!="POD",namespace="shop-test"}[1m]))"#
        );
        assert_eq!(
            query_within(&received, "shop-test"),
            r#"sum by (namespace, pod) (rate(container_network_receive_bytes_total{namespace="shop-test"}[1m]))"#
        );
        assert_eq!(
            query(&received),
            "sum by (namespace, pod) (rate(container_network_receive_bytes_total[1m]))"
        );
    }

    #[test]
    fn the_number_of_queries_is_that_of_the_metrics() {
        let mut queries = Queries::default();
        for _ in 0..1000 {
            queries.add(&policy());
        }
        assert_eq!(queries.texts.len(), 1);
    }
}
