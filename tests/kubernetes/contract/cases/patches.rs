//! The three patches of old. Server-side apply has a module of its own.

use serde_json::{Value, json};

use super::cases;
use crate::case::{Case, JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH};
use crate::objects::{WEB, WEB_2, config_map, deployment};

cases![
    json_patch_edits_by_path,
    json_patch_stops_at_a_failed_test,
    merge_patch_merges_maps,
    merge_patch_replaces_lists,
    strategic_merge_knows_containers_by_name,
    strategic_merge_knows_environment_by_name,
    strategic_merge_deletes_by_directive,
    strategic_merge_replaces_by_directive,
    strategic_merge_keeps_the_order_given,
    strategic_merge_retains_keys,
    strategic_merge_of_plain_lists,
    refuses_a_patch_that_makes_it_invalid,
];

fn container(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]
}

async fn two_containers(case: &Case) -> String {
    let mut body = deployment("web", 0, WEB);
    let containers = body["spec"]["template"]["spec"]["containers"]
        .as_array_mut()
        .expect("containers");
    containers.push(json!({"name": "side", "image": WEB, "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}));
    case.create("deployments.apps", body).await;
    case.path("deployments.apps/web")
}

/// Patches the pod's spec in the template of the Deployment.
async fn strategic(case: &Case, path: &str, pod_spec: Value) -> Value {
    let patch = json!({"spec": {"template": {"spec": pod_spec}}});
    let patched = case.patch(path, STRATEGIC_MERGE_PATCH, patch).await.ok(200);
    patched["spec"]["template"]["spec"].clone()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .expect("a list")
        .iter()
        .map(|item| item["name"].as_str().expect("a name"))
        .collect()
}

async fn json_patch_edits_by_path(case: &Case) {
    let mut body = config_map("a", json!({"one": "1", "two": "2"}));
    body["metadata"]["finalizers"] = json!(["longshore.test/a", "longshore.test/c"]);
    case.create("configmaps", body).await;
    let patch = json!([
        {"op": "test", "path": "/data/one", "value": "1"},
        {"op": "replace", "path": "/data/one", "value": "uno"},
        {"op": "remove", "path": "/data/two"},
        {"op": "add", "path": "/data/a~1b~0c", "value": "escaped"},
    ]);
    let answer = case.patch(&case.path("configmaps/a"), JSON_PATCH, patch).await;
    // A slash and a tilde are no letters of a key, so this is refused, by the name that was meant.
    let status = answer.refused(422, "Invalid");
    assert_eq!(
        status["details"]["causes"][0]["field"], "data[a/b~c]",
        "{status:#}"
    );

    let patch = json!([
        {"op": "replace", "path": "/data/one", "value": "uno"},
        {"op": "remove", "path": "/data/two"},
        {"op": "copy", "from": "/data/one", "path": "/data/three"},
        {"op": "add", "path": "/metadata/finalizers/1", "value": "longshore.test/b"},
        {"op": "add", "path": "/metadata/annotations", "value": {"longshore.test~1note": "x"}},
    ]);
    let patched = case.patch(&case.path("configmaps/a"), JSON_PATCH, patch).await;
    // Within a value, as opposed to a path, nothing is escaped: the annotation's name is not valid.
    patched.refused(422, "Invalid");
    let patch = json!([
        {"op": "replace", "path": "/data/one", "value": "uno"},
        {"op": "remove", "path": "/data/two"},
        {"op": "copy", "from": "/data/one", "path": "/data/three"},
        {"op": "add", "path": "/metadata/finalizers/1", "value": "longshore.test/b"},
        {"op": "add", "path": "/metadata/annotations", "value": {"longshore.test/note": "x"}},
        {"op": "add", "path": "/metadata/annotations/longshore.test~1more", "value": "y"},
    ]);
    let patched = case
        .patch(&case.path("configmaps/a"), JSON_PATCH, patch)
        .await
        .ok(200);
    assert_eq!(patched["data"], json!({"one": "uno", "three": "uno"}));
    assert_eq!(
        patched["metadata"]["finalizers"],
        json!(["longshore.test/a", "longshore.test/b", "longshore.test/c"])
    );
    assert_eq!(
        patched["metadata"]["annotations"],
        json!({"longshore.test/note": "x", "longshore.test/more": "y"})
    );
    let release = json!([{"op": "remove", "path": "/metadata/finalizers"}]);
    case.patch(&case.path("configmaps/a"), JSON_PATCH, release)
        .await
        .ok(200);
}

async fn json_patch_stops_at_a_failed_test(case: &Case) {
    let stored = case
        .create("configmaps", config_map("a", json!({"one": "1"})))
        .await;
    let patch = json!([
        {"op": "replace", "path": "/data/one", "value": "2"},
        {"op": "test", "path": "/data/one", "value": "1"},
    ]);
    case.patch(&case.path("configmaps/a"), JSON_PATCH, patch)
        .await
        .refused(422, "Invalid");
    let patch = json!([{"op": "remove", "path": "/data/none"}]);
    case.patch(&case.path("configmaps/a"), JSON_PATCH, patch)
        .await
        .refused(422, "Invalid");
    assert_eq!(case.read("configmaps/a").await, stored);
}

async fn merge_patch_merges_maps(case: &Case) {
    case.create("configmaps", config_map("a", json!({"one": "1", "two": "2"})))
        .await;
    let patch =
        json!({"data": {"one": null, "two": "dos", "three": "3"}, "metadata": {"labels": {"new": "label"}}});
    let patched = case
        .patch(&case.path("configmaps/a"), MERGE_PATCH, patch)
        .await
        .ok(200);
    assert_eq!(patched["data"], json!({"two": "dos", "three": "3"}));
    assert_eq!(patched["metadata"]["labels"], json!({"new": "label"}));
    let patched = case
        .patch(&case.path("configmaps/a"), MERGE_PATCH, json!({"data": null}))
        .await
        .ok(200);
    assert_eq!(patched.get("data"), None);
}

async fn merge_patch_replaces_lists(case: &Case) {
    let path = two_containers(case).await;
    let containers = json!([{"name": "only", "image": WEB_2}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    let patched = case.patch(&path, MERGE_PATCH, patch).await.ok(200);
    assert_eq!(
        names(&patched["spec"]["template"]["spec"]["containers"]),
        ["only"]
    );
    assert_eq!(container(&patched).get("env"), None);
}

async fn strategic_merge_knows_containers_by_name(case: &Case) {
    let path = two_containers(case).await;
    let spec = strategic(
        case,
        &path,
        json!({"containers": [{"name": "side", "image": WEB_2}]}),
    )
    .await;
    assert_eq!(names(&spec["containers"]).len(), 2);
    let side = spec["containers"]
        .as_array()
        .expect("containers")
        .iter()
        .find(|each| each["name"] == "side")
        .expect("side");
    assert_eq!(side["image"], WEB_2);
    assert_eq!(names(&side["env"]), ["A", "B"]);
    let spec = strategic(
        case,
        &path,
        json!({"containers": [{"name": "third", "image": WEB}]}),
    )
    .await;
    assert_eq!(names(&spec["containers"]).len(), 3);
}

async fn strategic_merge_knows_environment_by_name(case: &Case) {
    let path = two_containers(case).await;
    let environment = json!([{"name": "B", "value": "changed"}, {"name": "C", "value": "3"}]);
    let spec = strategic(
        case,
        &path,
        json!({"containers": [{"name": "side", "env": environment}]}),
    )
    .await;
    let side = spec["containers"]
        .as_array()
        .expect("containers")
        .iter()
        .find(|each| each["name"] == "side")
        .expect("side");
    let mut environment = side["env"].as_array().expect("env").clone();
    environment.sort_by_key(|variable| variable["name"].to_string());
    let expected = [
        json!({"name": "A", "value": "1"}),
        json!({"name": "B", "value": "changed"}),
        json!({"name": "C", "value": "3"}),
    ];
    assert_eq!(environment, expected);
    // Ports go by their number.
    let spec = strategic(
        case,
        &path,
        json!({"containers": [{"name": "web", "ports": [{"containerPort": 9090}]}]}),
    )
    .await;
    let web = spec["containers"]
        .as_array()
        .expect("containers")
        .iter()
        .find(|each| each["name"] == "web")
        .expect("web");
    assert_eq!(web["ports"].as_array().map(Vec::len), Some(2), "{web:#}");
}

async fn strategic_merge_deletes_by_directive(case: &Case) {
    let path = two_containers(case).await;
    let environment = json!([{"name": "A", "$patch": "delete"}]);
    let spec = strategic(
        case,
        &path,
        json!({"containers": [{"name": "side", "env": environment}]}),
    )
    .await;
    let side = spec["containers"]
        .as_array()
        .expect("containers")
        .iter()
        .find(|each| each["name"] == "side")
        .expect("side");
    assert_eq!(names(&side["env"]), ["B"]);
    let spec = strategic(
        case,
        &path,
        json!({"containers": [{"name": "side", "$patch": "delete"}]}),
    )
    .await;
    assert_eq!(names(&spec["containers"]), ["web"]);
    let patch =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "readinessProbe": null}]}}}});
    let patched = case.patch(&path, STRATEGIC_MERGE_PATCH, patch).await.ok(200);
    assert_eq!(container(&patched).get("readinessProbe"), None);
}

