//! Whether a pod fits a node: resources, taints, selectors, affinity.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::json;
use crate::kinds::quantity;
use crate::store::selector::LabelSelector;

/// What a pod asks for, or a node holds: thousandths of a CPU, bytes, pods, and whatever has a vendor's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests {
    pub cpu: i64,
    pub memory: i64,
    pub pods: i64,
    /// Whole devices by the resource's name, such as `nvidia.com/gpu`.
    pub extended: BTreeMap<String, i64>,
}

/// As Kubernetes tells them: those with a domain that is not its own.
fn is_extended(resource: &str) -> bool {
    resource
        .split_once('/')
        .is_some_and(|(domain, _)| domain != "kubernetes.io" && !domain.ends_with(".kubernetes.io"))
}

impl Requests {
    fn read(list: &Value) -> Self {
        Self {
            cpu: quantity::read(&list["cpu"]).map_or(0, quantity::Quantity::milli),
            memory: quantity::read(&list["memory"]).map_or(0, quantity::Quantity::units),
            pods: quantity::read(&list["pods"]).map_or(0, quantity::Quantity::units),
            extended: list
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| is_extended(name))
                .filter_map(|(name, amount)| Some((name.clone(), quantity::read(amount)?.units())))
                .collect(),
        }
    }

    /// The sum of the containers, or the largest init container if that is more, plus overhead.
    pub fn of(spec: &Value) -> Self {
        let mut total = Self::default();
        for container in json::items(spec, "/containers") {
            total.add(&Self::read(&container["resources"]["requests"]));
        }
        for container in json::items(spec, "/initContainers") {
            let one = Self::read(&container["resources"]["requests"]);
            total.cpu = total.cpu.max(one.cpu);
            total.memory = total.memory.max(one.memory);
            for (name, amount) in one.extended {
                let sum = total.extended.entry(name).or_default();
                *sum = amount.max(*sum);
            }
        }
        total.add(&Self::read(&spec["overhead"]));
        total.pods = 1;
        total
    }

    pub fn add(&mut self, other: &Self) {
        self.cpu += other.cpu;
        self.memory += other.memory;
        self.pods += other.pods;
        for (name, amount) in &other.extended {
            *self.extended.entry(name.clone()).or_default() += amount;
        }
    }

    pub fn subtract(&mut self, other: &Self) {
        self.cpu -= other.cpu;
        self.memory -= other.memory;
        self.pods -= other.pods;
        for (name, amount) in &other.extended {
            *self.extended.entry(name.clone()).or_default() -= amount;
        }
    }
}

/// A node as the scheduler sees it.
#[derive(Debug, Default)]
pub struct Node {
    pub used: Requests,
    allocatable: Requests,
    labels: Value,
    taints: Vec<Value>,
    unschedulable: bool,
}

impl Node {
    pub fn read(node: &Value) -> Self {
        Self {
            used: Requests::default(),
            allocatable: Requests::read(&node["status"]["allocatable"]),
            labels: node["metadata"]["labels"].clone(),
            taints: json::items(node, "/spec/taints").to_vec(),
            unschedulable: node["spec"]["unschedulable"] == true,
        }
    }

    /// Everything that speaks against the pod, in the words of the real scheduler.
    pub fn misfits(&self, name: &str, pod: &Value, requests: &Requests) -> Vec<String> {
        if let Some(why) = self.refuses(name, pod) {
            return vec![why];
        }
        let mut misfits = Vec::new();
        if self.used.pods + 1 > self.allocatable.pods {
            misfits.push("Too many pods".to_owned());
        }
        if requests.cpu > 0 && self.used.cpu + requests.cpu > self.allocatable.cpu {
            misfits.push("Insufficient cpu".to_owned());
        }
        if requests.memory > 0 && self.used.memory + requests.memory > self.allocatable.memory {
            misfits.push("Insufficient memory".to_owned());
        }
        for (name, wanted) in &requests.extended {
            let of = |amounts: &Requests| amounts.extended.get(name).copied().unwrap_or(0);
            if *wanted > 0 && of(&self.used) + wanted > of(&self.allocatable) {
                misfits.push(format!("Insufficient {name}"));
            }
        }
        misfits
    }

    /// Whether nothing but room is missing.
    pub fn is_only_full(&self, name: &str, pod: &Value) -> bool {
        self.refuses(name, pod).is_none()
    }

    /// What no amount of room would change.
    fn refuses(&self, name: &str, pod: &Value) -> Option<String> {
        let tolerations = json::items(pod, "/spec/tolerations");
        if self.unschedulable {
            let taint =
                serde_json::json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
            if !tolerations.iter().any(|toleration| tolerates(toleration, &taint)) {
                return Some("node(s) were unschedulable".into());
            }
        }
        for taint in self
            .taints
            .iter()
            .filter(|taint| taint["effect"] != "PreferNoSchedule")
        {
            let cordon = taint["key"] == "node.kubernetes.io/unschedulable" && self.unschedulable;
            if !cordon && !tolerations.iter().any(|toleration| tolerates(toleration, taint)) {
                let (key, value) = (json::text(taint, "/key"), json::text(taint, "/value"));
                return Some(format!("node(s) had untolerated taint {{{key}: {value}}}"));
            }
        }
        let selected = LabelSelector::from_map(&pod["spec"]["nodeSelector"]).matches_labels(&self.labels);
        if !selected || !self.has_affinity(name, &pod["spec"]["affinity"]["nodeAffinity"]) {
            return Some("node(s) didn't match Pod's node affinity/selector".into());
        }
        None
    }

