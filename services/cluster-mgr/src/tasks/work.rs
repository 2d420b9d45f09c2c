//! What the loops of the leading replica have on their hands. Only hints: lost, everything in it is found
//! again by the next full pass.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use api_types::placement::Priority;
use chrono::{DateTime, Utc};
use parking_lot::{Mutex, RwLock};
use platform::driver::Signal;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use crate::app::reconcile::sync::Look;

/// Looks that others may always be given while a service waits.
const PATIENCE: u64 = 1000;

/// Services to look at, now or at a time.
///
/// The higher priority comes first, and of one priority who came first. But nobody waits for ever: whoever waited for so
/// many looks as would have served everything twice, and [`PATIENCE`] more, comes before all. So services that change all the
/// time don't starve others, and however many wait together are served by priority.
#[derive(Debug, Default)]
struct Queue {
    /// By priority, the highest last; each with how many services had been taken when it came.
    now: BTreeMap<Priority, BTreeSet<(u64, Uuid)>>,
    /// Where each is in `now`.
    waiting: HashMap<Uuid, (Priority, u64)>,
    /// Services that were taken so far.
    taken: u64,
    /// The most that ever waited together: all there are, since a full pass marks all.
    crowd: u64,
    later: BTreeSet<(DateTime<Utc>, Uuid)>,
    /// Of services that were looked at before; those of normal priority are left out.
    priorities: HashMap<Uuid, Priority>,
}

impl Queue {
    fn mark(&mut self, service: Uuid) {
        if self.waiting.contains_key(&service) {
            return;
        }
        let priority = self.priorities.get(&service).copied().unwrap_or_default();
        self.now
            .entry(priority)
            .or_default()
            .insert((self.taken, service));
        self.waiting.insert(service, (priority, self.taken));
        self.crowd = self.crowd.max(self.waiting.len() as u64);
    }

    /// Takes up to `most`.
    fn take(&mut self, most: usize) -> Vec<Uuid> {
        let mut taken = Vec::new();
        if let Some(before) = self.taken.checked_sub(2 * self.crowd + PATIENCE) {
            let all = self.now.values();
            let mut due: Vec<(u64, Uuid)> = all
                .flat_map(|own| own.range(..=(before, Uuid::max())))
                .copied()
                .collect();
            due.sort_unstable();
            taken.extend(due.into_iter().map(|(_, service)| service).take(most));
            self.remove(&taken);
        }
        let by_priority = self.now.values().rev().flatten();
        let more: Vec<Uuid> = by_priority
            .map(|(_, service)| *service)
            .take(most - taken.len())
            .collect();
        self.remove(&more);
        taken.extend(more);
        taken
    }

    fn remove(&mut self, services: &[Uuid]) {
        for service in services {
            if let Some((priority, since)) = self.waiting.remove(service)
                && let Some(own) = self.now.get_mut(&priority)
            {
                own.remove(&(since, *service));
            }
        }
        self.taken += services.len() as u64;
    }
}

/// What was looked at last: everything, and single services since then.
#[derive(Debug, Default)]
struct Looks {
    all: Look,
    services: HashMap<Uuid, Look>,
}

/// See the module's words.
#[derive(Debug)]
pub struct Work {
    queue: Mutex<Queue>,
    in_flight: Mutex<HashSet<(Uuid, Uuid)>>,
    lanes: Mutex<HashMap<Uuid, Arc<Semaphore>>>,
    lane_width: usize,
    /// Bounds what is under way in all.
    pub road: Arc<Semaphore>,
    looks: RwLock<Looks>,
    looks_wanted: Mutex<HashSet<Uuid>>,
    /// Tells the loop that observes that a fresh look at a service is wanted.
    pub look_wanted: Notify,
    pub health: Signal,
    pub registry: Signal,
    pub failback: Signal,
}

impl Work {
    #[must_use]
    pub fn new(dispatches: usize, dispatches_per_cluster: usize) -> Self {
        Self {
            queue: Mutex::default(),
            in_flight: Mutex::default(),
            lanes: Mutex::default(),
            lane_width: dispatches_per_cluster.max(1),
            road: Arc::new(Semaphore::new(dispatches.max(1))),
            looks: RwLock::default(),
            looks_wanted: Mutex::default(),
            look_wanted: Notify::new(),
            health: Signal::default(),
            registry: Signal::default(),
            failback: Signal::default(),
        }
    }

    /// Marks services to be looked at.
    pub fn mark(&self, services: impl IntoIterator<Item = Uuid>) {
        let mut queue = self.queue.lock();
        for service in services {
            queue.mark(service);
        }
    }

    /// Takes note of services' priorities: where many are to be looked at, those of higher priority come first,
    /// and get what room there is.
    pub fn note_priorities(&self, services: impl IntoIterator<Item = (Uuid, Priority)>) {
        let mut queue = self.queue.lock();
        for (service, priority) in services {
            if priority.is_normal() {
                queue.priorities.remove(&service);
            } else {
                queue.priorities.insert(service, priority);
            }
        }
    }

    /// Marks a service to be looked at then.
    pub fn mark_later(&self, service: Uuid, at: DateTime<Utc>) {
        self.queue.lock().later.insert((at, service));
    }

    /// Takes up to `most` services that are to be looked at: those of the highest priority, and those that waited for long.
    pub fn take(&self, now: DateTime<Utc>, most: usize) -> Vec<Uuid> {
        let mut queue = self.queue.lock();
        let rest = queue.later.split_off(&(now, Uuid::max()));
        let due = std::mem::replace(&mut queue.later, rest);
        for (_, service) in due {
            queue.mark(service);
        }
        queue.take(most)
    }

