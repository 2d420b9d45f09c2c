//! Config maps, secrets and leases.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::cases;
use crate::case::{Case, MERGE_PATCH, version};
use crate::objects::config_map;

cases![
    keeps_an_immutable_config_map,
    keeps_an_immutable_secret,
    encodes_string_data,
    keeps_the_type_of_a_secret,
    refuses_what_is_not_base64,
    refuses_bad_keys_and_too_much,
    holds_binary_data,
    hands_over_a_lease,
];

fn secret(name: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"password": "not a secret"}})
}

async fn keeps_an_immutable_config_map(case: &Case) {
    let mut body = config_map("a", json!({"key": "1"}));
    body["immutable"] = json!(true);
    case.create("configmaps", body).await;
    let path = case.path("configmaps/a");
    let status = case
        .patch(&path, MERGE_PATCH, json!({"data": {"key": "2"}}))
        .await
        .refused(422, "Invalid");
    let cause = &status["details"]["causes"][0];
    assert_eq!(
        (&cause["field"], &cause["reason"]),
        (&json!("data"), &json!("FieldValueForbidden"))
    );
    assert!(
        cause["message"]
            .as_str()
            .is_some_and(|message| message.contains("field is immutable when `immutable` is set")),
        "{status:#}"
    );
    let status = case
        .patch(&path, MERGE_PATCH, json!({"immutable": false}))
        .await
        .refused(422, "Invalid");
    assert_eq!(status["details"]["causes"][0]["field"], "immutable");
    case.patch(
        &path,
        MERGE_PATCH,
        json!({"metadata": {"labels": {"still": "free"}}}),
    )
    .await
    .ok(200);
    case.delete(&path).await.ok(200);
    case.create("configmaps", config_map("a", json!({"key": "2"})))
        .await;
}

async fn keeps_an_immutable_secret(case: &Case) {
    let mut body = secret("a");
    body["immutable"] = json!(true);
    case.create("secrets", body).await;
    let patch = json!({"stringData": {"password": "another"}});
    let status = case
        .patch(&case.path("secrets/a"), MERGE_PATCH, patch)
        .await
        .refused(422, "Invalid");
    assert_eq!(status["details"]["causes"][0]["field"], "data", "{status:#}");
}

async fn encodes_string_data(case: &Case) {
    let stored = case.create("secrets", secret("a")).await;
    assert_eq!(
        stored["data"],
        json!({"password": STANDARD.encode("not a secret")})
    );
    assert_eq!(stored.get("stringData"), None, "it is only ever written");
    assert_eq!(stored["type"], "Opaque");
    let patch = json!({"stringData": {"more": "x"}});
    let patched = case
        .patch(&case.path("secrets/a"), MERGE_PATCH, patch)
        .await
        .ok(200);
    assert_eq!(
        patched["data"],
        json!({"password": STANDARD.encode("not a secret"), "more": STANDARD.encode("x")})
    );
}

async fn keeps_the_type_of_a_secret(case: &Case) {
    case.create("secrets", secret("a")).await;
    let patch = json!({"type": "longshore.test/other"});
    let status = case
        .patch(&case.path("secrets/a"), MERGE_PATCH, patch)
        .await
        .refused(422, "Invalid");
    assert_eq!(status["details"]["causes"][0]["field"], "type", "{status:#}");
    let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pull"}, "type": "kubernetes.io/dockerconfigjson"});
    let status = case
        .post(&case.path("secrets"), body)
        .await
        .refused(422, "Invalid");
    assert_eq!(
        status["details"]["causes"][0]["field"], "data[.dockerconfigjson]",
        "{status:#}"
    );
}

async fn refuses_what_is_not_base64(case: &Case) {
    let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"password": "not base64!"}});
    case.post(&case.path("secrets"), body)
        .await
        .refused(400, "BadRequest");
}

async fn refuses_bad_keys_and_too_much(case: &Case) {
    let status = case
        .post(
            &case.path("configmaps"),
            config_map("a", json!({"no/slash": "1"})),
        )
        .await
        .refused(422, "Invalid");
    assert_eq!(
        status["details"]["causes"][0]["field"], "data[no/slash]",
        "{status:#}"
    );
    let large = "x".repeat(1024 * 1024 + 1);
    let status = case
        .post(&case.path("configmaps"), config_map("a", json!({"large": large})))
        .await
        .refused(422, "Invalid");
    assert_eq!(
        status["details"]["causes"][0]["reason"], "FieldValueTooLong",
        "{}",
        status["message"]
    );
    let numbers =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"number": 1}});
    case.post(&case.path("configmaps"), numbers)
        .await
        .refused(400, "BadRequest");
}

async fn holds_binary_data(case: &Case) {
    let bytes = STANDARD.encode([0, 159, 146, 150]);
    let mut body = config_map("a", json!({"text": "1"}));
    body["binaryData"] = json!({"bytes": bytes});
    let stored = case.create("configmaps", body.clone()).await;
    assert_eq!(stored["binaryData"]["bytes"], bytes);
    body["metadata"]["name"] = json!("b");
    body["binaryData"]["text"] = json!(bytes);
    case.post(&case.path("configmaps"), body)
        .await
        .refused(422, "Invalid");
}

async fn hands_over_a_lease(case: &Case) {
    let body = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader"},
        "spec": {"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": "2030-01-01T00:00:00.123456Z"},
    });
    let first = case.create("leases.coordination.k8s.io", body).await;
    assert_eq!(
        first["spec"]["renewTime"], "2030-01-01T00:00:00.123456Z",
        "to the microsecond"
    );
    let path = case.path("leases.coordination.k8s.io/leader");
    let mut two = first.clone();
    two["spec"]["holderIdentity"] = json!("two");
    let mut three = first.clone();
    three["spec"]["holderIdentity"] = json!("three");
    // Both saw the same version: one of them gets it.
    let (two, three) = tokio::join!(case.put(&path, two), case.put(&path, three));
    let mut codes = [two.code, three.code];
    codes.sort_unstable();
    assert_eq!(codes, [200, 409]);
    let after = case.read("leases.coordination.k8s.io/leader").await;
    assert!(version(&after) > version(&first));
    assert_eq!(after["spec"]["holderIdentity"] == "two", two.code == 200);
}
