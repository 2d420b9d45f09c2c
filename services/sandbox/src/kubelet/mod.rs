//! The kubelets of a cluster: one task that carries every pod through its life on its node.
//!
//! A pod is a small state machine driven by a heap of timers. One that runs and has nothing to
//! wait for is in no heap and costs no time.

pub mod container;
pub mod environment;
pub mod http;
pub mod logs;
mod pod;
pub mod process;
mod proxy;
pub mod rules;
mod status;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::faults::Silence;
use crate::json;
use crate::kinds::KindRef;
use crate::kinds::core::POD;
use crate::load::{seconds_of, series};
use crate::store::{Change, Key, Object};
use container::Step;
use logs::Log;
use pod::Pod;

/// What others may see of the pods: their logs, and whether a container runs.
#[derive(Default)]
pub struct Kubelet {
    pods: RwLock<HashMap<Arc<str>, Arc<Visible>>>,
    /// Containers that have used more memory than they may.
    out_of_memory: Mutex<Vec<(Arc<str>, String)>>,
    woken: tokio::sync::Notify,
}

/// One pod, as seen from outside the kubelet.
#[derive(Default)]
pub struct Visible {
    pub containers: Mutex<VisibleContainers>,
}

/// A pod has few containers, so they are found by going through them.
#[derive(Default)]
pub struct VisibleContainers(Vec<(Box<str>, VisibleContainer)>);

impl VisibleContainers {
    fn get(&self, name: &str) -> Option<&VisibleContainer> {
        self.0
            .iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, container)| container)
    }

    fn slot(&mut self, name: &str) -> &mut VisibleContainer {
        let position = self
            .0
            .iter()
            .position(|(known, _)| &**known == name)
            .unwrap_or_else(|| {
                self.0.push((name.into(), VisibleContainer::default()));
                self.0.len() - 1
            });
        &mut self.0[position].1
    }
}

#[derive(Clone, Default)]
pub struct VisibleContainer {
    pub current: Option<Arc<Log>>,
    pub previous: Option<Arc<Log>>,
    pub running: bool,
    /// Ends when this run of the container ends.
    pub life: Option<tokio_util::sync::CancellationToken>,
}

impl Kubelet {
    pub fn find(&self, cluster: &Cluster, pod: &Object, container: &str) -> Option<VisibleContainer> {
        let known = self.pods.read().get(&pod.uid).cloned();
        match known {
            Some(pod) => pod.containers.lock().get(container).cloned(),
            None if rests(cluster, pod) => {
                let value = pod.bare_value();
                let since = json::parse_time(crate::load::run_of(&value, container))?;
                let log = Log::new(since);
                log.write_at(since, format!("started {container} in {}", pod.name()));
                Some(VisibleContainer {
                    current: Some(Arc::new(log)),
                    previous: None,
                    running: true,
                    life: None,
                })
            }
            None => None,
        }
    }

    pub fn knows(&self, uid: &str) -> bool {
        self.pods.read().contains_key(uid)
    }

    /// Has a container killed that has used more memory than it may.
    pub fn run_out_of_memory(&self, uid: Arc<str>, container: String) {
        self.out_of_memory.lock().push((uid, container));
        self.woken.notify_one();
    }
}

/// A timer: when, for which pod, which container, in which of its epochs, what.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at: Instant,
    number: u64,
    uid: Arc<str>,
    container: usize,
    epoch: u32,
    step: Step,
}

/// Timers that a pod's machine asks for.
#[derive(Default)]
pub struct Timers(Vec<(Duration, usize, u32, Step)>);

impl Timers {
    pub fn after(&mut self, pause: Duration, container: usize, epoch: u32, step: Step) {
        self.0.push((pause, container, epoch, step));
    }
}

/// Whether a pod needs nobody to look after it: nothing is to be done for a light one that is ready
/// until somebody wants something else of it.
fn rests(cluster: &Cluster, pod: &Object) -> bool {
    cluster.config.light_pods
        && !pod.deleting
        && !pod.fact("ready-since").is_empty()
        && pod.fact("ephemeral").is_empty()
        && pod.field("status.phase") == Some("Running")
}

/// The kinds whose changes matter here.
static HEARD: [KindRef; 1] = [&POD];
/// Changes looked at before the timers are.
const AT_ONCE: usize = 64;

struct Worker {
    cluster: Arc<Cluster>,
    pods: HashMap<Arc<str>, Pod>,
    timers: BinaryHeap<Reverse<Timer>>,
    next: u64,
    /// The nodes that were silent when it was last looked.
    silent: HashMap<Box<str>, Silence>,
    /// Pods that are about to go, as they were while they ran.
    leaving: HashMap<Arc<str>, series::Pod>,
}

