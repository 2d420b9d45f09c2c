//! What pods use, by the Prometheus of their cluster: each query is asked once for all services.

use std::collections::HashMap;
use std::time::Duration;

use api_types::internal::{
    MeasuredClaim, MeasuredPod, MeasuredService, MeasurementQuery, Measurements, QueryResult, ServicePlace,
};
use futures::{StreamExt as _, stream};
use platform::error::chain;

use crate::app::names::ServiceKey;
use crate::app::prometheus::{self, Labels};
use crate::cluster::member::Member;
use crate::index::pods::{PodRow, PodTable};
use crate::state::AppState;

/// For all queries together; who asked gives up later.
const TIMEOUT: Duration = Duration::from_secs(10);
const QUERIES_AT_A_TIME: usize = 4;
/// More distinct ones are not asked.
const MOST_QUERIES: usize = 200;

/// Values by query, of pods and of services, both by namespace and name.
#[derive(Default)]
struct Values {
    pods: HashMap<(String, String), Vec<(usize, f64)>>,
    services: HashMap<(String, String), Vec<(usize, f64)>>,
}

impl Values {
    /// Takes one series; one without labels is given back.
    fn take(&mut self, position: usize, mut labels: Labels, value: f64) -> Option<f64> {
        if labels.keys().all(|label| label == "__name__") {
            return Some(value);
        }
        let namespace = labels.remove("namespace")?;
        let (of, name) = if let Some(pod) = labels.remove("pod") {
            (&mut self.pods, pod)
        } else {
            let name = labels.remove("service").or_else(|| labels.remove("deployment"))?;
            (&mut self.services, name)
        };
        let values = of.entry((namespace, name)).or_default();
        match values.last_mut() {
            // Several series of one pod, as of its containers, are added up.
            Some((last, sum)) if *last == position => *sum += value,
            _ => values.push((position, value)),
        }
        None
    }
}

/// Never fails: what can't be had is said where it belongs.
pub async fn measure(state: &AppState, member: &Member, query: &MeasurementQuery) -> Measurements {
    let mut values = Values::default();
    let mut results = Vec::with_capacity(query.queries.len());
    for (position, outcome) in ask(state, query).await.into_iter().enumerate() {
        results.push(match outcome {
            Err(error) => QueryResult {
                error: Some(error),
                value: None,
            },
            Ok(vector) => {
                let stale = (vector.series.is_empty() && vector.stale > 0)
                    .then(|| "what Prometheus has is too old".to_owned());
                let mut value = None;
                for (labels, number) in vector.series {
                    if let Some(number) = values.take(position, labels, number) {
                        value = Some(number);
                    }
                }
                QueryResult { error: stale, value }
            }
        });
    }
    let freshness = member.freshness(state.now());
    let claims = claims(member);
    let pods = member.tables.pods.read();
    Measurements {
        stale: freshness.stale,
        queries: results,
        services: query
            .services
            .iter()
            .map(|place| measured(place, &pods, &values))
            .collect(),
        claims,
    }
}

/// Every claim of ours: some are of services that nobody asks for any more.
fn claims(member: &Member) -> Vec<MeasuredClaim> {
    let workloads = member.tables.workloads.read();
    let of_each = workloads.all().flat_map(|(key, workload)| {
        workload.claims.iter().map(|(name, row)| MeasuredClaim {
            place: ServicePlace {
                project: key.project.clone(),
                environment: key.environment.clone(),
                service: key.service.clone(),
            },
            name: name.clone(),
            bytes: row.bytes(),
            created_at: row.created_at.timestamp(),
        })
    });
    of_each.collect()
}

async fn ask(state: &AppState, query: &MeasurementQuery) -> Vec<Result<prometheus::Vector, String>> {
    let Some(url) = &query.prometheus_url else {
        let why = "the cluster has no Prometheus; name its address at the cluster";
        return vec![Err(why.to_owned()); query.queries.len()];
    };
    let deadline = tokio::time::Instant::now() + TIMEOUT;
    let http = &state.foundation.http;
    let one = |(position, expression): (usize, &String)| {
        let expression = expression.clone();
        async move {
            if position >= MOST_QUERIES {
                return Err(format!(
                    "more than {MOST_QUERIES} different queries are not asked"
                ));
            }
            let asked = prometheus::query(http, url, &expression, TIMEOUT, state.now());
            match tokio::time::timeout_at(deadline, asked).await {
                Ok(outcome) => outcome.map_err(|error| chain(&error)),
                Err(_) => Err(format!(
                    "Prometheus did not answer within {} s",
                    TIMEOUT.as_secs()
                )),
            }
        }
    };
    metrics::counter!("longshore_measurement_queries_total").increment(query.queries.len() as u64);
    stream::iter(query.queries.iter().enumerate().map(one))
        .buffered(QUERIES_AT_A_TIME)
        .collect()
        .await
}

fn measured(place: &ServicePlace, pods: &PodTable, values: &Values) -> MeasuredService {
    let key = ServiceKey::new(&place.project, &place.environment, &place.service);
    let namespace = key.namespace();
    let of_pod = |row: &PodRow| {
        let name = (namespace.clone(), pods.name(row).to_owned());
        MeasuredPod {
            phase: row.phase,
            stopping: pods.texts.text(row.status) == "Terminating",
            ready: row.ready,
            created_at: row.created_at,
            unready_since: (row.unready_since > 0).then_some(row.unready_since),
            cpu_millicores: row.cpu_millicores,
            memory_bytes: row.memory_bytes,
            gpus: u32::from(row.gpus),
            values: values.pods.get(&name).cloned().unwrap_or_default(),
        }
    };
    MeasuredService {
        pods: pods.of_service(&key).map(of_pod).collect(),
        values: values
            .services
            .get(&(namespace.clone(), place.service.clone()))
            .cloned()
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_series_is_of_a_pod_of_a_service_or_of_everybody() {
        let mut values = Values::default();
        let pod = labels(&[
            ("namespace", "shop-test"),
            ("pod", "web-1"),
            ("container", "main"),
        ]);
        let sidecar = labels(&[("namespace", "shop-test"), ("pod", "web-1"), ("container", "log")]);
        let service = labels(&[("namespace", "shop-test"), ("service", "web")]);
        assert_eq!(values.take(0, pod.clone(), 1.0), None);
        assert_eq!(values.take(0, sidecar, 2.0), None);
        assert_eq!(values.take(1, pod, 4.0), None);
        assert_eq!(values.take(2, service, 7.0), None);
        assert_eq!(values.take(3, labels(&[("__name__", "queue")]), 9.0), Some(9.0));
        // Of something else, and of nothing that could be named.
        assert_eq!(values.take(4, labels(&[("node", "a")]), 1.0), None);
        let name = |name: &str| ("shop-test".to_owned(), name.to_owned());
        assert_eq!(values.pods[&name("web-1")], [(0, 3.0), (1, 4.0)]);
        assert_eq!(values.services[&name("web")], [(2, 7.0)]);
        assert_eq!((values.pods.len(), values.services.len()), (1, 1));
    }
}
