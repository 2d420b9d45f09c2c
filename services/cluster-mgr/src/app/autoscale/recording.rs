//! What was recorded of a service by the Prometheus of each of its clusters, moment by moment, and what that makes of the
//! rule's readings for any number of replicas. Pure.

use api_types::autoscaling::{AutoscalingPolicy, PreviewGap};
use api_types::internal::{Moment, RangeMeasurements, RangeResult};
use api_types::pods::PodPhase;
use chrono::{DateTime, Duration, Utc};

use super::gather::{self, Limits, in_unit, is_cpu, missing_has};
use super::metric::{Pod, Reading};
use super::{Amount, Measured};

/// Who uses so much of its CPU limit is likely to be held back by it.
const SATURATED: f64 = 0.9;
const EPSILON: f64 = 1e-9;

/// The moments of a recording, evenly apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// One step before the first moment.
    pub from: DateTime<Utc>,
    pub step_seconds: u32,
    pub moments: usize,
}

impl Times {
    #[must_use]
    pub fn step(&self) -> Duration {
        Duration::seconds(i64::from(self.step_seconds))
    }

    #[must_use]
    pub fn at(&self, position: usize) -> DateTime<Utc> {
        self.from + self.step() * (i32::try_from(position).unwrap_or(i32::MAX - 1) + 1)
    }

    #[must_use]
    pub fn to(&self) -> DateTime<Utc> {
        self.from + self.step() * i32::try_from(self.moments).unwrap_or(i32::MAX)
    }

    fn position(&self, at: i64) -> Option<usize> {
        let since = at - self.from.timestamp();
        let step = i64::from(self.step_seconds);
        let position = usize::try_from(since / step - 1).ok()?;
        (since % step == 0 && position < self.moments).then_some(position)
    }

    pub(super) fn minutes(&self, moments: usize) -> f64 {
        moments as f64 * f64::from(self.step_seconds) / 60.0
    }
}

/// What one cluster's Prometheus says of the service.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub cluster: &'a str,
    /// Replicas that the cluster is to run now.
    pub replicas: u32,
    /// Or why it says nothing. The queries are those of the policy's metrics, in their order.
    pub answer: Result<&'a RangeMeasurements, &'a str>,
}

/// What a replica asks for, and what all of them may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replica {
    pub cpu_millicores: u64,
    pub memory_bytes: u64,
    pub limits: Option<Limits>,
    /// Of the service now.
    pub replicas: u32,
    /// The most that the project's quota leaves.
    pub most: u32,
}

/// What the clusters say, by moment.
pub(super) struct Recording<'a> {
    policy: &'a AutoscalingPolicy,
    replica: &'a Replica,
    times: &'a Times,
    sources: Vec<Track<'a>>,
}

/// What one cluster says, by moment.
struct Track<'a> {
    source: Source<'a>,
    running: Vec<Option<&'a Moment>>,
    /// By metric.
    metrics: Vec<Vec<Option<&'a Moment>>>,
}

impl Track<'_> {
    /// Whether the service has replicas there, so that something is to be seen.
    fn counts(&self) -> bool {
        self.source.replicas > 0
    }

    /// How many of its replicas are missing where a metric is of pods, as a share of them all: all of them where it has
    /// nothing, and those that ran and have no value.
    fn missing(&self, metric: usize, position: usize) -> f64 {
        let measured = self.metrics[metric][position].map_or(0, |moment| moment.pods);
        let ran = self.running[position].map_or(measured, |moment| moment.pods);
        if measured == 0 {
            return f64::from(self.source.replicas);
        }
        let covered = f64::from(measured) / f64::from(ran.max(measured));
        f64::from(self.source.replicas) * (1.0 - covered)
    }
}

fn by_moment<'a>(times: &Times, result: Option<&'a RangeResult>) -> Vec<Option<&'a Moment>> {
    let mut moments = vec![None; times.moments];
    for moment in result.into_iter().flat_map(|result| &result.moments) {
        if let Some(position) = times.position(moment.at) {
            moments[position] = Some(moment);
        }
    }
    moments
}

