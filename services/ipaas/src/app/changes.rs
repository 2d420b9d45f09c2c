//! The stream of changes: what others should look at again.
//!
//! The last so many changes are kept in memory under an epoch of this process; a follower whose cursor
//! is of another epoch, or too old, is told to read everything again. Pods of a service change in
//! bursts, so their changes are gathered: the first is told at once, the others once a period.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use api_types::changes::{Change, ChangeLine, Topic};
use api_types::common::ClusterId;
use parking_lot::Mutex;
use platform::time::now;
use tokio::sync::watch;
use uuid::Uuid;

use crate::app::names::ServiceKey;

const PODS_PERIOD: Duration = Duration::from_secs(1);
const WORKLOADS_PERIOD: Duration = Duration::from_millis(200);
/// Lines given to a follower at a time.
const BATCH: usize = 500;

/// What happened, before it has a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    pub topic: Topic,
    pub service: Option<ServiceKey>,
    /// Absent when several clusters were gathered into one.
    pub cluster: Option<String>,
    pub id: Option<String>,
}

#[derive(Debug)]
struct Ring {
    changes: VecDeque<Change>,
    /// Sequence of the newest change.
    latest: u64,
    kept: usize,
}

#[derive(Debug)]
pub struct ChangeLog {
    epoch: String,
    ring: Mutex<Ring>,
    gathering: Mutex<Gathering>,
    latest: watch::Sender<u64>,
}

impl ChangeLog {
    #[must_use]
    pub fn new(kept: usize) -> Self {
        Self {
            epoch: Uuid::now_v7().simple().to_string(),
            ring: Mutex::new(Ring {
                changes: VecDeque::new(),
                latest: 0,
                kept: kept.max(1),
            }),
            gathering: Mutex::new(Gathering::default()),
            latest: watch::Sender::new(0),
        }
    }

    /// Something of a service's objects changed.
    pub fn workload_changed(&self, cluster: &str, key: &ServiceKey) {
        self.gather(Topic::Workloads, WORKLOADS_PERIOD, cluster, Some(key));
    }

    /// Something of a service's pods changed, or of pods that no service has.
    pub fn pods_changed(&self, cluster: &str, key: Option<&ServiceKey>) {
        self.gather(Topic::Pods, PODS_PERIOD, cluster, key);
    }

    /// A connection came, went, or changed its state.
    pub fn cluster_changed(&self, id: ClusterId, name: &str) {
        self.publish(Happening {
            topic: Topic::Clusters,
            service: None,
            cluster: Some(name.to_owned()),
            id: Some(id.to_string()),
        });
    }

    /// Tells what was gathered and is due; called every few milliseconds.
    pub fn flush(&self) {
        let due = self.gathering.lock().due(Instant::now());
        for happening in due {
            self.publish(happening);
        }
    }

    /// Where a follower that reads everything now can go on from.
    #[must_use]
    pub fn cursor(&self) -> String {
        self.cursor_at(self.ring.lock().latest)
    }

    /// Wakes whoever waits for changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// The changes after `cursor`, some hundreds at most, and where to go on. A cursor that isn't known
    /// gives a reset.
    #[must_use]
    pub fn after(&self, cursor: Option<&str>) -> (Vec<ChangeLine>, String) {
        let ring = self.ring.lock();
        let oldest = ring.latest - ring.changes.len() as u64;
        let known = cursor
            .and_then(|cursor| cursor.split_once(':'))
            .filter(|(epoch, _)| *epoch == self.epoch)
            .and_then(|(_, sequence)| sequence.parse::<u64>().ok())
            .filter(|sequence| (oldest..=ring.latest).contains(sequence));
        let Some(known) = known else {
            let cursor = self.cursor_at(ring.latest);
            return (
                vec![ChangeLine::Reset {
                    cursor: cursor.clone(),
                }],
                cursor,
            );
        };
        let skip = usize::try_from(known - oldest).unwrap_or(usize::MAX);
        let lines: Vec<ChangeLine> = ring
            .changes
            .iter()
            .skip(skip)
            .take(BATCH)
            .cloned()
            .map(ChangeLine::Change)
            .collect();
        let cursor = self.cursor_at(known + lines.len() as u64);
        (lines, cursor)
    }

    fn gather(&self, topic: Topic, period: Duration, cluster: &str, key: Option<&ServiceKey>) {
        let told = self
            .gathering
            .lock()
            .note(topic, period, cluster, key, Instant::now());
        if let Some(happening) = told {
            self.publish(happening);
        }
    }

    fn publish(&self, happening: Happening) {
        let latest = {
            let mut ring = self.ring.lock();
            ring.latest += 1;
            let cursor = self.cursor_at(ring.latest);
            let (project, environment, service) = match happening.service {
                Some(key) => (Some(key.project), Some(key.environment), Some(key.service)),
                None => (None, None, None),
            };
            ring.changes.push_back(Change {
                cursor,
                topic: happening.topic,
                project,
                environment,
                service,
                cluster: happening.cluster,
                id: happening.id,
                at: now(),
            });
            while ring.changes.len() > ring.kept {
                ring.changes.pop_front();
            }
            ring.latest
        };
        self.latest.send_replace(latest);
    }

