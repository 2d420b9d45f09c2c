//! A queue of work in which a key stands at most once, with delays and growing pauses after
//! failures.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::Work;

const FIRST_RETRY: Duration = Duration::from_millis(50);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// Work below this is done at every change.
const CHEAP: Duration = Duration::from_micros(500);
/// A key gets at most one part of the time in this many.
const SHARE: u32 = 20;
const LONGEST_GATHER: Duration = Duration::from_millis(500);

#[derive(Default)]
pub struct Queue {
    ready: VecDeque<Work>,
    queued: HashSet<Work>,
    delayed: BinaryHeap<Reverse<(Instant, u64)>>,
    waiting: HashMap<u64, Work>,
    /// The earliest wake-up of each delayed key; later ones are dropped.
    due: HashMap<Work, Instant>,
    next: u64,
    failures: HashMap<Work, u32>,
    /// What looking at a key cost the last time, if it was much.
    costs: HashMap<Work, Duration>,
}

impl Queue {
    /// Adds a key; one that costs much waits a multiple of that, so that changes gather.
    pub fn add_gathering(&mut self, work: Work) {
        match self.costs.get(&work) {
            Some(cost) => self.add_after(work.clone(), (*cost * SHARE).min(LONGEST_GATHER)),
            None => self.add(work),
        }
    }

    pub fn note_cost(&mut self, work: &Work, cost: Duration) {
        if cost > CHEAP {
            self.costs.insert(work.clone(), cost);
        } else {
            self.costs.remove(work);
        }
    }

    pub fn add(&mut self, work: Work) {
        if self.queued.insert(work.clone()) {
            self.ready.push_back(work);
        }
    }

    pub fn add_after(&mut self, work: Work, pause: Duration) {
        let at = Instant::now() + pause;
        if self.due.get(&work).is_some_and(|due| *due <= at) {
            return;
        }
        self.due.insert(work.clone(), at);
        self.next += 1;
        self.delayed.push(Reverse((at, self.next)));
        self.waiting.insert(self.next, work);
    }

    /// Puts a failed key back, later each time.
    pub fn retry(&mut self, work: Work) {
        let failures = self.failures.entry(work.clone()).or_default();
        let pause = FIRST_RETRY * 2_u32.saturating_pow((*failures).min(16));
        *failures += 1;
        self.add_after(work, pause.min(LONGEST_RETRY));
    }

    pub fn forget(&mut self, work: &Work) {
        self.failures.remove(work);
    }

    pub fn pop(&mut self) -> Option<Work> {
        let now = Instant::now();
        while let Some(Reverse((at, id))) = self.delayed.peek().copied()
            && at <= now
        {
            self.delayed.pop();
            if let Some(work) = self.waiting.remove(&id) {
                if self.due.get(&work) == Some(&at) {
                    self.due.remove(&work);
                }
                self.add(work);
            }
        }
        let work = self.ready.pop_front()?;
        self.queued.remove(&work);
        Some(work)
    }

    /// When the next delayed key is due.
    pub fn next_wake(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(3600);
        self.delayed.peek().map_or(far, |Reverse((at, _))| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_key_stands_once_and_comes_when_due() {
        let mut queue = Queue::default();
        let work = Work::Unschedulable;
        queue.add(work.clone());
        queue.add(work.clone());
        assert_eq!(queue.pop(), Some(work.clone()));
        assert_eq!(queue.pop(), None);
        queue.add_after(work.clone(), Duration::from_secs(5));
        queue.add_after(work.clone(), Duration::from_secs(1));
        assert_eq!(queue.pop(), None);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(queue.pop(), Some(work));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_wait_longer_each_time() {
        let mut queue = Queue::default();
        let mut pauses = Vec::new();
        for _ in 0..4 {
            queue.retry(Work::Unschedulable);
            pauses.push(queue.next_wake() - Instant::now());
            tokio::time::advance(Duration::from_secs(60)).await;
            assert!(queue.pop().is_some());
        }
        assert!(pauses.windows(2).all(|pair| pair[0] < pair[1]), "{pauses:?}");
    }
}