impl<'a> Recording<'a> {
    pub(super) fn of(
        policy: &'a AutoscalingPolicy,
        replica: &'a Replica,
        times: &'a Times,
        sources: &[Source<'a>],
    ) -> Self {
        let track = |source: &Source<'a>| {
            let answer = source.answer.ok();
            Track {
                source: *source,
                running: by_moment(times, answer.map(|answer| &answer.running)),
                metrics: (0..policy.metrics.len())
                    .map(|metric| by_moment(times, answer.and_then(|answer| answer.queries.get(metric))))
                    .collect(),
            }
        };
        Self {
            policy,
            replica,
            times,
            sources: sources.iter().map(track).collect(),
        }
    }

    /// Whether anything of a metric is known at a moment.
    pub(super) fn knows(&self, position: usize) -> bool {
        let mut metrics = self.sources.iter().flat_map(|track| &track.metrics);
        metrics.any(|moments| moments[position].is_some())
    }

    /// Replicas that ran; None where a cluster that should have some says nothing.
    pub(super) fn ran(&self, position: usize) -> Option<u32> {
        self.sources.iter().try_fold(0, |sum, track| {
            match track.running[position].map(|moment| moment.pods) {
                Some(pods) => Some(sum + pods),
                None if track.counts() => None,
                None => Some(sum),
            }
        })
    }

