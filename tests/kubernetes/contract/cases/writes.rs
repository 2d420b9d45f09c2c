//! Creating and updating, and how a server refuses.

use http::{Method, Request};
use kube::client::Body;
use serde_json::json;

use super::cases;
use crate::case::{Case, JSON, MERGE_PATCH, version};
use crate::objects::{WEB, config_map, deployment};

cases![
    fills_in_the_metadata,
    generates_a_name,
    counts_generations_of_the_spec,
    refuses_a_second_of_the_name,
    refuses_what_is_not_there,
    refuses_a_stale_update,
    takes_an_update_without_a_version,
    keeps_the_version_when_nothing_changes,
    refuses_a_bad_name,
    refuses_labels_that_do_not_match,
    refuses_to_change_a_selector,
    refuses_what_is_not_json,
    refuses_the_wrong_kind,
    refuses_another_namespace,
    refuses_a_missing_namespace,
    refuses_an_unknown_patch,
    refuses_a_wrong_method,
    tries_without_doing,
    drops_unknown_fields,
    refuses_unknown_fields_when_strict since 25,
];

async fn fills_in_the_metadata(case: &Case) {
    let sent = config_map("a", json!({"key": "value"}));
    let stored = case.create("configmaps", sent).await;
    let metadata = &stored["metadata"];
    assert_eq!(metadata["namespace"], case.namespace.as_str());
    assert_eq!(metadata["uid"].as_str().map(str::len), Some(36));
    let created = metadata["creationTimestamp"].as_str().expect("a time");
    assert!(
        created.len() == 20 && created.ends_with('Z'),
        "whole seconds in UTC: {created}"
    );
    assert!(version(&stored) > 0);
    assert_eq!(stored["kind"], "ConfigMap");
    assert_eq!(case.read("configmaps/a").await, stored);
}

async fn generates_a_name(case: &Case) {
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "made-"}});
    let one = case.create("configmaps", body.clone()).await;
    let other = case.create("configmaps", body).await;
    let name = one["metadata"]["name"].as_str().expect("a name");
    assert!(name.starts_with("made-") && name.len() == 10, "{name}");
    assert_ne!(one["metadata"]["name"], other["metadata"]["name"]);
}

async fn counts_generations_of_the_spec(case: &Case) {
    let stored = case.create("deployments.apps", deployment("web", 0, WEB)).await;
    assert_eq!(stored["metadata"]["generation"], 1);
    let path = case.path("deployments.apps/web");
    let labels = json!({"metadata": {"labels": {"new": "label"}}});
    assert_eq!(
        case.patch(&path, MERGE_PATCH, labels).await.ok(200)["metadata"]["generation"],
        1
    );
    let spec = json!({"spec": {"minReadySeconds": 1}});
    assert_eq!(
        case.patch(&path, MERGE_PATCH, spec).await.ok(200)["metadata"]["generation"],
        2
    );
    case.until("deployments.apps/web", |deployment| {
        if deployment["status"]["observedGeneration"] == 2 {
            Ok(())
        } else {
            Err("not observed")
        }
    })
    .await;
}

async fn refuses_a_second_of_the_name(case: &Case) {
    case.create("configmaps", config_map("a", json!({}))).await;
    let again = case
        .post(&case.path("configmaps"), config_map("a", json!({})))
        .await;
    let status = again.refused(409, "AlreadyExists");
    assert_eq!(status["details"]["name"], "a");
    assert_eq!(status["details"]["kind"], "configmaps");
    assert_eq!(status["message"], "configmaps \"a\" already exists");
}

async fn refuses_what_is_not_there(case: &Case) {
    let status = case
        .get(&case.path("configmaps/none"))
        .await
        .refused(404, "NotFound");
    assert_eq!(status["details"], json!({"name": "none", "kind": "configmaps"}));
    assert_eq!(status["message"], "configmaps \"none\" not found");
    let status = case
        .get(&case.path("deployments.apps/none"))
        .await
        .refused(404, "NotFound");
    assert_eq!(
        status["details"],
        json!({"name": "none", "group": "apps", "kind": "deployments"})
    );
    assert_eq!(status["message"], "deployments.apps \"none\" not found");
    case.delete(&case.path("configmaps/none"))
        .await
        .refused(404, "NotFound");
    case.patch(&case.path("configmaps/none"), MERGE_PATCH, json!({}))
        .await
        .refused(404, "NotFound");
    case.put(&case.path("deployments.apps/none"), deployment("none", 0, WEB))
        .await
        .refused(404, "NotFound");
}

