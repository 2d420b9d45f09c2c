//! The scheduler: a node for every pod that fits one, and an event that says why none does.

mod fit;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};

use super::events::Said;
use super::{Controllers, Outcome, settled};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::core::{NODE, POD};
use crate::kinds::storage::PERSISTENT_VOLUME_CLAIM;
use crate::registry::{Options, update};
use crate::store::{Change, Key, Object};
use fit::{Node, Requests};

const MANAGER: &str = "kube-scheduler";
const COMPONENT: &str = "default-scheduler";

/// What runs where, kept up to date from changes.
#[derive(Default)]
pub struct Scheduler {
    nodes: BTreeMap<Arc<str>, Node>,
    placed: HashMap<Key, (Arc<str>, Requests)>,
    waiting: BTreeSet<Key>,
}

impl Scheduler {
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub fn take(&mut self, change: &Change) {
        if change.kind == &NODE {
            self.take_node(change);
        } else if change.kind == &POD {
            self.take_pod(change);
        }
    }

    fn take_node(&mut self, change: &Change) {
        let name = change.object().key.name.clone();
        match &change.new {
            None => {
                self.nodes.remove(&name);
            }
            Some(node) => {
                let mut read = Node::read(&node.bare_value());
                for (placed, requests) in self.placed.values() {
                    if *placed == name {
                        read.used.add(requests);
                    }
                }
                self.nodes.insert(name, read);
            }
        }
    }

    fn take_pod(&mut self, change: &Change) {
        let pod = change.object();
        let ended = matches!(pod.field("status.phase"), Some("Succeeded" | "Failed"));
        if change.new.is_none() || ended {
            self.waiting.remove(&pod.key);
            if let Some((node, requests)) = self.placed.remove(&pod.key)
                && let Some(node) = self.nodes.get_mut(&node)
            {
                node.used.subtract(&requests);
            }
            return;
        }
        let node = pod.field("spec.nodeName").unwrap_or("");
        if node.is_empty() || self.placed.contains_key(&pod.key) {
            return;
        }
        let requests = Requests::of(&pod.bare_value()["spec"]);
        self.place(pod.key.clone(), node.into(), requests);
    }

    fn place(&mut self, key: Key, name: Arc<str>, requests: Requests) {
        self.waiting.remove(&key);
        if let Some(node) = self.nodes.get_mut(&name) {
            node.used.add(&requests);
        }
        self.placed.insert(key, (name, requests));
    }

    /// The best node for a pod, or why there is none.
    fn choose(&self, pod: &Value) -> Result<Arc<str>, String> {
        let requests = Requests::of(&pod["spec"]);
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let mut best: Option<(i64, &Arc<str>)> = None;
        for (name, node) in &self.nodes {
            let misfits = node.misfits(name, pod, &requests);
            if misfits.is_empty() {
                let score = node.score(&requests);
                if best.is_none_or(|(least, _)| score < least) {
                    best = Some((score, name));
                }
            }
            for misfit in misfits {
                *reasons.entry(misfit).or_default() += 1;
            }
        }
        if let Some((_, name)) = best {
            return Ok(name.clone());
        }
        if self.nodes.is_empty() {
            return Err("no nodes available to schedule pods".into());
        }
        let total = self.nodes.len();
        let counted: Vec<String> = reasons
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"))
            .collect();
        let helpless = self
            .nodes
            .iter()
            .filter(|(name, node)| !node.is_only_full(name, pod))
            .count();
        let mut hints = Vec::new();
        if total > helpless {
            hints.push(format!(
                "{} No preemption victims found for incoming pod",
                total - helpless
            ));
        }
        if helpless > 0 {
            hints.push(format!("{helpless} Preemption is not helpful for scheduling"));
        }
        Err(format!(
            "0/{total} nodes are available: {}. preemption: 0/{total} nodes are available: {}.",
            counted.join(", "),
            hints.join(", ")
        ))
    }
}

/// Why a pod's claims keep it from every node, in the real scheduler's words.
fn unbound(cluster: &Cluster, pod: &Value) -> Option<String> {
    let namespace = json::text(pod, "/metadata/namespace");
    let claims = json::items(pod, "/spec/volumes")
        .iter()
        .map(|volume| json::text(&volume["persistentVolumeClaim"], "/claimName"));
    for name in claims.filter(|name| !name.is_empty()) {
        match cluster.store.get(&PERSISTENT_VOLUME_CLAIM, namespace, name) {
            None => return Some(format!("persistentvolumeclaim {name:?} not found")),
            Some(claim) if claim.deleting => {
                return Some(format!("persistentvolumeclaim {name:?} is being deleted"));
            }
            Some(claim) if json::text(&claim.bare_value(), "/status/phase") != "Bound" => {
                return Some("pod has unbound immediate PersistentVolumeClaims".to_owned());
            }
            Some(_) => {}
        }
    }
    None
}

