//! The loads that are on, and what they have made the pods use. Only pods under load cost memory
//! and time.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::figures::{Bounds, Counters, cpu_at_rest, memory_at_rest};
use super::gone::Gone;
use super::plan::Plan;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::apps::DEPLOYMENT;
use crate::kinds::core::{POD, SERVICE};
use crate::store::Object;
use crate::store::selector::LabelSelector;

const TICK: Duration = Duration::from_secs(1);
/// How many seconds of figures are kept for queries that look back.
const HISTORY: usize = 3600;
/// Length of a period of the CPU controller, as a share of a second.
const PERIODS: f64 = 10.0;

#[derive(Default)]
pub struct Load {
    plans: RwLock<BTreeMap<(String, String), On>>,
    pods: RwLock<HashMap<Arc<str>, Loaded>>,
    /// Pods that queries look back at.
    pub gone: Gone,
}

/// A load that is on.
#[derive(Clone)]
struct On {
    plan: Plan,
    since: Instant,
    takers: Arc<Takers>,
}

/// The ready pods that share a load, cluster by cluster, as each counted its own last.
#[derive(Default)]
pub struct Takers(RwLock<BTreeMap<String, usize>>);

impl Takers {
    /// Keeps how many a cluster has, and tells how many there are in all.
    fn count(&self, cluster: &str, pods: usize) -> usize {
        let mut takers = self.0.write();
        takers.insert(cluster.to_owned(), pods);
        takers.values().sum()
    }
}

/// What load has made of one pod; on its first container.
#[derive(Default)]
struct Loaded {
    /// Which run of the container this is: counters begin anew with each.
    run: String,
    samples: VecDeque<Sample>,
}

/// Figures at a moment, besides those at rest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sample {
    pub at: f64,
    pub counters: Counters,
    pub cores: f64,
    pub memory: f64,
}

impl Load {
    /// Clusters that are given the same `takers` share one load.
    pub fn put(&self, namespace: &str, service: &str, plan: Plan, takers: Arc<Takers>) {
        let key = (namespace.to_owned(), service.to_owned());
        let since = Instant::now();
        self.plans.write().insert(key, On { plan, since, takers });
    }

    pub fn remove(&self, namespace: &str, service: &str) -> bool {
        let key = (namespace.to_owned(), service.to_owned());
        self.plans.write().remove(&key).is_some()
    }

    pub fn describe(&self) -> Value {
        let plans = self.plans.read();
        let items: Vec<Value> = plans
            .iter()
            .map(|((namespace, service), On { plan, since, .. })| {
                let seconds = since.elapsed().as_secs_f64();
                let mut told = json!(plan);
                told["namespace"] = namespace.as_str().into();
                told["service"] = service.as_str().into();
                told["on_for_seconds"] = seconds.into();
                told["rps"] = plan.shape.rate(seconds).into();
                told
            })
            .collect();
        json!({ "items": items })
    }

    /// Whether what a pod used is kept when it goes: of light ones only where there was load on it.
    pub fn is_kept(&self, cluster: &Cluster, uid: &str) -> bool {
        !cluster.config.light_pods || self.is_on(uid)
    }

    /// Whether there is or was load on a pod.
    pub fn is_on(&self, uid: &str) -> bool {
        self.pods.read().contains_key(uid)
    }

    /// What load had made a pod's run use up to a moment.
    pub fn at(&self, uid: &str, run: &str, at: f64) -> Sample {
        let pods = self.pods.read();
        let Some(loaded) = pods.get(uid).filter(|loaded| loaded.run == run) else {
            return Sample::default();
        };
        let after = loaded.samples.partition_point(|sample| sample.at <= at);
        let before = after
            .checked_sub(1)
            .and_then(|position| loaded.samples.get(position));
        match (before, loaded.samples.get(after)) {
            (Some(before), Some(next)) => {
                // Between two moments it grew evenly.
                let share = (at - before.at) / (next.at - before.at).max(1e-9);
                Sample {
                    counters: before
                        .counters
                        .each(next.counters, |one, two| one + (two - one) * share),
                    ..*before
                }
            }
            (Some(last), None) => *last,
            (None, _) => Sample::default(),
        }
    }
}

pub async fn run(cluster: Arc<Cluster>) {
    loop {
        tokio::select! {
            () = cluster.shutdown.cancelled() => return,
            () = tokio::time::sleep(TICK) => tick(&cluster),
        }
    }
}

/// When a pod's first container began to run, as its status has it.
pub fn run_of<'a>(pod: &'a Value, container: &str) -> &'a str {
    let statuses = json::items(pod, "/status/containerStatuses").iter();
    let mut own = statuses.filter(|status| json::text(status, "/name") == container);
    own.next()
        .map_or("", |status| json::text(status, "/state/running/startedAt"))
}

/// The pods that share a service's load: behind a Service of the name, or of a Deployment.
fn behind(cluster: &Cluster, namespace: &str, name: &str) -> Vec<Arc<Object>> {
    let service = cluster.store.get(&SERVICE, namespace, name);
    let selector = match service {
        Some(service) => LabelSelector::from_map(&service.bare_value()["spec"]["selector"]),
        None => match cluster.store.get(&DEPLOYMENT, namespace, name) {
            Some(deployment) => LabelSelector::from_object(&deployment.bare_value()["spec"]["selector"]),
            None => return Vec::new(),
        },
    };
    if selector.is_empty() {
        return Vec::new();
    }
    let pods = cluster.store.list(&POD, Some(namespace)).0;
    pods.into_iter()
        .filter(|pod| selector.matches_object(pod) && !pod.deleting && !pod.fact("ready-since").is_empty())
        .collect()
}

