//! `autoscale-replay`: a day of load with a flash sale, played through the platform's rule with its defaults and through
//! the published algorithm of Kubernetes' HPA with its own, both every 15 s, on the same pods and the same metrics.

use api_types::autoscaling::AutoscalingPolicy;
use api_types::pods::PodPhase;
use chrono::{DateTime, Utc};
use cluster_mgr::autoscale::metric::{Pod, Reading};
use cluster_mgr::autoscale::past::{self, Past};
use cluster_mgr::autoscale::{Amount, Inputs, Measured, decide};
use serde_json::json;

use crate::hpa::{self, Hpa};
use crate::replay::{Outcome, Seen, day_with_a_flash_sale, play};
use crate::report::Report;

/// None of those on which the defaults were chosen.
const SEEDS: [u64; 6] = [1, 5, 11, 21, 41, 61];
const TARGET: f64 = 50.0;
const PERIOD: u32 = 15;
const BOUNDS: (u32, u32) = (1, 1_000);
/// A load that wavers by 2 %, and one by 3 %.
const NOISE: f64 = 0.014;
const ROUGH: f64 = 0.02;

pub async fn run() -> anyhow::Result<Report> {
    let mut report = Report::new();
    report.parameter("days", SEEDS.len());
    report.parameter("target_percent", TARGET);
    report.parameter("tolerance_percent", 10);
    report.parameter("period_s", PERIOD);
    report.parameter("sale", "three times the load within 2 min, for 30 min");
    report.parameter("wavers_percent", 2);
    let (ours, theirs) = days(NOISE)?;
    figures(&mut report, "", &ours);
    figures(&mut report, "hpa_", &theirs);
    // No worse on any.
    let share = |ours: f64, theirs: f64| ours / theirs;
    report.at_most(
        "seconds_above_of_hpa",
        share(f64::from(ours.seconds_above), f64::from(theirs.seconds_above)),
        1.0,
    );
    report.at_most(
        "replica_hours_of_hpa",
        share(ours.replica_hours, theirs.replica_hours),
        1.0,
    );
    report.at_most(
        "changes_of_hpa",
        share(f64::from(ours.changes), f64::from(theirs.changes)),
        1.0,
    );
    // A rougher load, for the record.
    let (ours, theirs) = days(ROUGH)?;
    figures(&mut report, "rough_", &ours);
    figures(&mut report, "rough_hpa_", &theirs);
    Ok(report)
}

fn figures(report: &mut Report, prefix: &str, outcome: &Outcome) {
    report.figure(&format!("{prefix}seconds_above"), outcome.seconds_above.into());
    report.figure(&format!("{prefix}replica_hours"), outcome.replica_hours);
    report.figure(&format!("{prefix}changes"), outcome.changes.into());
}

/// What all days came to, ours and theirs; each day is said too.
fn days(noise: f64) -> anyhow::Result<(Outcome, Outcome)> {
    let none = Outcome {
        seconds_above: 0,
        replica_hours: 0.0,
        changes: 0,
    };
    let (mut all_ours, mut all_theirs) = (none, none);
    eprintln!("noise  day     seconds above   replica-hours     changes");
    eprintln!("                 ours    HPA     ours    HPA    ours  HPA");
    for seed in SEEDS {
        let load = day_with_a_flash_sale(seed, noise);
        let (ours, theirs) = (ours(&load)?, theirs(&load));
        eprintln!(
            "{noise:<5}  {seed:<6} {:>6} {:>6}  {:>7.1} {:>6.1}  {:>5} {:>4}",
            ours.seconds_above,
            theirs.seconds_above,
            ours.replica_hours,
            theirs.replica_hours,
            ours.changes,
            theirs.changes
        );
        add(&mut all_ours, &ours);
        add(&mut all_theirs, &theirs);
    }
    Ok((all_ours, all_theirs))
}

fn add(sum: &mut Outcome, day: &Outcome) {
    sum.seconds_above += day.seconds_above;
    sum.replica_hours += day.replica_hours;
    sum.changes += day.changes;
}

fn at(second: u32) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Duration::seconds(i64::from(second))
}

fn ours(load: &[f64]) -> anyhow::Result<Outcome> {
    let policy: AutoscalingPolicy = serde_json::from_value(json!({
        "min_replicas": BOUNDS.0,
        "max_replicas": BOUNDS.1,
        "metrics": [{ "source": { "type": "cpu" }, "target": TARGET }],
    }))?;
    let window = past::window(&policy);
    let mut past = Past::default();
    Ok(play(load, TARGET, PERIOD, |second, seen, current| {
        let now = at(second);
        let inputs = Inputs {
            current,
            ready: 0,
            metrics: vec![Measured {
                name: "cpu".to_owned(),
                amount: Amount::Pods {
                    reading: Reading::of(seen.iter().map(pod), true, now),
                    missing_has: 100.0,
                },
                error: None,
            }],
        };
        let decision = decide(&policy, &inputs, &past, now);
        past.note(&decision, window);
        decision.wanted
    }))
}

fn pod(seen: &Seen) -> Pod {
    let ready = seen.ready_since.is_some();
    Pod {
        phase: if ready {
            PodPhase::Running
        } else {
            PodPhase::Pending
        },
        stopping: false,
        ready,
        created_at: at(seen.created),
        unready_since: (!ready).then(|| at(seen.created)),
        value: seen.percent,
    }
}

fn theirs(load: &[f64]) -> Outcome {
    let mut hpa = Hpa::default();
    play(load, TARGET, PERIOD, |second, seen, current| {
        let pods: Vec<hpa::Pod> = seen
            .iter()
            .map(|pod| hpa::Pod {
                ready_since: pod.ready_since.map(f64::from),
                percent: pod.percent,
            })
            .collect();
        hpa.sync(&pods, TARGET, current, BOUNDS, f64::from(second))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_no_worse_than_hpa_on_any_count() {
        let (ours, theirs) = days(NOISE).expect("the policy can be read");
        assert!(ours.seconds_above <= theirs.seconds_above, "{ours:?} {theirs:?}");
        assert!(ours.replica_hours <= theirs.replica_hours, "{ours:?} {theirs:?}");
        assert!(ours.changes <= theirs.changes, "{ours:?} {theirs:?}");
    }
}
