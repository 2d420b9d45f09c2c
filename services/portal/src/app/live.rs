//! What changes, on its way to the browsers.
//!
//! One ring of the last changes serves everybody: a browser that follows is a place in the ring, so a
//! slow one costs nothing, and one that falls behind the ring (or returns too late) is told to read
//! everything again. Places are `{epoch}-{sequence}`; the epoch is new with every start.

use std::collections::VecDeque;
use std::sync::Arc;

use api_types::changes::Change;
use parking_lot::Mutex;
use tokio::sync::watch;

const KEPT: usize = 8192;
const BATCH: usize = 256;

/// An entry of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Change(Arc<Change>),
    /// A service lost track: what it holds must be read again.
    Reset,
}

#[derive(Debug)]
pub struct Hub {
    epoch: String,
    ring: Mutex<Ring>,
    head: watch::Sender<u64>,
}

#[derive(Debug)]
struct Ring {
    /// The sequence of the newest entry.
    head: u64,
    entries: VecDeque<Entry>,
}

/// What a follower gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batch {
    /// Entries in order, each with its sequence; empty when there is nothing new.
    Entries(Vec<(u64, Entry)>),
    /// The place is no longer in the ring; go on from this one.
    TooOld(u64),
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            epoch: format!("{:08x}", rand::random::<u32>()),
            ring: Mutex::new(Ring {
                head: 0,
                entries: VecDeque::with_capacity(64),
            }),
            head: watch::Sender::new(0),
        }
    }
}

impl Hub {
    /// Tells everybody who follows.
    pub fn publish(&self, mut change: Change) {
        self.push(|cursor| {
            change.cursor = cursor;
            Entry::Change(Arc::new(change))
        });
    }

    /// Tells everybody to read everything again.
    pub fn reset(&self) {
        self.push(|_| Entry::Reset);
    }

    fn push(&self, entry: impl FnOnce(String) -> Entry) {
        let mut ring = self.ring.lock();
        ring.head += 1;
        let cursor = self.cursor(ring.head);
        if ring.entries.len() == KEPT {
            ring.entries.pop_front();
        }
        ring.entries.push_back(entry(cursor));
        self.head.send_replace(ring.head);
    }

    /// Wakes when something was published.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// The place after the newest entry.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.ring.lock().head
    }

    #[must_use]
    pub fn cursor(&self, sequence: u64) -> String {
        format!("{}-{sequence}", self.epoch)
    }

    /// The place that a cursor names, if it is one of ours; whether it is still in the ring shows
    /// when it is read on from.
    #[must_use]
    pub fn place(&self, cursor: &str) -> Option<u64> {
        let (epoch, sequence) = cursor.split_once('-')?;
        let sequence = sequence.parse().ok()?;
        (epoch == self.epoch && sequence <= self.head()).then_some(sequence)
    }

    /// What came after a place.
    #[must_use]
    pub fn after(&self, place: u64) -> Batch {
        let ring = self.ring.lock();
        let oldest = ring.head - ring.entries.len() as u64;
        if place < oldest {
            return Batch::TooOld(ring.head);
        }
        let skipped = usize::try_from(place - oldest).unwrap_or(usize::MAX);
        let entries = ring.entries.iter().skip(skipped).take(BATCH);
        Batch::Entries((place + 1..).zip(entries.cloned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use api_types::changes::Topic;

    use super::*;

    fn change(id: u64) -> Change {
        Change {
            cursor: String::new(),
            topic: Topic::Pods,
            project: None,
            environment: None,
            service: None,
            cluster: None,
            id: Some(id.to_string()),
            at: platform::time::now(),
        }
    }

    fn ids(batch: Batch) -> Vec<String> {
        let Batch::Entries(entries) = batch else {
            panic!("too old")
        };
        entries
            .into_iter()
            .map(|(_, entry)| match entry {
                Entry::Change(change) => change.id.clone().unwrap(),
                Entry::Reset => "reset".to_owned(),
            })
            .collect()
    }

    #[test]
    fn a_follower_goes_on_where_it_was() {
        let hub = Hub::default();
        let start = hub.head();
        for id in 0..5 {
            hub.publish(change(id));
        }
        hub.reset();
        assert_eq!(ids(hub.after(start)), ["0", "1", "2", "3", "4", "reset"]);
        assert_eq!(ids(hub.after(start + 4)), ["4", "reset"]);
        assert!(ids(hub.after(hub.head())).is_empty());
        let Batch::Entries(entries) = hub.after(start) else {
            panic!()
        };
        let Entry::Change(first) = &entries[0].1 else {
            panic!()
        };
        assert_eq!(hub.place(&first.cursor), Some(entries[0].0));
    }

    #[test]
    fn who_is_too_late_is_told() {
        let hub = Hub::default();
        for id in 0..(KEPT as u64 + 10) {
            hub.publish(change(id));
        }
        assert_eq!(hub.after(9), Batch::TooOld(KEPT as u64 + 10));
        assert_eq!(ids(hub.after(10))[0], "10");
        assert_eq!(ids(hub.after(10)).len(), BATCH);
    }

    #[test]
    fn cursors_of_others_have_no_place() {
        let hub = Hub::default();
        hub.publish(change(1));
        assert_eq!(hub.place(&hub.cursor(1)), Some(1));
        assert_eq!(hub.place(&hub.cursor(2)), None);
        assert_eq!(hub.place(&Hub::default().cursor(0)).filter(|_| true), None);
        assert_eq!(hub.place("rubbish"), None);
        assert_eq!(hub.place(""), None);
    }
}
