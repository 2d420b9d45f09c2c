//! Webster's method (Sainte-Laguë): each next seat goes to whoever has the most votes for each seat it
//! would then have had, `votes / (2 * seats + 1)`. It favours neither the large nor the small, and one
//! seat more never takes one from anybody.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Part;
use super::spread::{Group, Memberships};

/// One candidate in the division.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub part: Part,
    pub votes: u64,
    /// In proportion to these it gives, when there are too many seats.
    pub shares: u64,
    pub seats: u32,
    /// At most so many may be filled in.
    pub capacity: u32,
    /// The spread limit of one cluster.
    pub most: u32,
    pub minimum: u32,
    /// Offered to others, beside its seats; they come back when nobody takes them.
    pub stuck: u32,
    pub tie: u64,
    /// The groups whose limits it is under.
    pub groups: Memberships,
}

impl Seat {
    fn wants(&self) -> u32 {
        self.minimum.min(self.capacity)
    }

    fn lacks(&self) -> u32 {
        self.wants().saturating_sub(self.seats)
    }

    /// What it has can be moved.
    fn is_here(&self) -> bool {
        matches!(self.part, Part::Open | Part::Closed)
    }

    /// The room that its groups have left.
    fn room(&self, rooms: &[u32]) -> u32 {
        let own = self.groups.iter().flatten();
        own.map(|group| rooms[*group]).min().unwrap_or(u32::MAX)
    }

    fn take_room(&self, rooms: &mut [u32], count: u32) {
        for group in self.groups.iter().flatten() {
            rooms[*group] = rooms[*group].saturating_sub(count);
        }
    }

    /// The group that keeps it from having more, if one does.
    pub fn full_group(&self, rooms: &[u32]) -> Option<usize> {
        let mut own = self.groups.iter().flatten().copied();
        own.find(|group| rooms[*group] == 0)
    }
}

/// Brings the seats to `total`, or as near as capacities and limits allow.
pub(super) fn divide(seats: &mut [Seat], total: u32, groups: &[Group]) {
    for group in 0..groups.len() {
        trim(seats, groups, group);
    }
    let held = sum(seats);
    let away = give(
        seats,
        held.saturating_sub(u64::from(total)),
        |seat| seat.part == Part::Away,
        0,
    );
    let surplus = held.saturating_sub(u64::from(total)) - away;
    // Minimums first come from what is new, then from those above their own.
    let lacking = lacking(seats, groups);
    let missing = u64::from(total).saturating_sub(held);
    let given = give(seats, surplus + lacking.saturating_sub(missing), Seat::is_here, 1);
    if given < surplus {
        give(seats, surplus - given, Seat::is_here, 0);
    }
    let mut rooms = rooms(seats, groups);
    let open = u64::from(total).saturating_sub(sum(seats));
    let left = fill(seats, open as u32, &mut rooms);
    keep_stuck(seats, left, &mut rooms);
}

/// Takes a group down to its limit, and further as far as its own minimums need the room; not for those that a group
/// that was trimmed before keeps from it, a full zone in a region.
fn trim(seats: &mut [Seat], groups: &[Group], group: usize) {
    let most = groups[group].most;
    let mut rooms = rooms(seats, groups);
    let within = |seat: &Seat| seat.groups.contains(&Some(group));
    let holds = |seats: &[Seat]| -> u64 {
        let own = seats.iter().filter(|seat| within(seat));
        own.map(|seat| u64::from(seat.seats)).sum()
    };
    let lacks: u64 = seats
        .iter()
        .filter(|seat| within(seat) && seat.part == Part::Open)
        .map(|seat| {
            let before = || seat.groups.iter().flatten().copied().filter(|own| *own < group);
            let room = before().map(|own| rooms[own]).min().unwrap_or(u32::MAX);
            let lacks = seat.lacks().min(room);
            before().for_each(|own| rooms[own] -= lacks);
            u64::from(lacks)
        })
        .sum();
    for (lacks, keep_minimum) in [(lacks, 1), (0, 0)] {
        let excess = (holds(seats) + lacks).saturating_sub(u64::from(most));
        give(seats, excess, |seat| within(seat) && seat.is_here(), keep_minimum);
    }
}

/// How many more each group may have.
pub(super) fn rooms(seats: &[Seat], groups: &[Group]) -> Vec<u32> {
    let mut rooms: Vec<u32> = groups.iter().map(|group| group.most).collect();
    for seat in seats {
        seat.take_room(&mut rooms, seat.seats);
    }
    rooms
}

/// What is lacking to the minimums, as far as the groups may have it.
fn lacking(seats: &[Seat], groups: &[Group]) -> u64 {
    let mut rooms = rooms(seats, groups);
    seats
        .iter()
        .filter(|seat| seat.part == Part::Open)
        .map(|seat| {
            let lacks = seat.lacks().min(seat.room(&rooms));
            seat.take_room(&mut rooms, lacks);
            u64::from(lacks)
        })
        .sum()
}

/// What nobody else took stays where it waits.
fn keep_stuck(seats: &mut [Seat], mut left: u32, rooms: &mut [u32]) {
    for seat in seats.iter_mut().filter(|seat| seat.stuck > 0) {
        let back = left
            .min(seat.stuck)
            .min(seat.most.saturating_sub(seat.seats))
            .min(seat.room(rooms));
        seat.seats += back;
        seat.take_room(rooms, back);
        left -= back;
    }
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

/// Gives out `count` seats among those open; returns those that find no room.
fn fill(seats: &mut [Seat], count: u32, rooms: &mut [u32]) -> u32 {
    let mut bids: BinaryHeap<Bid> = seats
        .iter()
        .enumerate()
        .filter(|(_, seat)| seat.part == Part::Open && seat.seats < seat.capacity)
        .map(|(index, seat)| Bid::of(index, seat))
        .collect();
    let mut left = count;
    while left > 0 {
        let Some(bid) = bids.pop() else { break };
        let seat = &mut seats[bid.index];
        if seat.room(rooms) == 0 {
            continue;
        }
        seat.seats += 1;
        seat.take_room(rooms, 1);
        left -= 1;
        if seat.seats < seat.capacity {
            bids.push(Bid::of(bid.index, seat));
        }
    }
    left
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
