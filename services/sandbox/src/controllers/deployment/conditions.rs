//! What a deployment says about itself: counts, Available, Progressing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{View, counted, set_condition, size};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::controllers::{MANAGER, Outcome, settled};
use crate::json;
use crate::kinds::apps::DEPLOYMENT;
use crate::registry::{Options, update};

/// How the real controller writes "no deadline".
const NO_DEADLINE: i64 = i32::MAX as i64;

struct Counts {
    replicas: i64,
    updated: i64,
    ready: i64,
    available: i64,
}

fn counts(view: &View) -> Counts {
    let sum = |field: &str| {
        view.new
            .iter()
            .chain(&view.old)
            .map(|set| counted(set, field))
            .sum()
    };
    Counts {
        replicas: sum("replicas"),
        updated: view.new.as_ref().map_or(0, |new| counted(new, "replicas")),
        ready: sum("readyReplicas"),
        available: sum("availableReplicas"),
    }
}

fn deadline(deployment: &Value) -> Option<i64> {
    json::integer(deployment, "/spec/progressDeadlineSeconds").filter(|seconds| *seconds != NO_DEADLINE)
}

pub fn has_deadline(deployment: &Value) -> bool {
    deadline(deployment).is_some()
}

/// All pods are new and available, and none of the old are left.
pub fn is_complete(view: &View) -> bool {
    let counts = counts(view);
    let wanted = view.bounds.replicas;
    counts.updated == wanted && counts.replicas == wanted && counts.available == wanted
}

fn progressing(conditions: &[Value]) -> Option<&Value> {
    conditions
        .iter()
        .find(|condition| condition["type"] == "Progressing")
}

/// Pausing and resuming stand in the Progressing condition, so that time paused is no delay.
pub fn note_pause(cluster: &Arc<Cluster>, view: &mut View, paused: bool) -> ApiResult<()> {
    if !has_deadline(&view.value) {
        return Ok(());
    }
    let conditions = json::items(&view.value, "/status/conditions");
    let reason = progressing(conditions).map(|condition| json::text(condition, "/reason").to_owned());
    if reason.as_deref() == Some("ProgressDeadlineExceeded") {
        return Ok(());
    }
    let was_paused = reason.as_deref() == Some("DeploymentPaused");
    let (reason, message) = match (paused, was_paused) {
        (true, false) => ("DeploymentPaused", "Deployment is paused"),
        (false, true) => ("DeploymentResumed", "Deployment is resumed"),
        _ => return Ok(()),
    };
    let options = Options::by(MANAGER).on("status");
    let (namespace, name) = (view.object.namespace(), view.object.name());
    let written = settled(update::modify(
        cluster,
        &DEPLOYMENT,
        namespace,
        name,
        &options,
        |deployment| {
            let mut list = json::items(deployment, "/status/conditions").to_vec();
            set_condition(&mut list, "Progressing", "Unknown", reason, message);
            json::set(deployment, &["status", "conditions"], list);
            Ok(())
        },
    ))?;
    if let Some(written) = written {
        view.value["status"] = written.value()["status"].take();
    }
    Ok(())
}

