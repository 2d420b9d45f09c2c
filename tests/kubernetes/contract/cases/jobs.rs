//! Jobs and StatefulSets.

use serde_json::{Value, json};

use super::cases;
use super::deployments::condition;
use crate::case::{Case, MERGE_PATCH, eventually};
use crate::objects::{WEB, WEB_2, deployment, ending_pod};

cases![
    completes_a_job,
    gives_up_on_a_job,
    schedules_a_cron_job since 21,
    names_the_pods_of_a_stateful_set_in_order,
    updates_a_stateful_set_from_the_last,
];

fn job(name: &str, code: i32) -> Value {
    let pod = ending_pod(name, code);
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {
            "backoffLimit": 0,
            "template": {"metadata": {"annotations": pod["metadata"]["annotations"]}, "spec": pod["spec"]},
        },
    })
}

async fn until_ended(case: &Case, name: &str, kind: &str) -> Value {
    case.until(&format!("jobs.batch/{name}"), |job| match condition(job, kind) {
        Some(ended) if ended["status"] == "True" => Ok(job.clone()),
        _ => Err("not ended"),
    })
    .await
}

async fn completes_a_job(case: &Case) {
    case.create("jobs.batch", job("well", 0)).await;
    let job = until_ended(case, "well", "Complete").await;
    assert_eq!(job["status"]["succeeded"], 1);
    assert!(job["status"]["startTime"].is_string() && job["status"]["completionTime"].is_string());
    let pods = case.list("pods?labelSelector=job-name%3Dwell").await;
    assert_eq!(pods.len(), 1);
    assert_eq!(pods[0]["status"]["phase"], "Succeeded");
    assert_eq!(pods[0]["metadata"]["ownerReferences"][0]["kind"], "Job");
}

async fn gives_up_on_a_job(case: &Case) {
    case.create("jobs.batch", job("badly", 3)).await;
    let job = until_ended(case, "badly", "Failed").await;
    assert_eq!(
        condition(&job, "Failed").expect("the condition")["reason"],
        "BackoffLimitExceeded"
    );
    assert_eq!(job["status"]["failed"], 1);
}

async fn schedules_a_cron_job(case: &Case) {
    let every_minute = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "tick"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job("tick", 0)["spec"]}},
    });
    let stored = case.create("cronjobs.batch", every_minute).await;
    assert_eq!(stored["spec"]["concurrencyPolicy"], "Allow");
    assert_eq!(stored["spec"]["suspend"], false);
    let job = eventually("a job of this minute or the next", async || {
        case.list("jobs.batch").await.into_iter().next().ok_or("none")
    })
    .await;
    let owner = &job["metadata"]["ownerReferences"][0];
    assert_eq!(
        (&owner["kind"], &owner["name"]),
        (&json!("CronJob"), &json!("tick"))
    );
    case.until("cronjobs.batch/tick", |tick| {
        if tick["status"]["lastScheduleTime"].is_string() {
            Ok(())
        } else {
            Err("no time")
        }
    })
    .await;
}

async fn stateful_set(case: &Case) {
    let mut body = deployment("web", 3, WEB);
    body["kind"] = json!("StatefulSet");
    body["spec"]["serviceName"] = json!("web");
    case.create("statefulsets.apps", body).await;
}

async fn until_all_ready(case: &Case, replicas: u64) -> Value {
    case.until("statefulsets.apps/web", |set| {
        let status = &set["status"];
        let complete = status["observedGeneration"] == set["metadata"]["generation"]
            && status["replicas"] == replicas
            && status["readyReplicas"].as_u64().unwrap_or(0) == replicas
            && status["currentRevision"] == status["updateRevision"];
        if complete {
            Ok(set.clone())
        } else {
            Err("not complete")
        }
    })
    .await
}

async fn pods_by_age(case: &Case) -> Vec<Value> {
    let mut pods = case.list("pods").await;
    pods.sort_by_key(|pod| pod["metadata"]["name"].as_str().expect("a name").to_owned());
    pods
}

async fn names_the_pods_of_a_stateful_set_in_order(case: &Case) {
    stateful_set(case).await;
    until_all_ready(case, 3).await;
    let pods = pods_by_age(case).await;
    let names: Vec<_> = pods
        .iter()
        .map(|pod| pod["metadata"]["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["web-0", "web-1", "web-2"]);
    for (one, next) in pods.iter().zip(&pods[1..]) {
        let ready = condition(one, "Ready").expect("a condition")["lastTransitionTime"]
            .as_str()
            .expect("a time");
        let created = next["metadata"]["creationTimestamp"].as_str().expect("a time");
        assert!(
            ready <= created,
            "one starts once the one before is ready: {ready}, {created}"
        );
    }
    assert_eq!(
        pods[1]["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"],
        "web-1"
    );
    case.patch(
        &case.path("statefulsets.apps/web"),
        MERGE_PATCH,
        json!({"spec": {"replicas": 1}}),
    )
    .await
    .ok(200);
    case.until_gone("pods/web-2").await;
    case.until_gone("pods/web-1").await;
    let pods = pods_by_age(case).await;
    assert_eq!(pods.len(), 1);
    assert_eq!(pods[0]["metadata"]["name"], "web-0");
    // A pod keeps its name over its death.
    let before = pods[0]["metadata"]["uid"].clone();
    case.delete(&case.path("pods/web-0")).await.ok(200);
    eventually("another web-0", async || {
        let answer = case.get(&case.path("pods/web-0")).await;
        if answer.code == 200 && answer.body["metadata"]["uid"] != before {
            Ok(())
        } else {
            Err(answer.code)
        }
    })
    .await;
}

async fn updates_a_stateful_set_from_the_last(case: &Case) {
    stateful_set(case).await;
    until_all_ready(case, 3).await;
    let patch = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": WEB_2}]);
    case.patch(
        &case.path("statefulsets.apps/web"),
        crate::case::JSON_PATCH,
        patch,
    )
    .await
    .ok(200);
    until_all_ready(case, 3).await;
    let created: Vec<_> = pods_by_age(case)
        .await
        .iter()
        .map(|pod| pod["metadata"]["creationTimestamp"].to_string())
        .collect();
    assert!(
        created[2] <= created[1] && created[1] <= created[0],
        "the last first: {created:?}"
    );
    for pod in pods_by_age(case).await {
        assert_eq!(pod["spec"]["containers"][0]["image"], WEB_2);
    }
}
