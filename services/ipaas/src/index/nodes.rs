//! The nodes of one cluster, and what it has in all.

use std::collections::BTreeMap;

use api_types::clusters::{FreeRoom, GpuNodes, Node, ResourceAmounts};
use chrono::{DateTime, Utc};

use crate::app::gpu::GpuResource;
use crate::app::quantity;
use crate::index::free::{self, Free};
use crate::index::pods::PodTable;
use crate::index::wire;

/// Which pods a node takes, as its taints say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    Any,
    /// Those that ask for its GPUs: they tolerate a taint of the GPUs' own name (`render::pod`).
    WithGpus,
    /// None of ours.
    Nothing,
}

#[derive(Clone, Debug)]
pub struct NodeRow {
    pub name: String,
    pub ready: bool,
    pub message: String,
    pub unschedulable: bool,
    pub taking: Taking,
    pub kubelet_version: String,
    pub internal_ip: String,
    pub roles: Vec<String>,
    pub allocatable: ResourceAmounts,
    pub created_at: DateTime<Utc>,
    round: u8,
}

impl NodeRow {
    /// Which new pods can go there.
    #[must_use]
    pub fn takes(&self) -> Taking {
        if self.ready && !self.unschedulable {
            self.taking
        } else {
            Taking::Nothing
        }
    }
}

/// What a cluster has and gives away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub nodes: u32,
    pub nodes_ready: u32,
    pub allocatable: ResourceAmounts,
    pub requested: ResourceAmounts,
    /// The most that any one node can give to any pod, each figure for itself; absent without nodes.
    pub largest_node: Option<ResourceAmounts>,
    /// The part on nodes that take only pods with GPUs; absent without such.
    pub gpu_nodes: Option<GpuNodes>,
}

#[derive(Debug, Default)]
pub struct NodeTable {
    rows: BTreeMap<String, NodeRow>,
    used: BTreeMap<String, ResourceAmounts>,
    gpu: GpuResource,
    round: u8,
}

impl NodeTable {
    /// An empty one, in which `gpu` counts as GPUs.
    #[must_use]
    pub fn new(gpu: GpuResource) -> Self {
        Self {
            gpu,
            ..Self::default()
        }
    }

    pub fn begin_list(&mut self) {
        self.round = self.round.wrapping_add(1);
    }

    pub fn finish_list(&mut self) {
        let round = self.round;
        self.rows.retain(|_, row| row.round == round);
    }

    pub fn upsert(&mut self, node: &wire::Node) {
        let row = read(node, &self.gpu, self.round);
        self.rows.insert(row.name.clone(), row);
    }

    pub fn remove(&mut self, name: &str) {
        self.rows.remove(name);
    }

    /// What is in use by node; empty where nothing measures it.
    pub fn set_used(&mut self, used: BTreeMap<String, ResourceAmounts>) {
        self.used = used;
    }

    /// The sum of what is in use; absent where nothing measures it.
    #[must_use]
    pub fn used(&self) -> Option<ResourceAmounts> {
        (!self.used.is_empty()).then(|| {
            self.used
                .values()
                .fold(ResourceAmounts::default(), |sum, own| sum.plus(*own))
        })
    }

    /// The sums that placement rests on: what nodes that take pods can give, and what is asked of them,
    /// pods that no node was found for included.
    #[must_use]
    pub fn totals(&self, pods: &PodTable) -> Totals {
        let mut totals = Totals {
            requested: pods.requested_on(""),
            ..Totals::default()
        };
        for row in self.rows.values() {
            totals.nodes += 1;
            totals.nodes_ready += u32::from(row.ready);
            let taking = row.takes();
            if taking == Taking::Nothing {
                continue;
            }
            let requested = pods.requested_on(&row.name);
            totals.allocatable = totals.allocatable.plus(row.allocatable);
            totals.requested = totals.requested.plus(requested);
            if taking == Taking::Any {
                let largest = totals.largest_node.unwrap_or_default();
                totals.largest_node = Some(largest.max(row.allocatable));
            } else {
                let apart = totals.gpu_nodes.get_or_insert_default();
                apart.nodes += 1;
                apart.allocatable = apart.allocatable.plus(row.allocatable);
                apart.requested = apart.requested.plus(requested);
                apart.largest_node = apart.largest_node.max(row.allocatable);
            }
        }
        totals
    }

    /// What is free on each node that takes pods, and what waits for one.
    #[must_use]
    pub fn free(&self, pods: &PodTable) -> FreeRoom {
        let taking = self.rows.values().filter(|row| row.takes() != Taking::Nothing);
        let free = taking.map(|row| Free {
            amounts: row.allocatable.minus(pods.requested_on(&row.name)),
            gpus_only: row.takes() == Taking::WithGpus,
        });
        FreeRoom {
            nodes: free::kinds(free),
            waiting: pods.requested_on(""),
        }
    }

