//! Custom kinds: defined, served, kept over a restart, and gone with their definition.

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
    PostParams, WatchEvent, WatchParams,
};
use serde_json::{Value, json};

use crate::support::{Stage, config, eventually};

fn definition(plural: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.example.com") },
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": { "plural": plural, "kind": kind, "shortNames": [&plural[..3]] },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": { "type": "object", "properties": {
                    "spec": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
                    "status": { "type": "object", "properties": { "labels": {} } },
                } } },
            }],
        },
    })
}

fn widgets(stage: &Stage) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("example.com", "v1", "Widget");
    Api::namespaced_with(
        stage.client.clone(),
        "default",
        &ApiResource::from_gvk_with_plural(&kind, "widgets"),
    )
}

fn widget(name: &str) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": name, "labels": { "app": name } },
        "spec": { "size": 1, "parts": ["a", "b"], "nothing": {} },
    }))
    .unwrap()
}

async fn define(stage: &Stage, definition: Value) -> kube::Result<CustomResourceDefinition> {
    let definitions: Api<CustomResourceDefinition> = Api::all(stage.client.clone());
    definitions
        .create(
            &PostParams::default(),
            &serde_json::from_value(definition).unwrap(),
        )
        .await
}

/// A condition of a definition: its status and reason.
async fn condition(stage: &Stage, name: &str, kind: &str) -> Option<(String, String)> {
    let definitions: Api<CustomResourceDefinition> = Api::all(stage.client.clone());
    let conditions = definitions.get(name).await.unwrap().status?.conditions?;
    let found = conditions.into_iter().find(|condition| condition.type_ == kind)?;
    Some((found.status, found.reason.unwrap_or_default()))
}

async fn established(stage: &Stage, name: &str) {
    eventually(|| async {
        match condition(stage, name, "Established").await {
            Some((status, _)) if status == "True" => Ok(()),
            other => Err(other),
        }
    })
    .await;
}