async fn refuses_a_stale_update(case: &Case) {
    let first = case
        .create("configmaps", config_map("a", json!({"key": "1"})))
        .await;
    let mut second = first.clone();
    second["data"]["key"] = json!("2");
    case.put(&case.path("configmaps/a"), second).await.ok(200);
    let mut stale = first;
    stale["data"]["key"] = json!("3");
    let status = case
        .put(&case.path("configmaps/a"), stale.clone())
        .await
        .refused(409, "Conflict");
    assert_eq!(status["details"], json!({"name": "a", "kind": "configmaps"}));
    let message = status["message"].as_str().expect("a message");
    assert!(
        message.contains("the object has been modified; please apply your changes to the latest version"),
        "{message}"
    );
    case.patch(&case.path("configmaps/a"), MERGE_PATCH, stale)
        .await
        .refused(409, "Conflict");
    assert_eq!(case.read("configmaps/a").await["data"]["key"], "2");
}

async fn takes_an_update_without_a_version(case: &Case) {
    let first = case
        .create("configmaps", config_map("a", json!({"key": "1"})))
        .await;
    let second = case
        .put(&case.path("configmaps/a"), config_map("a", json!({"key": "2"})))
        .await
        .ok(200);
    assert_eq!(second["data"], json!({"key": "2"}));
    assert_eq!(second["metadata"]["uid"], first["metadata"]["uid"]);
    assert!(version(&second) > version(&first));
}

async fn keeps_the_version_when_nothing_changes(case: &Case) {
    let first = case
        .create("configmaps", config_map("a", json!({"key": "1"})))
        .await;
    let same = case.put(&case.path("configmaps/a"), first.clone()).await.ok(200);
    assert_eq!(version(&same), version(&first));
    let same = case
        .patch(
            &case.path("configmaps/a"),
            MERGE_PATCH,
            json!({"data": {"key": "1"}}),
        )
        .await
        .ok(200);
    assert_eq!(version(&same), version(&first));
}

async fn refuses_a_bad_name(case: &Case) {
    let status = case
        .post(&case.path("configmaps"), config_map("Bad_Name", json!({})))
        .await
        .refused(422, "Invalid");
    assert_eq!(status["details"]["kind"], "ConfigMap");
    assert_eq!(status["details"]["name"], "Bad_Name");
    let cause = &status["details"]["causes"][0];
    assert_eq!(cause["field"], "metadata.name", "{status:#}");
    assert_eq!(cause["reason"], "FieldValueInvalid", "{status:#}");
    assert!(
        cause["message"]
            .as_str()
            .is_some_and(|message| message.contains("Bad_Name")),
        "{status:#}"
    );
}

async fn refuses_labels_that_do_not_match(case: &Case) {
    let mut body = deployment("web", 1, WEB);
    body["spec"]["template"]["metadata"]["labels"] = json!({"app": "other"});
    let status = case
        .post(&case.path("deployments.apps"), body)
        .await
        .refused(422, "Invalid");
    assert_eq!(
        (&status["details"]["group"], &status["details"]["kind"]),
        (&json!("apps"), &json!("Deployment"))
    );
    assert_eq!(
        status["details"]["causes"][0]["field"], "spec.template.metadata.labels",
        "{status:#}"
    );
    let message = status["message"].as_str().expect("a message");
    assert!(
        message
            .starts_with("Deployment.apps \"web\" is invalid: spec.template.metadata.labels: Invalid value"),
        "{message}"
    );

    let mut body = deployment("web", 1, WEB);
    body["spec"]["template"]["spec"]["containers"] = json!([]);
    let status = case
        .post(&case.path("deployments.apps"), body)
        .await
        .refused(422, "Invalid");
    let cause = &status["details"]["causes"][0];
    assert_eq!(
        (&cause["reason"], &cause["field"]),
        (
            &json!("FieldValueRequired"),
            &json!("spec.template.spec.containers")
        )
    );
}

