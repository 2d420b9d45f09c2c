//! Why each cluster holds what it holds.

use api_types::placement::{PlacementReason, PlacementStrategy};
use platform::text::counted;

use super::division::Seat;
use super::obstacle::Obstacle;
use super::{Candidate, Decision, Part, Request, votes};

fn word(strategy: &PlacementStrategy) -> &'static str {
    match strategy {
        PlacementStrategy::FreeCapacity => "free_capacity",
        PlacementStrategy::Weights { .. } => "weights",
        PlacementStrategy::Pinned { .. } => "pinned",
    }
}

/// Why a candidate gets what it gets.
pub(super) fn reason(decision: &Decision<'_>, candidate: &Candidate<'_>, seat: &Seat) -> PlacementReason {
    let request = decision.request;
    let (bounds, message) = match &request.placement.strategy {
        PlacementStrategy::Pinned { .. } => pinned(candidate, seat),
        _ => {
            let bounds = bounds(decision, candidate, seat);
            let mut message = message(request, candidate, seat, &bounds, decision.all_votes);
            if let Some(limit) = limit(decision, seat) {
                message.push_str(&format!("; at most {limit}"));
            }
            (bounds, message)
        }
    };
    PlacementReason {
        strategy: word(&request.placement.strategy).to_owned(),
        weight: seat.votes,
        capacity: candidate.capacity,
        previous: candidate.held,
        bounds: bounds.into_iter().map(str::to_owned).collect(),
        message,
    }
}

fn of_cluster(obstacle: Obstacle<'_>) -> String {
    format!("the cluster {obstacle}")
}

/// The spread limit that binds, in words: `50 % in one cluster`.
fn limit(decision: &Decision<'_>, seat: &Seat) -> Option<String> {
    let domain = decision.limit(seat)?;
    let percent = domain.percent(decision.request.placement)?;
    Some(format!("{percent} % in one {}", domain.word()))
}

/// Its nodes took no more of the service's pods, now or a while ago.
fn gave_back(candidate: &Candidate<'_>) -> bool {
    candidate.stuck > 0 || candidate.exhausted
}

/// Why a candidate that is out of question is that, if not for want of votes.
fn hindrance<'a>(candidate: &Candidate<'a>) -> Option<Obstacle<'a>> {
    let no_gpus = candidate.closed.filter(|obstacle| *obstacle == Obstacle::NoGpus);
    candidate.excluded.or(no_gpus)
}

fn bounds(decision: &Decision<'_>, candidate: &Candidate<'_>, seat: &Seat) -> Vec<&'static str> {
    let mut bounds = Vec::new();
    match seat.part {
        Part::Out if candidate.capacity == Some(0) && hindrance(candidate).is_none() => {
            bounds.push("capacity");
        }
        Part::Out => bounds.push(hindrance(candidate).map_or("excluded", Obstacle::word)),
        Part::Away => bounds.push("not_ready"),
        Part::Closed => bounds.push(candidate.closed.map_or("cordoned", Obstacle::word)),
        Part::Open => {
            if seat.seats > 0 && seat.seats <= seat.minimum {
                bounds.push("minimum");
            }
            if seat.seats == seat.capacity && seat.seats < seat.most && !gave_back(candidate) {
                bounds.push("capacity");
            }
        }
    }
    if decision.limit(seat).is_some() {
        bounds.push("spread_limit");
    }
    if gave_back(candidate) && matches!(seat.part, Part::Open | Part::Closed) {
        bounds.push("given_back");
    }
    if candidate.held > 0 && seat.seats >= candidate.held {
        bounds.push("kept");
    }
    bounds
}

fn message(
    request: Request<'_>,
    candidate: &Candidate<'_>,
    seat: &Seat,
    bounds: &[&str],
    all_votes: u64,
) -> String {
    let (count, held) = (seat.seats, candidate.held);
    match seat.part {
        Part::Out if bounds.contains(&"capacity") => "no room for a replica".to_owned(),
        Part::Out => {
            let why = hindrance(candidate).map_or_else(|| "it has no weight".to_owned(), of_cluster);
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
        Part::Closed => {
            let why = candidate.closed.map(of_cluster).unwrap_or_default();
            if held == 0 {
                format!("gets none: {why}")
            } else {
                format!("keeps {count} of its {held} and gets no new ones: {why}")
            }
        }
        Part::Open => {
            let share = match &request.placement.strategy {
                PlacementStrategy::Weights { .. } => {
                    format!("weight {} of {all_votes}", seat.votes)
                }
                _ => format!("room for {} of {}", seat.votes, counted(all_votes, "replica")),
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
            if held > count && candidate.stuck > 0 {
                text.push_str(&format!(
                    "; {} found no node for long and went elsewhere",
                    held - count
                ));
            } else if gave_back(candidate) {
                text.push_str("; its nodes took no more of its pods, so it gets no new ones for a while");
            }
            text
        }
    }
}

/// Why a cluster that replicas are pinned to, or not, has what it has.
fn pinned(candidate: &Candidate<'_>, seat: &Seat) -> (Vec<&'static str>, String) {
    let (wanted, count) = (seat.votes, seat.seats);
    match seat.part {
        Part::Out => {
            let why = candidate
                .excluded
                .map_or_else(|| "nothing is pinned to it".to_owned(), of_cluster);
            let bound = candidate.excluded.map_or("excluded", Obstacle::word);
            (vec![bound], format!("gets none: {why}"))
        }
        Part::Closed => {
            let why = candidate.closed.map(of_cluster).unwrap_or_default();
            (
                vec![candidate.closed.map_or("cordoned", Obstacle::word)],
                format!("{count} of the {wanted} pinned here, and no new ones: {why}"),
            )
        }
        _ if u64::from(count) < wanted => (
            vec!["capacity"],
            format!("{count} of the {wanted} pinned here: it has room for no more"),
        ),
        Part::Away => (
            vec!["not_ready"],
            format!("{wanted} are pinned here; they wait until the cluster answers"),
        ),
        Part::Open => (vec![], format!("{wanted} are pinned here")),
    }
}

/// The decision in one sentence.
pub(super) fn summary(decision: &Decision<'_>) -> String {
    let wanted = counted(decision.request.replicas, "replica");
    if decision.unplaced > 0 {
        return format!(
            "{} of {wanted} fit nowhere: {}",
            decision.unplaced,
            why_not(decision)
        );
    }
    let used = decision.seats.iter().filter(|seat| seat.seats > 0).count();
    format!("{wanted} on {}", counted(used, "cluster"))
}

/// What keeps each cluster from taking more, in a few words each.
fn why_not(decision: &Decision<'_>) -> String {
    let reasons: Vec<String> = decision
        .candidates
        .iter()
        .zip(&decision.seats)
        .filter(|(candidate, _)| candidate.excluded.is_none() || candidate.held > 0)
        .map(|(candidate, seat)| {
            let why = if let Some(obstacle) = candidate.excluded {
                obstacle.to_string()
            } else if !candidate.ready {
                "doesn't answer".to_owned()
            } else if let Some(obstacle) = candidate.closed {
                obstacle.to_string()
            } else if candidate.capacity.is_none() {
                "was not observed yet".to_owned()
            } else if gave_back(candidate) {
                "took no more of its pods a while ago".to_owned()
            } else if votes(decision.request, candidate) == 0 && candidate.capacity != Some(0) {
                "has no weight".to_owned()
            } else if let Some(limit) = limit(decision, seat) {
                format!("may have no more than {limit}")
            } else {
                let room = candidate.capacity.unwrap_or(0).max(u64::from(seat.seats));
                format!("has room for {room}")
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