fn code(error: kube::Error) -> u16 {
    match error {
        kube::Error::Api(status) => status.code,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_custom_kind_is_served_as_any_other() {
    let stage = Stage::new().await;
    let api = widgets(&stage);
    assert_eq!(code(api.list(&ListParams::default()).await.unwrap_err()), 404);
    let made = define(&stage, definition("widgets", "Widget")).await.unwrap();
    assert_eq!(made.spec.names.list_kind.as_deref(), Some("WidgetList"));
    let properties = &made.spec.versions[0]
        .schema
        .as_ref()
        .unwrap()
        .open_api_v3_schema
        .as_ref()
        .unwrap()
        .properties;
    assert!(
        properties.as_ref().unwrap()["status"]
            .properties
            .as_ref()
            .unwrap()
            .contains_key("labels"),
        "an empty schema stays"
    );
    established(&stage, "widgets.example.com").await;
    assert_eq!(
        condition(&stage, "widgets.example.com", "NamesAccepted")
            .await
            .unwrap(),
        ("True".to_owned(), "NoConflicts".to_owned())
    );
    let listed = stage
        .client
        .list_api_group_resources("example.com/v1")
        .await
        .unwrap();
    let names: Vec<&str> = listed.resources.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["widgets", "widgets/status"]);
    assert_eq!(listed.resources[0].short_names, Some(vec!["wid".to_owned()]));
    let groups = stage.client.list_api_groups().await.unwrap().groups;
    assert!(groups.iter().any(|group| group.name == "example.com"));

    let made = api.create(&PostParams::default(), &widget("one")).await.unwrap();
    assert_eq!(
        (made.metadata.generation, &made.data["spec"]["size"]),
        (Some(1), &json!(1))
    );
    assert_eq!(made.data["spec"]["nothing"], json!({}), "no schema prunes");
    assert_eq!(
        code(
            api.create(&PostParams::default(), &widget("one"))
                .await
                .unwrap_err()
        ),
        409
    );
    assert_eq!(
        code(
            api.create(&PostParams::default(), &widget("Bad_"))
                .await
                .unwrap_err()
        ),
        422
    );
    let list = api.list(&ListParams::default().labels("app=one")).await.unwrap();
    assert_eq!(list.items.len(), 1);
    let version = list.metadata.resource_version.unwrap();

    let merged = api
        .patch(
            "one",
            &PatchParams::default(),
            &Patch::Merge(json!({ "spec": { "size": 2 }, "status": { "seen": 1 } })),
        )
        .await
        .unwrap();
    assert_eq!(
        (merged.metadata.generation, &merged.data["status"]),
        (Some(2), &Value::Null)
    );
    let status = api
        .patch_status(
            "one",
            &PatchParams::default(),
            &Patch::Merge(json!({ "spec": { "size": 9 }, "status": { "seen": 2 } })),
        )
        .await
        .unwrap();
    assert_eq!(
        (
            status.metadata.generation,
            &status.data["spec"]["size"],
            &status.data["status"]["seen"]
        ),
        (Some(2), &json!(2), &json!(2))
    );
    let strategic = Patch::Strategic(json!({ "spec": { "size": 3 } }));
    assert_eq!(
        code(
            api.patch("one", &PatchParams::default(), &strategic)
                .await
                .unwrap_err()
        ),
        415
    );

    // Server-side apply: who holds what, conflicts, force.
    let apply = |size: i64| {
        Patch::Apply(
            json!({ "apiVersion": "example.com/v1", "kind": "Widget", "metadata": { "name": "applied" }, "spec": { "size": size } }),
        )
    };
    let (first, second) = (PatchParams::apply("first"), PatchParams::apply("second"));
    api.patch("applied", &first, &apply(1)).await.unwrap();
    assert_eq!(
        code(api.patch("applied", &second, &apply(2)).await.unwrap_err()),
        409
    );
    let taken = api
        .patch("applied", &second.clone().force(), &apply(2))
        .await
        .unwrap();
    let managers: Vec<String> = taken
        .metadata
        .managed_fields
        .unwrap()
        .into_iter()
        .filter_map(|one| one.manager)
        .collect();
    assert_eq!(managers, ["second"], "the first has nothing left");

    api.delete("one", &DeleteParams::default()).await.unwrap();
    let seen: Vec<(&str, String)> = api
        .watch(&WatchParams::default(), &version)
        .await
        .unwrap()
        .map_ok(|event| match event {
            WatchEvent::Added(object) => ("added", object.metadata.name.unwrap()),
            WatchEvent::Modified(object) => ("modified", object.metadata.name.unwrap()),
            WatchEvent::Deleted(object) => ("deleted", object.metadata.name.unwrap()),
            other => panic!("{other:?}"),
        })
        .take(5)
        .try_collect()
        .await
        .unwrap();
    let seen: Vec<(&str, &str)> = seen.iter().map(|(what, name)| (*what, name.as_str())).collect();
    assert_eq!(
        seen,
        [
            ("modified", "one"),
            ("modified", "one"),
            ("added", "applied"),
            ("modified", "applied"),
            ("deleted", "one")
        ]
    );
}

#[tokio::test]
async fn owners_definitions_and_restarts() {
    let stage = Stage::new().await;
    define(&stage, definition("widgets", "Widget")).await.unwrap();
    established(&stage, "widgets.example.com").await;
    let owner = widgets(&stage)
        .create(&PostParams::default(), &widget("owner"))
        .await
        .unwrap();
    let maps: Api<ConfigMap> = Api::default_namespaced(stage.client.clone());
    let owned = json!({ "metadata": { "name": "owned", "ownerReferences": [
        { "apiVersion": "example.com/v1", "kind": "Widget", "name": "owner", "uid": owner.metadata.uid }
    ] } });
    maps.create(&PostParams::default(), &serde_json::from_value(owned).unwrap())
        .await
        .unwrap();

    // Another kind of that name waits until the first is gone.
    define(&stage, definition("others", "Widget")).await.unwrap();
    eventually(|| async {
        match condition(&stage, "others.example.com", "NamesAccepted").await {
            Some((status, reason)) if status == "False" && reason == "ListKindConflict" => Ok(()),
            other => Err(other),
        }
    })
    .await;

    let Stage {
        sandbox, directory, ..
    } = stage;
    sandbox.stop().await;
    let stage = Stage::with(config(&directory), directory).await;
    let kept = widgets(&stage).get("owner").await.unwrap();
    assert_eq!((kept.metadata.uid, &kept.data), (owner.metadata.uid, &owner.data));
    let maps: Api<ConfigMap> = Api::default_namespaced(stage.client.clone());
    assert!(maps.get_opt("owned").await.unwrap().is_some());

    let definitions: Api<CustomResourceDefinition> = Api::all(stage.client.clone());
    definitions
        .delete("widgets.example.com", &DeleteParams::default())
        .await
        .unwrap();
    eventually(|| async {
        let left = definitions
            .get_opt("widgets.example.com")
            .await
            .unwrap()
            .map(|one| one.status);
        let map = maps.get_opt("owned").await.unwrap().map(|one| one.metadata);
        if left.is_none() && map.is_none() {
            Ok(())
        } else {
            Err((left, map))
        }
    })
    .await;
    assert_eq!(
        code(widgets(&stage).list(&ListParams::default()).await.unwrap_err()),
        404
    );
    established(&stage, "others.example.com").await;
}

#[tokio::test]
async fn what_defines_nothing_is_refused() {
    let stage = Stage::new().await;
    for (pointer, value, word) in [
        (
            "/metadata/name",
            json!("other.example.com"),
            "must be spec.names.plural",
        ),
        ("/spec/scope", json!("World"), "spec.scope: Unsupported value"),
        ("/spec/names/kind", json!(""), "spec.names.kind: Required value"),
        ("/spec/versions", json!([]), "at least one version"),
        (
            "/spec/versions/0/storage",
            json!(false),
            "exactly one version marked as storage",
        ),
        ("/spec/versions/0/schema", json!(null), "schemas are required"),
        ("/spec/versions/0/name", json!("V 1"), "spec.versions[0].name"),
    ] {
        let mut definition = definition("widgets", "Widget");
        *definition.pointer_mut(pointer).unwrap() = value;
        let kube::Error::Api(status) = define(&stage, definition).await.unwrap_err() else {
            panic!("{pointer}: not a refusal");
        };
        assert!(
            status.code == 422 && status.message.contains(word),
            "{pointer}: {}",
            status.message
        );
    }
}
