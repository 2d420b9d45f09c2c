//! Faults by seed: the same seed gives the same faults at the same times.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde::Serialize;

use super::kinds::{Fault, Latency, Only, Order};

/// A fault and when it comes, counted from the schedule's start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Planned {
    pub at_seconds: f64,
    #[serde(flatten)]
    pub order: Order,
}

/// The names that a schedule can be made of.
pub const NAMES: [&str; 8] = [
    "down",
    "slow",
    "flapping",
    "kubelets_cut",
    "node_lost",
    "too_many_requests",
    "expired_watches",
    "dropped_bodies",
];

/// Faults for so many seconds, one after the other with pauses between them, of the names given
/// (none: of all). Everything is well again at the end.
pub fn schedule(seed: u64, seconds: f64, names: &[&str], nodes: &[String]) -> Result<Vec<Planned>, String> {
    if !(1.0..=86_400.0).contains(&seconds) {
        return Err("seconds must be 1 to 86400".into());
    }
    if let Some(unknown) = names.iter().find(|name| !NAMES.contains(name)) {
        return Err(format!(
            "there is no fault {unknown:?} to schedule; there are {}",
            NAMES.join(", ")
        ));
    }
    let names = if names.is_empty() { &NAMES } else { names };
    let mut random = StdRng::seed_from_u64(seed);
    let mut planned = Vec::new();
    // A tenth of the time at most for one fault, and as much for each pause.
    let longest = (seconds / 10.0).max(1.0);
    let mut at = longest * random.random::<f64>();
    loop {
        let lasts = longest * (0.2 + 0.8 * random.random::<f64>());
        if at + lasts > seconds {
            return Ok(planned);
        }
        let name = names.choose(&mut random).expect("there is a name");
        if let Some(fault) = draw(name, nodes, &mut random) {
            let order = Order {
                fault,
                for_seconds: Some(lasts),
                only: Only::default(),
            };
            planned.push(Planned {
                at_seconds: at,
                order,
            });
        }
        at += lasts + longest * (0.1 + 0.9 * random.random::<f64>());
    }
}

fn draw(name: &str, nodes: &[String], random: &mut StdRng) -> Option<Fault> {
    Some(match name {
        "down" => Fault::Down {},
        "slow" => {
            let median = random.random_range(20.0..400.0);
            Fault::Slow {
                latency: Latency::LogNormal {
                    median,
                    p99: median * random.random_range(2.0..20.0),
                },
            }
        }
        "flapping" => Fault::Flapping {
            up_seconds: random.random_range(0.5..4.0),
            down_seconds: random.random_range(0.5..4.0),
        },
        "kubelets_cut" => Fault::KubeletsCut { nodes: Vec::new() },
        "node_lost" => Fault::NodeLost {
            node: nodes.choose(random)?.clone(),
        },
        "too_many_requests" => Fault::TooManyRequests {
            share: random.random_range(0.2..1.0),
            retry_after_seconds: random.random_range(1..4),
        },
        "expired_watches" => Fault::ExpiredWatches {
            every_seconds: Some(random.random_range(0.5..5.0)),
        },
        "dropped_bodies" => Fault::DroppedBodies {
            share: random.random_range(0.1..0.6),
            after_bytes: random.random_range(0..4096),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays() {
        let nodes = ["a".to_owned(), "b".to_owned()];
        for seed in 0..50 {
            let one = schedule(seed, 300.0, &[], &nodes).unwrap();
            assert_eq!(one, schedule(seed, 300.0, &[], &nodes).unwrap(), "seed {seed}");
            assert!(one.len() >= 3, "seed {seed}: {one:?}");
            for pair in one.windows(2) {
                let ends = pair[0].at_seconds + pair[0].order.for_seconds.unwrap();
                assert!(ends <= pair[1].at_seconds, "seed {seed}: {pair:?}");
            }
        }
        let of = |seed| schedule(seed, 300.0, &[], &nodes).unwrap();
        assert_ne!(of(1), of(2));
        let only = schedule(3, 600.0, &["slow"], &nodes).unwrap();
        assert!(
            only.iter()
                .all(|planned| matches!(planned.order.fault, Fault::Slow { .. }))
        );
        assert!(schedule(3, 600.0, &["earthquake"], &nodes).is_err());
    }
}
