//! A pod's status, as its kubelet reports it.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::container::{Container, Ended, State};
use super::pod::Pod;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::core::{NODE, POD};
use crate::registry::admission::KUBELET;
use crate::registry::{Options, update};

pub fn write(cluster: &Cluster, pod: &Pod) {
    if cluster.faults.silence(&pod.node).is_some() {
        return;
    }
    let options = Options::by(KUBELET).on("status");
    let host = host_address(cluster, &pod.node);
    let result = update::modify(
        cluster,
        &POD,
        &pod.key.namespace,
        &pod.key.name,
        &options,
        |value| {
            if json::text(value, "/metadata/uid") != &*pod.uid {
                return Ok(());
            }
            fill(json::nested(value, &["status"]), pod, &host);
            Ok(())
        },
    );
    if let Err(error) = result
        && error.code != 404
    {
        tracing::warn!(pod = %pod.key.name, %error, "cannot write a pod's status");
    }
}

fn host_address(cluster: &Cluster, node: &str) -> String {
    let node = cluster.store.get(&NODE, "", node).map(|node| node.bare_value());
    let addresses = node
        .as_ref()
        .map(|node| json::items(node, "/status/addresses"))
        .unwrap_or_default();
    let internal = addresses.iter().find(|address| address["type"] == "InternalIP");
    internal.map_or_else(String::new, |address| json::text(address, "/address").to_owned())
}

fn fill(status: &mut Map<String, Value>, pod: &Pod, host: &str) {
    let (ephemeral, own): (Vec<&Container>, Vec<&Container>) =
        pod.containers.iter().partition(|container| container.ephemeral);
    let (init, main): (Vec<&Container>, Vec<&Container>) =
        own.into_iter().partition(|container| container.init);
    let initialized = init.iter().all(|container| container.is_done());
    let phase = phase(pod, &init, &main);
    status.insert("phase".into(), phase.into());
    status.insert("startTime".into(), pod.started.clone().into());
    if !host.is_empty() {
        status.insert("hostIP".into(), host.into());
        status.insert("hostIPs".into(), json!([{"ip": host}]));
    }
    if let Some(address) = pod.address {
        status.insert("podIP".into(), address.to_string().into());
        status.insert("podIPs".into(), json!([{"ip": address.to_string()}]));
    }
    if !init.is_empty() {
        let statuses: Vec<Value> = init.iter().map(|container| container_status(container)).collect();
        status.insert("initContainerStatuses".into(), statuses.into());
    }
    let mut statuses: Vec<Value> = main.iter().map(|container| container_status(container)).collect();
    if !initialized {
        for status in &mut statuses {
            if status["state"]["waiting"]["reason"] == "ContainerCreating" {
                status["state"]["waiting"]["reason"] = "PodInitializing".into();
            }
        }
    }
    status.insert("containerStatuses".into(), statuses.into());
    if !ephemeral.is_empty() {
        let statuses: Vec<Value> = ephemeral
            .iter()
            .map(|container| container_status(container))
            .collect();
        status.insert("ephemeralContainerStatuses".into(), statuses.into());
    }
    let before = status.get("conditions").cloned().unwrap_or(Value::Null);
    status.insert(
        "conditions".into(),
        conditions(&before, pod, &init, &main, phase).into(),
    );
}

fn phase(pod: &Pod, init: &[&Container], main: &[&Container]) -> &'static str {
    let failed_init = init.iter().any(|container| {
        matches!(&container.state, State::Terminated(ended) if ended.code != 0)
            && pod.restart_policy == "Never"
    });
    if failed_init {
        return "Failed";
    }
    let never_ran =
        |container: &&Container| matches!(container.state, State::Waiting { .. }) && container.last.is_none();
    if !init.iter().all(|container| container.is_done()) || main.iter().any(never_ran) {
        return "Pending";
    }
    if main.iter().any(|container| container.is_running()) {
        return "Running";
    }
    let all_ended = main
        .iter()
        .all(|container| matches!(container.state, State::Terminated(_)));
    let all_good = main.iter().all(|container| container.is_done());
    match pod.restart_policy.as_str() {
        "Never" | "OnFailure" if all_good => "Succeeded",
        "Never" if all_ended => "Failed",
        _ => "Running",
    }
}

