//! Where replicas go. Pure: structs in, structs out, the same answer for the same question.
//!
//! What a cluster holds it keeps as far as it can: growth divides only what is new, shrinking takes in
//! proportion, and when nothing changed nothing moves. The division itself is Webster's method
//! ([`division`]), bound by what each cluster has room for.

pub mod capacity;
mod division;
mod explain;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use api_types::placement::{Placement, PlacementReason, PlacementStrategy};

use division::Seat;

/// A cluster as a place for one service's replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub name: String,
    /// It answers.
    pub ready: bool,
    /// It gets no new replicas.
    pub cordoned: bool,
    /// Why it can't hold any: it is being removed, or not among those chosen.
    pub excluded: Option<&'static str>,
    /// Replicas of this service that it has room for in all, those it holds included; unknown until it
    /// was observed.
    pub capacity: Option<u64>,
    /// Replicas it holds now.
    pub held: u32,
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

/// Every candidate's part, in the candidates' order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub places: Vec<Place>,
    /// Replicas that fit nowhere.
    pub unplaced: u32,
    /// One sentence for a person.
    pub message: String,
}

/// How a candidate takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Gets and gives.
    Open,
    /// Keeps or gives, gets nothing.
    Cordoned,
    /// Doesn't answer (or was never seen): keeps what it has; the first to give when there is less to hold.
    Away,
    Out,
}

impl Candidate {
    fn part(&self, votes: u64) -> Part {
        if self.excluded.is_some() || votes == 0 && self.held == 0 {
            Part::Out
        } else if !self.ready || self.capacity.is_none() {
            Part::Away
        } else if self.cordoned {
            Part::Cordoned
        } else {
            Part::Open
        }
    }
}

/// Decides.
#[must_use]
pub fn decide(request: Request<'_>, candidates: &[Candidate]) -> Decision {
    let seats = match &request.placement.strategy {
        PlacementStrategy::Pinned { replicas } => {
            return explain::pinned(request, replicas, candidates);
        }
        PlacementStrategy::FreeCapacity | PlacementStrategy::Weights { .. } => divide(request, candidates),
    };
    explain::divided(request, candidates, &seats)
}

/// The votes of a candidate: what it has room for, or its weight.
fn votes(request: Request<'_>, candidate: &Candidate) -> u64 {
    match &request.placement.strategy {
        PlacementStrategy::Weights { weights } => weights.get(&candidate.name).copied().map_or(0, u64::from),
        _ => candidate.capacity.unwrap_or(0),
    }
}

fn divide(request: Request<'_>, candidates: &[Candidate]) -> Vec<Seat> {
    let by_weight = matches!(request.placement.strategy, PlacementStrategy::Weights { .. });
    let mut seats: Vec<Seat> = candidates
        .iter()
        .map(|candidate| {
            let votes = votes(request, candidate);
            let part = if by_weight && votes == 0 {
                Part::Out
            } else {
                candidate.part(votes)
            };
            let keeps = part != Part::Out && !(request.afresh && part == Part::Open);
            let capacity = candidate.capacity.unwrap_or(u64::from(candidate.held));
            Seat {
                part,
                votes,
                // Shrinking goes by weight where there are weights, else by what each holds.
                shares: if by_weight {
                    votes
                } else {
                    u64::from(candidate.held)
                },
                seats: if keeps { candidate.held } else { 0 },
                capacity: capacity.max(u64::from(candidate.held)).min(u64::from(u32::MAX)) as u32,
                minimum: request.placement.min_per_cluster,
                tie: division::tie(request.seed, &candidate.name),
            }
        })
        .collect();
    division::divide(&mut seats, request.replicas);
    seats
}