/// What falls on one pod in this tick.
#[derive(Default)]
struct Share {
    requests: f64,
    cpu: f64,
    memory: f64,
    received: f64,
    sent: f64,
    read: f64,
    written: f64,
}

fn tick(cluster: &Arc<Cluster>) {
    let load = &cluster.load;
    let plans: Vec<((String, String), On)> = {
        let plans = load.plans.read();
        plans.iter().map(|(key, on)| (key.clone(), on.clone())).collect()
    };
    if plans.is_empty() && load.pods.read().is_empty() {
        return;
    }
    let mut shares: HashMap<Arc<str>, (Arc<Object>, Share)> = HashMap::new();
    for ((namespace, name), On { plan, since, takers }) in &plans {
        let pods = behind(cluster, namespace, name);
        let count = takers.count(&cluster.config.name, pods.len()).max(1);
        let rate = plan.shape.rate(since.elapsed().as_secs_f64()) / count as f64;
        for pod in pods {
            let (_, share) = shares
                .entry(pod.uid.clone())
                .or_insert_with(|| (pod.clone(), Share::default()));
            share.requests += rate;
            share.cpu += rate * plan.cpu_milliseconds / 1000.0;
            share.memory += rate * plan.memory_bytes;
            share.received += rate * plan.received_bytes;
            share.sent += rate * plan.sent_bytes;
            share.read += rate * plan.read_bytes;
            share.written += rate * plan.written_bytes;
        }
    }
    let at = seconds_of(crate::clock::now());
    let mut too_large = Vec::new();
    let gone = load.gone.uids();
    let mut loaded = load.pods.write();
    loaded.retain(|uid, _| shares.contains_key(uid) || cluster.kubelet.knows(uid) || gone.contains(&**uid));
    // A pod that no load falls on any more goes on with none.
    let idle: Vec<Arc<str>> = loaded
        .keys()
        .filter(|uid| !shares.contains_key(*uid) && !gone.contains(&***uid))
        .cloned()
        .collect();
    for uid in idle {
        if let Some(entry) = loaded.get_mut(&uid) {
            let last = entry.samples.back().copied().unwrap_or_default();
            entry.push(Sample {
                at,
                cores: 0.0,
                memory: 0.0,
                ..last
            });
        }
    }
    for (uid, (pod, share)) in shares {
        let value = pod.bare_value();
        let Some(container) = json::items(&value, "/spec/containers").first() else {
            continue;
        };
        let name = json::text(container, "/name");
        let run = run_of(&value, name);
        let entry = loaded.entry(uid.clone()).or_default();
        if entry.run != run {
            *entry = Loaded {
                run: run.to_owned(),
                samples: VecDeque::new(),
            };
        }
        let bounds = Bounds::of(container);
        let sample = advance(&uid, &bounds, &share, entry.samples.back(), at);
        let memory = sample.memory + memory_at_rest(&uid, &bounds, at);
        if bounds.memory_limit.is_some_and(|limit| memory > limit) {
            too_large.push((uid, name.to_owned()));
        }
        entry.push(sample);
    }
    drop(loaded);
    for (uid, container) in too_large {
        cluster.kubelet.run_out_of_memory(uid, container);
    }
}

impl Loaded {
    fn push(&mut self, sample: Sample) {
        self.samples.push_back(sample);
        if self.samples.len() > HISTORY {
            self.samples.pop_front();
        }
    }
}

fn advance(uid: &str, bounds: &Bounds, share: &Share, last: Option<&Sample>, at: f64) -> Sample {
    let before = last.copied().unwrap_or(Sample {
        at: at - 1.0,
        ..Sample::default()
    });
    let seconds = (at - before.at).clamp(0.0, 10.0);
    let resting = cpu_at_rest(uid, bounds, at);
    let room = bounds
        .cpu_limit
        .map_or(f64::INFINITY, |limit| (limit - resting).max(0.0));
    let cores = share.cpu.min(room);
    // A pod without enough CPU answers as many requests as it has CPU for.
    let done = if share.cpu > 0.0 { cores / share.cpu } else { 1.0 };
    let is_throttled = share.cpu > room;
    let added = Counters {
        cpu_seconds: cores * seconds,
        received: share.received * seconds,
        sent: share.sent * done * seconds,
        read: share.read * done * seconds,
        written: share.written * done * seconds,
        periods: if bounds.cpu_limit.is_some() {
            PERIODS * seconds
        } else {
            0.0
        },
        throttled_periods: if is_throttled { PERIODS * seconds } else { 0.0 },
        throttled_seconds: (share.cpu - cores) * seconds,
        requests: share.requests * done * seconds,
    };
    Sample {
        at,
        counters: before.counters.each(added, |one, two| one + two),
        cores,
        memory: share.memory,
    }
}

/// A time as queries write it.
pub fn seconds_of(time: chrono::DateTime<chrono::Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_without_enough_cpu_is_throttled_and_answers_less() {
        let bounds = Bounds {
            cpu_request: 0.0,
            memory_request: 0.0,
            cpu_limit: Some(0.5),
            memory_limit: None,
        };
        let share = Share {
            requests: 100.0,
            cpu: 1.0,
            ..Share::default()
        };
        let sample = advance("a", &bounds, &share, None, 1000.0);
        assert_eq!(sample.cores, 0.5);
        assert_eq!(sample.counters.requests, 50.0);
        assert_eq!(sample.counters.throttled_periods, 10.0);
        assert_eq!(sample.counters.throttled_seconds, 0.5);
        let less = Share {
            requests: 10.0,
            cpu: 0.1,
            ..Share::default()
        };
        let next = advance("a", &bounds, &less, Some(&sample), 1002.0);
        assert_eq!(next.counters.requests, 70.0);
        assert_eq!(next.counters.throttled_periods, 10.0);
    }
}
