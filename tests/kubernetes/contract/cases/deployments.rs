//! Deployments at rest: their status, and how pods come and go under them.

use serde_json::{Value, json};

use super::cases;
use crate::case::{Case, MERGE_PATCH};
use crate::objects::{MISSING, WEB, deployment, unready_deployment};

cases![
    makes_pods_through_a_replica_set,
    tells_when_it_is_available,
    is_not_available_while_pods_are_not_ready,
    says_when_it_makes_no_progress,
    scales_up_and_down,
    replaces_a_deleted_pod,
    does_nothing_while_paused,
];

pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"]
        .as_array()?
        .iter()
        .find(|condition| condition["type"] == kind)
}

/// All replicas are of the current template, available, and no others are left: what a finished rollout looks like.
pub async fn until_complete(case: &Case, name: &str) -> Value {
    case.until(&format!("deployments.apps/{name}"), |deployment| {
        let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(0);
        let status = &deployment["status"];
        let count = |field: &str| status[field].as_u64().unwrap_or(0);
        let complete = status["observedGeneration"] == deployment["metadata"]["generation"]
            && [
                "replicas",
                "updatedReplicas",
                "readyReplicas",
                "availableReplicas",
            ]
            .iter()
            .all(|field| count(field) == wanted);
        if complete {
            Ok(deployment.clone())
        } else {
            Err("not complete")
        }
    })
    .await
}