async fn refuses_to_change_a_selector(case: &Case) {
    case.create("deployments.apps", deployment("web", 0, WEB)).await;
    let labels = json!({"app": "web", "more": "here"});
    let patch =
        json!({"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}});
    let status = case
        .patch(&case.path("deployments.apps/web"), MERGE_PATCH, patch)
        .await
        .refused(422, "Invalid");
    let cause = &status["details"]["causes"][0];
    assert_eq!(cause["field"], "spec.selector", "{status:#}");
    assert!(
        cause["message"]
            .as_str()
            .is_some_and(|message| message.contains("field is immutable")),
        "{status:#}"
    );
}

async fn refuses_what_is_not_json(case: &Case) {
    let request = Request::post(case.path("configmaps")).header(http::header::CONTENT_TYPE, JSON);
    let request = request
        .body(Body::from(b"{\"kind\": ".to_vec()))
        .expect("a request");
    case.send(request).await.refused(400, "BadRequest");
}

async fn refuses_the_wrong_kind(case: &Case) {
    let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}});
    case.post(&case.path("configmaps"), body)
        .await
        .refused(400, "BadRequest");
    case.create("configmaps", config_map("a", json!({}))).await;
    let renamed = config_map("b", json!({}));
    case.put(&case.path("configmaps/a"), renamed)
        .await
        .refused(400, "BadRequest");
}

async fn refuses_another_namespace(case: &Case) {
    let mut body = config_map("a", json!({}));
    body["metadata"]["namespace"] = json!("default");
    case.post(&case.path("configmaps"), body)
        .await
        .refused(400, "BadRequest");
}

async fn refuses_a_missing_namespace(case: &Case) {
    let answer = case
        .post(
            "/api/v1/namespaces/no-such-namespace/configmaps",
            config_map("a", json!({})),
        )
        .await;
    let status = answer.refused(404, "NotFound");
    assert_eq!(
        status["details"],
        json!({"name": "no-such-namespace", "kind": "namespaces"})
    );
    let list = case
        .get("/api/v1/namespaces/no-such-namespace/configmaps")
        .await
        .ok(200);
    assert_eq!(list["items"], json!([]));
}

async fn refuses_an_unknown_patch(case: &Case) {
    case.create("configmaps", config_map("a", json!({}))).await;
    let answer = case
        .patch(
            &case.path("configmaps/a"),
            JSON,
            json!({"data": {"key": "value"}}),
        )
        .await;
    answer.refused(415, "UnsupportedMediaType");
}

async fn refuses_a_wrong_method(case: &Case) {
    let answer = case
        .call(
            Method::PUT,
            &case.path("configmaps"),
            Some((JSON, config_map("a", json!({})))),
        )
        .await;
    answer.refused(405, "MethodNotAllowed");
}

async fn tries_without_doing(case: &Case) {
    let path = case.path("configmaps?dryRun=All");
    let tried = case
        .post(&path, config_map("a", json!({"key": "1"})))
        .await
        .ok(201);
    assert!(tried["metadata"]["uid"].is_string(), "{tried:#}");
    case.get(&case.path("configmaps/a"))
        .await
        .refused(404, "NotFound");

    let stored = case
        .create("configmaps", config_map("a", json!({"key": "1"})))
        .await;
    case.post(&path, config_map("a", json!({})))
        .await
        .refused(409, "AlreadyExists");
    let path = case.path("configmaps/a?dryRun=All");
    let tried = case
        .patch(&path, MERGE_PATCH, json!({"data": {"key": "2"}}))
        .await
        .ok(200);
    assert_eq!(tried["data"]["key"], "2");
    case.delete(&path).await.ok(200);
    assert_eq!(case.read("configmaps/a").await, stored);
}

async fn drops_unknown_fields(case: &Case) {
    let mut body = deployment("web", 0, WEB);
    body["spec"]["replicaz"] = json!(3);
    let stored = case.create("deployments.apps", body).await;
    assert_eq!(stored["spec"].get("replicaz"), None);
}

async fn refuses_unknown_fields_when_strict(case: &Case) {
    let mut body = deployment("web", 0, WEB);
    body["spec"]["replicaz"] = json!(3);
    let status = case
        .post(&case.path("deployments.apps?fieldValidation=Strict"), body)
        .await
        .refused(400, "BadRequest");
    let message = status["message"].as_str().expect("a message");
    assert!(message.contains("unknown field \"spec.replicaz\""), "{message}");
}
