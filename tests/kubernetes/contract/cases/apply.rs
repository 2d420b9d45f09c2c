//! Server-side apply: who owns which field, and what happens when two want the same.

use serde_json::{Value, json};

use super::cases;
use crate::case::{APPLY_PATCH, Answer, Case, MERGE_PATCH, version};
use crate::objects::{WEB, WEB_2};

cases![
    creates_and_remembers_its_fields,
    changes_nothing_the_second_time,
    refuses_another_managers_field,
    takes_a_field_by_force,
    removes_what_is_no_longer_applied,
    leaves_what_others_own,
    removes_what_two_owned_when_both_let_go,
    removes_items_of_lists_by_their_keys,
    merges_what_two_managers_apply,
    tells_updates_from_applies,
    wants_a_manager,
    applies_without_doing,
    checks_the_version_when_given,
    refuses_what_is_invalid,
];

async fn apply(case: &Case, what: &str, manager: &str, body: Value) -> Answer {
    let path = format!("{}?fieldManager={manager}", case.path(what));
    case.patch(&path, APPLY_PATCH, body).await
}

async fn force(case: &Case, what: &str, manager: &str, body: Value) -> Value {
    let path = format!("{}?fieldManager={manager}&force=true", case.path(what));
    case.patch(&path, APPLY_PATCH, body).await.ok(200)
}

fn config(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})
}

/// Nobody acts on this Deployment: it is paused, with no replicas.
fn web(replicas: Option<u32>, environment: Value) -> Value {
    let mut body = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "paused": true,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": WEB, "env": environment}]},
            },
        },
    });
    if let Some(replicas) = replicas {
        body["spec"]["replicas"] = json!(replicas);
    }
    body
}

fn fields<'a>(object: &'a Value, manager: &str, operation: &str) -> Option<&'a Value> {
    let entries = object["metadata"]["managedFields"].as_array()?;
    let entry = entries
        .iter()
        .find(|entry| entry["manager"] == manager && entry["operation"] == operation)?;
    assert_eq!(entry["fieldsType"], "FieldsV1", "{entry:#}");
    assert_eq!(entry["apiVersion"], object["apiVersion"], "{entry:#}");
    assert!(entry["time"].is_string(), "{entry:#}");
    Some(&entry["fieldsV1"])
}

async fn creates_and_remembers_its_fields(case: &Case) {
    let created = apply(
        case,
        "deployments.apps/web",
        "longshore",
        web(Some(0), json!([{"name": "A", "value": "1"}])),
    )
    .await
    .ok(201);
    let owned = fields(&created, "longshore", "Apply").expect("an entry of the manager");
    let expected = json!({"f:spec": {
        "f:paused": {},
        "f:replicas": {},
        "f:selector": {},
        "f:template": {
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {
                ".": {},
                "f:name": {},
                "f:image": {},
                "f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}},
            }}},
        },
    }});
    // Servers before 1.21 or so say f:selector with what is inside it, an atomic field since.
    let mut owned = owned.clone();
    owned["f:spec"]["f:selector"] = json!({});
    assert_eq!(owned, expected);
    assert_eq!(
        created["spec"]["revisionHistoryLimit"], 10,
        "the defaults are filled in"
    );
}

async fn changes_nothing_the_second_time(case: &Case) {
    let body = web(Some(0), json!([{"name": "A", "value": "1"}]));
    let first = apply(case, "deployments.apps/web", "longshore", body.clone())
        .await
        .ok(201);
    case.until("deployments.apps/web", |deployment| {
        if deployment["status"]["observedGeneration"] == 1 {
            Ok(())
        } else {
            Err("not observed")
        }
    })
    .await;
    let settled = case.read("deployments.apps/web").await;
    // Past the second of the first, in which a new time would not show.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let second = apply(case, "deployments.apps/web", "longshore", body)
        .await
        .ok(200);
    assert_eq!(second["metadata"]["uid"], first["metadata"]["uid"]);
    assert_eq!(second["metadata"]["generation"], 1);
    assert_eq!(version(&second), version(&settled));
}

