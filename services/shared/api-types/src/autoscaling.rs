//! Autoscaling: what a policy of a service says, and what was decided by it and why.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How many replicas a service gets by its metrics, over all of its clusters together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoscalingPolicy {
    #[schema(minimum = 1)]
    pub min_replicas: u32,
    #[schema(minimum = 1)]
    pub max_replicas: u32,
    /// Each proposes a number; the largest is taken.
    #[schema(min_items = 1, max_items = 8)]
    pub metrics: Vec<MetricTarget>,
    #[serde(default)]
    pub rounding: Rounding,
    /// A metric so near to its target changes nothing; percent of the target. Shrinking needs one and a half times as much.
    #[serde(default = "ten")]
    #[schema(maximum = 50)]
    pub tolerance_percent: u32,
    /// While a metric's sum grows, what it will be so many seconds ahead is what counts: about what it takes to
    /// measure it, to be sure of it and to start a replica. 0 looks at the present only. Never shrinks anything.
    #[serde(default = "foresight")]
    #[schema(maximum = 600)]
    pub foresight_seconds: u32,
    #[serde(default = "ScalingBehavior::up")]
    pub up: ScalingBehavior,
    #[serde(default = "ScalingBehavior::down")]
    pub down: ScalingBehavior,
    /// Other bounds at certain times. Where several are on, the largest of each bound holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<ScheduledBounds>,
    /// Nothing is decided; people may scale by hand.
    #[serde(default)]
    pub paused: bool,
    /// Decisions are recorded, and change nothing; people may scale by hand.
    #[serde(default)]
    pub dry_run: bool,
}

fn ten() -> u32 {
    10
}

fn foresight() -> u32 {
    75
}

impl AutoscalingPolicy {
    /// Whether it alone sets the replicas.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.paused && !self.dry_run
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricTarget {
    pub source: MetricSource,
    /// What one replica should have: percent for CPU and memory, bytes a second for network, the query's own unit else.
    pub target: f64,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum MetricSource {
    /// CPU used, in percent of what a replica asks for, or is limited to.
    Cpu {
        #[serde(default)]
        of: Share,
    },
    /// Memory used (the working set), in percent of what a replica asks for, or is limited to.
    Memory {
        #[serde(default)]
        of: Share,
    },
    /// Bytes a second of a replica's network.
    Network { direction: Direction },
    /// Any query. Series with the labels `namespace` and `pod` are of that pod; with `namespace` and `service` or
    /// `deployment`, of that service as a whole; one without any label is of every service that asks.
    Promql { query: String },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    #[default]
    Request,
    Limit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Received,
    Sent,
}

/// What becomes of a number of replicas that is not whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// The fewest with which a replica's share is within the tolerance of the target: 4 at 80 % for 50 % become 6.
    #[default]
    Fewest,
    /// Up, as Kubernetes does (4 at 80 % for 50 % become 7).
    Ceil,
}

/// How fast replicas may come, or go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingBehavior {
    /// Up: the least, down: the most that was recommended in so many seconds counts.
    #[schema(maximum = 3600)]
    pub stabilization_seconds: u32,
    #[serde(default)]
    pub select: StepSelection,
    /// None is no limit.
    #[serde(default)]
    #[schema(max_items = 8)]
    pub steps: Vec<ScalingStep>,
}

impl ScalingBehavior {
    /// What was asked for during a whole minute; doubling, or four more, every 15 s.
    #[must_use]
    pub fn up() -> Self {
        Self {
            stabilization_seconds: 60,
            select: StepSelection::Max,
            steps: vec![
                ScalingStep {
                    unit: StepUnit::Percent,
                    value: 100,
                    period_seconds: 15,
                },
                ScalingStep {
                    unit: StepUnit::Replicas,
                    value: 4,
                    period_seconds: 15,
                },
            ],
        }
    }

    /// What was not needed for three minutes.
    #[must_use]
    pub fn down() -> Self {
        Self {
            stabilization_seconds: 180,
            select: StepSelection::Max,
            steps: Vec::new(),
        }
    }
}

/// Which of several steps counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepSelection {
    /// The one that allows most.
    #[default]
    Max,
    /// The one that allows least.
    Min,
    /// This direction is not taken at all.
    Disabled,
}

/// At most so many in so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScalingStep {
    pub unit: StepUnit,
    #[schema(minimum = 1)]
    pub value: u32,
    #[schema(minimum = 1, maximum = 1800)]
    pub period_seconds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepUnit {
    Replicas,
    /// Of the replicas at the beginning of the period.
    Percent,
}

/// Bounds that hold from each time of a cron expression on, for so long. What counts is whether a window is on now, so a
/// start that nobody was there for is caught up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduledBounds {
    pub name: String,
    /// Minute, hour, day of month, month, day of week: `0 8 * * 1-5`.
    pub cron: String,
    /// As in the IANA database: `Asia/Shanghai`.
    pub time_zone: String,
    #[schema(minimum = 1, maximum = 44640)]
    pub minutes: u32,
    pub min_replicas: u32,
    pub max_replicas: u32,
}

