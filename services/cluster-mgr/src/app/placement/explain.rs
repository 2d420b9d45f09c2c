//! Why each cluster holds what it holds.

use std::collections::BTreeMap;

use api_types::placement::{PlacementReason, PlacementStrategy};

use super::division::Seat;
use super::{Candidate, Decision, Part, Place, Request, votes};

fn word(strategy: &PlacementStrategy) -> &'static str {
    match strategy {
        PlacementStrategy::FreeCapacity => "free_capacity",
        PlacementStrategy::Weights { .. } => "weights",
        PlacementStrategy::Pinned { .. } => "pinned",
    }
}

pub(super) fn divided(request: Request<'_>, candidates: &[Candidate], seats: &[Seat]) -> Decision {
    let all_votes: u64 = seats
        .iter()
        .filter(|seat| seat.part == Part::Open)
        .map(|seat| seat.votes)
        .fold(0, u64::saturating_add);
    let places = candidates
        .iter()
        .zip(seats)
        .map(|(candidate, seat)| {
            let bounds = bounds(candidate, seat);
            let message = message(request, candidate, seat, &bounds, all_votes);
            place(request, candidate, seat.seats, seat.votes, bounds, message)
        })
        .collect();
    finish(request, places, candidates)
}

fn place(
    request: Request<'_>,
    candidate: &Candidate,
    replicas: u32,
    weight: u64,
    bounds: Vec<&str>,
    message: String,
) -> Place {
    Place {
        cluster: candidate.name.clone(),
        replicas,
        reason: PlacementReason {
            strategy: word(&request.placement.strategy).to_owned(),
            weight,
            capacity: candidate.capacity,
            previous: candidate.held,
            bounds: bounds.into_iter().map(str::to_owned).collect(),
            message,
        },
    }
}

fn bounds(candidate: &Candidate, seat: &Seat) -> Vec<&'static str> {
    let mut bounds = Vec::new();
    match seat.part {
        Part::Out if candidate.capacity == Some(0) && candidate.excluded.is_none() => bounds.push("capacity"),
        Part::Out => bounds.push("excluded"),
        Part::Away => bounds.push("not_ready"),
        Part::Cordoned => bounds.push("cordoned"),
        Part::Open => {
            if seat.seats > 0 && seat.seats <= seat.minimum {
                bounds.push("minimum");
            }
            if seat.seats == seat.capacity {
                bounds.push("capacity");
            }
        }
    }
    if candidate.held > 0 && seat.seats >= candidate.held {
        bounds.push("kept");
    }
    bounds
}

fn message(
    request: Request<'_>,
    candidate: &Candidate,
    seat: &Seat,
    bounds: &[&str],
    all_votes: u64,
) -> String {
    let (count, held) = (seat.seats, candidate.held);
    match seat.part {
        Part::Out if bounds.contains(&"capacity") => "no room for a replica".to_owned(),
        Part::Out => {
            let why = candidate.excluded.unwrap_or("it has no weight");
            if held > 0 {
                format!("gives up its {held}: {why}")
            } else {
                format!("gets none: {why}")
            }
        }
        Part::Away if candidate.capacity.is_none() && held == 0 => {
            "gets none: what it has room for is not known yet".to_owned()
        }
        Part::Away if held == 0 => "gets none: the cluster doesn't answer".to_owned(),
        Part::Away if count < held => {
            format!(
                "keeps {count} of its {held}: fewer are wanted, and those of a cluster that doesn't answer go first"
            )
        }
        Part::Away => format!(
            "keeps its {count}: the cluster doesn't answer, so nothing new goes there and nothing moves"
        ),
        Part::Cordoned if held == 0 => "gets none: the cluster is closed to new ones".to_owned(),
        Part::Cordoned => {
            format!("keeps {count} of its {held}: the cluster is closed to new ones")
        }
        Part::Open => {
            let share = match &request.placement.strategy {
                PlacementStrategy::Weights { .. } => {
                    format!("weight {} of {all_votes}", seat.votes)
                }
                _ => format!("room for {} of {all_votes} replicas", seat.votes),
            };
            let mut text = format!("{count} of {}: {share}", request.replicas);
            if held > 0 && count >= held && !request.afresh {
                text.push_str(&format!("; {held} kept from before"));
            } else if held > count {
                text.push_str(&format!("; it had {held}"));
            }
            if bounds.contains(&"minimum") {
                text.push_str(&format!("; at least {} per cluster", seat.minimum));
            }
            if bounds.contains(&"capacity") {
                text.push_str("; it has room for no more");
            }
            text
        }
    }
}