async fn refuses_another_managers_field(case: &Case) {
    apply(case, "deployments.apps/web", "longshore", web(Some(0), json!([])))
        .await
        .ok(201);
    let path = format!("{}?fieldManager=scaler", case.path("deployments.apps/web"));
    case.patch(&path, MERGE_PATCH, json!({"spec": {"replicas": 1}}))
        .await
        .ok(200);
    let answer = apply(case, "deployments.apps/web", "longshore", web(Some(2), json!([]))).await;
    let status = answer.refused(409, "Conflict");
    let message = status["message"].as_str().expect("a message");
    assert!(message.starts_with("Apply failed with 1 conflict"), "{message}");
    assert!(
        message.contains("\"scaler\"") && message.contains(".spec.replicas"),
        "{message}"
    );
    let causes = status["details"]["causes"].as_array().expect("causes");
    assert_eq!(causes.len(), 1, "{status:#}");
    assert_eq!(causes[0]["reason"], "FieldManagerConflict");
    assert_eq!(causes[0]["field"], ".spec.replicas");
    assert!(
        causes[0]["message"]
            .as_str()
            .is_some_and(|message| message.contains("conflict with \"scaler\"")),
        "{status:#}"
    );
    assert_eq!(case.read("deployments.apps/web").await["spec"]["replicas"], 1);
    // To want what is there already is no conflict: both own it then.
    let both = apply(case, "deployments.apps/web", "longshore", web(Some(1), json!([])))
        .await
        .ok(200);
    assert!(
        fields(&both, "longshore", "Apply").is_some_and(|owned| owned["f:spec"].get("f:replicas").is_some())
    );
    assert!(
        fields(&both, "scaler", "Update").is_some_and(|owned| owned["f:spec"].get("f:replicas").is_some())
    );
}

async fn takes_a_field_by_force(case: &Case) {
    apply(
        case,
        "configmaps/a",
        "one",
        config(json!({"shared": "1", "mine": "1"})),
    )
    .await
    .ok(201);
    let status = apply(case, "configmaps/a", "two", config(json!({"shared": "2"})))
        .await
        .refused(409, "Conflict");
    assert_eq!(status["details"]["causes"][0]["field"], ".data.shared");
    let forced = force(case, "configmaps/a", "two", config(json!({"shared": "2"}))).await;
    assert_eq!(forced["data"], json!({"shared": "2", "mine": "1"}));
    assert_eq!(
        fields(&forced, "one", "Apply"),
        Some(&json!({"f:data": {"f:mine": {}}}))
    );
    assert_eq!(
        fields(&forced, "two", "Apply"),
        Some(&json!({"f:data": {"f:shared": {}}}))
    );
}

async fn removes_what_is_no_longer_applied(case: &Case) {
    apply(
        case,
        "configmaps/a",
        "one",
        config(json!({"keep": "1", "drop": "1"})),
    )
    .await
    .ok(201);
    let applied = apply(case, "configmaps/a", "one", config(json!({"keep": "1"})))
        .await
        .ok(200);
    assert_eq!(applied["data"], json!({"keep": "1"}));
    assert_eq!(
        fields(&applied, "one", "Apply"),
        Some(&json!({"f:data": {"f:keep": {}}}))
    );
}

async fn leaves_what_others_own(case: &Case) {
    apply(case, "deployments.apps/web", "longshore", web(Some(0), json!([])))
        .await
        .ok(201);
    let path = format!("{}?fieldManager=scaler", case.path("deployments.apps/web"));
    case.patch(
        &path,
        MERGE_PATCH,
        json!({"spec": {"replicas": 1}, "metadata": {"labels": {"by": "hand"}}}),
    )
    .await
    .ok(200);
    let applied = apply(case, "deployments.apps/web", "longshore", web(None, json!([])))
        .await
        .ok(200);
    assert_eq!(applied["spec"]["replicas"], 1, "the scaler's");
    assert_eq!(applied["metadata"]["labels"]["by"], "hand");
}

async fn removes_what_two_owned_when_both_let_go(case: &Case) {
    apply(
        case,
        "configmaps/a",
        "one",
        config(json!({"shared": "1", "first": "1"})),
    )
    .await
    .ok(201);
    apply(case, "configmaps/a", "two", config(json!({"shared": "1"})))
        .await
        .ok(200);
    let applied = apply(case, "configmaps/a", "one", config(json!({"first": "1"})))
        .await
        .ok(200);
    assert_eq!(
        applied["data"],
        json!({"shared": "1", "first": "1"}),
        "the other still owns it"
    );
    let applied = apply(case, "configmaps/a", "two", config(json!({})))
        .await
        .ok(200);
    assert_eq!(applied["data"], json!({"first": "1"}));
}

async fn removes_items_of_lists_by_their_keys(case: &Case) {
    let environment = json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]);
    let mut body = web(Some(0), environment);
    let containers = body["spec"]["template"]["spec"]["containers"]
        .as_array_mut()
        .expect("containers");
    containers.push(json!({"name": "side", "image": WEB}));
    apply(case, "deployments.apps/web", "longshore", body)
        .await
        .ok(201);
    let applied = apply(
        case,
        "deployments.apps/web",
        "longshore",
        web(Some(0), json!([{"name": "B", "value": "2"}])),
    )
    .await
    .ok(200);
    let containers = applied["spec"]["template"]["spec"]["containers"]
        .as_array()
        .expect("containers")
        .clone();
    assert_eq!(containers.len(), 1, "{containers:#?}");
    assert_eq!(containers[0]["env"], json!([{"name": "B", "value": "2"}]));
}