    /// One of the required terms must hold; without terms everything does.
    fn has_affinity(&self, name: &str, affinity: &Value) -> bool {
        let required = &affinity["requiredDuringSchedulingIgnoredDuringExecution"];
        let terms = json::items(required, "/nodeSelectorTerms");
        let by_field = |expression: &Value| {
            let named = json::items(expression, "/values")
                .iter()
                .any(|value| value == name);
            if expression["operator"] == "NotIn" {
                !named
            } else {
                named
            }
        };
        terms.is_empty()
            || terms.iter().any(|term| {
                let expressions = &term["matchExpressions"];
                let fields = json::items(term, "/matchFields");
                let labels =
                    LabelSelector::from_object(&serde_json::json!({"matchExpressions": expressions}));
                let empty = labels.is_empty() && fields.is_empty();
                !empty && labels.matches_labels(&self.labels) && fields.iter().all(by_field)
            })
    }

    /// How full the node would be, in thousandths; the emptiest wins.
    pub fn score(&self, requests: &Requests) -> i64 {
        let share = |used: i64, all: i64| if all <= 0 { 1000 } else { used * 1000 / all };
        let cpu = share(self.used.cpu + requests.cpu, self.allocatable.cpu);
        let memory = share(
            (self.used.memory + requests.memory) / 1024,
            self.allocatable.memory / 1024,
        );
        let pods = share(self.used.pods + 1, self.allocatable.pods);
        cpu + memory + pods
    }
}

fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let effect = json::text(toleration, "/effect");
    if !effect.is_empty() && effect != json::text(taint, "/effect") {
        return false;
    }
    let key = json::text(toleration, "/key");
    let exists = json::text(toleration, "/operator") == "Exists";
    if key.is_empty() {
        return exists;
    }
    key == json::text(taint, "/key")
        && (exists || json::text(toleration, "/value") == json::text(taint, "/value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(extra: Value) -> Node {
        let mut value = json!({
            "metadata": {"labels": {"zone": "a"}},
            "spec": {},
            "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "3"}},
        });
        crate::apply::merge::json_merge(&mut value, &extra);
        Node::read(&value)
    }

    fn pod(spec: Value) -> Value {
        json!({"spec": spec})
    }

    fn why(node: &Node, pod: &Value) -> Vec<String> {
        node.misfits("n", pod, &Requests::of(&pod["spec"]))
    }

    #[test]
    fn resources_are_summed() {
        let spec = json!({"containers": [
            {"resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}},
            {"resources": {"requests": {"cpu": "1"}}},
        ], "initContainers": [{"resources": {"requests": {"cpu": "100m", "memory": "2Gi"}}}]});
        assert_eq!(
            Requests::of(&spec),
            Requests {
                cpu: 1500,
                memory: 2 << 30,
                pods: 1,
                ..Requests::default()
            }
        );
        let mut full = node(json!({}));
        assert!(why(&full, &pod(spec.clone())).is_empty());
        full.used.add(&Requests {
            cpu: 1000,
            memory: 3 << 30,
            pods: 3,
            ..Requests::default()
        });
        assert_eq!(
            why(&full, &pod(spec)),
            ["Too many pods", "Insufficient cpu", "Insufficient memory"]
        );
    }

    #[test]
    fn devices_are_counted_by_their_names() {
        let asks = |count: &str| {
            let limits = json!({"cpu": "100m", "nvidia.com/gpu": count, "node.kubernetes.io/own": "7"});
            pod(json!({"containers": [{"resources": {"requests": limits}}]}))
        };
        let bare = node(json!({}));
        assert_eq!(why(&bare, &asks("1")), ["Insufficient nvidia.com/gpu"]);
        assert!(why(&bare, &asks("0")).is_empty());
        let mut equipped = node(json!({"status": {"allocatable": {"nvidia.com/gpu": "4"}}}));
        assert!(why(&equipped, &asks("4")).is_empty());
        let three = Requests::of(&asks("3")["spec"]);
        equipped.used.add(&three);
        assert_eq!(why(&equipped, &asks("2")), ["Insufficient nvidia.com/gpu"]);
        assert!(why(&equipped, &asks("1")).is_empty());
        equipped.used.subtract(&three);
        assert!(why(&equipped, &asks("4")).is_empty());
    }

    #[test]
    fn taints_selectors_and_cordons_refuse() {
        let tainted =
            node(json!({"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}}));
        assert_eq!(
            why(&tainted, &pod(json!({}))),
            ["node(s) had untolerated taint {gpu: yes}"]
        );
        let tolerant = json!({"tolerations": [{"key": "gpu", "operator": "Equal", "value": "yes"}]});
        assert!(why(&tainted, &pod(tolerant)).is_empty());
        let cordoned = node(json!({"spec": {"unschedulable": true}}));
        assert_eq!(why(&cordoned, &pod(json!({}))), ["node(s) were unschedulable"]);
        let picky = pod(json!({"nodeSelector": {"zone": "b"}}));
        assert_eq!(
            why(&node(json!({})), &picky),
            ["node(s) didn't match Pod's node affinity/selector"]
        );
    }
}
