//! Lists: pages and selectors.

use serde_json::{Value, json};

use super::cases;
use crate::case::{Case, version};
use crate::objects::{WEB, config_map, labelled, pod};

cases![
    pages_by_limit_and_continue,
    counts_nothing_under_a_selector,
    refuses_a_made_up_continue,
    names_its_kind_and_version,
    selects_by_labels,
    refuses_a_broken_label_selector,
    selects_by_name,
    selects_over_namespaces,
    selects_pods_by_node_and_phase,
    refuses_an_unknown_field_selector,
    gives_metadata_alone,
];

fn names(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["metadata"]["name"].as_str().expect("a name"))
        .collect()
}

/// Leases: a namespace has none of its own, unlike config maps and secrets.
async fn lease(case: &Case, name: &str) {
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "labels": {"of": "us"}}});
    case.create("leases.coordination.k8s.io", lease).await;
}

async fn pages_by_limit_and_continue(case: &Case) {
    for number in [3, 1, 7, 5, 2, 6, 4] {
        lease(case, &format!("lease-{number}")).await;
    }
    let mut seen = Vec::new();
    let mut remaining = Vec::new();
    let mut versions = Vec::new();
    let mut token = String::new();
    loop {
        let page = case
            .read(&format!("leases.coordination.k8s.io?limit=3&continue={token}"))
            .await;
        seen.extend(
            names(page["items"].as_array().expect("items"))
                .into_iter()
                .map(str::to_owned),
        );
        remaining.push(page["metadata"]["remainingItemCount"].as_u64());
        versions.push(version(&page));
        match page["metadata"]["continue"].as_str() {
            Some(next) if !next.is_empty() => token = next.to_owned(),
            _ => break,
        }
        assert!(versions.len() < 4, "the pages do not end: {seen:?}");
    }
    let all: Vec<String> = (1..=7).map(|number| format!("lease-{number}")).collect();
    assert_eq!(seen, all, "in the order of their names");
    assert_eq!(remaining, [Some(4), Some(1), None]);
    assert!(
        versions.iter().all(|other| *other == versions[0]),
        "one version over all pages: {versions:?}"
    );
}

async fn counts_nothing_under_a_selector(case: &Case) {
    for name in ["a", "b", "c"] {
        lease(case, name).await;
    }
    let page = case
        .read("leases.coordination.k8s.io?limit=2&labelSelector=of%3Dus")
        .await;
    assert_eq!(names(page["items"].as_array().expect("items")), ["a", "b"]);
    assert!(page["metadata"]["continue"].is_string(), "{page:#}");
    assert_eq!(page["metadata"].get("remainingItemCount"), None);
}

async fn refuses_a_made_up_continue(case: &Case) {
    let answer = case.get(&case.path("configmaps?limit=1&continue=made-up")).await;
    answer.refused(400, "BadRequest");
}

async fn names_its_kind_and_version(case: &Case) {
    case.create("configmaps", config_map("a", json!({"key": "value"})))
        .await;
    let list = case.read("configmaps").await;
    assert_eq!(list["kind"], "ConfigMapList");
    assert_eq!(list["apiVersion"], "v1");
    assert!(version(&list) > 0);
    let deployments = case.read("deployments.apps").await;
    assert_eq!(deployments["kind"], "DeploymentList");
    assert_eq!(deployments["apiVersion"], "apps/v1");
    assert_eq!(deployments["items"], json!([]));
}

async fn selects_by_labels(case: &Case) {
    case.create(
        "configmaps",
        labelled("a", json!({"set": "here", "tier": "front", "canary": ""})),
    )
    .await;
    case.create(
        "configmaps",
        labelled("b", json!({"set": "here", "tier": "back"})),
    )
    .await;
    case.create(
        "configmaps",
        labelled("c", json!({"set": "here", "tier": "data"})),
    )
    .await;
    case.create("configmaps", labelled("d", json!({"set": "here"})))
        .await;
    for (selector, expected) in [
        ("tier=front", vec!["a"]),
        ("tier==front", vec!["a"]),
        ("tier!=front", vec!["b", "c", "d"]),
        ("tier in (front,back)", vec!["a", "b"]),
        ("tier notin (front,back)", vec!["c", "d"]),
        ("tier", vec!["a", "b", "c"]),
        ("!tier", vec!["d"]),
        ("tier,!canary", vec!["b", "c"]),
        ("tier in (front,data),canary=", vec!["a"]),
        ("tier=nothing", vec![]),
    ] {
        let query: String = format!("set=here,{selector}")
            .replace(' ', "%20")
            .replace('=', "%3D")
            .replace(',', "%2C");
        let items = case.list(&format!("configmaps?labelSelector={query}")).await;
        assert_eq!(names(&items), expected, "{selector}");
    }
}

