//! Deployments on the move: from one template to the next and back.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cases;
use super::deployments::{condition, until_complete};
use crate::case::{Case, STRATEGIC_MERGE_PATCH, version};
use crate::objects::{MISSING, WEB, WEB_2, deployment};

cases![
    stays_within_surge_and_unavailable,
    recreates_after_all_are_gone,
    keeps_a_history_and_goes_back,
    forgets_the_oldest_revisions,
    keeps_serving_when_the_new_does_not_come_up,
    restarts_by_an_annotation,
    leaves_pods_alone_when_only_metadata_changes,
];

async fn set_image(case: &Case, image: &str) {
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}});
    case.patch(&case.path("deployments.apps/web"), STRATEGIC_MERGE_PATCH, patch)
        .await
        .ok(200);
}

fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|ready| ready["status"] == "True")
}

fn is_leaving(pod: &Value) -> bool {
    pod["metadata"].get("deletionTimestamp").is_some()
}

fn image(pod: &Value) -> &str {
    pod["spec"]["containers"][0]["image"].as_str().expect("an image")
}

/// Goes through every state of the objects that a watcher sees after a list, in the order in which they came about.
async fn every_moment(
    case: &Case,
    resource: &str,
    list: &Value,
    mut look: impl FnMut(&BTreeMap<String, Value>) -> bool,
) {
    let name = |object: &Value| object["metadata"]["name"].as_str().expect("a name").to_owned();
    let items = list["items"].as_array().expect("items").iter();
    let mut objects: BTreeMap<String, Value> = items.map(|item| (name(item), item.clone())).collect();
    let mut seen = 0;
    case.watch(
        &format!("{resource}?resourceVersion={}", version(list)),
        |events| {
            for event in &events[seen..] {
                match event.kind {
                    "ADDED" | "MODIFIED" => drop(objects.insert(name(&event.object), event.object.clone())),
                    "DELETED" => drop(objects.remove(&name(&event.object))),
                    other => panic!("an event {other}: {:#}", event.object),
                }
            }
            seen = events.len();
            look(&objects)
        },
    )
    .await;
}

