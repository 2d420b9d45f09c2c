//! What a client learns about a server before it does anything.

use http::Request;
use kube::client::Body;
use kube::{Client, Config};
use serde_json::{Value, json};

use super::cases;
use crate::case::{Answer, Case};

cases![
    tells_its_version,
    says_that_it_is_well,
    lists_the_core_resources,
    lists_the_groups,
    lists_the_resources_of_apps,
    has_the_versions_of_old,
    has_current_cron_jobs since 21,
    has_current_disruption_budgets since 21,
    has_current_endpoint_slices since 21,
    has_current_autoscalers since 23,
    does_not_know_other_paths,
    refuses_strangers,
    answers_what_the_caller_may_do,
    lists_ready_nodes,
    gives_namespaces_a_service_account,
];

async fn tells_its_version(case: &Case) {
    let version = case.get("/version").await.ok(200);
    assert_eq!(version["major"], "1");
    let git_version = version["gitVersion"].as_str().expect("a git version");
    assert!(
        git_version.starts_with(&format!("v1.{}", case.minor)),
        "{git_version}"
    );
    assert!(
        version["platform"]
            .as_str()
            .is_some_and(|platform| platform.contains('/')),
        "{version:#}"
    );
}

async fn says_that_it_is_well(case: &Case) {
    for path in ["/healthz", "/livez", "/readyz"] {
        assert_eq!(case.get(path).await.ok(200), "ok", "{path}");
    }
}

fn resource<'a>(list: &'a Value, name: &str) -> &'a Value {
    let resources = list["resources"].as_array().expect("a list of resources");
    let found = resources.iter().find(|resource| resource["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {list:#}"))
}

fn has_verbs(resource: &Value, verbs: &[&str]) {
    let offered = resource["verbs"].as_array().expect("verbs");
    for verb in verbs {
        assert!(offered.contains(&json!(verb)), "no {verb} in {resource:#}");
    }
}

const ALL_VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

async fn lists_the_core_resources(case: &Case) {
    let versions = case.get("/api").await.ok(200);
    assert_eq!(versions["kind"], "APIVersions");
    assert_eq!(versions["versions"], json!(["v1"]));

    let list = case.get("/api/v1").await.ok(200);
    assert_eq!(list["kind"], "APIResourceList");
    assert_eq!(list["groupVersion"], "v1");
    let pods = resource(&list, "pods");
    assert_eq!(pods["kind"], "Pod");
    assert_eq!(pods["namespaced"], true);
    assert_eq!(pods["shortNames"], json!(["po"]));
    has_verbs(pods, &ALL_VERBS);
    for name in ["configmaps", "secrets", "endpoints", "events", "serviceaccounts"] {
        assert_eq!(resource(&list, name)["namespaced"], true, "{name}");
        has_verbs(resource(&list, name), &ALL_VERBS);
    }
    // Services as collections can be deleted since 1.23 only, namespaces never.
    for (name, namespaced) in [("services", true), ("namespaces", false), ("nodes", false)] {
        assert_eq!(resource(&list, name)["namespaced"], namespaced, "{name}");
        has_verbs(
            resource(&list, name),
            &["create", "delete", "get", "list", "patch", "update", "watch"],
        );
    }
    has_verbs(resource(&list, "pods/log"), &["get"]);
    has_verbs(resource(&list, "pods/status"), &["get", "patch", "update"]);
    has_verbs(resource(&list, "pods/exec"), &["create", "get"]);
    has_verbs(resource(&list, "pods/attach"), &["create", "get"]);
    has_verbs(resource(&list, "pods/eviction"), &["create"]);
    assert_eq!(resource(&list, "pods/eviction")["kind"], "Eviction");
}

async fn lists_the_groups(case: &Case) {
    let list = case.get("/apis").await.ok(200);
    assert_eq!(list["kind"], "APIGroupList");
    let groups = list["groups"].as_array().expect("groups");
    for name in [
        "apps",
        "batch",
        "policy",
        "discovery.k8s.io",
        "coordination.k8s.io",
        "authorization.k8s.io",
    ] {
        let group = groups.iter().find(|group| group["name"] == name);
        let group = group.unwrap_or_else(|| panic!("no {name} in {list:#}"));
        let preferred = &group["preferredVersion"];
        assert_eq!(
            preferred["groupVersion"],
            format!("{name}/{}", preferred["version"].as_str().expect("a version"))
        );
        let versions = group["versions"].as_array().expect("versions");
        assert!(versions.contains(preferred), "{group:#}");
    }
    let group = case.get("/apis/apps").await.ok(200);
    assert_eq!(group["kind"], "APIGroup");
    assert_eq!(group["preferredVersion"]["groupVersion"], "apps/v1");
}