/// Writes counts and conditions; says when a deadline will have passed.
pub fn write_status(cluster: &Arc<Cluster>, view: &View, rolling: bool) -> ApiResult<Outcome> {
    let counts = counts(view);
    let mut conditions = json::items(&view.value, "/status/conditions").to_vec();
    if rolling {
        judge_progress(view, &counts, &mut conditions);
    }
    let enough = counts.available >= view.bounds.replicas - view.bounds.unavailable;
    let (status, reason, message) = if enough {
        (
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
        )
    } else {
        (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    set_condition(&mut conditions, "Available", status, reason, message);
    copy_failure(view, &mut conditions);
    let generation = view.value["metadata"]["generation"].clone();
    let wait = waiting(view, &counts, &conditions);
    let options = Options::by(MANAGER).on("status");
    let (namespace, name) = (view.object.namespace(), view.object.name());
    let total: i64 = view.new.iter().chain(&view.old).map(size).sum();
    let unavailable = (total - counts.available).max(0);
    settled(update::modify(
        cluster,
        &DEPLOYMENT,
        namespace,
        name,
        &options,
        |deployment| {
            let status = json::nested(deployment, &["status"]);
            status.insert("observedGeneration".into(), generation.clone());
            for (field, count) in [
                ("replicas", counts.replicas),
                ("updatedReplicas", counts.updated),
                ("readyReplicas", counts.ready),
                ("availableReplicas", counts.available),
                ("unavailableReplicas", unavailable),
            ] {
                put(status, field, count);
            }
            status.insert("conditions".into(), conditions.clone().into());
            Ok(())
        },
    ))?;
    Ok(Outcome { look_again: wait })
}

/// Zero counts are left out, as Go's `omitempty` does.
fn put(status: &mut Map<String, Value>, field: &str, count: i64) {
    if count == 0 {
        status.remove(field);
    } else {
        status.insert(field.into(), count.into());
    }
}

fn judge_progress(view: &View, counts: &Counts, conditions: &mut Vec<Value>) {
    if !has_deadline(&view.value) {
        conditions.retain(|condition| condition["type"] != "Progressing");
        return;
    }
    let current = progressing(conditions).cloned();
    let reason = current
        .as_ref()
        .map_or("", |current| json::text(current, "/reason"));
    let settled_before = counts.replicas == counts.updated && reason == "NewReplicaSetAvailable";
    if settled_before {
        return;
    }
    let name = view
        .new
        .as_ref()
        .map_or(json::text(&view.value, "/metadata/name"), |new| {
            json::text(new, "/metadata/name")
        });
    let kind = if view.new.is_some() {
        "ReplicaSet"
    } else {
        "Deployment"
    };
    let before = |field: &str| counted(&view.value, field);
    let moved = counts.updated > before("updatedReplicas")
        || counts.replicas - counts.updated < before("replicas") - before("updatedReplicas")
        || counts.ready > before("readyReplicas")
        || counts.available > before("availableReplicas");
    if is_complete(view) {
        let message = format!("{kind} {name:?} has successfully progressed.");
        set_condition(
            conditions,
            "Progressing",
            "True",
            "NewReplicaSetAvailable",
            &message,
        );
    } else if moved {
        // Every step counts as progress, so the update time moves even if the words stay.
        let since = current.filter(|current| current["status"] == "True").map_or_else(
            || json::now().into(),
            |current| current["lastTransitionTime"].clone(),
        );
        conditions.retain(|condition| condition["type"] != "Progressing");
        conditions.push(json!({
            "type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated",
            "message": format!("{kind} {name:?} is progressing."),
            "lastUpdateTime": json::now(), "lastTransitionTime": since,
        }));
    } else if has_timed_out(view, conditions) {
        let message = format!("{kind} {name:?} has timed out progressing.");
        set_condition(
            conditions,
            "Progressing",
            "False",
            "ProgressDeadlineExceeded",
            &message,
        );
    }
}

fn has_timed_out(view: &View, conditions: &[Value]) -> bool {
    let Some(condition) = progressing(conditions) else {
        return false;
    };
    match json::text(condition, "/reason") {
        "NewReplicaSetAvailable" => false,
        "ProgressDeadlineExceeded" => true,
        _ => left(view, condition).is_some_and(|left| left <= 0),
    }
}

/// Milliseconds until the deadline passes.
fn left(view: &View, condition: &Value) -> Option<i64> {
    let updated = json::parse_time(json::text(condition, "/lastUpdateTime"))?;
    Some(deadline(&view.value)? * 1000 - (crate::clock::now() - updated).num_milliseconds())
}

fn waiting(view: &View, counts: &Counts, conditions: &[Value]) -> Option<Duration> {
    let condition = progressing(conditions)?;
    let done = counts.updated == view.bounds.replicas && is_complete(view);
    if done
        || matches!(
            json::text(condition, "/reason"),
            "ProgressDeadlineExceeded" | "NewReplicaSetAvailable"
        )
    {
        return None;
    }
    let left = left(view, condition)?.max(0);
    Some(Duration::from_millis(left.unsigned_abs()) + Duration::from_secs(1))
}

/// A set that cannot make its pods says so on the deployment too.
fn copy_failure(view: &View, conditions: &mut Vec<Value>) {
    let failing = view
        .new
        .iter()
        .chain(&view.old)
        .flat_map(|set| json::items(set, "/status/conditions"))
        .find(|condition| condition["type"] == "ReplicaFailure");
    match failing {
        Some(failure) => {
            let (reason, message) = (json::text(failure, "/reason"), json::text(failure, "/message"));
            set_condition(conditions, "ReplicaFailure", "True", reason, message);
        }
        None => conditions.retain(|condition| condition["type"] != "ReplicaFailure"),
    }
}
