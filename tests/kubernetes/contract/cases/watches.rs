//! Watches: what a client that lists and then watches relies on.

use serde_json::{Value, json};

use super::cases;
use crate::case::{Case, Event, MERGE_PATCH, eventually, version};
use crate::objects::{config_map, labelled};

cases![
    gives_every_change_after_a_version,
    starts_with_what_is_there_without_a_version,
    tells_when_an_object_leaves_the_selector,
    watches_one_object_by_name,
    ends_in_time_after_a_bookmark,
    says_gone_for_a_forgotten_version,
    spans_namespaces,
];

fn told(events: &[Event]) -> Vec<(&str, &str)> {
    events.iter().map(Event::told).collect()
}

async fn gives_every_change_after_a_version(case: &Case) {
    case.create("configmaps", labelled("before", json!({"set": "here"})))
        .await;
    let start = version(&case.read("configmaps?labelSelector=set").await);
    let work = async {
        case.create("configmaps", labelled("a", json!({"set": "here"})))
            .await;
        let patch = json!({"data": {"key": "value"}});
        case.patch(&case.path("configmaps/a"), MERGE_PATCH, patch)
            .await
            .ok(200);
        case.create("configmaps", labelled("b", json!({"set": "here"})))
            .await;
        case.delete(&case.path("configmaps/a")).await.ok(200);
    };
    let query = format!("configmaps?labelSelector=set&resourceVersion={start}");
    let follow = case.watch(&query, |events| events.len() == 4);
    let ((), events) = tokio::join!(work, follow);
    assert_eq!(
        told(&events),
        [
            ("ADDED", "a"),
            ("MODIFIED", "a"),
            ("ADDED", "b"),
            ("DELETED", "a")
        ]
    );
    assert!(start < events[0].version());
    assert!(
        events.is_sorted_by(|one, next| one.version() < next.version()),
        "{events:#?}"
    );
    assert_eq!(events[1].object["data"]["key"], "value");
    assert_eq!(events[0].object["kind"], "ConfigMap");
    assert_eq!(events[0].object["apiVersion"], "v1");
    // From any of these versions the rest can be had again.
    let query = format!(
        "configmaps?labelSelector=set&resourceVersion={}",
        events[1].version()
    );
    let again = case.watch(&query, |events| events.len() == 2).await;
    assert_eq!(told(&again), [("ADDED", "b"), ("DELETED", "a")]);
}

async fn starts_with_what_is_there_without_a_version(case: &Case) {
    case.create("configmaps", labelled("a", json!({"set": "here"})))
        .await;
    case.create("configmaps", labelled("b", json!({"set": "here"})))
        .await;
    for version in ["", "&resourceVersion=0"] {
        let query = format!("configmaps?labelSelector=set{version}");
        let events = case.watch(&query, |events| events.len() == 2).await;
        let mut told = told(&events);
        told.sort_unstable();
        assert_eq!(told, [("ADDED", "a"), ("ADDED", "b")]);
    }
}

async fn tells_when_an_object_leaves_the_selector(case: &Case) {
    let start = version(&case.read("configmaps").await);
    let path = case.path("configmaps/a");
    case.create("configmaps", labelled("a", json!({"tier": "back"})))
        .await;
    for tier in ["front", "back"] {
        case.patch(
            &path,
            MERGE_PATCH,
            json!({"metadata": {"labels": {"tier": tier}}}),
        )
        .await
        .ok(200);
    }
    let query = format!("configmaps?labelSelector=tier%3Dfront&resourceVersion={start}");
    let events = case.watch(&query, |events| events.len() == 2).await;
    assert_eq!(told(&events), [("ADDED", "a"), ("DELETED", "a")]);
}

async fn watches_one_object_by_name(case: &Case) {
    let start = version(&case.create("configmaps", config_map("a", json!({}))).await);
    case.create("configmaps", config_map("b", json!({}))).await;
    case.patch(
        &case.path("configmaps/a"),
        MERGE_PATCH,
        json!({"data": {"key": "value"}}),
    )
    .await
    .ok(200);
    let query = format!("configmaps?fieldSelector=metadata.name%3Da&resourceVersion={start}");
    let events = case.watch(&query, |events| !events.is_empty()).await;
    assert_eq!(told(&events), [("MODIFIED", "a")]);
}

async fn ends_in_time_after_a_bookmark(case: &Case) {
    let start = version(&case.read("configmaps").await);
    let query = format!("configmaps?resourceVersion={start}&allowWatchBookmarks=true&timeoutSeconds=4");
    let begun = std::time::Instant::now();
    let events = case.watch(&query, |_| false).await;
    let took = begun.elapsed().as_secs();
    assert!((2..=8).contains(&took), "ended after {took} s");
    let bookmark = events
        .iter()
        .find(|event| event.kind == "BOOKMARK")
        .expect("a bookmark before the end");
    assert!(bookmark.version() >= start, "{bookmark:?}");
}

/// A real server forgets by time (etcd's compaction), another may forget by number, so there is a stream of changes.
async fn says_gone_for_a_forgotten_version(case: &Case) {
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "a"}, "reason": "Testing", "message": "0", "type": "Normal",
        "involvedObject": {"kind": "Pod", "namespace": case.namespace, "name": "a"},
    });
    case.create("events", event).await;
    let status: Value = eventually("410 for a watch from version 1", async || {
        for count in 0..100 {
            let patch = json!({"message": count.to_string()});
            case.patch(&case.path("events/a"), MERGE_PATCH, patch)
                .await
                .ok(200);
        }
        let events = case
            .watch("events?resourceVersion=1&timeoutSeconds=2", |events| {
                !events.is_empty()
            })
            .await;
        match events.into_iter().next() {
            Some(event) if event.kind == "ERROR" => Ok(event.object),
            other => Err(other.map(|event| event.kind)),
        }
    })
    .await;
    assert_eq!(status["code"], 410, "{status:#}");
    let reason = status["reason"].as_str().unwrap_or_default();
    assert!(reason == "Expired" || reason == "Gone", "{status:#}");
}

async fn spans_namespaces(case: &Case) {
    let list = case
        .get(&format!(
            "/api/v1/configmaps?labelSelector=set%3D{}",
            case.namespace
        ))
        .await
        .ok(200);
    let start = version(&list);
    case.create("configmaps", labelled("a", json!({"set": case.namespace})))
        .await;
    let uri = format!(
        "/api/v1/configmaps?watch=true&labelSelector=set%3D{}&resourceVersion={start}&timeoutSeconds=2",
        case.namespace
    );
    let text = case.get(&uri).await;
    // One event gives one line, which is one JSON document.
    assert_eq!(text.code, 200);
    assert_eq!(text.body["type"], "ADDED", "{text:#?}");
    assert_eq!(
        text.body["object"]["metadata"]["namespace"],
        case.namespace.as_str()
    );
}
