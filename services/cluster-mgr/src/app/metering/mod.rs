//! What is added to the hours of usage. Pure.
//!
//! Time is counted in whole seconds since 1970. A look at a cluster stands for the time since the look before it, if
//! that was not long ago; time that no look stands for is a gap, and nothing is guessed into it. Each second of a service
//! on a cluster is counted once or is once a gap.

use api_types::internal::{MeasuredClaim, MeasuredPod, MeasuredService};
use api_types::pods::PodPhase;

pub const HOUR: i64 = 3600;
const KIB: u64 = 1024;

/// The position of each query among those that are asked.
pub const CPU: usize = 0;
pub const MEMORY: usize = 1;

/// A part of one hour, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub from: i64,
    pub to: i64,
}

impl Stretch {
    /// In hours since 1970.
    #[must_use]
    pub fn hour(&self) -> i64 {
        self.from.div_euclid(HOUR)
    }

    /// Its seconds from `since` on.
    fn seconds(&self, since: i64) -> i64 {
        (self.to - self.from.max(since)).max(0)
    }
}

/// A range of time, cut where an hour begins.
#[must_use]
pub fn stretches(from: i64, to: i64) -> Vec<Stretch> {
    let mut found = Vec::new();
    let mut from = from;
    while from < to {
        let end = ((from.div_euclid(HOUR) + 1) * HOUR).min(to);
        found.push(Stretch { from, to: end });
        from = end;
    }
    found
}

/// A pod that holds what it requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pod {
    pub since: i64,
    pub cpu_millicores: i64,
    pub memory_kib: i64,
    pub gpus: i64,
    /// Millicores and KiB that it uses; None when that is not known.
    pub used: Option<(i64, i64)>,
}

/// The pods of a service that hold what they request: those that run, ready or not. One that crashes all the time
/// holds its place on the node all the same; one that waits for a node holds none yet.
#[must_use]
pub fn pods(service: &MeasuredService) -> Vec<Pod> {
    let running = service.pods.iter().filter(|pod| pod.phase == PodPhase::Running);
    running
        .map(|pod| Pod {
            since: pod.created_at,
            cpu_millicores: i64::from(pod.cpu_millicores),
            memory_kib: whole(pod.memory_bytes.div_ceil(KIB) as f64),
            gpus: i64::from(pod.gpus),
            used: value(pod, CPU).zip(value(pod, MEMORY)).map(|(cores, bytes)| {
                let kib = bytes / KIB as f64;
                (whole(cores * 1000.0), whole(kib))
            }),
        })
        .collect()
}

fn value(pod: &MeasuredPod, query: usize) -> Option<f64> {
    let mut own = pod.values.iter().filter(|(position, _)| *position == query);
    own.next()
        .map(|(_, value)| *value)
        .filter(|value| value.is_finite() && *value >= 0.0)
}

/// Rounded; nothing that a pod has is beyond an exabyte.
fn whole(value: f64) -> i64 {
    value.round().min((1u64 << 50) as f64) as i64
}

/// A claim, which takes its size whether anything uses it or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub since: i64,
    pub kib: i64,
}

impl Claim {
    #[must_use]
    pub fn of(claim: &MeasuredClaim) -> Self {
        Self {
            since: claim.created_at,
            kib: whole(claim.bytes.div_ceil(KIB) as f64),
        }
    }
}

/// What was seen of a service on a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub pods: Vec<Pod>,
    pub claims: Vec<Claim>,
}

/// What one stretch adds to the hour that it is in, for one service on one cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Seconds that a look stands for.
    pub seconds: i64,
    /// Seconds that none stands for.
    pub gap_seconds: i64,
    /// Pods times seconds.
    pub pod_seconds: i64,
    /// Millicores times seconds.
    pub cpu_requested: i64,
    /// KiB times seconds.
    pub memory_requested: i64,
    /// GPUs times seconds.
    pub gpu_requested: i64,
    /// KiB of claims times seconds.
    pub storage_requested: i64,
    /// The part of the pod-seconds of which it is known what they used.
    pub measured_seconds: i64,
    pub cpu_used: i64,
    pub memory_used: i64,
}

