//! Looking into pods that run: ports and ephemeral containers, as client libraries ask for them.

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Stage, is_ready, pod};

#[tokio::test]
async fn ports_are_reached_through_channels() {
    let stage = Stage::new().await;
    stage.run(pod("web", "shop/web:1")).await;
    stage.until("web", is_ready).await;
    let mut forwarded = stage.pods().portforward("web", &[8080, 9]).await.unwrap();
    let refused = forwarded.take_error(9).unwrap();
    let mut stream = forwarded.take_stream(8080).unwrap();
    stream
        .write_all(b"GET /through HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let why = refused.await.expect("it says why");
    assert!(
        why.contains("failed to connect to localhost:9: connect: connection refused"),
        "{why}"
    );
    let mut answer = Vec::new();
    let mut bytes = [0; 4096];
    while !answer.windows(10).any(|part| part == b"\"/through\"") {
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&bytes[..count]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    drop(stream);
    forwarded.abort();

    stage.run(pod("waiting", "missing/web:1")).await;
    let refused = stage.pods().portforward("waiting", &[8080]).await;
    assert!(refused.is_err());
}

async fn put(stage: &Stage, containers: Value) -> Result<Pod, (u16, String)> {
    let patch = Patch::Strategic(json!({ "spec": { "ephemeralContainers": containers } }));
    let result = stage
        .pods()
        .patch_ephemeral_containers("web", &PatchParams::default(), &patch)
        .await;
    refusal(result)
}

fn refusal(result: kube::Result<Pod>) -> Result<Pod, (u16, String)> {
    result.map_err(|error| match error {
        kube::Error::Api(status) => (status.code, status.message.clone()),
        other => panic!("{other}"),
    })
}

#[tokio::test]
async fn ephemeral_containers_come_and_stay_as_they_are() {
    let stage = Stage::new().await;
    stage.run(pod("web", "shop/web:1")).await;
    let before = stage.until("web", is_ready).await;
    let patched = put(
        &stage,
        json!([{"name": "look", "image": "tools:1", "targetContainerName": "app"}]),
    )
    .await
    .unwrap();
    let given = patched.spec.unwrap().ephemeral_containers.unwrap();
    assert_eq!(
        given[0].image_pull_policy.as_deref(),
        Some("IfNotPresent"),
        "defaults are set"
    );
    put(&stage, json!([{"name": "second", "image": "crash:1"}]))
        .await
        .unwrap();
    let running = stage
        .until("web", |pod| {
            let status = pod.status.as_ref().unwrap();
            let state = |name: &str| {
                let all = status.ephemeral_container_statuses.iter().flatten();
                all.clone().find(|one| one.name == name)?.state.clone()
            };
            state("look").is_some_and(|state| state.running.is_some())
                && state("second")
                    .is_some_and(|state| state.terminated.is_some_and(|ended| ended.exit_code == 1))
        })
        .await;
    assert!(is_ready(&running), "what ends in one is not the pod's business");
    assert_eq!(running.metadata.uid, before.metadata.uid);

    for (containers, code, word) in [
        (
            json!([{"name": "look", "image": "tools:2"}]),
            422,
            "may not be changed",
        ),
        (
            json!([{"$patch": "delete", "name": "look"}]),
            422,
            "may not be removed",
        ),
        (
            json!([{"name": "app", "image": "tools:1"}]),
            422,
            "Duplicate value",
        ),
        (json!([{"name": "x"}]), 422, "image: Required value"),
        (
            json!([{"name": "x", "image": "a", "targetContainerName": "none"}]),
            422,
            "Not found",
        ),
        (
            json!([{"name": "x", "image": "a", "ports": [{"containerPort": 80}]}]),
            422,
            "cannot be set for an Ephemeral Container",
        ),
    ] {
        let (status, message) = put(&stage, containers.clone()).await.unwrap_err();
        assert!(
            status == code && message.contains(word),
            "{containers}: {status} {message}"
        );
    }
    // Only through their own path, and not in a pod that is made.
    let mut other = pod("other", "shop/web:1");
    other["spec"]["ephemeralContainers"] = json!([{"name": "x", "image": "a"}]);
    let made = stage
        .pods()
        .create(&PostParams::default(), &serde_json::from_value(other).unwrap())
        .await;
    assert!(refusal(made).unwrap_err().1.contains("cannot be set on create"));
    let patch = Patch::Strategic(json!({ "spec": { "ephemeralContainers": [{"name": "x", "image": "a"}] } }));
    let patched = stage.pods().patch("web", &PatchParams::default(), &patch).await;
    assert!(
        refusal(patched)
            .unwrap_err()
            .1
            .contains("pod updates may not change fields")
    );
    // And what else stands in a patch of them is left alone.
    let patch =
        Patch::Merge(json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "nodeName": "none" } }));
    let patched = stage
        .pods()
        .patch_ephemeral_containers("web", &PatchParams::default(), &patch)
        .await;
    let labels = refusal(patched).unwrap().metadata.labels.unwrap();
    assert!(!labels.contains_key("a"), "{labels:?}");
}
