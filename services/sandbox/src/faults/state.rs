//! What is on now.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::kinds::{Fault, Order};
use super::schedule::Planned;

/// The faults of one cluster.
pub struct Faults {
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
}

pub(super) struct Inner {
    pub on: BTreeMap<u64, On>,
    /// What a schedule brings yet.
    pub planned: Vec<(Instant, Planned)>,
    /// Switched off by hand.
    pub switched_off: bool,
    pub random: StdRng,
    next: u64,
}

pub(super) struct On {
    pub order: Order,
    pub since: Instant,
    pub until: Option<Instant>,
}

/// Why nothing is heard of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// It runs on.
    Cut,
    /// It is off.
    Lost,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        let inner = Inner {
            on: BTreeMap::new(),
            planned: Vec::new(),
            switched_off: false,
            random: StdRng::seed_from_u64(seed),
            next: 0,
        };
        Self {
            inner: Mutex::new(inner),
            changed: watch::channel(0).0,
        }
    }

    /// Puts a fault on; gives the number by which it is cleared.
    pub fn put_on(&self, order: impl Into<Order>) -> u64 {
        self.with(|inner| inner.put_on(order.into()))
    }

    /// Says whether it was on.
    pub fn clear(&self, number: u64) -> bool {
        self.with(|inner| inner.on.remove(&number).is_some())
    }

    /// Ends every fault and every schedule.
    pub fn clear_all(&self) {
        self.with(|inner| {
            inner.on.clear();
            inner.planned.clear();
        });
    }

    /// Lets a schedule begin now; one that still runs is forgotten.
    pub fn play(&self, schedule: Vec<Planned>) {
        let now = Instant::now();
        self.with(|inner| {
            inner.planned = schedule
                .into_iter()
                .map(|planned| (now + Duration::from_secs_f64(planned.at_seconds), planned))
                .collect();
        });
    }

    /// What is on and what is to come, as the admin endpoint shows it.
    pub fn describe(&self) -> Value {
        let (now, inner) = (Instant::now(), self.inner.lock());
        let seconds = |from: Instant, to: Instant| (to - from).as_millis() as f64 / 1000.0;
        let on: Vec<Value> = inner
            .on
            .iter()
            .map(|(number, on)| {
                let mut told = json!(on.order);
                told["id"] = (*number).into();
                told["on_for_seconds"] = seconds(on.since, now).into();
                if let Some(until) = on.until {
                    told["ends_in_seconds"] = seconds(now, until).into();
                }
                told
            })
            .collect();
        let planned: Vec<Value> = inner
            .planned
            .iter()
            .map(|(at, planned)| {
                let mut told = json!(planned.order);
                told["begins_in_seconds"] = seconds(now, *at).into();
                told
            })
            .collect();
        json!({"items": on, "planned": planned})
    }

    pub(crate) fn switch_off(&self, off: bool) {
        self.with(|inner| inner.switched_off = off);
    }

    /// Why nothing is heard of a node, if so.
    pub(crate) fn silence(&self, node: &str) -> Option<Silence> {
        let inner = self.inner.lock();
        let mut found = None;
        for on in inner.on.values() {
            match &on.order.fault {
                Fault::NodeLost { node: lost } if lost == node => return Some(Silence::Lost),
                Fault::KubeletsCut { nodes } if nodes.is_empty() || nodes.iter().any(|one| one == node) => {
                    found = Some(Silence::Cut);
                }
                _ => {}
            }
        }
        found
    }

    /// Whether any node is silent; cheap to ask for every pod.
    pub(crate) fn has_silent_nodes(&self) -> bool {
        let inner = self.inner.lock();
        let silences = |on: &On| matches!(on.order.fault, Fault::NodeLost { .. } | Fault::KubeletsCut { .. });
        inner.on.values().any(silences)
    }

    /// Whether the agent inside the cluster is cut off from the outside.
    pub fn cuts_agent(&self) -> bool {
        let inner = self.inner.lock();
        inner
            .on
            .values()
            .any(|on| matches!(on.order.fault, Fault::AgentCut {}))
    }

    /// Wakes when a fault comes or goes.
    pub(crate) fn signal(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.inner.lock())
    }

    pub(super) fn with<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let result = change(&mut self.inner.lock());
        self.changed.send_modify(|count| *count += 1);
        result
    }
}

impl Inner {
    pub(super) fn put_on(&mut self, order: Order) -> u64 {
        self.next += 1;
        let since = Instant::now();
        let until = order
            .for_seconds
            .map(|seconds| since + Duration::from_secs_f64(seconds));
        self.on.insert(self.next, On { order, since, until });
        self.next
    }
}
