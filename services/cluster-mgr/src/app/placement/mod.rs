//! Where replicas go. Pure: structs in, structs out, the same answer for the same question.
//!
//! What a cluster holds it keeps as far as it can: growth divides only what is new, shrinking takes in
//! proportion, and when nothing changed nothing moves. The division itself is Webster's method
//! ([`division`]), bound by what each cluster has room for.

pub mod capacity;
mod division;
mod explain;
pub mod obstacle;
pub mod rebalance;
pub mod spread;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use api_types::placement::{Placement, PlacementReason, PlacementStrategy};

use division::{Seat, Tie};
use obstacle::Obstacle;
use spread::{Domain, Group};

/// A cluster as a place for one service's replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    pub name: &'a str,
    pub region: &'a str,
    /// Empty where it has none.
    pub zone: &'a str,
    /// It answers.
    pub ready: bool,
    /// Why it gets no new replicas, and keeps what it has.
    pub closed: Option<Obstacle<'a>>,
    /// Why it can't hold any, and gives up what it has.
    pub excluded: Option<Obstacle<'a>>,
    /// Replicas of this service that it has room for in all, those it holds included; unknown until it
    /// was observed.
    pub capacity: Option<u64>,
    /// Replicas it holds now.
    pub held: u32,
    /// Those of them that no node took for long: they go where there is room, or stay.
    pub stuck: u32,
    /// It gave replicas back a while ago, and gets no new ones for now, whatever it seems to have room for.
    pub exhausted: bool,
}

/// What is to be divided.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub placement: &'a Placement,
    pub replicas: u32,
    /// Spreads ties over services; the service's path.
    pub seed: &'a str,
    /// Divide everything anew instead of keeping what is held.
    pub afresh: bool,
}

/// One cluster's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub cluster: String,
    pub replicas: u32,
    pub reason: PlacementReason,
}

/// Every candidate's part, in the candidates' order. Reasons are made when they are asked for: of a hundred
/// clusters few get replicas, and only their reasons are kept.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    request: Request<'a>,
    candidates: &'a [Candidate<'a>],
    seats: Vec<Seat>,
    groups: Vec<Group>,
    /// The votes of all that get and give.
    all_votes: u64,
    /// Replicas that fit nowhere.
    pub unplaced: u32,
    /// One sentence for a person.
    pub message: String,
}

impl<'a> Decision<'a> {
    fn of(
        request: Request<'a>,
        candidates: &'a [Candidate<'a>],
        (seats, groups): (Vec<Seat>, Vec<Group>),
    ) -> Self {
        let placed: u64 = seats.iter().map(|seat| u64::from(seat.seats)).sum();
        let mut decision = Self {
            request,
            candidates,
            all_votes: seats
                .iter()
                .filter(|seat| seat.part == Part::Open)
                .map(|seat| seat.votes)
                .fold(0, u64::saturating_add),
            seats,
            groups,
            unplaced: u64::from(request.replicas).saturating_sub(placed) as u32,
            message: String::new(),
        };
        decision.message = explain::summary(&decision);
        decision
    }

    /// Each candidate's replicas.
    pub fn replicas(&self) -> impl Iterator<Item = u32> + '_ {
        self.seats.iter().map(|seat| seat.seats)
    }

    /// The spread limit that keeps a candidate from having more, if one does.
    fn limit(&self, seat: &Seat) -> Option<Domain> {
        if !matches!(seat.part, Part::Open | Part::Closed) {
            return None;
        }
        if seat.seats >= seat.most {
            return Some(Domain::Cluster);
        }
        if self.groups.is_empty() {
            return None;
        }
        let rooms = division::rooms(&self.seats, &self.groups);
        seat.full_group(&rooms).map(|group| self.groups[group].domain)
    }

    /// Why the candidate at `index` gets what it gets.
    #[must_use]
    pub fn reason(&self, index: usize) -> PlacementReason {
        explain::reason(self, &self.candidates[index], &self.seats[index])
    }

    /// Each candidate's part with its reason.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.candidates
            .iter()
            .enumerate()
            .map(|(index, candidate)| Place {
                cluster: candidate.name.to_owned(),
                replicas: self.seats[index].seats,
                reason: self.reason(index),
            })
    }
}

/// How a candidate takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Gets and gives.
    Open,
    /// Keeps or gives, gets nothing.
    Closed,
    /// Doesn't answer (or was never seen): keeps what it has; the first to give when there is less to hold.
    Away,
    Out,
}