async fn strategic_merge_replaces_by_directive(case: &Case) {
    let path = two_containers(case).await;
    let containers = json!([{"$patch": "replace"}, {"name": "only", "image": WEB_2}]);
    let spec = strategic(case, &path, json!({"containers": containers})).await;
    assert_eq!(names(&spec["containers"]), ["only"]);
    let patch = json!({"metadata": {"labels": {"$patch": "replace", "fresh": "yes"}}});
    let patched = case.patch(&path, STRATEGIC_MERGE_PATCH, patch).await.ok(200);
    assert_eq!(patched["metadata"]["labels"], json!({"fresh": "yes"}));
}

async fn strategic_merge_keeps_the_order_given(case: &Case) {
    let path = two_containers(case).await;
    let order = json!([{"name": "side"}, {"name": "new"}, {"name": "web"}]);
    let containers = json!([{"name": "new", "image": WEB}]);
    let spec = strategic(
        case,
        &path,
        json!({"$setElementOrder/containers": order, "containers": containers}),
    )
    .await;
    assert_eq!(names(&spec["containers"]), ["side", "new", "web"]);
}

async fn strategic_merge_retains_keys(case: &Case) {
    let path = two_containers(case).await;
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    let patched = case.patch(&path, STRATEGIC_MERGE_PATCH, patch).await.ok(200);
    assert_eq!(patched["spec"]["strategy"], json!({"type": "Recreate"}));
}

