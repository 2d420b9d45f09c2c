//! Pages, watches, and what happens when history is forgotten.

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::watcher;
use serde_json::json;

use crate::support::Stage;

async fn fill(api: &Api<ConfigMap>, names: std::ops::Range<u32>) {
    for number in names {
        let map = serde_json::from_value(json!({"metadata": {"name": format!("m-{number:03}")}})).unwrap();
        api.create(&PostParams::default(), &map).await.unwrap();
    }
}

fn names(list: &[ConfigMap]) -> Vec<String> {
    list.iter()
        .filter_map(|map| map.metadata.name.clone())
        .filter(|name| name.starts_with("m-"))
        .collect()
}

#[tokio::test]
async fn pages_show_one_moment_whatever_happens_between_them() {
    let stage = Stage::new().await;
    let api: Api<ConfigMap> = Api::namespaced(stage.client.clone(), "default");
    fill(&api, 0..10).await;
    let first = api.list(&ListParams::default().limit(5)).await.unwrap();
    let token = first.metadata.continue_.clone().unwrap();
    assert!(first.metadata.remaining_item_count.unwrap() >= 5);
    fill(&api, 10..12).await;
    api.delete("m-008", &Default::default()).await.unwrap();
    let rest = api
        .list(&ListParams::default().limit(100).continue_token(&token))
        .await
        .unwrap();
    assert_eq!(first.metadata.resource_version, rest.metadata.resource_version);
    let mut all = names(&first.items);
    all.extend(names(&rest.items));
    let expected: Vec<String> = (0..10).map(|number| format!("m-{number:03}")).collect();
    assert_eq!(all, expected, "neither the new ones nor the gap");
    assert!(rest.metadata.continue_.is_none_or(|token| token.is_empty()));

    stage.cluster().compact();
    let error = api
        .list(&ListParams::default().continue_token(&token))
        .await
        .unwrap_err();
    let kube::Error::Api(status) = error else {
        panic!("{error}")
    };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
}

#[tokio::test]
async fn a_watch_that_resumes_too_late_is_told_so() {
    let stage = Stage::new().await;
    let api: Api<ConfigMap> = Api::namespaced(stage.client.clone(), "default");
    let start = api
        .list(&ListParams::default())
        .await
        .unwrap()
        .metadata
        .resource_version
        .unwrap();
    fill(&api, 0..2).await;
    let mut events = api
        .watch(&WatchParams::default().timeout(2), &start)
        .await
        .unwrap()
        .boxed();
    let mut seen = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            WatchEvent::Added(map) => seen.extend(map.metadata.name),
            WatchEvent::Bookmark(bookmark) => assert!(bookmark.metadata.resource_version > start),
            other => panic!("{other:?}"),
        }
    }
    seen.retain(|name| name.starts_with("m-"));
    assert_eq!(seen, ["m-000", "m-001"]);

    stage.cluster().compact();
    let mut events = api.watch(&WatchParams::default(), &start).await.unwrap().boxed();
    let Some(WatchEvent::Error(status)) = events.try_next().await.unwrap() else {
        panic!("no error")
    };
    assert_eq!((status.code, status.reason.as_str()), (410, "Expired"));
}

#[tokio::test]
async fn a_watcher_sees_everything_through_a_forgotten_history() {
    let stage = Stage::new().await;
    let api: Api<ConfigMap> = Api::namespaced(stage.client.clone(), "default");
    for strategy in [
        watcher::InitialListStrategy::ListWatch,
        watcher::InitialListStrategy::StreamingList,
    ] {
        let config = watcher::Config {
            initial_list_strategy: strategy,
            ..watcher::Config::default()
        };
        let mut events = watcher(api.clone(), config).boxed();
        let mut known = std::collections::BTreeSet::new();
        let number = known.len() as u32
            + if known.is_empty() {
                rand_free(&api).await
            } else {
                0
            };
        fill(&api, number..number + 2).await;
        let end = std::time::Duration::from_secs(20);
        let wanted = format!("m-{:03}", number + 1);
        tokio::time::timeout(end, async {
            while !known.contains(&wanted) {
                // An error is followed by a new list; that is the watcher's work.
                match events.next().await {
                    Some(Ok(watcher::Event::Apply(map) | watcher::Event::InitApply(map))) => {
                        known.extend(map.metadata.name);
                    }
                    Some(_) => {}
                    None => panic!("the watcher ended"),
                }
            }
        })
        .await
        .unwrap();
    }
}

/// The first number that no map has.
async fn rand_free(api: &Api<ConfigMap>) -> u32 {
    u32::try_from(names(&api.list(&ListParams::default()).await.unwrap().items).len()).unwrap()
}
