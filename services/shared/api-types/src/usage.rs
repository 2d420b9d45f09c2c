//! What services were given and what they used, hour by hour, and what that costs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How long the parts are that usage is summed up by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsagePeriod {
    Hour,
    #[default]
    Day,
    Month,
    /// The whole range in one.
    Total,
}

/// Whose usage is summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsageKey {
    #[default]
    Project,
    Service,
    Cluster,
}

/// Which usage, and how it is summed up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct UsageFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// From the hour of this time on; a day, 30 days or a year before the end when absent, by `every`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Up to the hour that this time is in; now when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    #[param(inline)]
    pub every: UsagePeriod,
    #[param(inline)]
    pub by: UsageKey,
    /// Where days and months begin, as in the IANA database: `Asia/Shanghai`. UTC when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// What was counted in one part of the range, for one project, service or cluster.
///
/// Requested is what pods held while they ran, by their requests. Hours that nobody could look at are in `gap_hours`
/// and in nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UsageItem {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// By project and by service.
    pub project: Option<String>,
    /// By service.
    pub environment: Option<String>,
    /// By service; it may be deleted since.
    pub service: Option<String>,
    /// By cluster.
    pub cluster: Option<String>,
    /// Pods, times the hours that they ran.
    pub pod_hours: f64,
    pub cpu_core_hours: f64,
    pub memory_gib_hours: f64,
    pub gpu_hours: f64,
    /// Of claims, also of those that are kept for a service that is gone.
    pub storage_gib_hours: f64,
    /// Of the pod-hours that were measured; absent when none was. Never zero for not known.
    pub cpu_used_core_hours: Option<f64>,
    pub memory_used_gib_hours: Option<f64>,
    /// The part of the pod-hours of which it is known what they used, 0 to 1.
    pub measured: f64,
    /// Hours of a service on a cluster that were counted.
    pub counted_hours: f64,
    /// Hours of a service on a cluster of which nothing is known: the cluster did not answer, or the platform was away.
    pub gap_hours: f64,
    /// How far this part was counted.
    pub counted_until: DateTime<Utc>,
    /// What was requested, each hour at its price; absent where no hour has one.
    pub cost: Option<f64>,
}

/// What an hour of a unit costs now, and what it will.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Prices {
    /// As in ISO 4217: `CNY`.
    pub currency: String,
    /// Of a core requested for an hour; without a price where absent.
    pub cpu_core_hour: Option<f64>,
    /// Of a GiB requested for an hour.
    pub memory_gib_hour: Option<f64>,
    /// Of a GPU requested for an hour.
    pub gpu_hour: Option<f64>,
    /// Of a GiB of storage for an hour.
    pub storage_gib_hour: Option<f64>,
    /// Since when these hold; absent while nothing has a price.
    pub valid_from: Option<DateTime<Utc>>,
    /// Those that were set and begin later, the earliest first.
    pub upcoming: Vec<Price>,
    /// For `If-Match`; 0 until somebody set prices.
    pub version: i64,
    /// When and by whom prices were last set, those that begin later included.
    pub updated_at: Option<DateTime<Utc>>,
    pub updated_by: Option<String>,
}

/// What an hour of a unit costs in hours of one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Price {
    /// The beginning of its first hour.
    pub valid_from: DateTime<Utc>,
    /// Where the next one begins; absent of the last.
    pub valid_to: Option<DateTime<Utc>>,
    pub currency: String,
    pub cpu_core_hour: Option<f64>,
    pub memory_gib_hour: Option<f64>,
    pub gpu_hour: Option<f64>,
    pub storage_gib_hour: Option<f64>,
    pub version: i64,
    pub set_at: DateTime<Utc>,
    pub set_by: String,
}

/// Prices as they are to be, all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrices {
    pub currency: String,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub cpu_core_hour: Option<f64>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub memory_gib_hour: Option<f64>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub gpu_hour: Option<f64>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub storage_gib_hour: Option<f64>,
    /// From which hour on; the present one when absent. Hours that are over keep their price; only where none had one
    /// before may it lie in the past.
    #[serde(default)]
    pub valid_from: Option<DateTime<Utc>>,
}
