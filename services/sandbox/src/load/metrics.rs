//! The names that are exposed: what each is, and the samples that it has of a container, a pod, a deployment or a node.

use serde_json::Value;

use super::series::{Container, Labels, Pod, Sample, Used};
use crate::json;
use crate::kinds::quantity;

/// A name, what it is, and where its samples come from.
pub struct Metric {
    pub name: &'static str,
    pub counter: bool,
    pub source: Source,
}

pub enum Source {
    /// Of what a container that runs has used.
    Used(Scope, fn(&Used) -> f64),
    Pod(fn(&Pod) -> Vec<Sample>),
    /// A number of a deployment.
    Deployment(&'static str),
    Node(fn(&Value) -> Vec<Sample>),
}

/// Which containers have a figure, and under which labels.
#[derive(Clone, Copy)]
pub enum Scope {
    Container,
    /// Whose CPU is limited.
    Limited,
    Disk,
    /// The pod's, counted at its first container.
    Network,
    /// The same, once it was asked anything.
    Asked,
}

impl Scope {
    pub fn labels(self, pod: &Pod, container: &Container, used: &Used) -> Option<Labels> {
        let first = container.first.then(|| pod.labels());
        match self {
            Self::Container => Some(container.labels(pod)),
            Self::Limited => container.bounds.cpu_limit.map(|_| container.labels(pod)),
            Self::Disk => Some(with(container.labels(pod), [("device", "/dev/sda")])),
            Self::Network => first.map(|labels| with(labels, [("interface", "eth0")])),
            Self::Asked => first.filter(|_| used.counters.requests > 0.0),
        }
    }
}

const fn counter(name: &'static str, source: Source) -> Metric {
    Metric {
        name,
        counter: true,
        source,
    }
}

const fn gauge(name: &'static str, source: Source) -> Metric {
    Metric {
        name,
        counter: false,
        source,
    }
}

pub static METRICS: [Metric; 31] = [
    counter(
        "container_cpu_usage_seconds_total",
        Source::Used(Scope::Container, |used| used.counters.cpu_seconds),
    ),
    gauge(
        "container_memory_working_set_bytes",
        Source::Used(Scope::Container, |used| used.memory),
    ),
    gauge(
        "container_memory_usage_bytes",
        Source::Used(Scope::Container, |used| used.memory * 1.05),
    ),
    gauge(
        "container_memory_rss",
        Source::Used(Scope::Container, |used| used.memory * 0.9),
    ),
    gauge(
        "container_start_time_seconds",
        Source::Used(Scope::Container, |used| used.since),
    ),
    counter(
        "container_cpu_cfs_periods_total",
        Source::Used(Scope::Limited, |used| used.counters.periods),
    ),
    counter(
        "container_cpu_cfs_throttled_periods_total",
        Source::Used(Scope::Limited, |used| used.counters.throttled_periods),
    ),
    counter(
        "container_cpu_cfs_throttled_seconds_total",
        Source::Used(Scope::Limited, |used| used.counters.throttled_seconds),
    ),
    counter(
        "container_fs_reads_bytes_total",
        Source::Used(Scope::Disk, |used| used.counters.read),
    ),
    counter(
        "container_fs_writes_bytes_total",
        Source::Used(Scope::Disk, |used| used.counters.written),
    ),
    gauge(
        "container_fs_usage_bytes",
        Source::Used(Scope::Disk, |used| 4096.0 + used.counters.written),
    ),
    counter(
        "container_network_receive_bytes_total",
        Source::Used(Scope::Network, |used| used.counters.received),
    ),
    counter(
        "container_network_transmit_bytes_total",
        Source::Used(Scope::Network, |used| used.counters.sent),
    ),
    counter(
        "sandbox_requests_total",
        Source::Used(Scope::Asked, |used| used.counters.requests),
    ),
    gauge("kube_pod_info", Source::Pod(info)),
    gauge("kube_pod_status_phase", Source::Pod(phases)),
    gauge("kube_pod_status_ready", Source::Pod(readiness)),
    counter("kube_pod_container_status_restarts_total", Source::Pod(restarts)),
    gauge(
        "kube_pod_container_resource_requests",
        Source::Pod(|pod| resources(pod, "requests")),
    ),
    gauge(
        "kube_pod_container_resource_limits",
        Source::Pod(|pod| resources(pod, "limits")),
    ),
    gauge(
        "kube_deployment_spec_replicas",
        Source::Deployment("/spec/replicas"),
    ),
    gauge(
        "kube_deployment_status_replicas",
        Source::Deployment("/status/replicas"),
    ),
    gauge(
        "kube_deployment_status_replicas_ready",
        Source::Deployment("/status/readyReplicas"),
    ),
    gauge(
        "kube_deployment_status_replicas_available",
        Source::Deployment("/status/availableReplicas"),
    ),
    gauge(
        "kube_deployment_status_replicas_unavailable",
        Source::Deployment("/status/unavailableReplicas"),
    ),
    gauge(
        "kube_deployment_status_replicas_updated",
        Source::Deployment("/status/updatedReplicas"),
    ),
    gauge(
        "kube_deployment_status_observed_generation",
        Source::Deployment("/status/observedGeneration"),
    ),
    gauge("kube_node_info", Source::Node(node_info)),
    gauge(
        "kube_node_status_allocatable",
        Source::Node(|node| node_amounts(node, "allocatable")),
    ),
    gauge(
        "kube_node_status_capacity",
        Source::Node(|node| node_amounts(node, "capacity")),
    ),
    gauge("kube_node_status_condition", Source::Node(node_conditions)),
];

fn with<const N: usize>(mut labels: Labels, more: [(&'static str, &str); N]) -> Labels {
    labels.extend(more.map(|(name, value)| (name, value.to_owned())));
    labels
}

/// A sample of a pod, with its `uid`.
fn of_pod<const N: usize>(pod: &Pod, more: [(&'static str, &str); N], value: f64) -> Sample {
    let labels = with(pod.labels(), [("uid", pod.uid.as_str())]);
    Sample {
        labels: with(labels, more),
        value,
    }
}

fn info(pod: &Pod) -> Vec<Sample> {
    let owner = &pod.value["metadata"]["ownerReferences"][0];
    let labels = [
        ("node", pod.node.as_str()),
        ("host_ip", json::text(&pod.value, "/status/hostIP")),
        ("pod_ip", json::text(&pod.value, "/status/podIP")),
        ("created_by_kind", json::text(owner, "/kind")),
        ("created_by_name", json::text(owner, "/name")),
    ];
    vec![of_pod(pod, labels, 1.0)]
}

fn phases(pod: &Pod) -> Vec<Sample> {
    let own = json::text(&pod.value, "/status/phase");
    ["Pending", "Running", "Succeeded", "Failed", "Unknown"]
        .map(|phase| of_pod(pod, [("phase", phase)], truth(own == phase)))
        .into()
}

fn readiness(pod: &Pod) -> Vec<Sample> {
    condition(&pod.value, "Ready")
        .map(|(condition, value)| of_pod(pod, [("condition", condition)], value))
        .into()
}

fn restarts(pod: &Pod) -> Vec<Sample> {
    json::items(&pod.value, "/status/containerStatuses")
        .iter()
        .map(|status| {
            let restarts = status["restartCount"].as_f64().unwrap_or(0.0);
            of_pod(pod, [("container", json::text(status, "/name"))], restarts)
        })
        .collect()
}

fn resources(pod: &Pod, list: &str) -> Vec<Sample> {
    let mut found = Vec::new();
    for container in &pod.containers {
        for (resource, unit, value) in amounts(&container.value["resources"][list]) {
            let labels = [
                ("container", container.name.as_str()),
                ("node", pod.node.as_str()),
                ("resource", resource.as_str()),
                ("unit", unit),
            ];
            found.push(of_pod(pod, labels, value));
        }
    }
    found
}

pub fn of_deployment(deployment: &Value, pointer: &str) -> Sample {
    let labels = [
        ("namespace", json::text(deployment, "/metadata/namespace")),
        ("deployment", json::text(deployment, "/metadata/name")),
    ];
    Sample {
        labels: with(Vec::new(), labels),
        value: json::at(deployment, pointer).as_f64().unwrap_or(0.0),
    }
}

fn of_node<const N: usize>(node: &Value, more: [(&'static str, &str); N], value: f64) -> Sample {
    let labels = with(Vec::new(), [("node", json::text(node, "/metadata/name"))]);
    Sample {
        labels: with(labels, more),
        value,
    }
}

fn node_info(node: &Value) -> Vec<Sample> {
    let labels = [
        ("internal_ip", json::text(node, "/status/addresses/0/address")),
        (
            "kubelet_version",
            json::text(node, "/status/nodeInfo/kubeletVersion"),
        ),
    ];
    vec![of_node(node, labels, 1.0)]
}

fn node_amounts(node: &Value, list: &str) -> Vec<Sample> {
    amounts(&node["status"][list])
        .iter()
        .map(|(resource, unit, value)| {
            of_node(node, [("resource", resource.as_str()), ("unit", *unit)], *value)
        })
        .collect()
}

fn node_conditions(node: &Value) -> Vec<Sample> {
    let conditions = json::items(node, "/status/conditions").iter();
    conditions
        .map(|known| json::text(known, "/type"))
        .flat_map(|kind| {
            condition(node, kind)
                .map(|(status, value)| of_node(node, [("condition", kind), ("status", status)], value))
        })
        .collect()
}

fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

/// A condition as kube-state-metrics shows it: one series for each status it could have.
fn condition(object: &Value, kind: &str) -> [(&'static str, f64); 3] {
    let conditions = json::items(object, "/status/conditions").iter();
    let mut own = conditions.filter(|condition| json::text(condition, "/type") == kind);
    let status = own
        .next()
        .map_or("Unknown", |condition| json::text(condition, "/status"));
    [("true", "True"), ("false", "False"), ("unknown", "Unknown")]
        .map(|(shown, is)| (shown, truth(status == is)))
}

/// Resources with the names and units that kube-state-metrics gives them.
fn amounts(list: &Value) -> Vec<(String, &'static str, f64)> {
    let each = list
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, amount)| {
            let amount = quantity::read(amount)?;
            let unit = match name.as_str() {
                "cpu" => "core",
                "pods" => "integer",
                _ => "byte",
            };
            Some((
                name.replace(['-', '.', '/'], "_"),
                unit,
                amount.milli() as f64 / 1000.0,
            ))
        });
    each.collect()
}
