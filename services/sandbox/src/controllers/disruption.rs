//! PodDisruptionBudgets: how many pods may be taken away now.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Controllers, MANAGER, Outcome, settled};
use crate::api::errors::{ApiError, ApiResult};
use crate::cluster::Cluster;
use crate::json;
use crate::kinds;
use crate::kinds::core::POD;
use crate::kinds::others::POD_DISRUPTION_BUDGET;
use crate::registry::{Options, update};
use crate::store::selector::LabelSelector;
use crate::store::{Key, Object};

/// A budget against what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Balance {
    expected: i64,
    healthy: i64,
    desired: i64,
}

impl Balance {
    fn allowed(self) -> i64 {
        (self.healthy - self.desired).max(0)
    }
}

fn is_healthy(pod: &Object) -> bool {
    !pod.deleting && !pod.fact("ready-since").is_empty()
}

fn balance(cluster: &Cluster, namespace: &str, spec: &Value) -> Balance {
    let selector = LabelSelector::from_object(&spec["selector"]);
    let pods: Vec<Arc<Object>> = cluster
        .store
        .list(&POD, Some(namespace))
        .0
        .into_iter()
        .filter(|pod| selector.matches_object(pod))
        .filter(|pod| !matches!(pod.field("status.phase"), Some("Succeeded" | "Failed")))
        .collect();
    let count = i64::try_from(pods.len()).unwrap_or(0);
    let healthy = i64::try_from(pods.iter().filter(|pod| is_healthy(pod)).count()).unwrap_or(0);
    let percent = |value: &Value, total: i64| match value {
        Value::String(text) => {
            let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            (percent * total + 99).div_euclid(100)
        }
        other => other.as_i64().unwrap_or(0),
    };
    match (&spec["minAvailable"], &spec["maxUnavailable"]) {
        (Value::Null, Value::Null) => Balance {
            expected: count,
            healthy,
            desired: 1.min(count),
        },
        (Value::Null, most) => {
            let expected = wanted(cluster, namespace, &pods);
            Balance {
                expected,
                healthy,
                desired: (expected - percent(most, expected)).max(0),
            }
        }
        (least @ Value::String(_), _) => {
            let expected = wanted(cluster, namespace, &pods);
            Balance {
                expected,
                healthy,
                desired: percent(least, expected),
            }
        }
        (least, _) => Balance {
            expected: count,
            healthy,
            desired: percent(least, count),
        },
    }
}

/// How many pods there are to be, by the sizes of what controls them.
fn wanted(cluster: &Cluster, namespace: &str, pods: &[Arc<Object>]) -> i64 {
    let mut seen = HashSet::new();
    let mut total = 0;
    for pod in pods {
        let Some(owner) = pod.controller() else {
            total += 1;
            continue;
        };
        if !seen.insert(owner.uid.clone()) {
            continue;
        }
        let kind = kinds::ALL.iter().find(|kind| kind.name == &*owner.kind);
        let controller = kind.and_then(|kind| cluster.store.get(kind, namespace, &owner.name));
        total += controller
            .and_then(|controller| json::integer(&controller.bare_value(), "/spec/replicas"))
            .unwrap_or(1);
    }
    total
}

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let cluster = &controllers.cluster;
    let Some(budget) = cluster
        .store
        .get(&POD_DISRUPTION_BUDGET, &key.namespace, &key.name)
    else {
        return Ok(Outcome::DONE);
    };
    let value = budget.bare_value();
    let balance = balance(cluster, &key.namespace, &value["spec"]);
    let options = Options::by(MANAGER).on("status");
    settled(update::modify(
        cluster,
        &POD_DISRUPTION_BUDGET,
        &key.namespace,
        &key.name,
        &options,
        |budget| {
            let generation = budget["metadata"]["generation"].clone();
            let status = json::nested(budget, &["status"]);
            for (field, number) in [
                ("expectedPods", balance.expected),
                ("currentHealthy", balance.healthy),
                ("desiredHealthy", balance.desired),
                ("disruptionsAllowed", balance.allowed()),
            ] {
                status.insert(field.into(), number.into());
            }
            let (holds, reason) = if balance.allowed() > 0 {
                ("True", "SufficientPods")
            } else {
                ("False", "InsufficientPods")
            };
            let before = status
                .get("conditions")
                .and_then(|list| list.get(0))
                .cloned()
                .unwrap_or(Value::Null);
            let since = if before["status"] == holds {
                before["lastTransitionTime"].clone()
            } else {
                json::now().into()
            };
            status.insert(
                "conditions".into(),
                json!([{
                    "type": "DisruptionAllowed", "status": holds, "reason": reason, "message": "",
                    "lastTransitionTime": since, "observedGeneration": generation,
                }]),
            );
            status.insert("observedGeneration".into(), generation);
            Ok(())
        },
    ))?;
    Ok(Outcome::DONE)
}

/// The budgets of a namespace that select a pod.
pub fn budgets_of(cluster: &Cluster, pod: &Object) -> Vec<Arc<Object>> {
    let budgets = cluster
        .store
        .list(&POD_DISRUPTION_BUDGET, Some(pod.namespace()))
        .0;
    budgets
        .into_iter()
        .filter(|budget| {
            let selector = &budget.bare_value()["spec"]["selector"];
            selector.is_object() && LabelSelector::from_object(selector).matches_object(pod)
        })
        .collect()
}

/// Whether a pod may be evicted now.
pub fn check_eviction(cluster: &Cluster, pod: &Object) -> ApiResult<()> {
    let ended = matches!(
        pod.field("status.phase"),
        Some("Succeeded" | "Failed" | "Pending")
    );
    if ended || pod.deleting {
        return Ok(());
    }
    let budgets = budgets_of(cluster, pod);
    let budget = match budgets.as_slice() {
        [] => return Ok(()),
        [budget] => budget,
        _ => {
            return Err(ApiError::internal(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            ));
        }
    };
    let value = budget.bare_value();
    let balance = balance(cluster, pod.namespace(), &value["spec"]);
    // A pod that is not healthy may go when the others suffice, or when the budget says always.
    let always = value["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow";
    if !is_healthy(pod) && (always || balance.healthy >= balance.desired) {
        return Ok(());
    }
    if balance.allowed() > 0 {
        return Ok(());
    }
    let message = format!(
        "The disruption budget {} needs {} healthy pods and has {} currently",
        budget.name(),
        balance.desired,
        balance.healthy
    );
    Err(ApiError::new(
        429,
        "TooManyRequests",
        "Cannot evict pod as it would violate the pod's disruption budget.",
    )
    .with_details(json!({"causes": [{"reason": "DisruptionBudget", "message": message}]})))
}