async fn strategic_merge_of_plain_lists(case: &Case) {
    let mut body = config_map("a", json!({}));
    body["metadata"]["finalizers"] = json!(["longshore.test/a", "longshore.test/b"]);
    case.create("configmaps", body).await;
    let path = case.path("configmaps/a");
    let patch = json!({"metadata": {"finalizers": ["longshore.test/c"]}});
    let patched = case.patch(&path, STRATEGIC_MERGE_PATCH, patch).await.ok(200);
    let mut merged: Vec<_> = patched["metadata"]["finalizers"]
        .as_array()
        .expect("finalizers")
        .clone();
    merged.sort_by_key(Value::to_string);
    assert_eq!(
        merged,
        ["longshore.test/a", "longshore.test/b", "longshore.test/c"]
    );
    let all = ["longshore.test/a", "longshore.test/b", "longshore.test/c"];
    let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": all}});
    let patched = case.patch(&path, STRATEGIC_MERGE_PATCH, patch).await.ok(200);
    assert_eq!(patched["metadata"].get("finalizers"), None);
    // A container's command is one value: given anew, it replaces.
    let path = two_containers(case).await;
    strategic(
        case,
        &path,
        json!({"containers": [{"name": "web", "command": ["/bin/web", "one", "two"]}]}),
    )
    .await;
    let spec = strategic(
        case,
        &path,
        json!({"containers": [{"name": "web", "command": ["/bin/web"]}]}),
    )
    .await;
    let web = spec["containers"]
        .as_array()
        .expect("containers")
        .iter()
        .find(|each| each["name"] == "web")
        .expect("web");
    assert_eq!(web["command"], json!(["/bin/web"]));
}

async fn refuses_a_patch_that_makes_it_invalid(case: &Case) {
    let path = two_containers(case).await;
    let patch = json!({"spec": {"replicas": -1}});
    let status = case
        .patch(&path, MERGE_PATCH, patch)
        .await
        .refused(422, "Invalid");
    assert_eq!(
        status["details"]["causes"][0]["field"], "spec.replicas",
        "{status:#}"
    );
    let patch = json!({"spec": {"replicas": "three"}});
    let answer = case.patch(&path, MERGE_PATCH, patch).await;
    // 400 since 1.2x; the servers before call it unprocessable.
    assert!(answer.code == 400 || answer.code == 422, "{answer:?}");
    assert_eq!(case.read("deployments.apps/web").await["spec"]["replicas"], 0);
}