/// A service's policy, and what was decided last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Autoscaling {
    /// Absent where replicas are set by hand.
    pub policy: Option<AutoscalingPolicy>,
    /// For `If-Match`; 0 without a policy.
    pub version: i64,
    pub updated_at: Option<DateTime<Utc>>,
    pub updated_by: Option<String>,
    /// Absent until the first decision.
    pub last: Option<AutoscalingDecision>,
    /// How many of the decisions that are kept lacked a metric.
    pub unread: u64,
    /// What of the policy can't come true as things are, such as a maximum beyond the project's quota.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionOutcome {
    /// The replicas were changed.
    Scaled,
    /// They are right.
    Kept,
    /// They would have been changed, but it was a dry run.
    Recorded,
    /// Too little is known to change anything.
    Held,
}

/// One decision, with everything that went into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AutoscalingDecision {
    pub at: DateTime<Utc>,
    pub outcome: DecisionOutcome,
    /// Replicas wanted before.
    pub current: u32,
    /// Replicas ready, over all clusters that answer.
    pub ready: u32,
    /// What the metrics ask for, before windows, steps and bounds.
    pub recommended: u32,
    /// Replicas wanted from then on; in a dry run, that would be.
    pub wanted: u32,
    pub min_replicas: u32,
    pub max_replicas: u32,
    /// The schedules that were on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<String>,
    /// What bound the result: `minimum`, `maximum`, `stabilization`, `steps`, `disabled`, `unknown`, `quota`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<String>,
    pub metrics: Vec<MetricReading>,
    /// One sentence for a person.
    pub message: String,
}

/// What was read of one metric, and what it asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricReading {
    /// `cpu`, `memory`, `network received`, `network sent`, or the query.
    pub name: String,
    pub target: f64,
    /// Of a replica, on the average; absent when nothing was read.
    pub value: Option<f64>,
    /// Over all replicas that were measured.
    pub total: Option<f64>,
    /// What the total is expected to be ahead; absent unless it grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<f64>,
    pub measured: u32,
    /// Pods that should have been measured and were not, those of clusters that don't answer among them.
    pub missing: u32,
    /// Pods that are starting or not ready.
    pub unready: u32,
    /// Replicas that it asks for.
    pub proposed: Option<u32>,
    /// How, in numbers: `320 / 50 = 6.4, fewest within 10 % -> 6`.
    pub formula: String,
    /// Why it could not be read, wholly or in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Narrows a list of decisions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct DecisionFilter {
    /// Not before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// Before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<DateTime<Utc>>,
    /// Only these outcomes, with commas between: `scaled,held`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// What a policy would have done with the load that there was: its rule played over it, each decision taken on what the
/// earlier ones led to.
///
/// Simplified: what all replicas together used stays as it was, and is shared evenly by those that the policy would have
/// had; a new replica takes its part at once. What replicas at their limit were kept from using can't be seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AutoscalingPreview {
    /// The time that was looked at.
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// From one point to the next.
    pub step_seconds: u32,
    /// In the order of the policy's metrics.
    pub metrics: Vec<PreviewMetric>,
    /// Oldest first, from when something is known on.
    pub points: Vec<PreviewPoint>,
    /// Absent where nothing is known.
    pub would: Option<PreviewOutcome>,
    /// What there really was, in the same minutes. Absent where there is no minute in which everything is known; then what
    /// would have been is of all points.
    pub ran: Option<PreviewOutcome>,
    /// The decisions that would have changed the replicas, oldest first.
    pub changes: Vec<AutoscalingDecision>,
    /// What could not be known. It was taken as missing, not as zero.
    pub gaps: Vec<PreviewGap>,
    /// Minutes in which the replicas used nearly all of the CPU that they may: there may have been more load than is seen.
    pub saturated_minutes: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewMetric {
    /// As in readings.
    pub name: String,
    pub target: f64,
}

/// A moment of a preview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewPoint {
    pub at: DateTime<Utc>,
    /// Replicas that would have been wanted from then on.
    pub wanted: u32,
    /// Replicas that really ran; absent where a cluster's Prometheus doesn't say.
    pub ran: Option<u32>,
    /// What a replica would have had of each metric, on the average; absent where nothing is known.
    pub values: Vec<Option<f64>>,
}

/// What became of a service in a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewOutcome {
    /// For how long it is counted.
    pub minutes: f64,
    pub min_replicas: u32,
    pub max_replicas: u32,
    pub mean_replicas: f64,
    pub replica_hours: f64,
    /// Minutes in which a metric was above its target by more than the tolerance.
    pub minutes_above_target: f64,
}

/// A time for which something is not known of one cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PreviewGap {
    pub cluster: String,
    /// Absent where nothing of the cluster is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    pub minutes: f64,
    pub reason: String,
}