    /// What a metric came to over all clusters, in the unit of its target, and how many replicas of all it lacks.
    fn amount(&self, metric: usize, position: usize) -> Seen {
        let source = &self.policy.metrics[metric].source;
        let Replica {
            cpu_millicores,
            memory_bytes,
            limits,
            ..
        } = *self.replica;
        let of_pods = |track: &Track<'_>| {
            let moment = track.metrics[metric][position];
            moment.is_some_and(|moment| moment.pods > 0)
        };
        if self.sources.iter().any(of_pods) {
            let sum: f64 = self
                .sources
                .iter()
                .filter_map(|track| track.metrics[metric][position])
                .map(|moment| moment.of_pods)
                .sum();
            let missing = self.sources.iter().map(|track| track.missing(metric, position));
            let all: u32 = self.sources.iter().map(|track| track.source.replicas).sum();
            let share = missing.sum::<f64>() / f64::from(all.max(1));
            return match in_unit(sum, source, cpu_millicores, memory_bytes, limits) {
                Some(sum) => Seen::Pods { sum, missing: share },
                None => Seen::Nothing,
            };
        }
        let totals = || {
            self.sources.iter().map(|track| {
                (
                    track,
                    track.metrics[metric][position].and_then(|moment| moment.total),
                )
            })
        };
        let known: Vec<f64> = totals().filter_map(|(_, total)| total).collect();
        let total: f64 = known.iter().sum();
        if known.is_empty() || total < 0.0 {
            return Seen::Nothing;
        }
        Seen::Total {
            total,
            whole: totals().all(|(track, total)| total.is_some() || !track.counts()),
        }
    }

    /// As the rule takes it, for the replicas that there would have been, oldest first.
    pub(super) fn measured(
        &self,
        metric: usize,
        position: usize,
        pods: &[DateTime<Utc>],
        now: DateTime<Utc>,
    ) -> Measured {
        let target = &self.policy.metrics[metric];
        let amount = match self.amount(metric, position) {
            Seen::Nothing => Amount::Unknown,
            Seen::Total { total, whole } => Amount::Total { total, whole },
            Seen::Pods { sum, missing } => {
                let missing = missing_of(pods.len(), missing);
                let known = pods.len() - missing;
                let each = sum / known.max(1) as f64;
                let seen = pods.iter().enumerate().map(|(number, born)| Pod {
                    phase: PodPhase::Running,
                    stopping: false,
                    ready: true,
                    created_at: *born,
                    unready_since: None,
                    value: (number < known).then_some(each),
                });
                let reading = Reading::of(seen, is_cpu(&target.source), now);
                if reading.measured == 0 {
                    Amount::Unknown
                } else {
                    Amount::Pods {
                        reading,
                        missing_has: missing_has(target),
                    }
                }
            }
        };
        Measured {
            name: gather::name(&target.source),
            amount,
            error: None,
        }
    }

    /// Whether nothing is missing at a moment.
    pub(super) fn is_complete(&self, position: usize) -> bool {
        (0..self.policy.metrics.len()).all(|metric| match self.amount(metric, position) {
            Seen::Nothing => false,
            Seen::Pods { missing, .. } => missing < EPSILON,
            Seen::Total { whole, .. } => whole,
        })
    }

    /// Whether a metric was above its target, with the replicas that ran.
    pub(super) fn was_above(&self, position: usize, ran: u32) -> bool {
        (0..self.policy.metrics.len()).any(|metric| match self.amount(metric, position) {
            Seen::Nothing => false,
            Seen::Pods { sum: all, .. } | Seen::Total { total: all, .. } => {
                let each = all / f64::from(ran.max(1));
                above(self.policy, each, self.policy.metrics[metric].target)
            }
        })
    }

    /// How many moments the replicas of some cluster used nearly all of the CPU that they may.
    pub(super) fn saturated(&self) -> usize {
        let Some(limits) = self.replica.limits.filter(|limits| limits.cpu_millicores > 0) else {
            return 0;
        };
        let limit = limits.cpu_millicores as f64 / 1000.0;
        let is_saturated = |position: &usize| {
            let mut running = self.sources.iter().filter_map(|track| track.running[*position]);
            running
                .any(|moment| moment.pods > 0 && moment.of_pods / f64::from(moment.pods) >= SATURATED * limit)
        };
        (0..self.times.moments).filter(is_saturated).count()
    }

    pub(super) fn gaps(&self) -> Vec<PreviewGap> {
        let mut gaps = Vec::new();
        for track in self.sources.iter().filter(|track| track.counts()) {
            let cluster = track.source.cluster.to_owned();
            let answer = match track.source.answer {
                Ok(answer) => answer,
                Err(reason) => {
                    gaps.push(PreviewGap {
                        cluster,
                        metric: None,
                        minutes: self.times.minutes(self.times.moments),
                        reason: reason.to_owned(),
                    });
                    continue;
                }
            };
            let metrics = self.policy.metrics.iter().zip(&track.metrics);
            for (position, (metric, moments)) in metrics.enumerate() {
                let missing = moments.iter().filter(|moment| moment.is_none()).count();
                if missing == 0 {
                    continue;
                }
                let result = answer.queries.get(position);
                let error = result.and_then(|result| result.error.clone());
                gaps.push(PreviewGap {
                    cluster: cluster.clone(),
                    metric: Some(gather::name(&metric.source)),
                    minutes: self.times.minutes(missing),
                    reason: error.unwrap_or_else(|| "nothing was measured of this service".to_owned()),
                });
            }
        }
        gaps
    }
}

/// What is seen of a metric at a moment.
enum Seen {
    Nothing,
    Pods {
        sum: f64,
        /// Of the replicas, as a share of 1.
        missing: f64,
    },
    Total {
        total: f64,
        whole: bool,
    },
}

/// How many of so many replicas a share is; never none where there is a share, nor all where there is a rest, unless
/// there is only one: of that nothing is known then.
fn missing_of(replicas: usize, share: f64) -> usize {
    if share < EPSILON {
        return 0;
    }
    let count = (replicas as f64 * share).round() as usize;
    count.clamp(1, replicas.saturating_sub(1).max(1)).min(replicas)
}

/// Whether a value is above its target by more than the tolerance.
pub(super) fn above(policy: &AutoscalingPolicy, value: f64, target: f64) -> bool {
    value > target * (1.0 + f64::from(policy.tolerance_percent) / 100.0) + EPSILON
}
