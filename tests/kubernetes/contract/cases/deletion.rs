//! Deleting: what goes along, what holds it up, what it depends on.

use serde_json::{Value, json};

use super::cases;
use crate::case::{Case, MERGE_PATCH, eventually, version};
use crate::objects::{WEB, config_map, deployment, labelled, pod};

cases![
    tells_what_it_deleted,
    deletes_dependents_in_the_background,
    deletes_dependents_first_in_the_foreground,
    orphans_dependents,
    collects_what_has_lost_its_owner,
    waits_for_finalizers,
    checks_preconditions,
    deletes_collections,
    deletes_pods_gracefully,
    deletes_pods_at_once,
    empties_a_namespace_that_goes,
];

async fn tells_what_it_deleted(case: &Case) {
    let stored = case.create("configmaps", config_map("a", json!({}))).await;
    let status = case.delete(&case.path("configmaps/a")).await.ok(200);
    assert_eq!(status["kind"], "Status");
    assert_eq!(status["status"], "Success");
    assert_eq!(status["details"]["name"], "a");
    assert_eq!(status["details"]["kind"], "configmaps");
    assert_eq!(status["details"]["uid"], stored["metadata"]["uid"]);
}

async fn running_deployment(case: &Case) {
    case.create("deployments.apps", deployment("web", 1, WEB)).await;
    super::deployments::until_complete(case, "web").await;
}

async fn until_empty(case: &Case, resource: &str) {
    eventually(&format!("no {resource}"), async || {
        let items = case.list(resource).await;
        if items.is_empty() {
            Ok(())
        } else {
            Err(items.len())
        }
    })
    .await;
}

async fn deletes_dependents_in_the_background(case: &Case) {
    running_deployment(case).await;
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
    case.delete_with(&case.path("deployments.apps/web"), options)
        .await
        .ok(200);
    case.get(&case.path("deployments.apps/web"))
        .await
        .refused(404, "NotFound");
    until_empty(case, "replicasets.apps").await;
    until_empty(case, "pods").await;
}

async fn deletes_dependents_first_in_the_foreground(case: &Case) {
    running_deployment(case).await;
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"});
    let going = case
        .delete_with(&case.path("deployments.apps/web"), options)
        .await
        .ok(200);
    assert_eq!(going["kind"], "Deployment", "{going:#}");
    assert!(going["metadata"]["deletionTimestamp"].is_string(), "{going:#}");
    assert_eq!(going["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    case.until_gone("deployments.apps/web").await;
    // What went first is not there once it is gone.
    assert_eq!(case.list("replicasets.apps").await, Vec::<Value>::new());
    assert_eq!(case.list("pods").await, Vec::<Value>::new());
}

async fn orphans_dependents(case: &Case) {
    running_deployment(case).await;
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Orphan"});
    case.delete_with(&case.path("deployments.apps/web"), options)
        .await
        .ok(200);
    case.until_gone("deployments.apps/web").await;
    let sets = case.list("replicasets.apps").await;
    assert_eq!(sets.len(), 1);
    assert_eq!(sets[0]["metadata"].get("ownerReferences"), None, "{:#}", sets[0]);
    let pods = case.list("pods").await;
    assert_eq!(pods.len(), 1);
    assert_eq!(pods[0]["metadata"].get("deletionTimestamp"), None);
}

fn owned(name: &str, owner: &Value) -> Value {
    let mut body = config_map(name, json!({}));
    body["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
    }]);
    body
}

async fn collects_what_has_lost_its_owner(case: &Case) {
    let owner = case.create("configmaps", config_map("owner", json!({}))).await;
    let child = case.create("configmaps", owned("child", &owner)).await;
    case.create("configmaps", owned("grandchild", &child)).await;
    case.delete(&case.path("configmaps/owner")).await.ok(200);
    case.until_gone("configmaps/child").await;
    case.until_gone("configmaps/grandchild").await;
}

