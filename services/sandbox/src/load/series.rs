//! The figures as the series of cAdvisor and kube-state-metrics, with their names and labels.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use super::figures::{Bounds, Counters, at_rest, cpu_at_rest, memory_at_rest};
use super::metrics::{self, METRICS, Metric, Source};
use super::state::{run_of, seconds_of};
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::apps::DEPLOYMENT;
use crate::kinds::core::{NODE, POD};

pub type Labels = Vec<(&'static str, String)>;

/// One series at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub labels: Labels,
    pub value: f64,
}

pub fn is_known(name: &str) -> bool {
    METRICS.iter().any(|metric| metric.name == name)
}

/// What one container has used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    pub counters: Counters,
    pub memory: f64,
    pub cores: f64,
    /// When its run began, in seconds since 1970.
    pub since: f64,
}

/// A container of a pod, as far as figures go.
pub struct Container {
    pub name: String,
    image: String,
    id: String,
    pub bounds: Bounds,
    run: String,
    since: Option<f64>,
    /// Takes the load of the pod.
    pub first: bool,
    pub value: Value,
}

pub struct Pod {
    namespace: String,
    name: String,
    pub uid: String,
    pub node: String,
    pub containers: Vec<Container>,
    pub value: Value,
}

/// The objects of a moment, read once for any number of series and of moments before.
pub struct View<'a> {
    cluster: &'a Cluster,
    pods: Vec<Pod>,
    /// Those that were there before, with when they went.
    gone: Vec<(f64, Arc<Pod>)>,
    deployments: Vec<Value>,
    nodes: Vec<Value>,
}

impl<'a> View<'a> {
    /// Reads the pods that the test lets through, and all the rest.
    pub fn of(cluster: &'a Cluster, wanted: impl Fn(&str, &str) -> bool) -> Self {
        let silent = |node: &str| cluster.faults.silence(node).is_some();
        let pods = cluster.store.list(&POD, None).0;
        let pods = pods
            .iter()
            .filter(|pod| {
                wanted(pod.namespace(), pod.name()) && !silent(pod.field("spec.nodeName").unwrap_or(""))
            })
            .map(|pod| Pod::read(pod.bare_value()))
            .collect();
        let read = |kind| {
            let objects = cluster.store.list(kind, None).0;
            objects.iter().map(|object| object.bare_value()).collect()
        };
        Self {
            cluster,
            pods,
            gone: cluster.load.gone.list(),
            deployments: read(&DEPLOYMENT),
            nodes: read(&NODE),
        }
    }

    /// The samples of a name at a moment.
    pub fn samples(&self, name: &str, at: f64) -> Vec<Sample> {
        match METRICS.iter().find(|metric| metric.name == name) {
            Some(metric) => self.of_metric(metric, at),
            None => Vec::new(),
        }
    }

    /// What the containers of a pod use at a moment.
    pub fn used(&self, namespace: &str, name: &str, at: f64) -> Vec<(&str, Used)> {
        let mut own = self
            .pods
            .iter()
            .filter(|pod| pod.namespace == namespace && pod.name == name);
        own.next().map_or_else(Vec::new, |pod| {
            pod.containers
                .iter()
                .filter_map(|container| Some((container.name.as_str(), self.container(pod, container, at)?)))
                .collect()
        })
    }

    fn container(&self, pod: &Pod, container: &Container, at: f64) -> Option<Used> {
        used(self.cluster, &pod.uid, container, at)
    }

    fn of_metric(&self, metric: &Metric, at: f64) -> Vec<Sample> {
        match metric.source {
            Source::Used(scope, of) => {
                let gone = self.gone.iter().filter(|(ended, _)| at < *ended);
                let each = self
                    .pods
                    .iter()
                    .chain(gone.map(|(_, pod)| &**pod))
                    .flat_map(|pod| pod.containers.iter().map(move |container| (pod, container)));
                each.filter_map(|(pod, container)| {
                    let used = self.container(pod, container, at)?;
                    let labels = scope.labels(pod, container, &used)?;
                    Some(Sample {
                        labels,
                        value: of(&used),
                    })
                })
                .collect()
            }
            Source::Pod(of) => self.pods.iter().flat_map(of).collect(),
            Source::Deployment(pointer) => self
                .deployments
                .iter()
                .map(|deployment| metrics::of_deployment(deployment, pointer))
                .collect(),
            Source::Node(of) => self.nodes.iter().flat_map(of).collect(),
        }
    }
}

