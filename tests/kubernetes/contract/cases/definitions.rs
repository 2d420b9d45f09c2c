//! Custom resource definitions, and the kinds that they define.

use serde_json::{Value, json};

use super::cases;
use super::deployments::condition;
use crate::case::{APPLY_PATCH, Case, MERGE_PATCH, STRATEGIC_MERGE_PATCH, eventually};

cases![
    establishes_and_serves_a_kind,
    applies_objects_of_a_custom_kind,
    goes_with_all_that_is_of_it,
    refuses_what_defines_nothing,
];

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// Definitions are shared by all cases of a cluster, so each case has a group of its own.
fn group(case: &Case) -> String {
    format!("{}.example.com", case.namespace)
}

fn name(case: &Case) -> String {
    format!("widgets.{}", group(case))
}

fn definition(case: &Case) -> Value {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name(case)},
        "spec": {
            "group": group(case), "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}},
            }],
        },
    })
}

fn widget(case: &Case, name: &str) -> Value {
    json!({"apiVersion": format!("{}/v1", group(case)), "kind": "Widget", "metadata": {"name": name}, "spec": {"size": 1}})
}

fn widgets(case: &Case) -> String {
    format!("widgets.{}", group(case))
}

async fn define(case: &Case) -> Value {
    case.post(DEFINITIONS, definition(case)).await.ok(201);
    let path = format!("{DEFINITIONS}/{}", name(case));
    let established = eventually("the definition to be established", async || {
        let definition = case.get(&path).await.ok(200);
        match condition(&definition, "Established") {
            Some(established) if established["status"] == "True" => Ok(definition),
            _ => Err(definition["status"].clone()),
        }
    })
    .await;
    // A server may take a moment more until it serves what is established.
    eventually("the kind to be served", async || {
        let answer = case.get(&case.path(&widgets(case))).await;
        if answer.code == 200 { Ok(()) } else { Err(answer) }
    })
    .await;
    established
}

async fn undefine(case: &Case) {
    let path = format!("{DEFINITIONS}/{}", name(case));
    case.delete(&path).await.ok(200);
    eventually("the definition to be gone", async || {
        let answer = case.get(&path).await;
        if answer.code == 404 { Ok(()) } else { Err(answer) }
    })
    .await;
}

async fn establishes_and_serves_a_kind(case: &Case) {
    let definition = define(case).await;
    assert_eq!(definition["spec"]["names"]["listKind"], "WidgetList");
    assert_eq!(definition["spec"]["names"]["singular"], "widget");
    assert_eq!(definition["spec"]["conversion"]["strategy"], "None");
    assert_eq!(definition["status"]["acceptedNames"]["kind"], "Widget");
    assert_eq!(definition["status"]["storedVersions"], json!(["v1"]));
    let accepted = condition(&definition, "NamesAccepted").expect("a condition");
    assert_eq!(
        (&accepted["status"], &accepted["reason"]),
        (&json!("True"), &json!("NoConflicts"))
    );
    let listed = case.get(&format!("/apis/{}/v1", group(case))).await.ok(200);
    let resource = &listed["resources"][0];
    assert_eq!(
        (&resource["name"], &resource["kind"]),
        (&json!("widgets"), &json!("Widget"))
    );
    assert_eq!(resource["shortNames"], json!(["wd"]));

    let one = case.create(&widgets(case), widget(case, "one")).await;
    assert_eq!(
        (&one["metadata"]["generation"], &one["spec"]["size"]),
        (&json!(1), &json!(1))
    );
    case.post(&case.path(&widgets(case)), widget(case, "one"))
        .await
        .refused(409, "AlreadyExists");
    let list = case.read(&widgets(case)).await;
    assert_eq!(
        (&list["kind"], list["items"].as_array().map(Vec::len)),
        (&json!("WidgetList"), Some(1))
    );
    let path = case.path(&format!("{}/one", widgets(case)));
    let change = json!({"spec": {"size": 2}, "status": {"seen": 1}});
    let changed = case.patch(&path, MERGE_PATCH, change.clone()).await.ok(200);
    assert_eq!(
        (&changed["metadata"]["generation"], &changed["status"]),
        (&json!(2), &Value::Null)
    );
    let change = json!({"spec": {"size": 3}, "status": {"seen": 1}});
    let seen = case
        .patch(&format!("{path}/status"), MERGE_PATCH, change)
        .await
        .ok(200);
    assert_eq!(
        (&seen["spec"]["size"], &seen["status"]["seen"]),
        (&json!(2), &json!(1))
    );
    case.patch(&path, STRATEGIC_MERGE_PATCH, json!({"spec": {"size": 4}}))
        .await
        .refused(415, "UnsupportedMediaType");
    let version = list["metadata"]["resourceVersion"].as_str().expect("a version");
    let events = case
        .watch(
            &format!("{}?resourceVersion={version}", widgets(case)),
            |events| events.len() == 2,
        )
        .await;
    assert!(
        events.iter().all(|event| event.told() == ("MODIFIED", "one")),
        "{events:?}"
    );
    undefine(case).await;
    case.until_gone(&widgets(case)).await;
}

