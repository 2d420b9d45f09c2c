//! What a policy would have done with the load of the last hour.

use std::collections::HashMap;
use std::time::Duration;

use api_types::autoscaling::{AutoscalingPolicy, AutoscalingPreview, MetricSource, Share};
use api_types::common::ClusterId;
use api_types::internal::{RangeMeasurements, RangeQuery, ServicePlace};
use api_types::projects::namespace;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream};
use platform::ApiResult;
use uuid::Uuid;

use crate::app::autoscale::gather::{self, Limits};
use crate::app::autoscale::recording::{Replica, Source, Times};
use crate::app::autoscale::replay::replay;
use crate::app::{autoscaling, quotas};
use crate::db::{assignments, clusters, revisions, services};
use crate::paths::ServicePath;
use crate::state::AppState;

const HOUR_SECONDS: i64 = 3_600;
/// Steps are as long as the period in which the platform decides, within these: finer is measured nowhere, and windows
/// are not much longer.
const SHORTEST_STEP: u64 = 15;
const LONGEST_STEP: u64 = 60;
const CLUSTERS_AT_A_TIME: usize = 32;
/// For all clusters together; the caller waits. A cluster that takes longer is silent.
const LONGEST: Duration = Duration::from_secs(25);

/// # Errors
/// 404 `not_found`, 409 `pinned`, 422 `invalid_spec`.
pub async fn preview(
    state: &AppState,
    path: &ServicePath,
    policy: &AutoscalingPolicy,
) -> ApiResult<AutoscalingPreview> {
    let database = &state.foundation.database;
    let service = autoscaling::service(database, path).await?;
    autoscaling::check(policy, &service)?;
    let times = times(state.now(), state.config.autoscaling_period());
    let places = assignments::of_services(database, &[service.id]).await?;
    let known: HashMap<Uuid, clusters::Model> = clusters::all(database)
        .await?
        .into_iter()
        .map(|cluster| (cluster.id, cluster))
        .collect();
    let asked: Vec<(&clusters::Model, u32)> = places
        .iter()
        .filter_map(|place| Some((known.get(&place.cluster_id)?, place.wanted_now())))
        .collect();
    let answers = ask(state, &service, policy, &times, &asked).await;
    let sources: Vec<Source<'_>> = asked
        .iter()
        .zip(&answers)
        .map(|((cluster, replicas), answer)| Source {
            cluster: &cluster.name,
            replicas: *replicas,
            answer: answer.as_ref().map_err(String::as_str),
        })
        .collect();
    let revision = revisions::find_many(database, &[(service.id, service.revision)]).await?;
    let replica = Replica {
        cpu_millicores: service.cpu_millicores.unsigned_abs(),
        memory_bytes: service.memory_bytes.unsigned_abs(),
        limits: revision
            .first()
            .and_then(|revision| Limits::of(&revision.spec.0.resources)),
        replicas: service.replicas.unsigned_abs(),
        most: quotas::most(database, &service).await?.unwrap_or(u32::MAX),
    };
    Ok(replay(policy, &replica, &times, &sources))
}

/// The moments of the last hour, at whole steps.
fn times(now: DateTime<Utc>, period: Duration) -> Times {
    let step = period.as_secs().clamp(SHORTEST_STEP, LONGEST_STEP) as i64;
    let moments = HOUR_SECONDS / step;
    let to = now.timestamp().div_euclid(step) * step;
    Times {
        from: DateTime::from_timestamp(to - moments * step, 0).unwrap_or_default(),
        step_seconds: step as u32,
        moments: moments as usize,
    }
}

/// Asks every cluster that has the service, in their order.
async fn ask(
    state: &AppState,
    service: &services::Model,
    policy: &AutoscalingPolicy,
    times: &Times,
    clusters: &[(&clusters::Model, u32)],
) -> Vec<Result<RangeMeasurements, String>> {
    let namespace = namespace(&service.project, &service.environment);
    let within = |source: &MetricSource| gather::query_within(source, &namespace);
    let query = RangeQuery {
        prometheus_url: None,
        running: within(&MetricSource::Cpu { of: Share::Request }),
        queries: policy
            .metrics
            .iter()
            .map(|metric| within(&metric.source))
            .collect(),
        service: ServicePlace {
            project: service.project.clone(),
            environment: service.environment.clone(),
            service: service.name.clone(),
        },
        from: times.at(0).timestamp(),
        to: times.to().timestamp(),
        step_seconds: times.step_seconds,
    };
    let deadline = tokio::time::Instant::now() + LONGEST;
    let asked = clusters.iter().map(|(cluster, _)| {
        let id = ClusterId(cluster.id);
        let query = RangeQuery {
            prometheus_url: cluster.prometheus_url.clone(),
            ..query.clone()
        };
        async move {
            match tokio::time::timeout_at(deadline, state.ipaas.measure_range(id, &query)).await {
                Ok(answer) => answer.map_err(|error| platform::error::chain(&error)),
                Err(_) => Err(format!("it did not answer within {} s", LONGEST.as_secs())),
            }
        }
    });
    stream::iter(asked.collect::<Vec<_>>())
        .buffered(CLUSTERS_AT_A_TIME)
        .collect()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_has_whole_steps() {
        let now = "2026-11-28T08:30:07.5Z".parse().unwrap();
        let usual = times(now, Duration::from_secs(15));
        assert_eq!((usual.step_seconds, usual.moments), (15, 240));
        assert_eq!(
            usual.at(0),
            "2026-11-28T07:30:15Z".parse::<DateTime<Utc>>().unwrap()
        );
        assert_eq!(
            usual.to(),
            "2026-11-28T08:30:00Z".parse::<DateTime<Utc>>().unwrap()
        );
        assert_eq!(usual.at(usual.moments - 1), usual.to());
        assert_eq!(times(now, Duration::from_millis(100)).step_seconds, 15);
        assert_eq!(times(now, Duration::from_secs(300)).moments, 60);
    }
}