/// Exactly so many on each named cluster, as far as there is room.
pub(super) fn pinned(
    request: Request<'_>,
    pins: &BTreeMap<String, u32>,
    candidates: &[Candidate],
) -> Decision {
    let mut places: Vec<Place> = candidates
        .iter()
        .map(|candidate| {
            let wanted = pins.get(&candidate.name).copied().unwrap_or(0);
            let (replicas, bounds, message) = pin(candidate, wanted);
            place(request, candidate, replicas, u64::from(wanted), bounds, message)
        })
        .collect();
    places.sort_by_key(|place| {
        candidates
            .iter()
            .position(|candidate| candidate.name == place.cluster)
    });
    finish(request, places, candidates)
}

fn pin(candidate: &Candidate, wanted: u32) -> (u32, Vec<&'static str>, String) {
    let held = candidate.held;
    if let Some(why) = candidate.excluded {
        return (0, vec!["excluded"], format!("gets none: {why}"));
    }
    if wanted == 0 {
        return (
            0,
            vec!["excluded"],
            "gets none: nothing is pinned to it".to_owned(),
        );
    }
    if candidate.cordoned && wanted > held {
        return (
            held,
            vec!["cordoned"],
            format!("{held} of the {wanted} pinned here: the cluster is closed to new ones"),
        );
    }
    let room = candidate
        .capacity
        .unwrap_or(u64::MAX)
        .max(u64::from(held))
        .min(u64::from(u32::MAX)) as u32;
    let replicas = wanted.min(room);
    if replicas < wanted {
        return (
            replicas,
            vec!["capacity"],
            format!("{replicas} of the {wanted} pinned here: it has room for no more"),
        );
    }
    let bounds = if candidate.ready {
        vec![]
    } else {
        vec!["not_ready"]
    };
    let message = if candidate.ready {
        format!("{wanted} are pinned here")
    } else {
        format!("{wanted} are pinned here; they wait until the cluster answers")
    };
    (replicas, bounds, message)
}

fn finish(request: Request<'_>, places: Vec<Place>, candidates: &[Candidate]) -> Decision {
    let placed: u64 = places.iter().map(|place| u64::from(place.replicas)).sum();
    let unplaced = u64::from(request.replicas).saturating_sub(placed) as u32;
    let used = places.iter().filter(|place| place.replicas > 0).count();
    let clusters = if used == 1 { "cluster" } else { "clusters" };
    let message = if unplaced == 0 {
        format!("{} on {used} {clusters}", replicas(request.replicas))
    } else {
        format!(
            "{} of {} fit nowhere: {}",
            unplaced,
            replicas(request.replicas),
            why_not(request, &places, candidates)
        )
    };
    Decision {
        places,
        unplaced,
        message,
    }
}

fn replicas(count: u32) -> String {
    format!("{count} replica{}", if count == 1 { "" } else { "s" })
}

/// What keeps each cluster from taking more, in a few words each.
fn why_not(request: Request<'_>, places: &[Place], candidates: &[Candidate]) -> String {
    let reasons: Vec<String> = candidates
        .iter()
        .zip(places)
        .filter(|(candidate, _)| candidate.excluded.is_none() || candidate.held > 0)
        .map(|(candidate, place)| {
            let why = if let Some(why) = candidate.excluded {
                why.to_owned()
            } else if !candidate.ready {
                "doesn't answer".to_owned()
            } else if candidate.cordoned {
                "is closed to new ones".to_owned()
            } else if candidate.capacity.is_none() {
                "was not observed yet".to_owned()
            } else if votes(request, candidate) == 0 && candidate.capacity != Some(0) {
                "has no weight".to_owned()
            } else {
                format!(
                    "has room for {}",
                    candidate.capacity.unwrap_or(0).max(u64::from(place.replicas))
                )
            };
            format!("{} {why}", candidate.name)
        })
        .collect();
    if reasons.is_empty() {
        "there is no cluster to put them on".to_owned()
    } else {
        reasons.join(", ")
    }
}
