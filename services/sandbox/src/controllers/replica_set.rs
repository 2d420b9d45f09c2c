//! ReplicaSets: as many pods as wanted, the least useful ones going first.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::events::Said;
use super::{Controllers, MANAGER, Outcome, settled};
use crate::api::errors::{ApiError, ApiResult};
use crate::json;
use crate::kinds::apps::REPLICA_SET;
use crate::kinds::core::POD;
use crate::registry::delete::{DeleteOptions, delete};
use crate::registry::{Options, admission, create, update};
use crate::store::selector::LabelSelector;
use crate::store::{Key, Object};

const COMPONENT: &str = "replicaset-controller";
/// Pods made or removed in one go, so that a large set does not hold up the others.
const BURST: usize = 100;

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let cluster = controllers.cluster.clone();
    let Some(set) = cluster.store.get(&REPLICA_SET, &key.namespace, &key.name) else {
        return Ok(Outcome::DONE);
    };
    let value = set.value();
    let selector = LabelSelector::from_object(&value["spec"]["selector"]);
    if !set.deleting {
        controllers.adopt(&POD, &set, &selector)?;
    }
    let pods = active_pods(&cluster.store.dependents(&set.uid), &set.uid);
    let wanted = usize::try_from(json::integer(&value, "/spec/replicas").unwrap_or(0)).unwrap_or(0);
    let mut failure = None;
    let mut unfinished = false;
    if !set.deleting {
        if pods.len() < wanted {
            let missing = wanted - pods.len();
            unfinished = missing > BURST;
            failure = create_pods(controllers, &set, &value, missing.min(BURST)).err();
        } else if pods.len() > wanted {
            let surplus = pods.len() - wanted;
            unfinished = surplus > BURST;
            remove_pods(controllers, &set, pods, surplus.min(BURST))?;
        }
    }
    let recheck = write_status(controllers, &set, &value, failure.as_ref())?;
    if let Some(error) = failure {
        return Err(error);
    }
    let pause = if unfinished { Some(Duration::ZERO) } else { recheck };
    Ok(Outcome { look_again: pause })
}

fn active_pods(dependents: &[Arc<Object>], uid: &str) -> Vec<Arc<Object>> {
    let controlled = |pod: &Object| pod.controller().is_some_and(|owner| &*owner.uid == uid);
    dependents
        .iter()
        .filter(|pod| pod.kind == &POD && !pod.deleting && controlled(pod))
        .filter(|pod| !matches!(pod.field("status.phase"), Some("Succeeded" | "Failed")))
        .cloned()
        .collect()
}