async fn merges_what_two_managers_apply(case: &Case) {
    apply(
        case,
        "deployments.apps/web",
        "longshore",
        web(Some(0), json!([{"name": "A", "value": "1"}])),
    )
    .await
    .ok(201);
    let theirs = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"team": "blue"}},
        "spec": {"template": {"spec": {"containers": [
            {"name": "web", "env": [{"name": "B", "value": "2"}]},
            {"name": "side", "image": WEB_2},
        ]}}},
    });
    let applied = apply(case, "deployments.apps/web", "injector", theirs)
        .await
        .ok(200);
    let containers = &applied["spec"]["template"]["spec"]["containers"];
    assert_eq!(
        containers[0]["env"],
        json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    );
    assert_eq!(containers[1]["name"], "side");
    // And ours again leaves theirs alone.
    let applied = apply(
        case,
        "deployments.apps/web",
        "longshore",
        web(Some(0), json!([{"name": "A", "value": "3"}])),
    )
    .await
    .ok(200);
    let containers = &applied["spec"]["template"]["spec"]["containers"];
    assert_eq!(
        containers[0]["env"],
        json!([{"name": "A", "value": "3"}, {"name": "B", "value": "2"}])
    );
    assert_eq!(containers.as_array().map(Vec::len), Some(2));
    assert_eq!(applied["metadata"]["labels"], json!({"team": "blue"}));
}

async fn tells_updates_from_applies(case: &Case) {
    let path = format!("{}?fieldManager=hand", case.path("configmaps"));
    let created = case.post(&path, config(json!({"key": "1"}))).await.ok(201);
    assert_eq!(
        fields(&created, "hand", "Update"),
        Some(&json!({"f:data": {".": {}, "f:key": {}}}))
    );
    assert_eq!(fields(&created, "hand", "Apply"), None);
    let status = apply(case, "configmaps/a", "longshore", config(json!({"key": "2"})))
        .await
        .refused(409, "Conflict");
    let message = status["message"].as_str().expect("a message");
    assert!(message.contains("conflict with \"hand\" using v1"), "{message}");
}

async fn wants_a_manager(case: &Case) {
    let answer = case
        .patch(&case.path("configmaps/a"), APPLY_PATCH, config(json!({})))
        .await;
    let code = answer.code;
    let body = answer.body;
    assert!(code == 400 || code == 422, "{code}: {body:#}");
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|message| message.contains("fieldManager")),
        "{body:#}"
    );
}

async fn applies_without_doing(case: &Case) {
    let path = format!("{}?fieldManager=longshore&dryRun=All", case.path("configmaps/a"));
    let tried = case
        .patch(&path, APPLY_PATCH, config(json!({"key": "1"})))
        .await
        .ok(201);
    assert!(fields(&tried, "longshore", "Apply").is_some());
    case.get(&case.path("configmaps/a"))
        .await
        .refused(404, "NotFound");
    let stored = apply(case, "configmaps/a", "longshore", config(json!({"key": "1"})))
        .await
        .ok(201);
    let tried = case
        .patch(&path, APPLY_PATCH, config(json!({"key": "2"})))
        .await
        .ok(200);
    assert_eq!(tried["data"]["key"], "2");
    assert_eq!(case.read("configmaps/a").await, stored);
}

async fn checks_the_version_when_given(case: &Case) {
    let stored = apply(case, "configmaps/a", "longshore", config(json!({"key": "1"})))
        .await
        .ok(201);
    apply(case, "configmaps/a", "longshore", config(json!({"key": "2"})))
        .await
        .ok(200);
    let mut stale = config(json!({"key": "3"}));
    stale["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"].clone();
    apply(case, "configmaps/a", "longshore", stale)
        .await
        .refused(409, "Conflict");
}

async fn refuses_what_is_invalid(case: &Case) {
    let mut body = web(Some(0), json!([]));
    body["spec"]["template"]["metadata"]["labels"] = json!({"app": "other"});
    apply(case, "deployments.apps/web", "longshore", body)
        .await
        .refused(422, "Invalid");
    let status = apply(case, "configmaps/b", "longshore", config(json!({})))
        .await
        .refused(400, "BadRequest");
    assert!(
        status["message"]
            .as_str()
            .is_some_and(|message| message.contains("name")),
        "{status:#}"
    );
}