/// A node for a pod, once its claims are bound.
fn choose(controllers: &Controllers, pod: &Value) -> Result<Arc<str>, String> {
    match unbound(&controllers.cluster, pod) {
        None => controllers.scheduler.choose(pod),
        Some(why) => {
            let total = controllers.scheduler.nodes.len();
            Err(format!(
                "0/{total} nodes are available: {why}. preemption: 0/{total} nodes are available: {total} Preemption is not helpful for scheduling."
            ))
        }
    }
}

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let cluster = controllers.cluster.clone();
    let Some(pod) = cluster.store.get(&POD, &key.namespace, &key.name) else {
        return Ok(Outcome::DONE);
    };
    if pod.deleting || pod.field("spec.nodeName") != Some("") {
        return Ok(Outcome::DONE);
    }
    let value = pod.value();
    if json::text(&value, "/spec/schedulerName") != "default-scheduler" {
        return Ok(Outcome::DONE);
    }
    if !json::items(&value, "/spec/schedulingGates").is_empty() {
        refuse(
            &cluster,
            &pod,
            "SchedulingGated",
            "Scheduling is blocked due to non-empty scheduling gates",
        )?;
        return Ok(Outcome::DONE);
    }
    match choose(controllers, &value) {
        Ok(node) => {
            bind(&cluster, &pod, &node)?;
            controllers
                .scheduler
                .place(key.clone(), node.clone(), Requests::of(&value["spec"]));
            let message = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
            say(&cluster, &pod, false, "Scheduled", &message);
        }
        Err(why) => {
            controllers.scheduler.waiting.insert(key.clone());
            refuse(&cluster, &pod, "Unschedulable", &why)?;
            say(&cluster, &pod, true, "FailedScheduling", &why);
        }
    }
    Ok(Outcome::DONE)
}

/// Tries the pods that found no place again.
pub fn retry(controllers: &mut Controllers) -> ApiResult<Outcome> {
    for key in controllers.scheduler.waiting.clone() {
        let fits = match controllers.cluster.store.get(&POD, &key.namespace, &key.name) {
            Some(pod) => choose(controllers, &pod.value()).is_ok(),
            None => {
                controllers.scheduler.waiting.remove(&key);
                continue;
            }
        };
        if fits {
            reconcile(controllers, &key)?;
        }
    }
    Ok(Outcome::DONE)
}

/// Puts a pod on a node; also what the `binding` subresource does.
pub fn bind(cluster: &Cluster, pod: &Object, node: &str) -> ApiResult<()> {
    let (namespace, name) = (pod.namespace(), pod.name());
    cluster
        .store
        .modify(&POD, namespace, name, |pod| {
            json::set(pod, &["spec", "nodeName"], node);
            let list = json::nested(pod, &["status"])
                .entry("conditions")
                .or_insert_with(|| json!([]));
            if let Some(list) = list.as_array_mut() {
                list.retain(|condition| condition["type"] != "PodScheduled");
                list.push(json!({
                    "type": "PodScheduled", "status": "True", "lastProbeTime": null,
                    "lastTransitionTime": json::seconds(crate::clock::now()),
                }));
            }
            Ok::<_, crate::store::StoreError>(())
        })
        .map_err(|error| crate::registry::refusal(&error, &POD, namespace, name))?;
    Ok(())
}

fn refuse(cluster: &Arc<Cluster>, pod: &Object, reason: &str, why: &str) -> ApiResult<()> {
    let options = Options::by(MANAGER).on("status");
    settled(update::modify(
        cluster,
        &POD,
        pod.namespace(),
        pod.name(),
        &options,
        |pod| {
            let mut list = json::items(pod, "/status/conditions").to_vec();
            let before = list
                .iter()
                .position(|condition| condition["type"] == "PodScheduled");
            let since = before.map_or_else(
                || json::now().into(),
                |position| list[position]["lastTransitionTime"].clone(),
            );
            let condition = json!({
                "type": "PodScheduled", "status": "False", "reason": reason, "message": why,
                "lastProbeTime": null, "lastTransitionTime": since,
            });
            match before {
                Some(position) => list[position] = condition,
                None => list.push(condition),
            }
            json::set(pod, &["status", "conditions"], list);
            Ok(())
        },
    ))
    .map(|_| ())
}

fn say(cluster: &Cluster, pod: &Object, warning: bool, reason: &str, message: &str) {
    let said = Said {
        warning,
        reason,
        message,
        component: COMPONENT,
        host: "",
        field: "",
    };
    cluster.recorder.say(cluster, pod, said);
}
