//! Pods, and the one word that tells how a pod is.

use serde_json::Value;

use super::{AGE, Column, NAME, at, since, text, wide};
use crate::json;

pub const POD: &[Column] = &[
    NAME,
    text("Ready", ready_containers),
    text("Status", |pod| pod_state(pod).into()),
    text("Restarts", restarts),
    AGE,
    wide("IP", |pod| at(pod, "/status/podIP")),
    wide("Node", |pod| at(pod, "/spec/nodeName")),
    wide("Nominated Node", |pod| at(pod, "/status/nominatedNodeName")),
    wide("Readiness Gates", |_| "<none>".into()),
];

/// The one word that tells how a pod is.
pub fn pod_state(pod: &Value) -> String {
    let mut state = match json::text(pod, "/status/reason") {
        "" => json::text(pod, "/status/phase").to_owned(),
        reason => reason.to_owned(),
    };
    let mut initializing = false;
    let wanted = json::items(pod, "/spec/initContainers").len();
    for (position, status) in json::items(pod, "/status/initContainerStatuses")
        .iter()
        .enumerate()
    {
        let terminated = &status["state"]["terminated"];
        if json::integer(terminated, "/exitCode") == Some(0) {
            continue;
        }
        let waiting = json::text(status, "/state/waiting/reason");
        state = if terminated.is_object() {
            format!("Init:{}", ended(terminated))
        } else if !waiting.is_empty() && waiting != "PodInitializing" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{position}/{wanted}")
        };
        initializing = true;
        break;
    }
    if !initializing {
        let mut running = false;
        for status in json::items(pod, "/status/containerStatuses").iter().rev() {
            let waiting = json::text(status, "/state/waiting/reason");
            let terminated = &status["state"]["terminated"];
            if !waiting.is_empty() {
                state = waiting.to_owned();
            } else if terminated.is_object() {
                state = ended(terminated);
            } else if status["ready"] == true && status["state"]["running"].is_object() {
                running = true;
            }
        }
        if state == "Completed" && running {
            state = "Running".into();
        }
    }
    if !json::at(pod, "/metadata/deletionTimestamp").is_null() {
        state = if json::text(pod, "/status/reason") == "NodeLost" {
            "Unknown"
        } else {
            "Terminating"
        }
        .into();
    }
    state
}

fn ended(terminated: &Value) -> String {
    match terminated["reason"].as_str().unwrap_or("") {
        "" => match json::integer(terminated, "/signal") {
            Some(signal) if signal != 0 => format!("Signal:{signal}"),
            _ => format!("ExitCode:{}", json::integer(terminated, "/exitCode").unwrap_or(0)),
        },
        reason => reason.to_owned(),
    }
}

fn restarts(pod: &Value) -> Value {
    let statuses = json::items(pod, "/status/containerStatuses");
    let total: i64 = statuses
        .iter()
        .filter_map(|status| json::integer(status, "/restartCount"))
        .sum();
    let last = statuses
        .iter()
        .filter_map(|status| json::parse_time(json::text(status, "/lastState/terminated/finishedAt")))
        .max();
    match last {
        Some(last) if total > 0 => format!("{total} ({} ago)", since(last)).into(),
        _ => total.to_string().into(),
    }
}

fn ready_containers(pod: &Value) -> Value {
    let ready = json::items(pod, "/status/containerStatuses")
        .iter()
        .filter(|status| status["ready"] == true)
        .count();
    format!("{ready}/{}", json::items(pod, "/spec/containers").len()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_says_the_worst_of_its_containers() {
        let pod = json!({
            "spec": {"containers": [{}, {}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"ready": true, "state": {"running": {}}, "restartCount": 0},
                {"ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 3},
            ]},
        });
        assert_eq!(pod_state(&pod), "CrashLoopBackOff");
        assert_eq!(ready_containers(&pod), "1/2");
    }
}
