//! Nodes that nothing is heard of: unknown after a while, their pods not ready, then moved
//! elsewhere; and well again when their kubelet is back.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::controllers::events::Said;
use crate::controllers::settled;
use crate::json;
use crate::kinds::core::{NODE, POD};
use crate::registry::delete::{DeleteOptions, delete};
use crate::registry::{Options, update};
use crate::store::Object;

const MANAGER: &str = "kube-controller-manager";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

/// The nodes that are silent now.
#[derive(Default)]
pub struct Silent(HashMap<String, Since>);

struct Since {
    began: Instant,
    /// When it was called unknown.
    unknown: Option<Instant>,
}

impl Silent {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Looks at every node once.
    pub fn look(&mut self, cluster: &Cluster, nodes: &[String]) {
        let now = Instant::now();
        let grace = Duration::from_secs_f64(cluster.config.node_grace_seconds.clamp(0.1, 3600.0));
        for node in nodes {
            if cluster.faults.silence(node).is_none() {
                if self.0.remove(node).is_some_and(|since| since.unknown.is_some()) {
                    log(node, recover(cluster, node));
                }
                continue;
            }
            let since = self.0.entry(node.clone()).or_insert(Since {
                began: now,
                unknown: None,
            });
            match since.unknown {
                None if now - since.began >= grace => {
                    since.unknown = Some(now);
                    log(node, give_up(cluster, node));
                }
                None => {}
                Some(unknown) => log(node, evict(cluster, node, now - unknown)),
            }
        }
        self.0.retain(|node, _| nodes.contains(node));
    }
}

fn log(node: &str, result: ApiResult<()>) {
    if let Err(error) = result {
        tracing::warn!(node, %error, "cannot keep the state of a node");
    }
}

fn pods_of(cluster: &Cluster, node: &str) -> Vec<std::sync::Arc<Object>> {
    let pods = cluster.store.list(&POD, None).0;
    pods.into_iter()
        .filter(|pod| pod.field("spec.nodeName") == Some(node))
        .collect()
}

