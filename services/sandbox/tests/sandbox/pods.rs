//! Pods by the rules of their images and annotations.

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Api, AttachParams, DeleteParams, ListParams, LogParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use crate::support::{Stage, eventually, http, is_ready, pod, restarts, waits_for};

fn address(pod: &Pod) -> String {
    format!("{}:8080", pod.status.as_ref().unwrap().pod_ip.as_deref().unwrap())
}

#[tokio::test]
async fn a_healthy_pod_answers_with_who_it_is_and_logs_it() {
    let stage = Stage::new().await;
    stage.run(pod("web", "shop/web:1.4")).await;
    let running = stage.until("web", is_ready).await;
    let (status, body) = http("GET", &address(&running), "/hello?x=1").await.unwrap();
    assert_eq!(status, 200);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["pod"], "web");
    assert_eq!(body["cluster"], "east");
    assert_eq!(body["version"], "1.4");
    assert_eq!(body["path"], "/hello?x=1");
    let log = stage.pods().logs("web", &LogParams::default()).await.unwrap();
    assert!(
        log.starts_with("started app from image shop/web:1.4 in web on east-node-"),
        "{log}"
    );
    assert!(log.contains("GET /hello?x=1 200"), "{log}");
    let stamped = LogParams {
        timestamps: true,
        tail_lines: Some(1),
        ..LogParams::default()
    };
    let log = stage.pods().logs("web", &stamped).await.unwrap();
    assert_eq!(log.lines().count(), 1);
    assert!(log.split(' ').next().unwrap().ends_with('Z'), "{log}");

    stage
        .pods()
        .delete("web", &DeleteParams::default())
        .await
        .unwrap();
    eventually(|| async {
        if stage.pods().get_opt("web").await.unwrap().is_none() {
            Ok(())
        } else {
            Err("is there")
        }
    })
    .await;
    assert!(
        http("GET", &address(&running), "/").await.is_err(),
        "nothing listens any more"
    );
}

#[tokio::test]
async fn a_crashing_pod_backs_off_and_keeps_its_last_log() {
    let stage = Stage::new().await;
    stage.run(pod("bad", "shop/crash:1")).await;
    let seen = stage
        .until("bad", |pod| {
            waits_for(pod) == "CrashLoopBackOff" && restarts(pod) > 0
        })
        .await;
    let status = &seen.status.unwrap().container_statuses.unwrap()[0];
    let last = status.last_state.as_ref().unwrap().terminated.as_ref().unwrap();
    assert_eq!((last.exit_code, last.reason.as_deref()), (1, Some("Error")));
    let previous = LogParams {
        previous: true,
        ..LogParams::default()
    };
    let log = stage.pods().logs("bad", &previous).await.unwrap();
    assert!(log.ends_with("exited with code 1\n"), "{log}");
    let events: Api<Event> = Api::namespaced(stage.client.clone(), "default");
    let list = ListParams::default().fields("involvedObject.name=bad,reason=BackOff");
    let found = events.list(&list).await.unwrap().items;
    let message = found[0].message.as_deref().unwrap();
    assert!(
        message.starts_with("Back-off restarting failed container app in pod bad_default("),
        "{message}"
    );
}

#[tokio::test]
async fn images_that_are_missing_run_out_of_memory_or_never_get_ready() {
    let stage = Stage::new().await;
    for (name, image) in [
        ("gone", "missing.example/web:1"),
        ("fat", "shop/oom:1"),
        ("shy", "shop/unready:1"),
    ] {
        stage.run(pod(name, image)).await;
    }
    stage
        .until("gone", |pod| waits_for(pod) == "ImagePullBackOff")
        .await;
    let log = stage
        .pods()
        .logs("gone", &LogParams::default())
        .await
        .unwrap_err();
    assert!(log.to_string().contains("waiting to start"), "{log}");
    let fat = stage
        .until("fat", |pod| {
            let status = &pod
                .status
                .as_ref()
                .and_then(|status| status.container_statuses.clone());
            let last = status
                .as_ref()
                .and_then(|list| list[0].last_state.clone())
                .and_then(|state| state.terminated);
            last.is_some_and(|last| last.reason.as_deref() == Some("OOMKilled") && last.exit_code == 137)
        })
        .await;
    assert_eq!(
        fat.status.unwrap().phase.as_deref(),
        Some("Running"),
        "its container comes back"
    );
    let shy = stage
        .until("shy", |pod| {
            pod.status.as_ref().unwrap().phase.as_deref() == Some("Running")
        })
        .await;
    assert!(!is_ready(&shy));
    let (status, _) = http("GET", &address(&shy), "/").await.unwrap();
    assert_eq!(status, 503, "what is not ready does not serve");

    // A better image in its place brings the pod up.
    let better = json!({"spec": {"containers": [{"name": "app", "image": "shop/web:1"}]}});
    stage
        .pods()
        .patch("gone", &PatchParams::default(), &Patch::Strategic(better))
        .await
        .unwrap();
    stage.until("gone", is_ready).await;
}

