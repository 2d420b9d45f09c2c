//! Adds what services held and used to the hours of usage, cluster by cluster.
//!
//! How far a cluster was counted is written with what was counted, so that nothing is counted twice, whoever leads and
//! wherever it is killed. Each cluster is asked once, whatever the number of services.

use std::collections::HashMap;
use std::time::Duration;

use api_types::autoscaling::{MetricSource, Share};
use api_types::common::ClusterId;
use api_types::internal::{MeasurementQuery, Measurements, ServicePlace};
use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use platform::driver::Task;
use platform::error::chain;
use uuid::Uuid;

use crate::app::autoscale::gather::query;
use crate::app::metering::{self, Held, Stretch, stretches};
use crate::db::usage_hours::{self, Place};
use crate::db::{claims, clusters, metering as progress, put};
use crate::state::AppState;
use crate::tasks::lead;

/// Clusters asked at a time.
const CLUSTERS_AT_A_TIME: usize = 32;
/// Hours written in one transaction, where a long gap is to be told.
const HOURS_AT_A_TIME: usize = 24;
/// A turn may be this much later than twice the period and still stand for the time since the one before.
const SLACK: Duration = Duration::from_secs(5);

pub struct Metering {
    state: AppState,
}

/// What is to be counted of one cluster.
struct Part {
    cluster: clusters::Model,
    /// How far it was counted.
    from: i64,
    places: Vec<Place>,
}

/// Where a service has nothing but its data, and maybe is gone itself.
fn only_stored(row: claims::Model) -> Place {
    Place {
        service_id: row.service_id,
        cluster_id: row.cluster_id,
        project: row.project,
        environment: row.environment,
        service: row.service,
        created_at: row.claim.0.created_at,
        replicas: 0,
        hold: 0,
        stored: true,
    }
}

impl Metering {
    pub fn new(state: AppState) -> Self {
        Self { state }
    }

    /// What is due, and the clusters that were never counted: they are from now on.
    async fn parts(&self, to: i64) -> anyhow::Result<(Vec<Part>, Vec<progress::Model>)> {
        let database = &self.state.foundation.database;
        let counted: HashMap<Uuid, i64> = progress::all(database)
            .await?
            .into_iter()
            .map(|row| (row.cluster_id, row.counted_until))
            .collect();
        let mut places: HashMap<Uuid, Vec<Place>> = HashMap::new();
        for place in usage_hours::places(database).await? {
            places.entry(place.cluster_id).or_default().push(place);
        }
        for row in claims::all(database).await? {
            let known = places.entry(row.cluster_id).or_default();
            if !known.iter().any(|place| place.service_id == row.service_id) {
                known.push(only_stored(row));
            }
        }
        let oldest = to - self.state.config.usage_kept_days * 24 * metering::HOUR;
        let (mut due, mut fresh) = (Vec::new(), Vec::new());
        for cluster in clusters::all(database).await? {
            if cluster.phase == clusters::REGISTERING {
                continue;
            }
            match counted.get(&cluster.id) {
                None => fresh.push(progress::Model {
                    cluster_id: cluster.id,
                    counted_until: to,
                }),
                // Never back, if this machine's clock is behind that of the leader before.
                Some(from) if *from < to => due.push(Part {
                    from: *Ord::max(from, &oldest),
                    places: places.remove(&cluster.id).unwrap_or_default(),
                    cluster,
                }),
                Some(_) => {}
            }
        }
        Ok((due, fresh))
    }

    async fn look(&self, part: &Part) -> Result<Measurements, String> {
        let sources = [
            MetricSource::Cpu { of: Share::Request },
            MetricSource::Memory { of: Share::Request },
        ];
        let question = MeasurementQuery {
            prometheus_url: part.cluster.prometheus_url.clone(),
            queries: sources.iter().map(query).collect(),
            services: part
                .places
                .iter()
                .map(|place| ServicePlace {
                    project: place.project.clone(),
                    environment: place.environment.clone(),
                    service: place.service.clone(),
                })
                .collect(),
        };
        let asked = self
            .state
            .ipaas
            .measure(ClusterId(part.cluster.id), &question)
            .await;
        match asked {
            Err(error) => Err(chain(&error)),
            Ok(seen) if seen.stale => Err("the cluster doesn't answer".to_owned()),
            Ok(seen) if seen.services.len() != part.places.len() => {
                Err("the answer lacks services".to_owned())
            }
            Ok(seen) => Ok(seen),
        }
    }