/// What a pod's container uses at a moment; none before its run began.
fn used(cluster: &Cluster, uid: &str, container: &Container, at: f64) -> Option<Used> {
    let since = container.since.filter(|since| *since <= at)?;
    let resting = at_rest(uid, &container.bounds, since, at);
    let loaded = if container.first {
        cluster.load.at(uid, &container.run, at)
    } else {
        super::state::Sample::default()
    };
    let limit = container.bounds.memory_limit.unwrap_or(f64::INFINITY);
    Some(Used {
        counters: resting.each(loaded.counters, |one, two| one + two),
        memory: (memory_at_rest(uid, &container.bounds, at) + loaded.memory).min(limit),
        cores: cpu_at_rest(uid, &container.bounds, at) + loaded.cores,
        since,
    })
}

/// Cores and bytes of memory that the pods on each node use now, by the node's name.
///
/// Of pods that are alike but for their names and times one is read, and those under load: there may be very many.
pub fn used_by_node(cluster: &Cluster, at: f64) -> HashMap<String, (f64, f64)> {
    let mut alike: HashMap<*const u8, Pod> = HashMap::new();
    let mut nodes: HashMap<String, (f64, f64)> = HashMap::new();
    for object in cluster.store.list(&POD, None).0 {
        let node = object.field("spec.nodeName").unwrap_or("");
        if cluster.faults.silence(node).is_some() {
            continue;
        }
        let own;
        let pod = match object.shared_text() {
            Some(text) if !cluster.load.is_on(&object.uid) => alike
                .entry(text.as_ptr())
                .or_insert_with(|| Pod::read(object.bare_value())),
            _ => {
                own = Pod::read(object.bare_value());
                &own
            }
        };
        if !nodes.contains_key(node) {
            nodes.insert(node.to_owned(), (0.0, 0.0));
        }
        let sum = nodes.get_mut(node).expect("it was put in");
        for used in pod
            .containers
            .iter()
            .filter_map(|container| used(cluster, &object.uid, container, at))
        {
            sum.0 += used.cores;
            sum.1 += used.memory;
        }
    }
    nodes
}

impl Pod {
    pub fn read(value: Value) -> Self {
        let running = json::text(&value, "/status/phase") == "Running";
        let containers = json::items(&value, "/spec/containers").iter().enumerate();
        let containers = containers
            .map(|(position, spec)| {
                let name = json::text(spec, "/name");
                let run = run_of(&value, name);
                let statuses = json::items(&value, "/status/containerStatuses").iter();
                let mut own = statuses.filter(|status| json::text(status, "/name") == name);
                Container {
                    name: name.to_owned(),
                    image: json::text(spec, "/image").to_owned(),
                    id: own
                        .next()
                        .map_or("", |status| json::text(status, "/containerID"))
                        .to_owned(),
                    bounds: Bounds::of(spec),
                    run: run.to_owned(),
                    since: json::parse_time(run).filter(|_| running).map(seconds_of),
                    first: position == 0,
                    value: spec.clone(),
                }
            })
            .collect();
        Self {
            namespace: json::text(&value, "/metadata/namespace").to_owned(),
            name: json::text(&value, "/metadata/name").to_owned(),
            uid: json::text(&value, "/metadata/uid").to_owned(),
            node: json::text(&value, "/spec/nodeName").to_owned(),
            containers,
            value,
        }
    }

    pub fn labels(&self) -> Labels {
        vec![("namespace", self.namespace.clone()), ("pod", self.name.clone())]
    }

    /// Whether any of its containers runs, so that it has figures.
    pub fn has_figures(&self) -> bool {
        self.containers.iter().any(|container| container.since.is_some())
    }

    /// Only what figures are made of.
    pub fn without_objects(mut self) -> Self {
        self.value = Value::Null;
        for container in &mut self.containers {
            container.value = Value::Null;
        }
        self
    }
}

impl Container {
    pub fn labels(&self, pod: &Pod) -> Labels {
        let mut labels = pod.labels();
        labels.push(("container", self.name.clone()));
        labels.push(("image", self.image.clone()));
        labels.push(("name", self.id.trim_start_matches("sandbox://").to_owned()));
        labels.push(("id", format!("/kubepods/pod{}/{}", pod.uid, self.name)));
        labels
    }
}

/// Everything in the text format that Prometheus scrapes.
pub fn exposition(cluster: &Cluster) -> String {
    let view = View::of(cluster, |_, _| true);
    let at = seconds_of(crate::clock::now());
    let mut text = String::new();
    for metric in &METRICS {
        let kind = if metric.counter { "counter" } else { "gauge" };
        let _ = writeln!(text, "# TYPE {} {kind}", metric.name);
        for sample in view.of_metric(metric, at) {
            text.push_str(metric.name);
            for (position, (label, value)) in sample.labels.iter().enumerate() {
                text.push(if position == 0 { '{' } else { ',' });
                let value = value
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\n', "\\n");
                let _ = write!(text, "{label}=\"{value}\"");
            }
            let _ = writeln!(text, "}} {}", sample.value);
        }
    }
    text
}