/// Counts a stretch of a service that is there since `since`, with what was seen of it; None when nobody could look.
#[must_use]
pub fn count(stretch: Stretch, since: i64, seen: Option<&Held>) -> Count {
    let whole = stretch.seconds(since);
    let Some(Held { pods, claims }) = seen else {
        return Count {
            gap_seconds: whole,
            ..Count::default()
        };
    };
    let mut count = Count {
        seconds: whole,
        ..Count::default()
    };
    for pod in pods {
        let seconds = stretch.seconds(since.max(pod.since));
        let times = |amount: i64| amount.saturating_mul(seconds);
        count.pod_seconds += seconds;
        count.cpu_requested = count.cpu_requested.saturating_add(times(pod.cpu_millicores));
        count.memory_requested = count.memory_requested.saturating_add(times(pod.memory_kib));
        count.gpu_requested = count.gpu_requested.saturating_add(times(pod.gpus));
        if let Some((cpu, memory)) = pod.used {
            count.measured_seconds += seconds;
            count.cpu_used = count.cpu_used.saturating_add(times(cpu));
            count.memory_used = count.memory_used.saturating_add(times(memory));
        }
    }
    for claim in claims {
        // Older than its service where that was made anew under the same name.
        let held = claim.kib.saturating_mul(stretch.seconds(since.max(claim.since)));
        count.storage_requested = count.storage_requested.saturating_add(held);
    }
    count
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn pod(phase: PodPhase, values: &[(usize, f64)]) -> MeasuredPod {
        MeasuredPod {
            phase,
            stopping: false,
            ready: false,
            created_at: 0,
            unready_since: None,
            cpu_millicores: 500,
            memory_bytes: 1 << 20,
            gpus: 2,
            values: values.to_vec(),
        }
    }

    #[test]
    fn a_pod_that_runs_holds_its_request_and_what_is_not_measured_is_not_zero() {
        let service = MeasuredService {
            pods: vec![
                pod(PodPhase::Running, &[(CPU, 0.25), (MEMORY, 524_288.0)]),
                pod(PodPhase::Running, &[(CPU, 0.25)]),
                pod(PodPhase::Running, &[(CPU, f64::NAN), (MEMORY, 1.0)]),
                pod(PodPhase::Pending, &[]),
                pod(PodPhase::Succeeded, &[]),
            ],
            values: Vec::new(),
        };
        let held = Held {
            pods: pods(&service),
            claims: vec![Claim { since: 30, kib: 1024 }, Claim { since: -9, kib: 1 }],
        };
        assert_eq!(held.pods.len(), 3);
        let count = count(Stretch { from: 0, to: 60 }, 0, Some(&held));
        assert_eq!((count.seconds, count.pod_seconds), (60, 180));
        assert_eq!((count.cpu_requested, count.memory_requested), (90_000, 184_320));
        assert_eq!(count.gpu_requested, 360);
        assert_eq!(count.storage_requested, 30 * 1024 + 60);
        assert_eq!(count.measured_seconds, 60);
        assert_eq!((count.cpu_used, count.memory_used), (15_000, 30_720));
    }

    #[test]
    fn a_range_is_cut_where_an_hour_begins() {
        let cut = stretches(3590, 7205);
        let parts: Vec<_> = cut
            .iter()
            .map(|part| (part.hour(), part.to - part.from))
            .collect();
        assert_eq!(parts, [(0, 10), (1, 3600), (2, 5)]);
        assert!(stretches(5, 5).is_empty());
    }

    /// Looks one after the other: how long after the one before, and whether somebody could look.
    fn looks() -> impl Strategy<Value = Vec<(i64, bool)>> {
        proptest::collection::vec((1i64..9000, any::<bool>()), 1..30)
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole(from in -100_000i64..100_000, length in 0i64..50_000) {
            let parts = stretches(from, from + length);
            prop_assert_eq!(parts.iter().map(|part| part.to - part.from).sum::<i64>(), length);
            prop_assert!(parts.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].hour() < pair[1].hour()));
            for part in parts {
                prop_assert_eq!(part.hour(), (part.to - 1).div_euclid(HOUR));
            }
        }

        #[test]
        fn every_second_is_counted_once_or_is_once_a_gap(
            start in 0i64..10_000, since in 0i64..20_000, born in 0i64..30_000, looks in looks(),
        ) {
            let pod = Pod { since: born, cpu_millicores: 250, memory_kib: 7, gpus: 3, used: Some((3, 5)) };
            let held = Held { pods: vec![pod], claims: vec![Claim { since: born, kib: 11 }] };
            let mut hours: BTreeMap<i64, Count> = BTreeMap::new();
            let mut now = start;
            let (mut counted, mut gaps) = (0, 0);
            for (after, sees) in looks {
                let to = now + after;
                for stretch in stretches(now, to) {
                    let one = count(stretch, since, sees.then_some(&held));
                    let sum = hours.entry(stretch.hour()).or_default();
                    sum.seconds += one.seconds;
                    sum.gap_seconds += one.gap_seconds;
                    sum.pod_seconds += one.pod_seconds;
                    prop_assert_eq!(one.cpu_requested, 250 * one.pod_seconds);
                    prop_assert_eq!(one.memory_requested, 7 * one.pod_seconds);
                    prop_assert_eq!(one.gpu_requested, 3 * one.pod_seconds);
                    prop_assert_eq!(one.storage_requested, 11 * one.pod_seconds);
                    prop_assert_eq!(one.measured_seconds, one.pod_seconds);
                }
                let there = (to - now.max(since)).max(0);
                if sees { counted += there } else { gaps += there }
                now = to;
            }
            for sum in hours.values() {
                prop_assert!(sum.seconds + sum.gap_seconds <= HOUR);
                prop_assert!(sum.pod_seconds <= sum.seconds);
            }
            prop_assert_eq!(hours.values().map(|sum| sum.seconds).sum::<i64>(), counted);
            prop_assert_eq!(hours.values().map(|sum| sum.gap_seconds).sum::<i64>(), gaps);
        }
    }
}