    /// The nodes as people see them, by name. What is stale is never ready.
    pub fn shown<'a>(
        &'a self,
        pods: &'a PodTable,
        observed_at: DateTime<Utc>,
        stale: bool,
    ) -> impl Iterator<Item = Node> + 'a {
        self.rows.values().map(move |row| Node {
            name: row.name.clone(),
            ready: row.ready && !stale,
            message: row.message.clone(),
            unschedulable: row.unschedulable,
            kubelet_version: row.kubelet_version.clone(),
            internal_ip: row.internal_ip.clone(),
            roles: row.roles.clone(),
            allocatable: row.allocatable,
            requested: pods.requested_on(&row.name),
            used: self.used.get(&row.name).copied(),
            created_at: row.created_at,
            observed_at,
            stale,
        })
    }
}

/// CPU, memory, pods and GPUs of a list of quantities.
#[must_use]
pub fn amounts(quantities: &BTreeMap<String, String>, gpu: &GpuResource) -> ResourceAmounts {
    let text = |name: &str| quantities.get(name).map(String::as_str).unwrap_or("0");
    ResourceAmounts {
        cpu_millicores: quantity::millicores(text("cpu")),
        memory_bytes: quantity::units(text("memory")),
        pods: quantity::units(text("pods")),
        gpus: quantity::units(text(gpu.name())),
    }
}

fn read(node: &wire::Node, gpu: &GpuResource, round: u8) -> NodeRow {
    let ready = node
        .status
        .conditions
        .iter()
        .find(|condition| condition.kind == "Ready");
    let mut messages = Vec::new();
    match ready {
        Some(condition) if condition.is_true() => {}
        Some(condition) => messages.push(format!("not ready: {}", condition.message)),
        None => messages.push("not ready: the kubelet never reported".to_owned()),
    }
    for condition in &node.status.conditions {
        if condition.kind != "Ready" && condition.is_true() {
            messages.push(format!("{}: {}", condition.kind, condition.message));
        }
    }
    let mut roles: Vec<String> = node
        .metadata
        .labels
        .keys()
        .filter_map(|label| label.strip_prefix("node-role.kubernetes.io/"))
        .filter(|role| !role.is_empty())
        .map(str::to_owned)
        .collect();
    roles.sort();
    let allocatable = amounts(&node.status.allocatable, gpu);
    NodeRow {
        name: node.metadata.name.clone(),
        ready: ready.is_some_and(wire::Condition::is_true),
        message: messages.join("; "),
        unschedulable: node.spec.unschedulable,
        taking: taking(&node.spec.taints, allocatable, gpu),
        kubelet_version: node.status.node_info.kubelet_version.clone(),
        internal_ip: node
            .status
            .addresses
            .iter()
            .find(|address| address.kind == "InternalIP")
            .map(|address| address.address.clone())
            .unwrap_or_default(),
        roles,
        allocatable,
        created_at: node.metadata.creation_timestamp.unwrap_or_default(),
        round,
    }
}

