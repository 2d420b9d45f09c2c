//! A day of load on simulated pods, for whatever decides about their number. Pure, and the same every time.

use std::f64::consts::TAU;

/// A day, in seconds.
pub const DAY: u32 = 86_400;
/// Over so many seconds a pod's CPU is measured, as by `rate(…[1m])`.
const METRIC_WINDOW: usize = 60;
/// A pod that is held to its limit, twice its request, uses no more.
const LIMIT: f64 = 200.0;

/// Load by the second, in percent of one replica's request. `noise` is the width of the white part of what wavers; the
/// whole wavers by about 1.45 times it, over some 50 s.
pub fn day_with_a_flash_sale(seed: u64, noise: f64) -> Vec<f64> {
    let mut random = seed | 1;
    let mut drift = 0.0;
    (0..DAY)
        .map(|second| {
            // xorshift64: noise that is the same on every machine.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let white = (random >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
            drift = drift * 0.98 + white * noise;
            let hour = f64::from(second) / 3_600.0;
            let day = 900.0 + 600.0 * ((hour - 9.0) / 24.0 * TAU).sin();
            day * (1.0 + drift) * sale(f64::from(second) - 20.0 * 3_600.0)
        })
        .collect()
}

/// Three times the load within two minutes, for half an hour, gone after ten more minutes.
fn sale(seconds: f64) -> f64 {
    let share = if seconds < 0.0 {
        0.0
    } else if seconds < 120.0 {
        seconds / 120.0
    } else if seconds < 1_800.0 {
        1.0
    } else {
        (1.0 - (seconds - 1_800.0) / 600.0).max(0.0)
    };
    1.0 + 2.0 * share
}

struct Pod {
    created: u32,
    ready: u32,
    /// Percent by the second, of the last minute.
    used: [f64; METRIC_WINDOW],
}

/// What is seen of a pod.
#[derive(Clone, Copy)]
pub struct Seen {
    pub created: u32,
    pub ready_since: Option<u32>,
    /// Percent of its request, on the average of the last minute.
    pub percent: Option<f64>,
}

/// What a day came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Seconds in which a ready pod had more than the target and its tolerance.
    pub seconds_above: u32,
    pub replica_hours: f64,
    pub changes: u32,
}

/// Plays a load; `decide` is asked every `period` seconds with the second, the pods and the replicas wanted.
pub fn play(
    load: &[f64],
    target: f64,
    period: u32,
    mut decide: impl FnMut(u32, &[Seen], u32) -> u32,
) -> Outcome {
    let start = (load.first().copied().unwrap_or(0.0) / target).ceil().max(1.0) as u32;
    let mut pods: Vec<Pod> = Vec::new();
    let mut made = 0;
    let mut wanted = start;
    let mut outcome = Outcome {
        seconds_above: 0,
        replica_hours: 0.0,
        changes: 0,
    };
    for (second, load) in (0u32..).zip(load) {
        while (pods.len() as u32) < wanted {
            // 20 to 40 s from creation to ready; those of the start were there.
            let takes = if second == 0 { 0 } else { 20 + made * 7 % 21 };
            made += 1;
            pods.push(Pod {
                created: second,
                ready: second + takes,
                used: [0.0; METRIC_WINDOW],
            });
        }
        // The youngest go first, as a ReplicaSet does it.
        pods.truncate(wanted as usize);
        let ready = pods.iter().filter(|pod| pod.ready <= second).count();
        let share = load / ready.max(1) as f64;
        for pod in &mut pods {
            pod.used[second as usize % METRIC_WINDOW] = if pod.ready <= second {
                share.min(LIMIT)
            } else {
                0.0
            };
        }
        outcome.seconds_above += u32::from(share > target * 1.1 + 1e-9);
        outcome.replica_hours += pods.len() as f64 / 3_600.0;
        if second > 0 && second % period == 0 {
            let seen: Vec<Seen> = pods
                .iter()
                .map(|pod| Seen {
                    created: pod.created,
                    ready_since: (pod.ready <= second).then_some(pod.ready),
                    percent: (pod.ready <= second)
                        .then(|| pod.used.iter().sum::<f64>() / METRIC_WINDOW.min(second as usize) as f64),
                })
                .collect();
            let next = decide(second, &seen, wanted);
            outcome.changes += u32::from(next != wanted);
            wanted = next;
        }
    }
    outcome
}