async fn lists_the_resources_of_apps(case: &Case) {
    let list = case.get("/apis/apps/v1").await.ok(200);
    assert_eq!(list["groupVersion"], "apps/v1");
    for (name, kind) in [
        ("deployments", "Deployment"),
        ("replicasets", "ReplicaSet"),
        ("statefulsets", "StatefulSet"),
    ] {
        assert_eq!(resource(&list, name)["kind"], kind);
        assert_eq!(resource(&list, name)["namespaced"], true);
        has_verbs(resource(&list, name), &ALL_VERBS);
        has_verbs(
            resource(&list, &format!("{name}/status")),
            &["get", "patch", "update"],
        );
        let scale = resource(&list, &format!("{name}/scale"));
        has_verbs(scale, &["get", "patch", "update"]);
        assert_eq!(
            (&scale["kind"], &scale["group"], &scale["version"]),
            (&json!("Scale"), &json!("autoscaling"), &json!("v1"))
        );
    }
}

/// What every supported server has.
async fn has_the_versions_of_old(case: &Case) {
    for (path, name) in [
        ("/apis/batch/v1", "jobs"),
        ("/apis/coordination.k8s.io/v1", "leases"),
        ("/apis/authorization.k8s.io/v1", "selfsubjectaccessreviews"),
    ] {
        resource(&case.get(path).await.ok(200), name);
    }
}

async fn has_current_cron_jobs(case: &Case) {
    has_verbs(
        resource(&case.get("/apis/batch/v1").await.ok(200), "cronjobs"),
        &ALL_VERBS,
    );
}

async fn has_current_disruption_budgets(case: &Case) {
    has_verbs(
        resource(&case.get("/apis/policy/v1").await.ok(200), "poddisruptionbudgets"),
        &ALL_VERBS,
    );
}

async fn has_current_endpoint_slices(case: &Case) {
    has_verbs(
        resource(
            &case.get("/apis/discovery.k8s.io/v1").await.ok(200),
            "endpointslices",
        ),
        &ALL_VERBS,
    );
}

async fn has_current_autoscalers(case: &Case) {
    let list = case.get("/apis/autoscaling/v2").await.ok(200);
    has_verbs(resource(&list, "horizontalpodautoscalers"), &ALL_VERBS);
}

async fn does_not_know_other_paths(case: &Case) {
    for path in [
        "/apis/nothing.example/v1",
        "/apis/apps/v9",
        "/api/v1/nothings",
        "/nothing",
    ] {
        assert_eq!(case.get(path).await.code, 404, "{path}");
    }
}

async fn refuses_strangers(case: &Case) {
    let mut config = Config::new(case.config.cluster_url.clone());
    config.root_cert.clone_from(&case.config.root_cert);
    config.default_retry = false;
    let stranger = Client::try_from(config).expect("a client");
    let request = Request::get(case.path("pods"))
        .body(Body::empty())
        .expect("a request");
    let reply = stranger.send(request).await.expect("an answer");
    let code = reply.status().as_u16();
    // 401 where nobody may be anonymous, 403 where the anonymous may do nothing.
    assert!(code == 401 || code == 403, "{code}");
}

async fn answers_what_the_caller_may_do(case: &Case) {
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"namespace": case.namespace, "verb": "create", "group": "apps", "resource": "deployments"}},
    });
    let Answer { code, body } = case
        .post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        .await;
    assert_eq!(code, 201, "{body:#}");
    assert_eq!(body["status"]["allowed"], true, "{body:#}");
}

async fn lists_ready_nodes(case: &Case) {
    let list = case.get("/api/v1/nodes").await.ok(200);
    let nodes = list["items"].as_array().expect("nodes");
    assert!(!nodes.is_empty());
    for node in nodes {
        let status = &node["status"];
        for resource in ["cpu", "memory", "pods"] {
            assert!(status["capacity"][resource].is_string(), "{status:#}");
            assert!(status["allocatable"][resource].is_string(), "{status:#}");
        }
        let conditions = status["conditions"].as_array().expect("conditions");
        let ready = conditions
            .iter()
            .find(|condition| condition["type"] == "Ready")
            .expect("a condition Ready");
        assert_eq!(ready["status"], "True", "{ready:#}");
        assert!(ready["lastHeartbeatTime"].is_string(), "{ready:#}");
        let addresses = status["addresses"].as_array().expect("addresses");
        assert!(
            addresses.iter().any(|address| address["type"] == "InternalIP"),
            "{addresses:#?}"
        );
        assert!(
            status["nodeInfo"]["kubeletVersion"]
                .as_str()
                .is_some_and(|version| version.starts_with('v'))
        );
        assert_eq!(
            node["metadata"]["labels"]["kubernetes.io/hostname"],
            node["metadata"]["name"]
        );
    }
}

async fn gives_namespaces_a_service_account(case: &Case) {
    crate::case::eventually("the default service account", async || {
        let answer = case.get(&case.path("serviceaccounts/default")).await;
        if answer.code == 200 { Ok(()) } else { Err(answer) }
    })
    .await;
    let namespace = case
        .get(&format!("/api/v1/namespaces/{}", case.namespace))
        .await
        .ok(200);
    assert_eq!(namespace["status"]["phase"], "Active");
    assert_eq!(namespace["spec"]["finalizers"], json!(["kubernetes"]));
}