async fn stays_within_surge_and_unavailable(case: &Case) {
    let mut body = deployment("web", 4, WEB);
    body["spec"]["strategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}});
    case.create("deployments.apps", body).await;
    until_complete(case, "web").await;
    let pods = case.read("pods").await;
    let sets = case.read("replicasets.apps").await;
    set_image(case, WEB_2).await;
    let never_too_few = every_moment(case, "pods", &pods, |pods| {
        let staying = pods.values().filter(|pod| !is_leaving(pod));
        let available = staying.filter(|pod| is_ready(pod)).count();
        assert!(
            available >= 3,
            "fewer than may be unavailable: {available} of {:?}",
            pods.keys()
        );
        pods.len() == 4 && pods.values().all(|pod| image(pod) == WEB_2 && is_ready(pod))
    });
    // The bound is on what is asked for: an old pod may go a moment after a new one has come.
    let never_too_many = every_moment(case, "replicasets.apps", &sets, |sets| {
        let replicas = |set: &Value| set["spec"]["replicas"].as_u64().expect("replicas");
        let total: u64 = sets.values().map(replicas).sum();
        assert!(total <= 5, "more than the surge allows: {total}");
        sets.len() == 2
            && sets
                .values()
                .any(|set| replicas(set) == 4 && set["status"]["readyReplicas"] == 4)
            && sets.values().any(|set| replicas(set) == 0)
    });
    tokio::join!(never_too_few, never_too_many);
    until_complete(case, "web").await;
}

async fn recreates_after_all_are_gone(case: &Case) {
    let mut body = deployment("web", 2, WEB);
    body["spec"]["strategy"] = json!({"type": "Recreate"});
    case.create("deployments.apps", body).await;
    until_complete(case, "web").await;
    let list = case.read("pods").await;
    set_image(case, WEB_2).await;
    every_moment(case, "pods", &list, |pods| {
        let olds = pods.values().filter(|pod| image(pod) == WEB).count();
        let news = pods.values().filter(|pod| image(pod) == WEB_2).count();
        assert!(
            olds == 0 || news == 0,
            "{olds} old and {news} new ones at the same time"
        );
        news == 2 && pods.values().all(is_ready)
    })
    .await;
}

/// The ReplicaSets' revisions, with the image and the replicas of each.
async fn history(case: &Case) -> BTreeMap<u64, (String, u64)> {
    let sets = case.list("replicasets.apps").await;
    let entry = |set: &Value| {
        let revision = set["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
            .as_str()
            .expect("a revision");
        let image = set["spec"]["template"]["spec"]["containers"][0]["image"]
            .as_str()
            .expect("an image");
        (
            revision.parse().expect("a number"),
            (
                image.to_owned(),
                set["spec"]["replicas"].as_u64().expect("replicas"),
            ),
        )
    };
    sets.iter().map(entry).collect()
}

async fn keeps_a_history_and_goes_back(case: &Case) {
    case.create("deployments.apps", deployment("web", 1, WEB)).await;
    until_complete(case, "web").await;
    set_image(case, WEB_2).await;
    let deployment = until_complete(case, "web").await;
    assert_eq!(
        deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "2"
    );
    let expected = BTreeMap::from([(1, (WEB.to_owned(), 0)), (2, (WEB_2.to_owned(), 1))]);
    assert_eq!(history(case).await, expected);
    // The old template again is the old ReplicaSet again, as the newest revision.
    set_image(case, WEB).await;
    let deployment = until_complete(case, "web").await;
    assert_eq!(
        deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "3"
    );
    let expected = BTreeMap::from([(2, (WEB_2.to_owned(), 0)), (3, (WEB.to_owned(), 1))]);
    assert_eq!(history(case).await, expected);
}

async fn forgets_the_oldest_revisions(case: &Case) {
    let mut body = deployment("web", 1, WEB);
    body["spec"]["revisionHistoryLimit"] = json!(1);
    case.create("deployments.apps", body).await;
    until_complete(case, "web").await;
    for note in ["2", "3"] {
        let patch = json!({"spec": {"template": {"metadata": {"annotations": {"note": note}}}}});
        case.patch(&case.path("deployments.apps/web"), STRATEGIC_MERGE_PATCH, patch)
            .await
            .ok(200);
        until_complete(case, "web").await;
    }
    crate::case::eventually("one old revision", async || {
        let revisions: Vec<u64> = history(case).await.into_keys().collect();
        if revisions == [2, 3] {
            Ok(())
        } else {
            Err(revisions)
        }
    })
    .await;
}

async fn keeps_serving_when_the_new_does_not_come_up(case: &Case) {
    let mut body = deployment("web", 2, WEB);
    body["spec"]["progressDeadlineSeconds"] = json!(4);
    body["spec"]["strategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
    case.create("deployments.apps", body).await;
    until_complete(case, "web").await;
    set_image(case, MISSING).await;
    let deployment = case
        .until("deployments.apps/web", |deployment| {
            let progressing = condition(deployment, "Progressing").ok_or("no condition")?;
            if progressing["reason"] == "ProgressDeadlineExceeded" {
                Ok(deployment.clone())
            } else {
                Err("no deadline passed")
            }
        })
        .await;
    let status = &deployment["status"];
    assert_eq!(status["availableReplicas"], 2);
    assert_eq!(status["updatedReplicas"], 1);
    assert_eq!(status["replicas"], 3);
    assert_eq!(
        condition(&deployment, "Available").expect("a condition")["status"],
        "True"
    );
    // Going back ends it at once.
    set_image(case, WEB).await;
    until_complete(case, "web").await;
}

async fn restarts_by_an_annotation(case: &Case) {
    case.create("deployments.apps", deployment("web", 1, WEB)).await;
    until_complete(case, "web").await;
    let before = case.list("pods").await[0]["metadata"]["uid"].clone();
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {"longshore.dev/restarted-at": "2030-01-01T00:00:00Z"}}}}});
    case.patch(&case.path("deployments.apps/web"), STRATEGIC_MERGE_PATCH, patch)
        .await
        .ok(200);
    let deployment = until_complete(case, "web").await;
    assert_eq!(
        deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "2"
    );
    let pods = case.list("pods").await;
    let staying: Vec<_> = pods.iter().filter(|pod| !is_leaving(pod)).collect();
    assert_eq!(staying.len(), 1);
    assert_ne!(staying[0]["metadata"]["uid"], before);
}

async fn leaves_pods_alone_when_only_metadata_changes(case: &Case) {
    case.create("deployments.apps", deployment("web", 1, WEB)).await;
    until_complete(case, "web").await;
    let before = case.list("pods").await[0]["metadata"]["uid"].clone();
    let patch = json!({"metadata": {"labels": {"new": "label"}, "annotations": {"longshore.dev/note": "x"}}, "spec": {"minReadySeconds": 1}});
    case.patch(&case.path("deployments.apps/web"), STRATEGIC_MERGE_PATCH, patch)
        .await
        .ok(200);
    let deployment = until_complete(case, "web").await;
    assert_eq!(
        deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "1"
    );
    let pods = case.list("pods").await;
    assert_eq!(pods.len(), 1);
    assert_eq!(pods[0]["metadata"]["uid"], before);
}
