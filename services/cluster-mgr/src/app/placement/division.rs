//! Webster's method (Sainte-Laguë): each next seat goes to whoever has the most votes for each seat it
//! would then have had, `votes / (2 * seats + 1)`. It favours neither the large nor the small, and one
//! seat more never takes one from anybody.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Part;

/// One candidate in the division.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub part: Part,
    pub votes: u64,
    /// In proportion to these it gives, when there are too many seats.
    pub shares: u64,
    pub seats: u32,
    /// At most so many; never less than it holds.
    pub capacity: u32,
    pub minimum: u32,
    pub tie: u64,
}

impl Seat {
    fn wants(&self) -> u32 {
        self.minimum.min(self.capacity)
    }

    fn lacks(&self) -> u32 {
        self.wants().saturating_sub(self.seats)
    }
}

/// Brings the seats to `total`, or as near as the capacities allow.
pub(super) fn divide(seats: &mut [Seat], total: u32) {
    let held = sum(seats);
    let away = give(
        seats,
        held.saturating_sub(u64::from(total)),
        |seat| seat.part == Part::Away,
        0,
    );
    let here = |seat: &Seat| matches!(seat.part, Part::Open | Part::Cordoned);
    let surplus = held.saturating_sub(u64::from(total)) - away;
    // Minimums first come from what is new, then from those above their own.
    let lacking: u64 = seats
        .iter()
        .filter(|seat| seat.part == Part::Open)
        .map(|seat| u64::from(seat.lacks()))
        .sum();
    let missing = u64::from(total).saturating_sub(held);
    let given = give(seats, surplus + lacking.saturating_sub(missing), here, 1);
    if given < surplus {
        give(seats, surplus - given, here, 0);
    }
    let open = u64::from(total).saturating_sub(sum(seats));
    fill(seats, open as u32);
}

fn sum(seats: &[Seat]) -> u64 {
    seats.iter().map(|seat| u64::from(seat.seats)).sum()
}

/// A bid for the next seat. The greatest wins.
struct Bid {
    index: usize,
    below: bool,
    votes: u64,
    seats: u32,
    tie: u64,
}

impl Bid {
    fn of(index: usize, seat: &Seat) -> Self {
        Self {
            index,
            below: seat.seats < seat.wants(),
            votes: seat.votes,
            seats: seat.seats,
            tie: seat.tie,
        }
    }
}

/// Compares `a.votes / (2 * a.seats + 1)` with `b`'s, exactly.
fn quotient(votes: (u64, u64), seats: (u32, u32)) -> Ordering {
    let divisor = |seats: u32| 2 * u128::from(seats) + 1;
    (u128::from(votes.0) * divisor(seats.1)).cmp(&(u128::from(votes.1) * divisor(seats.0)))
}

impl Ord for Bid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.below
            .cmp(&other.below)
            .then_with(|| {
                if self.below {
                    other.seats.cmp(&self.seats)
                } else {
                    quotient((self.votes, other.votes), (self.seats, other.seats))
                }
            })
            .then_with(|| other.seats.cmp(&self.seats))
            .then_with(|| self.votes.cmp(&other.votes))
            .then_with(|| other.tie.cmp(&self.tie))
            .then_with(|| other.index.cmp(&self.index))
    }
}

impl PartialOrd for Bid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Bid {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Bid {}

/// Gives out `count` seats among those open; what finds no room is left over.
fn fill(seats: &mut [Seat], count: u32) {
    let mut bids: BinaryHeap<Bid> = seats
        .iter()
        .enumerate()
        .filter(|(_, seat)| seat.part == Part::Open && seat.seats < seat.capacity)
        .map(|(index, seat)| Bid::of(index, seat))
        .collect();
    for _ in 0..count {
        let Some(bid) = bids.pop() else { return };
        let seat = &mut seats[bid.index];
        seat.seats += 1;
        if seat.seats < seat.capacity {
            bids.push(Bid::of(bid.index, seat));
        }
    }
}

/// Takes up to `count` seats back from those that `from` names, the last one given first, and tells how
/// many came. With `keep_minimum` (1) nobody falls below the minimum.
fn give(seats: &mut [Seat], count: u64, from: impl Fn(&Seat) -> bool, keep_minimum: u32) -> u64 {
    let floor = |seat: &Seat| seat.wants() * keep_minimum;
    // What would be the bid for the last seat: the least of them goes first.
    let last = |index: usize, seat: &Seat| {
        Reverse(Bid {
            index,
            below: false,
            votes: seat.shares,
            seats: seat.seats - 1,
            tie: seat.tie,
        })
    };
    let mut bids: BinaryHeap<Reverse<Bid>> = seats
        .iter()
        .enumerate()
        .filter(|(_, seat)| from(seat) && seat.seats > floor(seat))
        .map(|(index, seat)| last(index, seat))
        .collect();
    let mut given = 0;
    while given < count {
        let Some(Reverse(bid)) = bids.pop() else { break };
        let seat = &mut seats[bid.index];
        seat.seats -= 1;
        given += 1;
        if seat.seats > floor(seat) {
            let next = last(bid.index, seat);
            bids.push(next);
        }
    }
    given
}

/// An order among equals that differs from service to service, so that remainders spread (FNV-1a, and a last mix,
/// without which names that differ only in their last letter keep one order).
#[derive(Clone, Copy, Debug)]
pub(super) struct Tie(u64);

impl Tie {
    /// Of a service, by its path.
    pub fn of(seed: &str) -> Self {
        Self(0xcbf2_9ce4_8422_2325_u64).eat(seed.bytes().chain([0]))
    }

    /// A cluster's place in the service's order.
    pub fn with(self, name: &str) -> u64 {
        let mut hash = self.eat(name.bytes()).0;
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ (hash >> 33)
    }

    fn eat(self, bytes: impl Iterator<Item = u8>) -> Self {
        Self(bytes.fold(self.0, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }
}