/// Nodes with GPUs commonly carry a taint whose key is the GPUs' name, so that only pods that ask for them go there.
fn taking(taints: &[wire::Taint], allocatable: ResourceAmounts, gpu: &GpuResource) -> Taking {
    let keeps_away = |taint: &&wire::Taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    let tolerated = |taint: &wire::Taint| taint.key == gpu.name() && taint.effect == "NoSchedule";
    let mut hard = taints.iter().filter(keeps_away).peekable();
    if hard.peek().is_none() {
        Taking::Any
    } else if allocatable.gpus > 0 && hard.all(tolerated) {
        Taking::WithGpus
    } else {
        Taking::Nothing
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(name: &str, change: impl FnOnce(&mut serde_json::Value)) -> wire::Node {
        let mut node = json!({
            "metadata": { "name": name, "labels": { "node-role.kubernetes.io/worker": "" } },
            "spec": {},
            "status": {
                "allocatable": { "cpu": "4", "memory": "8Gi", "pods": "110" },
                "conditions": [{ "type": "Ready", "status": "True" }],
                "addresses": [{ "type": "InternalIP", "address": "10.0.0.1" }],
                "nodeInfo": { "kubeletVersion": "v1.33.1" },
            },
        });
        change(&mut node);
        serde_json::from_value(node).unwrap()
    }

    #[test]
    fn only_nodes_that_take_pods_count_as_room() {
        let mut table = NodeTable::default();
        table.upsert(&node("a", |_| {}));
        table.upsert(&node("b", |node| node["spec"]["unschedulable"] = json!(true)));
        table.upsert(&node("c", |node| {
            node["status"]["conditions"][0]["status"] = json!("Unknown");
        }));
        table.upsert(&node("d", |node| {
            node["spec"]["taints"] = json!([{ "key": "x", "effect": "NoSchedule" }]);
        }));
        let totals = table.totals(&PodTable::default());
        assert_eq!((totals.nodes, totals.nodes_ready), (4, 3));
        assert_eq!(totals.allocatable.cpu_millicores, 4000);
        assert_eq!((totals.allocatable.pods, totals.allocatable.gpus), (110, 0));
        assert_eq!(table.used(), None);
        let free = table.free(&PodTable::default());
        assert_eq!(
            (free.nodes.len(), free.nodes[0].nodes, free.nodes[0].free.pods),
            (1, 1, 110)
        );
    }

    #[test]
    fn gpus_are_counted_under_the_name_that_was_configured() {
        let equip = |node: &mut serde_json::Value| {
            node["status"]["allocatable"]["nvidia.com/gpu"] = json!("4");
            node["status"]["allocatable"]["amd.com/gpu"] = json!("2");
        };
        for (name, each) in [("nvidia.com/gpu", 4), ("amd.com/gpu", 2), ("intel.com/gpu", 0)] {
            let gpu = GpuResource::new(name);
            let (mut nodes, mut pods) = (NodeTable::new(gpu.clone()), PodTable::new(gpu));
            for node_name in ["a", "b"] {
                nodes.upsert(&node(node_name, equip));
            }
            let requests = json!({ "cpu": "1", name: "1" });
            let pod = json!({
                "metadata": { "name": "one", "namespace": "n" },
                "spec": { "nodeName": "a", "containers": [{ "resources": { "requests": requests } }] },
                "status": { "phase": "Running" },
            });
            pods.upsert(&serde_json::from_value(pod).unwrap());
            let totals = nodes.totals(&pods);
            assert_eq!((totals.allocatable.gpus, totals.requested.gpus), (2 * each, 1));
            assert_eq!(totals.largest_node.unwrap().gpus, each);
            let free = nodes.free(&pods);
            let on_each: Vec<u64> = free.nodes.iter().map(|kind| kind.free.gpus).collect();
            let expected = if each == 0 {
                vec![0, 0]
            } else {
                vec![each, each - 1]
            };
            assert_eq!(on_each, expected, "{name}");
        }
    }

    #[test]
    fn nodes_tainted_for_gpus_are_told_apart() {
        let mut table = NodeTable::default();
        let mut add = |name: &str, gpus: u64, taints: serde_json::Value| {
            table.upsert(&node(name, |node| {
                node["status"]["allocatable"]["nvidia.com/gpu"] = json!(gpus.to_string());
                node["spec"]["taints"] = taints;
            }));
        };
        let own = json!({ "key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule" });
        let soft = json!({ "key": "old", "effect": "PreferNoSchedule" });
        add("plain", 0, json!([]));
        add("open", 1, json!([soft]));
        add("kept", 4, json!([own, soft]));
        add(
            "reserved",
            8,
            json!([own, { "key": "team", "value": "a", "effect": "NoSchedule" }]),
        );
        add(
            "leaving",
            16,
            json!([{ "key": "nvidia.com/gpu", "effect": "NoExecute" }]),
        );
        add("broken", 0, json!([own]));
        let totals = table.totals(&PodTable::default());
        assert_eq!((totals.nodes, totals.allocatable.gpus), (6, 5));
        assert_eq!(totals.allocatable.cpu_millicores, 12_000);
        assert_eq!(totals.largest_node.unwrap().gpus, 1);
        let apart = totals.gpu_nodes.unwrap();
        assert_eq!((apart.nodes, apart.allocatable.gpus), (1, 4));
        assert_eq!(
            (apart.allocatable.cpu_millicores, apart.largest_node.gpus),
            (4000, 4)
        );
        let free = table.free(&PodTable::default());
        let kinds: Vec<_> = free
            .nodes
            .iter()
            .map(|kind| (kind.nodes, kind.free.gpus, kind.gpus_only))
            .collect();
        assert_eq!(kinds, [(1, 4, true), (1, 1, false), (1, 0, false)]);
    }

    #[test]
    fn a_list_replaces_only_when_it_is_complete() {
        let mut table = NodeTable::default();
        table.begin_list();
        table.upsert(&node("a", |_| {}));
        table.upsert(&node("b", |_| {}));
        table.finish_list();
        table.begin_list();
        table.upsert(&node("b", |_| {}));
        assert_eq!(table.rows.len(), 2);
        table.finish_list();
        assert_eq!(table.rows.len(), 1);
        let shown: Vec<_> = table.shown(&PodTable::default(), Utc::now(), true).collect();
        assert!(shown[0].stale && !shown[0].ready);
        assert_eq!(shown[0].roles, ["worker"]);
    }
}