    /// Forgets everything, as when another replica led in between.
    pub fn clear(&self) {
        *self.queue.lock() = Queue::default();
    }

    /// Claims a place of a service for one dispatch; none while another is under way there.
    #[must_use]
    pub fn claim(&self, service: Uuid, cluster: Uuid) -> bool {
        self.in_flight.lock().insert((service, cluster))
    }

    pub fn release(&self, service: Uuid, cluster: Uuid) {
        self.in_flight.lock().remove(&(service, cluster));
    }

    /// What bounds the dispatches to one cluster.
    #[must_use]
    pub fn lane(&self, cluster: Uuid) -> Arc<Semaphore> {
        Arc::clone(
            self.lanes
                .lock()
                .entry(cluster)
                .or_insert_with(|| Arc::new(Semaphore::new(self.lane_width))),
        )
    }

    /// The last look that had a service in it.
    #[must_use]
    pub fn look(&self, service: Uuid) -> Look {
        let looks = self.looks.read();
        looks.services.get(&service).unwrap_or(&looks.all).clone()
    }

    pub fn looked_at_all(&self, look: Look) {
        *self.looks.write() = Looks {
            all: look,
            services: HashMap::new(),
        };
    }

    pub fn looked_at(&self, service: Uuid, look: Look) {
        self.looks.write().services.insert(service, look);
    }

    /// Asks for a fresh look at a service.
    pub fn want_look(&self, service: Uuid) {
        self.looks_wanted.lock().insert(service);
        self.look_wanted.notify_one();
    }

    /// Takes the services of which a look is wanted.
    #[must_use]
    pub fn looks_wanted(&self) -> HashSet<Uuid> {
        std::mem::take(&mut *self.looks_wanted.lock())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_due_is_taken_once() {
        let work = Work::new(1, 1);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let (a, b, c) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        work.mark([a]);
        work.mark_later(b, now);
        work.mark_later(c, now + chrono::Duration::seconds(1));
        let mut taken = work.take(now, 10);
        taken.sort();
        assert_eq!(taken, [a, b]);
        assert!(work.take(now, 10).is_empty());
        assert_eq!(work.take(now + chrono::Duration::seconds(1), 10), [c]);
    }

    #[test]
    fn the_highest_priority_comes_first() {
        let work = Work::new(1, 1);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let (low, normal, high) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
        work.note_priorities([(low, Priority::Low), (high, Priority::High)]);
        work.mark([low, normal]);
        work.mark_later(high, now);
        assert_eq!(work.take(now, 2), [high, normal]);
        assert_eq!(work.take(now, 2), [low]);
        assert!(work.take(now, 2).is_empty());
    }

    #[test]
    fn a_low_priority_is_not_starved_and_waits_its_turn() {
        let work = Work::new(1, 1);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let high: Vec<Uuid> = (0..300).map(|_| Uuid::now_v7()).collect();
        let low = Uuid::now_v7();
        work.note_priorities(high.iter().map(|service| (*service, Priority::High)));
        work.note_priorities([(low, Priority::Low)]);
        work.mark(high.clone());
        work.mark([low]);
        let mut looks = 0;
        loop {
            let taken = work.take(now, 100);
            looks += taken.len() as u64;
            if taken.contains(&low) {
                break;
            }
            assert!(taken.iter().all(|service| high.contains(service)));
            // They change all the time.
            work.mark(high.clone());
        }
        let turn = 2 * 301 + PATIENCE;
        assert!((turn..=turn + 200).contains(&looks), "{looks}");
        // What waits together is served by priority, however much it is.
        let many: Vec<Uuid> = (0..5000).map(|_| Uuid::now_v7()).collect();
        work.note_priorities(many.iter().map(|service| (*service, Priority::High)));
        work.mark([low]);
        work.mark(many);
        work.mark(high);
        let mut last = Vec::new();
        loop {
            let taken = work.take(now, 100);
            if taken.is_empty() {
                break;
            }
            last = taken;
        }
        assert!(last.contains(&low));
    }

    proptest! {
        /// Whatever is marked, in which order and how often.
        #[test]
        fn nothing_waits_beyond_its_turn(
            priorities in prop::collection::vec(0usize..3, 1..60),
            rounds in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..40), 1..200),
            most in 1usize..20,
        ) {
            let work = Work::new(1, 1);
            let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
            let all: Vec<Uuid> = priorities.iter().map(|_| Uuid::now_v7()).collect();
            let words = [Priority::Low, Priority::Normal, Priority::High];
            work.note_priorities(all.iter().copied().zip(priorities.iter().map(|index| words[*index])));
            let longest = 3 * all.len() as u64 + PATIENCE + most as u64;
            let mut since: HashMap<Uuid, u64> = HashMap::new();
            let mut looks = 0;
            // Again and again, so that it goes on beyond all patience.
            for marks in rounds.iter().cycle().take(500) {
                for mark in marks {
                    let service = all[mark.index(all.len())];
                    since.entry(service).or_insert(looks);
                    work.mark([service]);
                }
                let taken = work.take(now, most);
                prop_assert_eq!(taken.len(), most.min(since.len()));
                looks += taken.len() as u64;
                for service in taken {
                    prop_assert!(since.remove(&service).is_some(), "taken twice");
                }
                for from in since.values() {
                    prop_assert!(looks - from <= longest);
                }
            }
        }
    }

    #[test]
    fn a_place_is_claimed_by_one_at_a_time() {
        let work = Work::new(1, 1);
        let (service, cluster) = (Uuid::now_v7(), Uuid::now_v7());
        assert!(work.claim(service, cluster));
        assert!(!work.claim(service, cluster));
        work.release(service, cluster);
        assert!(work.claim(service, cluster));
    }
}