fn create_pods(controllers: &Controllers, set: &Arc<Object>, value: &Value, count: usize) -> ApiResult<()> {
    let cluster = &controllers.cluster;
    let template = &value["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    json::set(&mut metadata, &["generateName"], format!("{}-", set.name()));
    json::set(&mut metadata, &["ownerReferences"], admission::owned_by(set));
    let pod = json!({"metadata": metadata, "spec": template["spec"]});
    for _ in 0..count {
        let made = create::create(cluster, &POD, set.namespace(), pod.clone(), &Options::by(MANAGER));
        let (warning, reason, message) = match &made {
            Ok(written) => (
                false,
                "SuccessfulCreate",
                format!("Created pod: {}", written.object.name()),
            ),
            Err(error) => (true, "FailedCreate", format!("Error creating: {error}")),
        };
        let said = Said {
            warning,
            reason,
            message: &message,
            component: COMPONENT,
            host: "",
            field: "",
        };
        cluster.recorder.say(cluster, set, said);
        made?;
    }
    Ok(())
}

/// The order in which pods go: not placed, not ready, ready for a shorter time, restarted more
/// often, younger.
fn rank(pod: &Object) -> (bool, u8, bool, std::cmp::Reverse<String>, std::cmp::Reverse<u64>) {
    let phase = match pod.field("status.phase") {
        Some("Pending") => 0,
        Some("Unknown") => 1,
        _ => 2,
    };
    let ready = pod.fact("ready-since");
    (
        pod.field("spec.nodeName") != Some(""),
        phase,
        !ready.is_empty(),
        std::cmp::Reverse(ready.to_owned()),
        std::cmp::Reverse(pod.fact("restarts").parse().unwrap_or(0)),
    )
}

fn remove_pods(
    controllers: &Controllers,
    set: &Arc<Object>,
    mut pods: Vec<Arc<Object>>,
    count: usize,
) -> ApiResult<()> {
    let cluster = &controllers.cluster;
    let cost = |pod: &Object| -> i64 {
        let value = pod.bare_value();
        json::text(
            &value,
            "/metadata/annotations/controller.kubernetes.io~1pod-deletion-cost",
        )
        .parse()
        .unwrap_or(0)
    };
    pods.sort_by_cached_key(|pod| {
        let (placed, phase, ready, since, restarts) = rank(pod);
        (
            placed,
            phase,
            ready,
            cost(pod),
            since,
            restarts,
            std::cmp::Reverse(pod.version),
        )
    });
    for pod in pods.into_iter().take(count) {
        let options = DeleteOptions {
            uid: Some(pod.uid.to_string()),
            ..DeleteOptions::default()
        };
        match delete(cluster, &POD, pod.namespace(), pod.name(), &options) {
            Err(error) if matches!(error.code, 404 | 409) => continue,
            result => result?,
        };
        let message = format!("Deleted pod: {}", pod.name());
        let said = Said {
            warning: false,
            reason: "SuccessfulDelete",
            message: &message,
            component: COMPONENT,
            host: "",
            field: "",
        };
        cluster.recorder.say(cluster, set, said);
    }
    Ok(())
}

/// Counts the pods; says when to count again because a pod will have been ready long enough.
fn write_status(
    controllers: &Controllers,
    set: &Arc<Object>,
    value: &Value,
    failure: Option<&ApiError>,
) -> ApiResult<Option<Duration>> {
    let cluster = &controllers.cluster;
    let pods = active_pods(&cluster.store.dependents(&set.uid), &set.uid);
    let labels = LabelSelector::from_map(&value["spec"]["template"]["metadata"]["labels"]);
    let minimum = json::integer(value, "/spec/minReadySeconds").unwrap_or(0);
    let labeled = pods.iter().filter(|pod| labels.matches_object(pod)).count();
    let (mut ready, mut available, mut recheck) = (0, 0, None::<Duration>);
    for pod in &pods {
        let Some(since) = json::parse_time(pod.fact("ready-since")) else {
            continue;
        };
        ready += 1;
        let left = minimum - (crate::clock::now() - since).num_seconds();
        if left <= 0 {
            available += 1;
        } else {
            let left = Duration::from_secs(left.unsigned_abs());
            recheck = Some(recheck.map_or(left, |recheck| recheck.min(left)));
        }
    }
    let options = Options::by(MANAGER).on("status");
    settled(update::modify(
        cluster,
        &REPLICA_SET,
        set.namespace(),
        set.name(),
        &options,
        |value| {
            let generation = value["metadata"]["generation"].clone();
            let status = json::nested(value, &["status"]);
            status.insert("replicas".into(), pods.len().into());
            status.insert("observedGeneration".into(), generation);
            for (field, count) in [
                ("fullyLabeledReplicas", labeled),
                ("readyReplicas", ready),
                ("availableReplicas", available),
            ] {
                if count == 0 {
                    status.remove(field);
                } else {
                    status.insert(field.into(), count.into());
                }
            }
            set_failure(status, failure);
            Ok(())
        },
    ))?;
    Ok(recheck)
}

fn set_failure(status: &mut serde_json::Map<String, Value>, failure: Option<&ApiError>) {
    match failure {
        None => {
            status.remove("conditions");
        }
        Some(error) => {
            let before = status
                .get("conditions")
                .and_then(|conditions| conditions.get(0))
                .cloned();
            let since = before.map_or_else(
                || json::now().into(),
                |before| before["lastTransitionTime"].clone(),
            );
            let condition = json!([{
                "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                "message": error.message, "lastTransitionTime": since,
            }]);
            status.insert("conditions".into(), condition);
        }
    }
}