async fn waits_for_finalizers(case: &Case) {
    let mut body = config_map("a", json!({}));
    body["metadata"]["finalizers"] = json!(["longshore.test/hold"]);
    let stored = case.create("configmaps", body).await;
    let going = case.delete(&case.path("configmaps/a")).await.ok(200);
    assert_eq!(going["kind"], "ConfigMap", "{going:#}");
    let held = case.read("configmaps/a").await;
    assert!(held["metadata"]["deletionTimestamp"].is_string());
    assert!(version(&held) > version(&stored));
    case.delete(&case.path("configmaps/a")).await.ok(200);
    assert_eq!(
        case.read("configmaps/a").await,
        held,
        "a second time changes nothing"
    );
    // None can be added to what is going.
    let patch = json!({"metadata": {"finalizers": ["longshore.test/hold", "longshore.test/more"]}});
    case.patch(&case.path("configmaps/a"), MERGE_PATCH, patch)
        .await
        .refused(422, "Invalid");
    case.patch(
        &case.path("configmaps/a"),
        MERGE_PATCH,
        json!({"metadata": {"finalizers": null}}),
    )
    .await
    .ok(200);
    case.get(&case.path("configmaps/a"))
        .await
        .refused(404, "NotFound");
    let query = format!(
        "configmaps?fieldSelector=metadata.name%3Da&resourceVersion={}",
        version(&stored)
    );
    let events = case.watch(&query, |events| events.len() == 2).await;
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["MODIFIED", "DELETED"]);
}

async fn checks_preconditions(case: &Case) {
    let stored = case.create("configmaps", config_map("a", json!({}))).await;
    let path = case.path("configmaps/a");
    let options = json!({"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}});
    let status = case.delete_with(&path, options).await.refused(409, "Conflict");
    assert!(
        status["message"]
            .as_str()
            .is_some_and(|message| message.to_lowercase().contains("precondition")),
        "{status:#}"
    );
    let options = json!({"preconditions": {"resourceVersion": "1"}});
    case.delete_with(&path, options).await.refused(409, "Conflict");
    let options = json!({"preconditions": {
        "uid": stored["metadata"]["uid"], "resourceVersion": stored["metadata"]["resourceVersion"],
    }});
    case.delete_with(&path, options).await.ok(200);
}

async fn deletes_collections(case: &Case) {
    for (name, tier) in [("a", "front"), ("b", "front"), ("c", "back")] {
        case.create("configmaps", labelled(name, json!({"tier": tier})))
            .await;
    }
    let deleted = case
        .delete(&case.path("configmaps?labelSelector=tier%3Dfront"))
        .await
        .ok(200);
    assert_eq!(deleted["kind"], "ConfigMapList", "{deleted:#}");
    assert_eq!(deleted["items"].as_array().map(Vec::len), Some(2));
    let left = case.list("configmaps?labelSelector=tier").await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["metadata"]["name"], "c");
}

async fn deletes_pods_gracefully(case: &Case) {
    super::pods::create(case, pod("web", WEB)).await;
    super::pods::until_ready(case, "web").await;
    let going = case.delete(&case.path("pods/web")).await.ok(200);
    assert_eq!(going["kind"], "Pod", "{going:#}");
    assert!(going["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(going["metadata"]["deletionGracePeriodSeconds"], 2);
    case.until_gone("pods/web").await;
}

async fn deletes_pods_at_once(case: &Case) {
    super::pods::create(case, pod("web", WEB)).await;
    super::pods::until_ready(case, "web").await;
    case.delete_with(&case.path("pods/web"), json!({"gracePeriodSeconds": 0}))
        .await
        .ok(200);
    case.get(&case.path("pods/web")).await.refused(404, "NotFound");
}

async fn empties_a_namespace_that_goes(case: &Case) {
    let name = format!("{}-going", case.namespace);
    let path = format!("/api/v1/namespaces/{name}");
    let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    case.post("/api/v1/namespaces", body).await.ok(201);
    let mut held = config_map("held", json!({}));
    held["metadata"]["finalizers"] = json!(["longshore.test/hold"]);
    case.post(&format!("{path}/configmaps"), held).await.ok(201);
    case.post(&format!("{path}/configmaps"), config_map("free", json!({})))
        .await
        .ok(201);
    case.delete(&path).await.ok(200);
    eventually("the namespace to be emptied", async || {
        let answer = case.get(&format!("{path}/configmaps/free")).await;
        if answer.code == 404 { Ok(()) } else { Err(answer) }
    })
    .await;
    let namespace = case.get(&path).await.ok(200);
    assert_eq!(namespace["status"]["phase"], "Terminating", "{namespace:#}");
    let status = case
        .post(&format!("{path}/configmaps"), config_map("late", json!({})))
        .await
        .refused(403, "Forbidden");
    assert!(
        status["message"]
            .as_str()
            .is_some_and(|message| message.contains("being terminated")),
        "{status:#}"
    );
    let release = json!({"metadata": {"finalizers": null}});
    case.patch(&format!("{path}/configmaps/held"), MERGE_PATCH, release)
        .await
        .ok(200);
    eventually("the namespace to be gone", async || {
        let answer = case.get(&path).await;
        if answer.code == 404 {
            Ok(())
        } else {
            Err(answer.body["status"].clone())
        }
    })
    .await;
}