async fn refuses_a_broken_label_selector(case: &Case) {
    let answer = case
        .get(&case.path("configmaps?labelSelector=tier%20in%20%28front"))
        .await;
    answer.refused(400, "BadRequest");
}

async fn selects_by_name(case: &Case) {
    for name in ["a", "b", "c"] {
        case.create("configmaps", labelled(name, json!({"set": "here"})))
            .await;
    }
    let items = case.list("configmaps?fieldSelector=metadata.name%3Db").await;
    assert_eq!(names(&items), ["b"]);
    let items = case
        .list("configmaps?labelSelector=set&fieldSelector=metadata.name%21%3Db")
        .await;
    assert_eq!(names(&items), ["a", "c"]);
}

async fn selects_over_namespaces(case: &Case) {
    case.create("configmaps", labelled("a", json!({"set": case.namespace})))
        .await;
    let list = case
        .get(&format!(
            "/api/v1/configmaps?labelSelector=set%3D{}",
            case.namespace
        ))
        .await
        .ok(200);
    assert_eq!(names(list["items"].as_array().expect("items")), ["a"]);
    let query = format!("metadata.namespace%3D{}%2Cmetadata.name%3Da", case.namespace);
    let list = case
        .get(&format!("/api/v1/configmaps?fieldSelector={query}"))
        .await
        .ok(200);
    assert_eq!(names(list["items"].as_array().expect("items")), ["a"]);
}

async fn selects_pods_by_node_and_phase(case: &Case) {
    super::pods::create(case, pod("runs", WEB)).await;
    let mut waits = pod("waits", WEB);
    waits["spec"]["nodeSelector"] = json!({"kubernetes.io/hostname": "no-such-node"});
    super::pods::create(case, waits).await;
    let runs = super::pods::until_ready(case, "runs").await;
    let node = runs["spec"]["nodeName"].as_str().expect("a node");
    let items = case
        .list(&format!("pods?fieldSelector=spec.nodeName%3D{node}"))
        .await;
    assert_eq!(names(&items), ["runs"]);
    let items = case.list("pods?fieldSelector=spec.nodeName%3D").await;
    assert_eq!(names(&items), ["waits"]);
    let items = case.list("pods?fieldSelector=status.phase%3DRunning").await;
    assert_eq!(names(&items), ["runs"]);
    let items = case
        .list("pods?fieldSelector=status.phase%21%3DRunning%2Cspec.nodeName%3D")
        .await;
    assert_eq!(names(&items), ["waits"]);
}

async fn refuses_an_unknown_field_selector(case: &Case) {
    let answer = case
        .get(&case.path("configmaps?fieldSelector=data.key%3Dvalue"))
        .await;
    answer.refused(400, "BadRequest");
}

async fn gives_metadata_alone(case: &Case) {
    let stored = case
        .create("configmaps", config_map("a", json!({"key": "value"})))
        .await;
    let api = case.api::<k8s_openapi::api::core::v1::ConfigMap>();
    let metadata = api.get_metadata("a").await.expect("metadata");
    assert_eq!(metadata.types.expect("a kind").kind, "PartialObjectMetadata");
    assert_eq!(
        metadata.metadata.uid.as_deref(),
        stored["metadata"]["uid"].as_str()
    );
    let list = api
        .list_metadata(&kube::api::ListParams::default().fields("metadata.name=a"))
        .await;
    let items = list.expect("a list of metadata").items;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].metadata.name.as_deref(), Some("a"));
}