async fn makes_pods_through_a_replica_set(case: &Case) {
    let stored = case.create("deployments.apps", deployment("web", 2, WEB)).await;
    until_complete(case, "web").await;
    let sets = case.list("replicasets.apps").await;
    assert_eq!(sets.len(), 1);
    let set = &sets[0];
    let hash = set["metadata"]["labels"]["pod-template-hash"]
        .as_str()
        .expect("a hash of the template");
    assert_eq!(set["metadata"]["name"], format!("web-{hash}"));
    assert_eq!(
        set["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "1"
    );
    assert_eq!(
        set["metadata"]["ownerReferences"],
        json!([{
            "apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": stored["metadata"]["uid"],
            "controller": true, "blockOwnerDeletion": true,
        }])
    );
    let pods = case.list("pods?labelSelector=app%3Dweb").await;
    assert_eq!(pods.len(), 2);
    for pod in &pods {
        let metadata = &pod["metadata"];
        let name = metadata["name"].as_str().expect("a name");
        assert!(
            name.starts_with(&format!("web-{hash}-")) && name.len() == format!("web-{hash}-").len() + 5,
            "{name}"
        );
        assert_eq!(metadata["generateName"], format!("web-{hash}-"));
        assert_eq!(metadata["labels"]["pod-template-hash"], hash);
        assert_eq!(metadata["ownerReferences"][0]["kind"], "ReplicaSet");
        assert_eq!(metadata["ownerReferences"][0]["uid"], set["metadata"]["uid"]);
    }
}

async fn tells_when_it_is_available(case: &Case) {
    case.create("deployments.apps", deployment("web", 2, WEB)).await;
    let deployment = until_complete(case, "web").await;
    assert_eq!(
        deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
        "1"
    );
    assert_eq!(deployment["status"].get("unavailableReplicas"), None);
    let deployment = case
        .until("deployments.apps/web", |deployment| {
            let progressing = condition(deployment, "Progressing").ok_or("no condition Progressing")?;
            if progressing["reason"] == "NewReplicaSetAvailable" {
                Ok(deployment.clone())
            } else {
                Err("still progressing")
            }
        })
        .await;
    let available = condition(&deployment, "Available").expect("a condition Available");
    assert_eq!(
        (&available["status"], &available["reason"]),
        (&json!("True"), &json!("MinimumReplicasAvailable"))
    );
    assert_eq!(
        condition(&deployment, "Progressing").expect("the condition")["status"],
        "True"
    );
}

async fn is_not_available_while_pods_are_not_ready(case: &Case) {
    case.create("deployments.apps", unready_deployment("web", 2))
        .await;
    super::pods::until_all_run(case, "app%3Dweb", 2).await;
    let deployment = case
        .until("deployments.apps/web", |deployment| {
            if deployment["status"]["unavailableReplicas"] == 2 {
                Ok(deployment.clone())
            } else {
                Err("not counted")
            }
        })
        .await;
    assert_eq!(deployment["status"]["replicas"], 2);
    assert_eq!(deployment["status"]["updatedReplicas"], 2);
    assert_eq!(deployment["status"].get("readyReplicas"), None);
    assert_eq!(deployment["status"].get("availableReplicas"), None);
    let available = condition(&deployment, "Available").expect("a condition Available");
    assert_eq!(
        (&available["status"], &available["reason"]),
        (&json!("False"), &json!("MinimumReplicasUnavailable"))
    );
}

async fn says_when_it_makes_no_progress(case: &Case) {
    let mut body = deployment("web", 1, MISSING);
    body["spec"]["progressDeadlineSeconds"] = json!(3);
    case.create("deployments.apps", body).await;
    let progressing = case
        .until("deployments.apps/web", |deployment| {
            match condition(deployment, "Progressing") {
                Some(progressing) if progressing["status"] == "False" => Ok(progressing.clone()),
                _ => Err("no deadline passed"),
            }
        })
        .await;
    assert_eq!(progressing["reason"], "ProgressDeadlineExceeded");
    assert!(
        progressing["message"]
            .as_str()
            .is_some_and(|message| message.contains("has timed out progressing")),
        "{progressing:#}"
    );
}

async fn scales_up_and_down(case: &Case) {
    case.create("deployments.apps", deployment("web", 1, WEB)).await;
    until_complete(case, "web").await;
    for replicas in [3, 1, 0] {
        let patch = json!({"spec": {"replicas": replicas}});
        case.patch(&case.path("deployments.apps/web"), MERGE_PATCH, patch)
            .await
            .ok(200);
        let deployment = until_complete(case, "web").await;
        // To scale is no new revision.
        assert_eq!(
            deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
            "1"
        );
        crate::case::eventually("as many pods as wanted", async || {
            let pods = case.list("pods").await.len();
            if pods == replicas { Ok(()) } else { Err(pods) }
        })
        .await;
    }
    let deployment = case.read("deployments.apps/web").await;
    assert_eq!(
        deployment["status"].get("replicas"),
        None,
        "a count of nothing is left out"
    );
    assert_eq!(case.list("replicasets.apps").await.len(), 1);
}

async fn replaces_a_deleted_pod(case: &Case) {
    case.create("deployments.apps", deployment("web", 1, WEB)).await;
    until_complete(case, "web").await;
    let name = case.list("pods").await[0]["metadata"]["name"]
        .as_str()
        .expect("a name")
        .to_owned();
    case.delete(&case.path(&format!("pods/{name}"))).await.ok(200);
    case.until_gone(&format!("pods/{name}")).await;
    until_complete(case, "web").await;
    assert_ne!(case.list("pods").await[0]["metadata"]["name"], name.as_str());
}

async fn does_nothing_while_paused(case: &Case) {
    case.create("deployments.apps", deployment("web", 1, WEB)).await;
    until_complete(case, "web").await;
    let path = case.path("deployments.apps/web");
    let patch = json!({"spec": {"paused": true, "template": {"metadata": {"annotations": {"again": "1"}}}}});
    let paused = case.patch(&path, MERGE_PATCH, patch).await.ok(200);
    case.until("deployments.apps/web", |deployment| {
        if deployment["status"]["observedGeneration"] == paused["metadata"]["generation"] {
            Ok(())
        } else {
            Err("not observed")
        }
    })
    .await;
    assert_eq!(case.list("replicasets.apps").await.len(), 1);
    case.patch(&path, MERGE_PATCH, json!({"spec": {"paused": false}}))
        .await
        .ok(200);
    until_complete(case, "web").await;
    assert_eq!(case.list("replicasets.apps").await.len(), 2);
}