fn conditions(
    before: &Value,
    pod: &Pod,
    init: &[&Container],
    main: &[&Container],
    phase: &str,
) -> Vec<Value> {
    let unready: Vec<&str> = main
        .iter()
        .filter(|container| !container.is_ready())
        .map(|container| container.name.as_str())
        .collect();
    let undone: Vec<&str> = init
        .iter()
        .filter(|container| !container.is_done())
        .map(|container| container.name.as_str())
        .collect();
    let finished = phase == "Succeeded";
    let ready = unready.is_empty();
    let (reason, message) = if finished {
        ("PodCompleted", String::new())
    } else {
        (
            "ContainersNotReady",
            format!("containers with unready status: [{}]", unready.join(" ")),
        )
    };
    let has_sandbox = pod.address.is_some() && !(finished || phase == "Failed");
    let mut list: Vec<Value> = Vec::new();
    let mut push = |kind: &str, holds: bool, reason: &str, message: &str| {
        let status = if holds { "True" } else { "False" };
        let old = before
            .as_array()
            .into_iter()
            .flatten()
            .find(|old| old["type"] == kind);
        let since = old
            .filter(|old| old["status"] == status)
            .map_or_else(|| json::now().into(), |old| old["lastTransitionTime"].clone());
        let mut condition =
            json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": since});
        if !holds {
            condition["reason"] = reason.into();
            if !message.is_empty() {
                condition["message"] = message.into();
            }
        }
        list.push(condition);
    };
    push("PodReadyToStartContainers", has_sandbox, "", "");
    let uninitialized = format!("containers with incomplete status: [{}]", undone.join(" "));
    push(
        "Initialized",
        undone.is_empty(),
        "ContainersNotInitialized",
        &uninitialized,
    );
    push("Ready", ready, reason, &message);
    push("ContainersReady", ready, reason, &message);
    let scheduled = before
        .as_array()
        .into_iter()
        .flatten()
        .find(|old| old["type"] == "PodScheduled");
    match scheduled {
        Some(scheduled) => list.push(scheduled.clone()),
        None => push("PodScheduled", true, "", ""),
    }
    for other in before.as_array().into_iter().flatten() {
        if list.iter().all(|known| known["type"] != other["type"]) {
            list.push(other.clone());
        }
    }
    for condition in &mut list {
        if condition["reason"] == "" {
            json::remove(condition, &["reason"]);
        }
    }
    list
}

fn ended(ended: &Ended) -> Value {
    json!({
        "exitCode": ended.code,
        "reason": ended.reason,
        "startedAt": json::seconds(ended.since),
        "finishedAt": json::seconds(ended.at),
        "containerID": ended.container_id,
    })
}

/// The words for an end that a status carries, so that it can be read back.
const REASONS: [&str; 4] = ["Completed", "Error", "OOMKilled", "Unknown"];

pub fn read_ended(terminated: &Value) -> Option<Ended> {
    let time = |field: &str| -> Option<DateTime<Utc>> { json::parse_time(terminated[field].as_str()?) };
    let reason = json::text(terminated, "/reason");
    Some(Ended {
        code: terminated["exitCode"].as_i64()?,
        reason: REASONS
            .into_iter()
            .find(|known| *known == reason)
            .unwrap_or("Error"),
        since: time("startedAt")?,
        at: time("finishedAt")?,
        container_id: json::text(terminated, "/containerID").to_owned(),
    })
}

fn container_status(container: &Container) -> Value {
    let (state, started, ready) = match &container.state {
        State::Waiting { reason, message } => {
            let mut waiting = json!({"reason": reason});
            if !message.is_empty() {
                waiting["message"] = message.as_str().into();
            }
            (json!({"waiting": waiting}), false, false)
        }
        State::Running {
            since,
            started,
            ready,
        } => (
            json!({"running": {"startedAt": json::seconds(*since)}}),
            *started,
            *ready && !container.ephemeral,
        ),
        State::Terminated(end) => (
            json!({"terminated": ended(end)}),
            false,
            container.init && end.code == 0,
        ),
    };
    let last = container
        .last
        .as_ref()
        .map_or_else(|| json!({}), |last| json!({"terminated": ended(last)}));
    let ran = !container.container_id.is_empty();
    let mut status = json!({
        "name": container.name,
        "state": state,
        "lastState": last,
        "ready": ready,
        "started": started,
        "restartCount": container.restarts,
        "image": container.image,
        "imageID": if ran { container.image_id() } else { String::new() },
    });
    if ran {
        status["containerID"] = container.container_id.as_str().into();
    }
    status
}