#[tokio::test]
async fn annotations_and_probes_decide_over_the_image() {
    let stage = Stage::new().await;
    let mut done = pod("done", "shop/web:1");
    done["metadata"]["annotations"] = json!({
        "sandbox.longshore.dev/start-seconds": "0.1",
        "sandbox.longshore.dev/exit-code": "0",
        "sandbox.longshore.dev/exit-after-seconds": "0.2",
    });
    done["spec"]["restartPolicy"] = "Never".into();
    stage.run(done).await;
    let mut dying = pod("dying", "shop/web:1");
    dying["spec"]["containers"][0]["livenessProbe"] =
        json!({"httpGet": {"path": "/fail", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1});
    stage.run(dying).await;
    let mut unready = pod("unhealthy", "shop/web:1");
    unready["spec"]["containers"][0]["readinessProbe"] =
        json!({"exec": {"command": ["false"]}, "periodSeconds": 1});
    stage.run(unready).await;
    stage
        .until("done", |pod| {
            pod.status.as_ref().unwrap().phase.as_deref() == Some("Succeeded")
        })
        .await;
    stage.until("dying", |pod| restarts(pod) > 0).await;
    let events: Api<Event> = Api::namespaced(stage.client.clone(), "default");
    let list = ListParams::default().fields("involvedObject.name=unhealthy,reason=Unhealthy");
    let event = eventually(|| async {
        events
            .list(&list)
            .await
            .unwrap()
            .items
            .into_iter()
            .next()
            .ok_or("no event")
    });
    assert!(event.await.message.unwrap().starts_with("Readiness probe failed"));
    assert!(!is_ready(&stage.pods().get("unhealthy").await.unwrap()));
}

#[tokio::test]
async fn commands_see_configuration_and_end_with_their_client() {
    let stage = Stage::new().await;
    let map = json!({"metadata": {"name": "settings"}, "data": {"app.conf": "colour = blue\n"}});
    let maps: Api<k8s_openapi::api::core::v1::ConfigMap> = Api::default_namespaced(stage.client.clone());
    maps.create(
        &kube::api::PostParams::default(),
        &serde_json::from_value(map).unwrap(),
    )
    .await
    .unwrap();
    let mut value = pod("web", "shop/web:1");
    value["spec"]["volumes"] = json!([{"name": "settings", "configMap": {"name": "settings"}}]);
    value["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "settings", "mountPath": "/etc/app"}]);
    stage.run(value).await;
    stage.until("web", is_ready).await;
    let both = AttachParams::default().stderr(true);
    let mut process = stage
        .pods()
        .exec("web", ["/bin/sh", "-c", "cat etc/app/app.conf; id -u"], &both)
        .await
        .unwrap();
    let mut text = String::new();
    process.stdout().unwrap().read_to_string(&mut text).await.unwrap();
    let (first, user) = text.trim().split_once('\n').unwrap();
    assert_eq!(first, "colour = blue");
    assert_ne!(user, "0", "never as root");

    // A command that would run for ever is killed when its client goes.
    let marker = format!("sleep 98{}", std::process::id());
    let command = ["/bin/sh", "-c", &format!("echo up; {marker}")];
    let mut process = stage.pods().exec("web", command, &both).await.unwrap();
    let mut output = process.stdout().unwrap();
    let mut bytes = [0; 3];
    output.read_exact(&mut bytes).await.unwrap();
    eventually(|| async {
        if is_running(&marker) {
            Ok(())
        } else {
            Err("it does not run yet")
        }
    })
    .await;
    drop(output);
    process.abort();
    drop(process);
    eventually(|| async {
        if is_running(&marker) {
            Err("it runs")
        } else {
            Ok(())
        }
    })
    .await;
}

/// Whether a process with this command line exists.
fn is_running(command: &str) -> bool {
    let wanted: Vec<u8> = command
        .bytes()
        .map(|byte| if byte == b' ' { 0 } else { byte })
        .collect();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.into_iter().any(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.strip_suffix(&[0]).unwrap_or(&line) == wanted
    })
}
