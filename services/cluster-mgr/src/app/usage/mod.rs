//! Usage as it is read: sums over parts of a range, at the prices of their hours.

pub mod buckets;
pub mod csv;

use api_types::common::{ListQuery, Page};
use api_types::usage::{UsageFilter, UsageItem, UsageKey, UsagePeriod};
use auth::{Caller, Permission};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use platform::page::{self, decode_cursor, encode_cursor, sort};
use platform::time::storable;
use platform::{ApiError, ApiResult};

use crate::app::autoscale::schedule::read_time_zone;
use crate::app::clusters as cluster_logic;
use crate::app::metering::HOUR;
use crate::app::prices::{Periods, rounded};
use crate::db::usage_hours::{self, After, Filter, Sum};
use crate::db::{Connection, prices};
use crate::state::AppState;
use buckets::{Buckets, time_of};

/// What is to be summed up, and how.
#[derive(Clone, Debug)]
pub struct Selection {
    filter: Filter,
    buckets: Buckets,
}

/// The part and the keys of a sum: where to go on.
type Place = (i64, Vec<String>);

fn invalid(message: String) -> ApiError {
    ApiError::invalid("invalid_query", message)
}

impl Selection {
    /// # Errors
    /// 400 `invalid_query` for a range that can't be or has too many parts, and for a time zone that there isn't.
    pub fn of(caller: &Caller, asked: &UsageFilter, prices: &Periods, now: DateTime<Utc>) -> ApiResult<Self> {
        let zone = match asked.time_zone.as_deref() {
            None => Tz::UTC,
            Some(name) => read_time_zone(name).map_err(invalid)?,
        };
        let usual = match asked.every {
            UsagePeriod::Hour => Duration::days(1),
            UsagePeriod::Day | UsagePeriod::Total => Duration::days(30),
            UsagePeriod::Month => Duration::days(365),
        };
        let to = storable(asked.to.unwrap_or(now));
        let from = storable(asked.from.unwrap_or(to - usual));
        let buckets = Buckets::of(from, to, asked.every, zone).map_err(invalid)?;
        Ok(Self {
            filter: Filter {
                visible: caller.visible(Permission::ProjectRead),
                project: asked.project.clone(),
                environment: asked.environment.clone(),
                service: asked.service.clone(),
                cluster: asked.cluster.clone(),
                hours: buckets.range(),
                by: asked.by,
                bucket: buckets.expression(),
                cost: prices.expression(buckets.range()),
            },
            buckets,
        })
    }

    /// So many sums after a place.
    async fn read(
        &self,
        connection: &impl Connection,
        after: Option<&Place>,
        limit: usize,
    ) -> ApiResult<Vec<Sum>> {
        let after = match after {
            None => None,
            Some((bucket, keys)) => {
                let end = self
                    .buckets
                    .end_of(*bucket)
                    .filter(|_| keys.len() == usage_hours::keys(self.filter.by).len());
                let other = || {
                    ApiError::invalid(
                        "invalid_cursor",
                        "the cursor is of another range; start again without it",
                    )
                };
                Some(After {
                    bucket: *bucket,
                    end: end.ok_or_else(other)?,
                    keys,
                })
            }
        };
        Ok(usage_hours::page(connection, &self.filter, after, limit as u64).await?)
    }

    fn place(&self, sum: &Sum) -> Place {
        (sum.bucket, sum.keys(self.filter.by))
    }

    fn item(&self, sum: &Sum) -> UsageItem {
        let hours = |seconds: f64| seconds / HOUR as f64;
        let cpu = |amount: f64| hours(amount) / 1000.0;
        let memory = |amount: f64| hours(amount) / f64::from(1u32 << 20);
        let known = sum.measured_seconds > 0.0;
        let key = |name: &String| Some(name.clone());
        let (project, environment, service, cluster) = match self.filter.by {
            UsageKey::Project => (key(&sum.first), None, None, None),
            UsageKey::Service => (key(&sum.first), key(&sum.second), key(&sum.third), None),
            UsageKey::Cluster => (None, None, None, key(&sum.first)),
        };
        UsageItem {
            from: time_of(sum.bucket),
            to: time_of(self.buckets.end_of(sum.bucket).unwrap_or(sum.bucket)),
            project,
            environment,
            service,
            cluster,
            pod_hours: hours(sum.pod_seconds),
            cpu_core_hours: cpu(sum.cpu_requested),
            memory_gib_hours: memory(sum.memory_requested),
            gpu_hours: hours(sum.gpu_requested),
            storage_gib_hours: memory(sum.storage_requested),
            cpu_used_core_hours: known.then(|| cpu(sum.cpu_used)),
            memory_used_gib_hours: known.then(|| memory(sum.memory_used)),
            measured: if known {
                sum.measured_seconds / sum.pod_seconds
            } else {
                0.0
            },
            counted_hours: hours(sum.seconds),
            gap_hours: hours(sum.gap_seconds),
            counted_until: DateTime::from_timestamp(sum.counted_until, 0).unwrap_or_default(),
            cost: sum.cost.map(rounded),
        }
    }
}

pub async fn list(
    state: &AppState,
    caller: &Caller,
    asked: &UsageFilter,
    query: &ListQuery,
) -> ApiResult<Page<UsageItem>> {
    sort(query.sort.as_deref(), &["from"], "from")?;
    let database = &state.foundation.database;
    let prices = Periods::of(prices::all(database).await?);
    let selection = Selection::of(caller, asked, &prices, state.now())?;
    let after: Option<Place> = decode_cursor(query.cursor.as_deref())?;
    let limit = page::limit(query.limit);
    let sums = selection.read(database, after.as_ref(), limit + 1).await?;
    let total = usage_hours::count(database, &selection.filter).await?;
    let mut page = page::of(sums, limit, total, |sum| encode_cursor(&selection.place(sum)))
        .map(|sum| selection.item(&sum));
    page.gaps = cluster_logic::gaps(&cluster_logic::all(state, database).await?);
    Ok(page)
}