async fn applies_objects_of_a_custom_kind(case: &Case) {
    define(case).await;
    let path = |manager: &str| case.path(&format!("{}/one?fieldManager={manager}", widgets(case)));
    let with = |spec: Value| {
        let mut config = widget(case, "one");
        config["spec"] = spec;
        config
    };
    let first = with(json!({"size": 1, "colour": "red"}));
    case.patch(&path("first"), APPLY_PATCH, first).await.ok(201);
    let larger = with(json!({"size": 2}));
    case.patch(&path("second"), APPLY_PATCH, larger.clone())
        .await
        .refused(409, "Conflict");
    let taken = case
        .patch(
            &format!("{}&force=true", path("second")),
            APPLY_PATCH,
            larger.clone(),
        )
        .await
        .ok(200);
    assert_eq!(taken["spec"], json!({"size": 2, "colour": "red"}));
    let left = case.patch(&path("first"), APPLY_PATCH, larger).await.ok(200);
    assert_eq!(
        left["spec"],
        json!({"size": 2}),
        "nobody holds the colour any more"
    );
    undefine(case).await;
}

async fn goes_with_all_that_is_of_it(case: &Case) {
    define(case).await;
    let mut held = widget(case, "held");
    held["metadata"]["finalizers"] = json!(["example.com/held"]);
    case.create(&widgets(case), held).await;
    case.create(&widgets(case), widget(case, "free")).await;
    let path = format!("{DEFINITIONS}/{}", name(case));
    case.delete(&path).await.ok(200);
    eventually("the definition to wait for one object", async || {
        let list = case.list(&widgets(case)).await;
        let definition = case.get(&path).await.ok(200);
        let waits = condition(&definition, "Terminating").is_some_and(|found| found["status"] == "True");
        if list.len() == 1 && waits {
            Ok(())
        } else {
            Err(definition)
        }
    })
    .await;
    let held = case.path(&format!("{}/held", widgets(case)));
    case.patch(&held, MERGE_PATCH, json!({"metadata": {"finalizers": null}}))
        .await
        .ok(200);
    eventually("the definition to be gone", async || {
        let answer = case.get(&path).await;
        if answer.code == 404 { Ok(()) } else { Err(answer) }
    })
    .await;
}

async fn refuses_what_defines_nothing(case: &Case) {
    for (pointer, value) in [
        ("/metadata/name", json!("other.example.com")),
        ("/spec/scope", json!("World")),
        ("/spec/names/kind", json!("")),
        ("/spec/versions", json!([])),
        ("/spec/versions/0/storage", json!(false)),
        ("/spec/versions/0/schema", json!(null)),
        ("/spec/versions/0/name", json!("V 1")),
    ] {
        let mut definition = definition(case);
        *definition.pointer_mut(pointer).expect("a place in it") = value;
        let answer = case.post(DEFINITIONS, definition).await;
        assert_eq!(answer.code, 422, "{pointer}: {:#}", answer.body);
        answer.refused(422, "Invalid");
    }
}