fn set_conditions(node: &mut Value, wanted: impl Fn(&str) -> (&'static str, &'static str, &'static str)) {
    let now = json::now();
    for condition in node["status"]["conditions"].as_array_mut().into_iter().flatten() {
        let (status, reason, message) = wanted(json::text(condition, "/type"));
        if condition["status"] != status {
            condition["lastTransitionTime"] = now.clone().into();
        }
        condition["status"] = status.into();
        condition["reason"] = reason.into();
        condition["message"] = message.into();
    }
}

/// Nothing was heard for too long.
fn give_up(cluster: &Cluster, name: &str) -> ApiResult<()> {
    let options = Options::by(MANAGER);
    let node = settled(update::modify(
        cluster,
        &NODE,
        "",
        name,
        &options.clone().on("status"),
        |node| {
            set_conditions(node, |_| {
                (
                    "Unknown",
                    "NodeStatusUnknown",
                    "Kubelet stopped posting node status.",
                )
            });
            Ok(())
        },
    ))?;
    settled(update::modify(cluster, &NODE, "", name, &options, |node| {
        let mut taints = without_ours(node);
        for effect in ["NoSchedule", "NoExecute"] {
            taints.push(json!({"key": UNREACHABLE, "effect": effect, "timeAdded": json::now()}));
        }
        json::set(node, &["spec", "taints"], taints);
        Ok(())
    }))?;
    if let Some(node) = node {
        let message = format!("Node {name} status is now: NodeNotReady");
        say(cluster, &node, "NodeNotReady", &message, "node-controller");
    }
    for pod in pods_of(cluster, name) {
        let options = options.clone().on("status");
        settled(update::modify(
            cluster,
            &POD,
            pod.namespace(),
            pod.name(),
            &options,
            |pod| {
                for condition in pod["status"]["conditions"].as_array_mut().into_iter().flatten() {
                    if condition["type"] == "Ready" && condition["status"] == "True" {
                        condition["status"] = "False".into();
                        condition["lastTransitionTime"] = json::now().into();
                    }
                }
                Ok(())
            },
        ))?;
    }
    Ok(())
}

fn without_ours(node: &Value) -> Vec<Value> {
    let taints = json::items(node, "/spec/taints").iter();
    taints
        .filter(|taint| taint["key"] != UNREACHABLE)
        .cloned()
        .collect()
}

/// The kubelet is back.
pub fn recover(cluster: &Cluster, name: &str) -> ApiResult<()> {
    let options = Options::by("kubelet").on("status");
    settled(update::modify(cluster, &NODE, "", name, &options, |node| {
        set_conditions(node, |kind| match kind {
            "Ready" => ("True", "KubeletReady", "kubelet is posting ready status"),
            "MemoryPressure" => (
                "False",
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available",
            ),
            "DiskPressure" => (
                "False",
                "KubeletHasNoDiskPressure",
                "kubelet has no disk pressure",
            ),
            _ => (
                "False",
                "KubeletHasSufficientPID",
                "kubelet has sufficient PID available",
            ),
        });
        Ok(())
    }))?;
    settled(update::modify(
        cluster,
        &NODE,
        "",
        name,
        &Options::by(MANAGER),
        |node| {
            let taints = without_ours(node);
            if taints.is_empty() {
                json::remove(node, &["spec", "taints"]);
            } else {
                json::set(node, &["spec", "taints"], taints);
            }
            Ok(())
        },
    ))
    .map(|_| ())
}

/// Pods go when they have tolerated it for long enough. Nobody is there to stop them, so they stay
/// in deletion until the node is back or they are removed by force.
fn evict(cluster: &Cluster, node: &str, unknown_for: Duration) -> ApiResult<()> {
    for pod in pods_of(cluster, node) {
        if pod.deleting || matches!(pod.field("status.phase"), Some("Succeeded" | "Failed")) {
            continue;
        }
        if tolerates(&pod.bare_value()).is_some_and(|limit| unknown_for >= limit) {
            let message = format!("Marking for deletion Pod {}/{}", pod.namespace(), pod.name());
            say(
                cluster,
                &pod,
                "TaintManagerEviction",
                &message,
                "taint-eviction-controller",
            );
            let gone = delete(
                cluster,
                &POD,
                pod.namespace(),
                pod.name(),
                &DeleteOptions::default(),
            );
            if let Err(error) = gone
                && error.code != 404
            {
                return Err(error);
            }
        }
    }
    Ok(())
}

/// How long a pod puts up with a node that is unreachable; none: for ever.
fn tolerates(pod: &Value) -> Option<Duration> {
    let covering = json::items(pod, "/spec/tolerations").iter().filter(|toleration| {
        let (key, effect) = (json::text(toleration, "/key"), json::text(toleration, "/effect"));
        (key == UNREACHABLE || (key.is_empty() && toleration["operator"] == "Exists"))
            && (effect == "NoExecute" || effect.is_empty())
    });
    let mut limits = covering.map(|toleration| json::integer(toleration, "/tolerationSeconds"));
    let Some(first) = limits.next() else {
        return Some(Duration::ZERO);
    };
    let least = limits.try_fold(first?, |least, limit| Some(least.min(limit?)))?;
    Some(Duration::from_secs(u64::try_from(least).unwrap_or(0)))
}

fn say(cluster: &Cluster, about: &Object, reason: &str, message: &str, component: &str) {
    let said = Said {
        warning: false,
        reason,
        message,
        component,
        host: "",
        field: "",
    };
    cluster.recorder.say(cluster, about, said);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerations_say_how_long() {
        let of = |tolerations: Value| tolerates(&json!({"spec": {"tolerations": tolerations}}));
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(of(json!([])), seconds(0));
        let bounded = json!({"key": UNREACHABLE, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
        assert_eq!(of(json!([bounded])), seconds(300));
        assert_eq!(
            of(json!([bounded, {"operator": "Exists", "tolerationSeconds": 5}])),
            seconds(5)
        );
        assert_eq!(of(json!([{"operator": "Exists"}])), None);
        assert_eq!(of(json!([{"key": "other", "operator": "Exists"}])), seconds(0));
    }
}