    async fn keep(
        &self,
        part: &Part,
        to: i64,
        seen: Result<Measurements, String>,
        epoch: i64,
    ) -> anyhow::Result<()> {
        let longest = self.state.config.metering_period() * 2 + SLACK;
        let late = to - part.from > i64::try_from(longest.as_secs())?;
        let held: Option<Vec<Held>> = match seen {
            Ok(seen) if !late => Some(held(&part.places, &seen)),
            Ok(_) => None,
            Err(error) => {
                tracing::debug!(cluster = %part.cluster.name, %error, "usage has a gap");
                None
            }
        };
        if held.is_none() && !part.places.is_empty() {
            metrics::counter!("longshore_metering_gap_seconds_total")
                .increment((to - part.from).unsigned_abs());
        }
        for some in stretches(part.from, to).chunks(HOURS_AT_A_TIME) {
            let rows: Vec<usage_hours::Model> = some
                .iter()
                .flat_map(|stretch| rows(part, *stretch, held.as_deref()))
                .collect();
            let counted = progress::Model {
                cluster_id: part.cluster.id,
                counted_until: some.last().map_or(to, |stretch| stretch.to),
            };
            let unit = lead::begin(&self.state, epoch).await?;
            usage_hours::add(&*unit, &rows).await?;
            put::<progress::Entity>(&*unit, &[counted]).await?;
            unit.commit().await?;
        }
        Ok(())
    }
}

/// What was seen of each place, in their order.
fn held(places: &[Place], seen: &Measurements) -> Vec<Held> {
    let mut claims: HashMap<(&str, &str, &str), Vec<metering::Claim>> = HashMap::new();
    for claim in &seen.claims {
        let place = &claim.place;
        claims
            .entry((&place.project, &place.environment, &place.service))
            .or_default()
            .push(metering::Claim::of(claim));
    }
    places
        .iter()
        .zip(&seen.services)
        .map(|(place, service)| Held {
            pods: metering::pods(service),
            claims: claims
                .remove(&(
                    place.project.as_str(),
                    place.environment.as_str(),
                    place.service.as_str(),
                ))
                .unwrap_or_default(),
        })
        .collect()
}

/// What a stretch adds for every service on a cluster; `held` is in the order of its places.
fn rows(part: &Part, stretch: Stretch, held: Option<&[Held]>) -> Vec<usage_hours::Model> {
    let places = part.places.iter().enumerate();
    places
        .filter_map(|(position, place)| {
            let seen = match held {
                Some(held) => Some(held.get(position)?),
                None => None,
            };
            let holds = place.replicas.max(place.hold) > 0
                || seen.map_or(place.stored, |held| *held != Held::default());
            let count = metering::count(stretch, place.created_at.timestamp(), seen);
            (holds && count.seconds + count.gap_seconds > 0).then(|| usage_hours::Model {
                hour: stretch.hour(),
                service_id: place.service_id,
                cluster_id: place.cluster_id,
                project: place.project.clone(),
                environment: place.environment.clone(),
                service: place.service.clone(),
                cluster: part.cluster.name.clone(),
                seconds: count.seconds,
                gap_seconds: count.gap_seconds,
                pod_seconds: count.pod_seconds,
                cpu_requested: count.cpu_requested,
                memory_requested: count.memory_requested,
                gpu_requested: count.gpu_requested,
                storage_requested: count.storage_requested,
                measured_seconds: count.measured_seconds,
                cpu_used: count.cpu_used,
                memory_used: count.memory_used,
                counted_until: stretch.to,
            })
        })
        .collect()
}

#[async_trait]
impl Task for Metering {
    fn name(&self) -> &'static str {
        "metering"
    }

    async fn turn(&self, epoch: i64) -> anyhow::Result<()> {
        let to = self.state.now().timestamp();
        let (due, fresh) = self.parts(to).await?;
        if !fresh.is_empty() {
            let unit = lead::begin(&self.state, epoch).await?;
            put::<progress::Entity>(&*unit, &fresh).await?;
            unit.commit().await?;
        }
        let asked = due.into_iter().map(|part| async move {
            let seen = self.look(&part).await;
            (part, seen)
        });
        let mut looks = stream::iter(asked.collect::<Vec<_>>()).buffer_unordered(CLUSTERS_AT_A_TIME);
        while let Some((part, seen)) = looks.next().await {
            self.keep(&part, to, seen, epoch).await?;
        }
        Ok(())
    }
}
