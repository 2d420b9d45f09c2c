use serde_json::{Value, json};

use super::*;

fn pod(status: Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": { "name": "web-1", "namespace": "shop-test", "creationTimestamp": "2026-01-01T00:00:00Z" },
        "spec": { "containers": [{ "name": "web", "image": "web:1", "livenessProbe": { "tcpSocket": { "port": 80 } } }] },
        "status": status,
    }))
    .unwrap()
}

fn trouble_of(status: Value) -> (String, String) {
    let seen = read(&pod(status));
    let trouble = seen.trouble.expect("trouble");
    (trouble.reason.into(), trouble.message.into())
}

#[test]
fn a_running_pod_is_ready_and_has_no_trouble() {
    let seen = read(&pod(json!({
        "phase": "Running",
        "conditions": [{ "type": "Ready", "status": "True" }],
        "containerStatuses": [{ "name": "web", "ready": true, "restartCount": 0,
            "state": { "running": { "startedAt": "2026-01-01T00:00:01Z" } } }],
    })));
    assert_eq!(
        (seen.status.as_str(), seen.ready, seen.containers_ready),
        ("Running", true, 1)
    );
    assert_eq!(seen.trouble, None);
    assert_eq!(seen.unready_since, None);
}

#[test]
fn a_pod_that_stops_is_not_ready() {
    let mut stopping = pod(json!({
        "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }],
    }));
    stopping.metadata.deletion_timestamp = stopping.metadata.creation_timestamp;
    let seen = read(&stopping);
    assert_eq!((seen.status.as_str(), seen.ready), ("Terminating", false));
    assert_eq!(seen.trouble, None);
}

#[test]
fn an_image_that_can_not_be_pulled_is_one_trouble_in_both_its_phases() {
    for reason in ["ErrImagePull", "ImagePullBackOff"] {
        let (reason, message) = trouble_of(json!({
            "phase": "Pending",
            "containerStatuses": [{ "name": "web", "image": "missing:1",
                "state": { "waiting": { "reason": reason, "message": "Back-off pulling image \"missing:1\"" } } }],
        }));
        assert_eq!(reason, "ImagePullBackOff");
        assert!(message.contains("missing:1"));
    }
}

#[test]
fn a_crash_loop_tells_the_exit_code() {
    let status = json!({
        "phase": "Running",
        "containerStatuses": [{ "name": "web", "restartCount": 4,
            "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 40s" } },
            "lastState": { "terminated": { "exitCode": 3, "reason": "Error", "message": "no database\n" } } }],
    });
    let (reason, message) = trouble_of(status.clone());
    assert_eq!(reason, "CrashLoopBackOff");
    assert_eq!(
        message,
        "container web ended with exit code 3, restarted 4 times: no database"
    );
    assert_eq!(read(&pod(status)).status, "CrashLoopBackOff");
}

#[test]
fn running_out_of_memory_is_told_from_other_crashes() {
    let (reason, _) = trouble_of(json!({
        "phase": "Running",
        "containerStatuses": [{ "name": "web", "restartCount": 2, "ready": false,
            "state": { "waiting": { "reason": "CrashLoopBackOff" } },
            "lastState": { "terminated": { "exitCode": 137, "reason": "OOMKilled" } } }],
    }));
    assert_eq!(reason, "OOMKilled");
}

#[test]
fn a_container_that_is_stopped_again_and_again_and_has_a_liveness_probe_fails_it() {
    let (reason, _) = trouble_of(json!({
        "phase": "Running",
        "containerStatuses": [{ "name": "web", "restartCount": 2, "ready": false,
            "state": { "running": {} },
            "lastState": { "terminated": { "exitCode": 137, "reason": "Error" } } }],
    }));
    assert_eq!(reason, "LivenessFailed");
}

#[test]
fn an_unschedulable_pod_tells_what_the_scheduler_says() {
    let (reason, message) = trouble_of(json!({
        "phase": "Pending",
        "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/3 nodes are available: 3 Insufficient cpu." }],
    }));
    assert_eq!(reason, "Unschedulable");
    assert_eq!(message, "0/3 nodes are available: 3 Insufficient cpu.");
}

#[test]
fn a_pod_that_runs_but_is_not_ready_says_which_container() {
    let (reason, message) = trouble_of(json!({
        "phase": "Running",
        "conditions": [{ "type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:01:00Z" }],
        "containerStatuses": [{ "name": "web", "ready": false, "state": { "running": {} } }],
    }));
    assert_eq!(reason, "ReadinessFailed");
    assert_eq!(message, "container web runs but is not ready");
}

#[test]
fn a_starting_pod_has_no_trouble() {
    let seen = read(&pod(json!({
        "phase": "Pending",
        "conditions": [{ "type": "PodScheduled", "status": "True" }],
        "containerStatuses": [{ "name": "web", "state": { "waiting": { "reason": "ContainerCreating" } } }],
    })));
    assert_eq!(seen.trouble, None);
    assert_eq!(seen.status, "ContainerCreating");
}

#[test]
fn an_init_container_that_fails_shows() {
    let mut failing = pod(json!({
        "phase": "Pending",
        "initContainerStatuses": [{ "name": "setup", "state": { "waiting": { "reason": "CrashLoopBackOff" } },
            "lastState": { "terminated": { "exitCode": 1 } } }],
        "containerStatuses": [{ "name": "web", "state": { "waiting": { "reason": "PodInitializing" } } }],
    }));
    failing.spec.init_containers = failing.spec.containers.clone();
    let seen = read(&failing);
    assert_eq!(seen.status, "Init:CrashLoopBackOff");
    assert_eq!(&*seen.trouble.unwrap().reason, "CrashLoopBackOff");
}

#[test]
fn requests_are_the_sum_or_the_largest_init_container() {
    let spec: PodSpec = serde_json::from_value(json!({
        "containers": [
            { "name": "a", "resources": { "requests": { "cpu": "500m", "memory": "1Gi" } } },
            { "name": "b", "resources": { "requests": { "cpu": "1", "nvidia.com/gpu": "2" } } },
        ],
        "initContainers": [{ "name": "i", "resources": { "requests": { "cpu": "2", "memory": "1Mi" } } }],
        "overhead": { "cpu": "10m" },
    }))
    .unwrap();
    let held = ResourceAmounts {
        cpu_millicores: 2010,
        memory_bytes: 1 << 30,
        pods: 1,
        gpus: 2,
    };
    assert_eq!(requests(&spec, &GpuResource::default()), held);
    assert_eq!(requests(&spec, &GpuResource::new("amd.com/gpu")).gpus, 0);
}

#[test]
fn long_messages_are_cut_between_characters() {
    let (_, message) = trouble_of(json!({
        "phase": "Pending",
        "conditions": [{ "type": "PodScheduled", "status": "False", "message": "ü".repeat(2000) }],
    }));
    assert_eq!(message.chars().count(), LONGEST_MESSAGE + 1);
}
