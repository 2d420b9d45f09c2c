//! What a policy would have done with the load that there was. Pure.
//!
//! The sum of what all replicas used is kept, whoever uses it: at each moment it is shared evenly by the replicas that the
//! policy would have had then. A new replica takes its part at once, and is otherwise seen as the rule sees a new one. The
//! part of a cluster of which nothing is known is missing, with as many replicas as the cluster has of the service now.

use api_types::autoscaling::{
    AutoscalingDecision, AutoscalingPolicy, AutoscalingPreview, DecisionOutcome, MetricTarget, PreviewMetric,
    PreviewOutcome, PreviewPoint,
};
use chrono::{DateTime, Duration, Utc};

use super::past::{self, Past};
use super::recording::{Recording, Replica, Source, Times, above};
use super::{Inputs, decide, gather, within_quota};

/// Replicas of the beginning have been there for long.
const LONG: Duration = Duration::hours(1);

/// Plays a policy over what was recorded. Whether it is paused or a dry run makes no difference.
#[must_use]
pub fn replay(
    policy: &AutoscalingPolicy,
    replica: &Replica,
    times: &Times,
    sources: &[Source<'_>],
) -> AutoscalingPreview {
    let policy = &AutoscalingPolicy {
        paused: false,
        dry_run: false,
        ..policy.clone()
    };
    let recording = Recording::of(policy, replica, times, sources);
    let mut preview = AutoscalingPreview {
        from: times.from,
        to: times.to(),
        step_seconds: times.step_seconds,
        metrics: policy.metrics.iter().map(described).collect(),
        points: Vec::new(),
        would: None,
        ran: None,
        changes: Vec::new(),
        gaps: recording.gaps(),
        saturated_minutes: times.minutes(recording.saturated()),
    };
    let Some(first) = (0..times.moments).find(|position| recording.knows(*position)) else {
        return preview;
    };
    let window = past::window(policy);
    let start = recording.ran(first).unwrap_or(replica.replicas).max(1);
    let mut pods = vec![times.at(first) - LONG; start as usize];
    let mut past = Past::starting(times.at(first), start);
    let (mut would, mut ran) = (Tally::default(), Tally::default());
    let mut all = Tally::default();
    for position in first..times.moments {
        let now = times.at(position);
        let decision = decision(policy, &recording, position, &pods, &past, now, replica.most);
        past.note(&decision, window);
        let is_above = decision.metrics.iter().any(|reading| {
            let value = reading.value.unwrap_or_default();
            above(policy, value, reading.target)
        });
        all.add(decision.wanted, is_above);
        if let Some(count) = recording
            .ran(position)
            .filter(|_| recording.is_complete(position))
        {
            would.add(decision.wanted, is_above);
            ran.add(count, recording.was_above(position, count));
        }
        preview.points.push(PreviewPoint {
            at: now,
            wanted: decision.wanted,
            ran: recording.ran(position),
            values: decision.metrics.iter().map(|reading| reading.value).collect(),
        });
        // The youngest go first, as a ReplicaSet does it.
        pods.resize(decision.wanted as usize, now);
        if decision.outcome == DecisionOutcome::Scaled {
            preview.changes.push(decision);
        }
    }
    preview.ran = ran.outcome(times);
    preview.would = would.outcome(times).or_else(|| all.outcome(times));
    preview
}

fn described(metric: &MetricTarget) -> PreviewMetric {
    PreviewMetric {
        name: gather::name(&metric.source),
        target: metric.target,
    }
}

fn decision(
    policy: &AutoscalingPolicy,
    recording: &Recording<'_>,
    position: usize,
    pods: &[DateTime<Utc>],
    past: &Past,
    now: DateTime<Utc>,
    most: u32,
) -> AutoscalingDecision {
    let current = u32::try_from(pods.len()).unwrap_or(u32::MAX);
    let metrics = (0..policy.metrics.len())
        .map(|metric| recording.measured(metric, position, pods, now))
        .collect();
    let inputs = Inputs {
        current,
        ready: current,
        metrics,
    };
    within_quota(decide(policy, &inputs, past, now), most)
}

/// Adds up what there was at each moment.
#[derive(Default)]
struct Tally {
    moments: usize,
    above: usize,
    sum: u64,
    min: Option<u32>,
    max: u32,
}

impl Tally {
    fn add(&mut self, replicas: u32, is_above: bool) {
        self.moments += 1;
        self.above += usize::from(is_above);
        self.sum += u64::from(replicas);
        self.min = Some(self.min.map_or(replicas, |min| min.min(replicas)));
        self.max = self.max.max(replicas);
    }

    /// None where nothing was added.
    fn outcome(&self, times: &Times) -> Option<PreviewOutcome> {
        let minutes = times.minutes(self.moments);
        let mean = self.sum as f64 / self.moments as f64;
        self.min.map(|min_replicas| PreviewOutcome {
            minutes,
            min_replicas,
            max_replicas: self.max,
            mean_replicas: mean,
            replica_hours: mean * minutes / 60.0,
            minutes_above_target: times.minutes(self.above),
        })
    }
}

#[cfg(test)]
mod tests {
    use api_types::autoscaling::{MetricSource, ScheduledBounds};
    use api_types::internal::{Moment, RangeMeasurements, RangeResult};
    use proptest::prelude::*;

    use super::super::gather::Limits;
    use super::super::tests::{self, at};
    use super::*;

    /// Looks at the present only.
    fn policy() -> AutoscalingPolicy {
        AutoscalingPolicy {
            foresight_seconds: 0,
            ..tests::policy()
        }
    }

    fn times(moments: usize) -> Times {
        Times {
            from: at(0),
            step_seconds: 15,
            moments,
        }
    }

    /// Of half a core each, at most a whole one; four of them now.
    fn replica() -> Replica {
        Replica {
            cpu_millicores: 500,
            memory_bytes: 1 << 30,
            limits: Some(Limits {
                cpu_millicores: 1000,
                memory_bytes: 1 << 31,
            }),
            replicas: 4,
            most: u32::MAX,
        }
    }

    /// Cores at each moment, used by so many pods; none where nothing is known.
    fn cores(pods: u32, cores: &[Option<f64>]) -> RangeMeasurements {
        let moments = (1..).zip(cores).filter_map(|(step, cores)| {
            Some(Moment {
                at: at(step * 15).timestamp(),
                pods,
                of_pods: (*cores)?,
                total: None,
            })
        });
        let result = RangeResult {
            error: None,
            moments: moments.collect(),
        };
        RangeMeasurements {
            running: result.clone(),
            queries: vec![result],
        }
    }

    fn source<'a>(cluster: &'a str, answer: Result<&'a RangeMeasurements, &'a str>) -> Source<'a> {
        Source {
            cluster,
            replicas: 2,
            answer,
        }
    }

    fn wanted(preview: &AutoscalingPreview) -> Vec<u32> {
        preview.points.iter().map(|point| point.wanted).collect()
    }

    #[test]
    fn the_load_is_kept_and_shared_by_what_there_would_have_been() {
        // Twice 0.8 cores by 2 pods: 80 % each, for 50 %.
        let half = cores(2, &[Some(0.8); 20]);
        let sources = [source("east", Ok(&half)), source("west", Ok(&half))];
        let preview = replay(&policy(), &replica(), &times(20), &sources);
        assert_eq!(wanted(&preview), [6; 20]);
        assert_eq!(preview.points[0].values, [Some(80.0)]);
        let later = preview.points[19].values[0].unwrap();
        assert!((later * 6.0 - 320.0).abs() < 1e-9, "{later}");
        assert_eq!(preview.changes.len(), 1);
        assert_eq!(
            preview.changes[0].message,
            "4 -> 6 replicas: cpu is 80, target 50"
        );
        let (would, ran) = (preview.would.unwrap(), preview.ran.unwrap());
        assert_eq!((would.minutes, ran.minutes), (5.0, 5.0));
        assert_eq!((ran.min_replicas, ran.max_replicas), (4, 4));
        assert_eq!((would.replica_hours, ran.replica_hours), (0.5, 4.0 / 12.0));
        // Only the first look was above.
        assert_eq!(
            (would.minutes_above_target, ran.minutes_above_target),
            (0.25, 5.0)
        );
        assert!(preview.gaps.is_empty());
        assert_eq!(preview.saturated_minutes, 0.0);
    }

    #[test]
    fn a_silent_cluster_is_missing_and_not_idle() {
        // 20 % of half of the pods: with the others idle 2 would do.
        let east = cores(2, &[Some(0.2); 20]);
        let mut impatient = policy();
        impatient.down.stabilization_seconds = 0;
        let both = [source("east", Ok(&east)), source("west", Ok(&east))];
        let whole = replay(&impatient, &replica(), &times(20), &both);
        assert_eq!(whole.points[19].wanted, 2);
        let silent = [
            source("east", Ok(&east)),
            source("west", Err("Prometheus doesn't answer")),
        ];
        let preview = replay(&impatient, &replica(), &times(20), &silent);
        assert_eq!(wanted(&preview), [4; 20]);
        assert_eq!(preview.ran, None);
        assert_eq!(preview.would.unwrap().minutes, 5.0);
        assert_eq!(preview.points[0].ran, None);
        let gap = &preview.gaps[0];
        assert_eq!((gap.cluster.as_str(), gap.metric.as_deref()), ("west", None));
        assert_eq!(
            (gap.minutes, gap.reason.as_str()),
            (5.0, "Prometheus doesn't answer")
        );
    }

    #[test]
    fn only_minutes_in_which_all_is_known_are_compared() {
        let east = cores(2, &[Some(0.5); 8]);
        let mut half = [Some(0.5); 8];
        half[..4].fill(None);
        let west = cores(2, &half);
        let sources = [source("east", Ok(&east)), source("west", Ok(&west))];
        let preview = replay(&policy(), &replica(), &times(8), &sources);
        assert_eq!(preview.points.len(), 8);
        let (would, ran) = (preview.would.unwrap(), preview.ran.unwrap());
        assert_eq!((would.minutes, ran.minutes), (1.0, 1.0));
        let gap = &preview.gaps[0];
        assert_eq!((gap.cluster.as_str(), gap.minutes), ("west", 1.0));
        assert_eq!(gap.metric.as_deref(), Some("cpu"));
        assert_eq!(
            preview.points.iter().filter(|point| point.ran == Some(4)).count(),
            4
        );
    }

    #[test]
    fn where_nothing_is_known_nothing_is_said() {
        let nothing = cores(2, &[None; 8]);
        let sources = [source("east", Ok(&nothing)), source("west", Err("away"))];
        let preview = replay(&policy(), &replica(), &times(8), &sources);
        assert!(preview.points.is_empty() && preview.changes.is_empty());
        assert_eq!((preview.would, preview.ran), (None, None));
        assert_eq!(preview.gaps.len(), 2);
    }

    #[test]
    fn a_quota_and_a_schedule_bound_it() {
        let busy = cores(2, &[Some(1.0); 8]);
        let sources = [source("east", Ok(&busy)), source("west", Ok(&busy))];
        let quota = Replica { most: 5, ..replica() };
        let preview = replay(&policy(), &quota, &times(8), &sources);
        assert_eq!(preview.points[7].wanted, 5);
        assert!(preview.changes[0].bounds.contains(&"quota".to_owned()));
        assert_eq!(preview.saturated_minutes, 0.0);
        // They use all that they may.
        let full = cores(2, &[Some(1.9); 8]);
        let sources = [source("east", Ok(&full)), source("west", Ok(&full))];
        let mut scheduled = policy();
        scheduled.schedules = vec![ScheduledBounds {
            name: "always".into(),
            cron: "* * * * *".into(),
            time_zone: "UTC".into(),
            minutes: 5,
            min_replicas: 20,
            max_replicas: 30,
        }];
        let preview = replay(&scheduled, &replica(), &times(8), &sources);
        assert_eq!(wanted(&preview), [20; 8]);
        assert_eq!(preview.saturated_minutes, 2.0);
    }

    #[test]
    fn a_total_of_the_service_is_divided() {
        let mut queue = policy();
        queue.metrics[0].source = MetricSource::Promql {
            query: "queue".to_owned(),
        };
        queue.metrics[0].target = 10.0;
        let mut east = cores(2, &[Some(0.1); 4]);
        for moment in &mut east.queries[0].moments {
            (moment.pods, moment.of_pods, moment.total) = (0, 0.0, Some(45.0));
        }
        let sources = [source("east", Ok(&east)), source("west", Ok(&east))];
        let preview = replay(&queue, &replica(), &times(4), &sources);
        // At most twice as many at once.
        assert_eq!(wanted(&preview), [8, 9, 9, 9]);
        assert_eq!(preview.points[0].values, [Some(22.5)]);
        assert_eq!(preview.points[3].values, [Some(10.0)]);
    }

    #[test]
    fn pause_and_dry_run_make_no_difference() {
        let half = cores(2, &[Some(0.8); 4]);
        let sources = [source("east", Ok(&half)), source("west", Ok(&half))];
        let mut recorded = policy();
        (recorded.paused, recorded.dry_run) = (true, true);
        let of = |policy: &AutoscalingPolicy| replay(policy, &replica(), &times(4), &sources);
        assert_eq!(of(&recorded), of(&policy()));
    }

    proptest! {
        #[test]
        fn it_stays_within_bounds_and_adds_up(
            east in prop::collection::vec(prop::option::weighted(0.9, 0.0..20.0), 60),
            west in prop::collection::vec(prop::option::weighted(0.9, 0.0..20.0), 60),
            min in 1..10u32,
            more in 0..40u32,
        ) {
            let (east, west) = (cores(2, &east), cores(3, &west));
            let sources = [source("east", Ok(&east)), source("west", Ok(&west))];
            let mut policy = tests::policy();
            (policy.min_replicas, policy.max_replicas) = (min, min + more);
            let preview = replay(&policy, &replica(), &times(60), &sources);
            let mut before = None;
            let mut changes = 0;
            for point in &preview.points {
                prop_assert!((min..=min + more).contains(&point.wanted));
                changes += usize::from(before.is_some_and(|before| before != point.wanted));
                before = Some(point.wanted);
            }
            // The first look may change something too.
            prop_assert!((changes..=changes + 1).contains(&preview.changes.len()));
            if let Some(would) = preview.would {
                prop_assert!((would.mean_replicas * would.minutes / 60.0 - would.replica_hours).abs() < 1e-9);
                prop_assert!(f64::from(would.min_replicas) <= would.mean_replicas + 1e-9);
                prop_assert!(would.mean_replicas <= f64::from(would.max_replicas) + 1e-9);
                prop_assert!(would.minutes_above_target <= would.minutes);
            }
        }
    }
}