impl Candidate<'_> {
    fn part(&self, votes: u64) -> Part {
        if self.excluded.is_some() || votes == 0 && self.held == 0 {
            Part::Out
        } else if !self.ready || self.capacity.is_none() {
            Part::Away
        } else if self.closed.is_some() {
            Part::Closed
        } else {
            Part::Open
        }
    }

    /// Replicas that it offers to others: nobody knows what becomes of those of a cluster that doesn't answer.
    fn stuck(&self, part: Part) -> u32 {
        match part {
            Part::Open | Part::Closed => self.stuck.min(self.held),
            Part::Away | Part::Out => 0,
        }
    }
}

/// Decides.
#[must_use]
pub fn decide<'a>(request: Request<'a>, candidates: &'a [Candidate<'a>]) -> Decision<'a> {
    let seats = match &request.placement.strategy {
        PlacementStrategy::Pinned { replicas } => {
            let wanted = |name: &str| replicas.get(name).copied().unwrap_or(0);
            let seats = candidates
                .iter()
                .map(|candidate| pin(candidate, wanted(candidate.name)));
            (seats.collect(), Vec::new())
        }
        PlacementStrategy::FreeCapacity | PlacementStrategy::Weights { .. } => divide(request, candidates),
    };
    Decision::of(request, candidates, seats)
}

/// The votes of a candidate: what it has room for, or its weight.
fn votes(request: Request<'_>, candidate: &Candidate<'_>) -> u64 {
    match &request.placement.strategy {
        PlacementStrategy::Weights { weights } => weights.get(candidate.name).copied().map_or(0, u64::from),
        _ => candidate.capacity.unwrap_or(0),
    }
}

fn divide(request: Request<'_>, candidates: &[Candidate<'_>]) -> (Vec<Seat>, Vec<Group>) {
    let by_weight = matches!(request.placement.strategy, PlacementStrategy::Weights { .. });
    let tie = Tie::of(request.seed);
    let most = Domain::Cluster
        .percent(request.placement)
        .map_or(u32::MAX, |percent| spread::most(request.replicas, percent));
    let (groups, memberships) = spread::groups(request, candidates);
    let mut seats: Vec<Seat> = candidates
        .iter()
        .zip(memberships)
        .map(|(candidate, groups)| {
            let votes = votes(request, candidate);
            let part = if by_weight && votes == 0 {
                Part::Out
            } else {
                candidate.part(votes)
            };
            let keeps = part != Part::Out && !(request.afresh && part == Part::Open);
            let stuck = candidate.stuck(part);
            let runs = candidate.held - stuck;
            // A limit moves what a cluster has too much of, unless nobody knows what becomes of it there.
            let most = if part == Part::Away { u32::MAX } else { most };
            let capacity = if stuck > 0 || candidate.exhausted {
                runs
            } else {
                let room = candidate.capacity.unwrap_or(0).min(u64::from(u32::MAX));
                candidate.held.max(room as u32)
            };
            Seat {
                part,
                votes,
                // Shrinking goes by weight where there are weights, else by what each holds.
                shares: if by_weight {
                    votes
                } else {
                    u64::from(candidate.held)
                },
                seats: if keeps { runs.min(most) } else { 0 },
                capacity: capacity.min(most),
                most,
                minimum: request.placement.min_per_cluster,
                stuck,
                tie: tie.with(candidate.name),
                groups,
            }
        })
        .collect();
    division::divide(&mut seats, request.replicas, &groups);
    (seats, groups)
}

/// Exactly so many, as far as there is room; also on a cluster that doesn't answer or was never seen.
fn pin(candidate: &Candidate<'_>, wanted: u32) -> Seat {
    let held = candidate.held;
    let room = candidate
        .capacity
        .unwrap_or(u64::MAX)
        .max(u64::from(held))
        .min(u64::from(u32::MAX)) as u32;
    let (part, seats) = if candidate.excluded.is_some() || wanted == 0 {
        (Part::Out, 0)
    } else if candidate.closed.is_some() && wanted > held {
        (Part::Closed, held)
    } else if candidate.ready {
        (Part::Open, wanted.min(room))
    } else {
        (Part::Away, wanted.min(room))
    };
    Seat {
        part,
        votes: u64::from(wanted),
        shares: 0,
        seats,
        capacity: room,
        most: u32::MAX,
        minimum: 0,
        stuck: 0,
        tie: 0,
        groups: [None; 2],
    }
}