pub fn start(cluster: &Arc<Cluster>) {
    let changes = cluster.store.listen(&HEARD);
    let mut worker = Worker {
        cluster: cluster.clone(),
        pods: HashMap::new(),
        timers: BinaryHeap::new(),
        next: 0,
        silent: HashMap::new(),
        leaving: HashMap::new(),
    };
    for pod in cluster.store.list(&POD, None).0 {
        if rests(cluster, &pod) {
            let address = pod.field("status.podIP").and_then(|address| address.parse().ok());
            address.map(|address| cluster.addresses.retake_pod(address));
        }
        worker.look(&pod);
    }
    cluster.spawn(worker.run(changes));
    cluster.spawn(proxy::run(cluster.clone()));
}

impl Worker {
    async fn run(mut self, mut changes: tokio::sync::mpsc::UnboundedReceiver<Change>) {
        let shutdown = self.cluster.shutdown.clone();
        let cluster = self.cluster.clone();
        let mut faults = cluster.faults.signal();
        let mut worked = 0_u32;
        loop {
            // Not all that wait at once: a flood of changes must not hold up the timers.
            for _ in 0..AT_ONCE {
                match changes.try_recv() {
                    Ok(change) => self.take(&change),
                    Err(_) => break,
                }
            }
            self.fire();
            worked = worked.wrapping_add(1);
            if worked.is_multiple_of(16) {
                tokio::task::yield_now().await;
            }
            let far = Instant::now() + Duration::from_secs(3600);
            let wake = self.timers.peek().map_or(far, |Reverse(timer)| timer.at);
            tokio::select! {
                () = shutdown.cancelled() => break,
                change = changes.recv() => match change {
                    Some(change) => self.take(&change),
                    None => break,
                },
                () = cluster.kubelet.woken.notified() => self.kill_out_of_memory(),
                changed = faults.changed() => if changed.is_ok() { self.hear_again() },
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        for pod in self.pods.values_mut() {
            pod.abandon();
        }
    }

    fn take(&mut self, change: &Change) {
        match &change.new {
            // One that is let go of must not be taken up again by an older state of it.
            Some(pod) if self.cluster.config.light_pods => {
                let current = self.cluster.store.get(&POD, pod.namespace(), pod.name());
                if let Some(current) = current.filter(|current| current.uid == pod.uid) {
                    self.look(&current);
                }
            }
            Some(pod) => self.look(pod),
            None => self.forget(change.object()),
        }
    }

    /// Looks at a pod that came or changed.
    fn look(&mut self, object: &Arc<Object>) {
        let node = object.field("spec.nodeName").unwrap_or("");
        // A node that is cut off hears of nothing; it catches up when it is back.
        if node.is_empty() || self.cluster.faults.silence(node).is_some() {
            return;
        }
        if object.deleting {
            self.see_off(object);
        }
        let mut timers = Timers::default();
        let uid = object.uid.clone();
        if rests(&self.cluster, object) && !self.pods.contains_key(&uid) {
            return;
        }
        if let Some(pod) = self.pods.get_mut(&uid) {
            if object.deleting {
                pod.terminate(&self.cluster, object, &mut timers);
            } else {
                pod.refresh(&self.cluster, object, &mut timers);
            }
        } else {
            let ended = matches!(object.field("status.phase"), Some("Succeeded" | "Failed"));
            if ended && !object.deleting {
                return;
            }
            self.take_on(object, &mut timers);
        }
        self.let_rest(&uid, &timers);
        self.set(uid, timers);
    }

    /// Faults came or went: machines go off and on, and nodes that are back catch up.
    fn hear_again(&mut self) {
        let cluster = self.cluster.clone();
        let before = std::mem::take(&mut self.silent);
        let mut back = false;
        for (uid, pod) in &mut self.pods {
            let was = before.get(pod.node.as_str()).copied();
            let is = cluster.faults.silence(&pod.node);
            if let Some(is) = is {
                self.silent.entry(pod.node.as_str().into()).or_insert(is);
            }
            let mut timers = Timers::default();
            if is == Some(Silence::Lost) && was != is {
                pod.power_off();
            } else if was.is_some() && is.is_none() {
                back = true;
                pod.come_back(&cluster, was == Some(Silence::Lost), &mut timers);
            }
            for (pause, container, epoch, step) in timers.0 {
                self.next += 1;
                self.timers.push(Reverse(Timer {
                    at: Instant::now() + pause,
                    number: self.next,
                    uid: uid.clone(),
                    container,
                    epoch,
                    step,
                }));
            }
        }
        if back || !before.is_empty() {
            for pod in self.cluster.store.list(&POD, None).0 {
                self.look(&pod);
            }
        }
    }

    fn take_on(&mut self, object: &Arc<Object>, timers: &mut Timers) {
        let uid = object.uid.clone();
        let visible = Arc::new(Visible::default());
        self.cluster
            .kubelet
            .pods
            .write()
            .insert(uid.clone(), visible.clone());
        let mut pod = Pod::take_on(&self.cluster, object, visible, timers);
        if object.deleting {
            pod.terminate(&self.cluster, object, timers);
        }
        self.pods.insert(uid, pod);
    }

    /// A light pod that runs and has nothing to wait for is let go of.
    fn let_rest(&mut self, uid: &Arc<str>, timers: &Timers) {
        let light = self.cluster.config.light_pods && timers.0.is_empty();
        if light && self.pods.get(uid).is_some_and(Pod::has_settled) {
            self.pods.remove(uid);
            self.cluster.kubelet.pods.write().remove(uid);
        }
    }

    /// Kills what has used more memory than it may.
    fn kill_out_of_memory(&mut self) {
        let cluster = self.cluster.clone();
        let victims = std::mem::take(&mut *cluster.kubelet.out_of_memory.lock());
        for (uid, container) in victims {
            let mut timers = Timers::default();
            if !self.pods.contains_key(&uid) {
                let pods = cluster.store.list(&POD, None).0;
                if let Some(object) = pods.iter().find(|pod| pod.uid == uid) {
                    self.take_on(object, &mut timers);
                }
            }
            if let Some(pod) = self.pods.get_mut(&uid) {
                pod.run_out_of_memory(&cluster, &container, &mut timers);
            }
            self.set(uid, timers);
        }
    }

    /// Remembers a pod that is about to go, for queries that look back.
    fn see_off(&mut self, object: &Object) {
        let uid = &object.uid;
        if self.leaving.contains_key(uid) || !self.cluster.load.is_kept(&self.cluster, uid) {
            return;
        }
        let pod = series::Pod::read(object.bare_value());
        if pod.has_figures() {
            self.leaving.insert(uid.clone(), pod);
        }
    }

    fn forget(&mut self, object: &Object) {
        // One that was deleted at once was never seen leaving.
        self.see_off(object);
        let uid = &object.uid;
        if let Some(pod) = self.leaving.remove(uid) {
            let at = seconds_of(crate::clock::now());
            self.cluster.load.gone.add(pod, at);
        }
        let known = self.pods.remove(uid);
        let address = match known {
            Some(mut pod) => {
                pod.abandon();
                pod.address
            }
            None => object
                .field("status.podIP")
                .and_then(|address| address.parse().ok()),
        };
        if let Some(address) = address {
            self.cluster.addresses.release_pod(address);
        }
        self.cluster.kubelet.pods.write().remove(uid);
        let directory = self.cluster.scratch.join(&**uid);
        if directory.exists() {
            let _ = std::fs::remove_dir_all(directory);
        }
    }

    fn set(&mut self, uid: Arc<str>, timers: Timers) {
        for (pause, container, epoch, step) in timers.0 {
            self.next += 1;
            let at = Instant::now() + pause;
            self.timers.push(Reverse(Timer {
                at,
                number: self.next,
                uid: uid.clone(),
                container,
                epoch,
                step,
            }));
        }
    }

    fn fire(&mut self) {
        let now = Instant::now();
        while self.timers.peek().is_some_and(|Reverse(timer)| timer.at <= now) {
            let Some(Reverse(timer)) = self.timers.pop() else {
                return;
            };
            let mut timers = Timers::default();
            if let Some(pod) = self.pods.get_mut(&timer.uid) {
                if timer.step == Step::Stopped && self.cluster.faults.silence(&pod.node).is_some() {
                    continue;
                }
                pod.step(
                    &self.cluster,
                    timer.container,
                    timer.epoch,
                    timer.step,
                    &mut timers,
                );
            }
            self.let_rest(&timer.uid, &timers);
            self.set(timer.uid, timers);
        }
    }
}

/// The key of a pod in messages: `web-1_shop(uid)`.
pub fn pod_id(key: &Key, uid: &str) -> String {
    format!("{}_{}({uid})", key.name, key.namespace)
}