    fn cursor_at(&self, sequence: u64) -> String {
        format!("{}:{sequence}", self.epoch)
    }
}

/// Changes that wait for their period to pass.
#[derive(Debug, Default)]
struct Gathering {
    places: HashMap<Place, Waiting>,
}

/// Pods are gathered per service; objects, and pods that no service has, per cluster too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    topic: Topic,
    service: Option<ServiceKey>,
    cluster: Option<String>,
}

#[derive(Debug)]
struct Waiting {
    until: Instant,
    period: Duration,
    /// The cluster of what waits; `Some(None)` when there are several.
    pending: Option<Option<String>>,
}

impl Gathering {
    fn note(
        &mut self,
        topic: Topic,
        period: Duration,
        cluster: &str,
        key: Option<&ServiceKey>,
        now: Instant,
    ) -> Option<Happening> {
        let over_clusters = topic == Topic::Pods && key.is_some();
        let place = Place {
            topic,
            service: key.cloned(),
            cluster: (!over_clusters).then(|| cluster.to_owned()),
        };
        if let Some(waiting) = self.places.get_mut(&place) {
            let merged = match waiting.pending.take() {
                None => Some(cluster.to_owned()),
                Some(other) => other.filter(|other| other == cluster),
            };
            waiting.pending = Some(merged);
            return None;
        }
        let waiting = Waiting {
            until: now + period,
            period,
            pending: None,
        };
        self.places.insert(place, waiting);
        Some(Happening {
            topic,
            service: key.cloned(),
            cluster: Some(cluster.to_owned()),
            id: None,
        })
    }

    fn due(&mut self, now: Instant) -> Vec<Happening> {
        let mut due = Vec::new();
        self.places.retain(|place, waiting| {
            if waiting.until > now {
                return true;
            }
            let Some(cluster) = waiting.pending.take() else {
                return false;
            };
            waiting.until = now + waiting.period;
            due.push(Happening {
                topic: place.topic,
                service: place.service.clone(),
                cluster,
                id: None,
            });
            true
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ServiceKey {
        ServiceKey::new("shop", "test", "web")
    }

    fn changes(log: &ChangeLog, cursor: &str) -> Vec<Change> {
        log.after(Some(cursor))
            .0
            .into_iter()
            .map(|line| match line {
                ChangeLine::Change(change) => change,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_follower_goes_on_where_it_was() {
        let log = ChangeLog::new(10);
        let start = log.cursor();
        log.cluster_changed(ClusterId::new(), "alpha");
        log.workload_changed("alpha", &key());
        let seen = changes(&log, &start);
        assert_eq!(seen.len(), 2);
        assert_eq!(changes(&log, &seen[0].cursor), seen[1..]);
        assert!(changes(&log, &seen[1].cursor).is_empty());
        assert_eq!(seen[1].service.as_deref(), Some("web"));
    }

    #[test]
    fn what_is_unknown_or_too_old_is_reset() {
        let log = ChangeLog::new(2);
        let start = log.cursor();
        for _ in 0..3 {
            log.cluster_changed(ClusterId::new(), "alpha");
        }
        let other = ChangeLog::new(2);
        for cursor in [
            None,
            Some(start.as_str()),
            Some("rubbish"),
            Some("x:1"),
            Some(other.cursor().as_str()),
            Some(&format!("{}:99", log.epoch)),
        ] {
            let (lines, next) = log.after(cursor);
            assert!(matches!(lines.as_slice(), [ChangeLine::Reset { cursor }] if *cursor == next));
            assert_eq!(next, log.cursor());
        }
    }

    #[test]
    fn a_burst_of_pods_is_told_at_once_and_then_once_a_second() {
        let mut gathering = Gathering::default();
        let start = Instant::now();
        let mut note = |cluster: &str, after: u64| {
            gathering
                .note(
                    Topic::Pods,
                    PODS_PERIOD,
                    cluster,
                    Some(&key()),
                    start + Duration::from_millis(after),
                )
                .is_some()
        };
        assert!(note("alpha", 0));
        assert!(!note("alpha", 10));
        assert!(!note("alpha", 20));
        assert!(gathering.due(start + Duration::from_millis(900)).is_empty());
        let due = gathering.due(start + Duration::from_millis(1000));
        assert_eq!(due.len(), 1);
        assert_eq!(due[0].cluster.as_deref(), Some("alpha"));
        assert!(gathering.due(start + Duration::from_millis(2100)).is_empty());
        assert!(gathering.places.is_empty());
    }

    #[test]
    fn changes_on_several_clusters_name_none() {
        let mut gathering = Gathering::default();
        let start = Instant::now();
        for cluster in ["alpha", "alpha", "beta"] {
            gathering.note(Topic::Pods, PODS_PERIOD, cluster, Some(&key()), start);
        }
        assert_eq!(gathering.due(start + PODS_PERIOD)[0].cluster, None);
    }
}
