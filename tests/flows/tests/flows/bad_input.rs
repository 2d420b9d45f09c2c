//! What can't be done is refused with a stable code, and nothing is left half-done.

use api_types::Page;
use api_types::services::{Service, ServiceAccepted};
use flows::{System, TestClusters};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{WEB_1, runs, spec, web};

runs!(bad_input);

async fn bad_input(system: &mut System, clusters: &TestClusters) {
    kubeconfigs(system, clusters).await;
    specs(system).await;
    conflicts(system).await;
}

async fn kubeconfigs(system: &System, clusters: &TestClusters) {
    let good = &clusters.all[0];
    let nowhere = good.kubeconfig.replace(port_of(&good.kubeconfig), "1");
    let cases = [
        ("no-yaml", "{{{".to_owned(), "kubeconfig_invalid"),
        (
            "empty",
            "apiVersion: v1\nkind: Config\n".to_owned(),
            "kubeconfig_invalid",
        ),
        ("nowhere", nowhere, "cluster_unreachable"),
        ("twice", good.kubeconfig.clone(), "cluster_registered_twice"),
    ];
    for (name, kubeconfig, code) in cases {
        let body = json!({ "name": name, "region": "east", "kubeconfig": kubeconfig });
        let refusal = system.api.try_post("/clusters", &body).await.refusal();
        assert_eq!(refusal.code, code, "{name}: {refusal:?}");
    }
    let page: Page<Value> = system.api.get("/clusters").await;
    assert_eq!(
        page.items.len(),
        clusters.all.len(),
        "nothing half-registered: {page:?}"
    );
}

/// The port in the server's address.
fn port_of(kubeconfig: &str) -> &str {
    let server = kubeconfig.split("https://").nth(1).unwrap();
    let address = server.split(['"', '\n', '}', ',', '\'']).next().unwrap().trim();
    address.rsplit(':').next().unwrap()
}

async fn specs(system: &System) {
    let with = |change: fn(&mut Value)| {
        let mut body = web("bad", WEB_1, 1);
        change(&mut body);
        body
    };
    let cases: [(&str, Value, &str); 7] = [
        ("name", with(|body| body["name"] = json!("Not_A_Name")), "name"),
        (
            "image",
            with(|body| body["spec"]["image"] = json!("not an image")),
            "spec.image",
        ),
        (
            "port",
            with(|body| body["spec"]["ports"][0]["port"] = json!(0)),
            "spec.ports",
        ),
        (
            "env",
            with(|body| body["spec"]["env"][0]["name"] = json!("A B")),
            "spec.env",
        ),
        (
            "quantity",
            with(|body| body["spec"]["resources"]["cpu_limit"] = json!("lots")),
            "spec.resources",
        ),
        (
            "path",
            with(|body| body["spec"]["config_files"][0]["path"] = json!("relative")),
            "spec.config_files",
        ),
        (
            "user",
            with(|body| body["spec"]["run_as_user"] = json!(0)),
            "spec.run_as_user",
        ),
    ];
    for (name, body, field) in cases {
        let answer = system.api.try_post(&system.services(), &body).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{name}: {answer:?}"
        );
        let refusal = answer.refusal();
        assert_eq!(refusal.code, "invalid_spec", "{name}: {refusal:?}");
        let first = refusal.details["fields"][0]["field"].as_str().unwrap();
        assert!(
            first.starts_with(field),
            "{name}: {first} should be under {field}"
        );
    }
    let huge = with(|body| {
        body["spec"]["resources"]["cpu_request"] = json!("4000");
        body["spec"]["resources"]["cpu_limit"] = json!("4000");
    });
    let refusal = system.api.try_post(&system.services(), &huge).await.refusal();
    assert_eq!(refusal.code, "does_not_fit", "{refusal:?}");
    let page: Page<Value> = system.api.get(&system.services()).await;
    assert_eq!(page.items.len(), 0, "nothing was stored: {page:?}");
}

async fn conflicts(system: &System) {
    let accepted: ServiceAccepted = system.api.post(&system.services(), &web("web", WEB_1, 1)).await;
    let refusal = system
        .api
        .try_post(&system.services(), &web("web", WEB_1, 1))
        .await
        .refusal();
    assert_eq!(refusal.code, "service_exists", "{refusal:?}");
    let refusal = system
        .api
        .try_post(
            &format!("{}/releases", system.service("web")),
            &json!({ "revision": 99 }),
        )
        .await
        .refusal();
    assert_eq!(refusal.code, "revision_not_found", "{refusal:?}");

    let first: Service = system.api.get(&system.service("web")).await;
    assert!(first.version >= accepted.service.version);
    let revisions = format!("{}/revisions", system.service("web"));
    let edit = |greeting: &str| {
        let mut changed = spec(WEB_1);
        changed["env"][0]["value"] = json!(greeting);
        changed["secrets"][0]["value"] = Value::Null;
        let request = system
            .api
            .request(Method::POST, &revisions)
            .header("if-match", format!("\"{}\"", first.version));
        request.json(&json!({ "spec": changed, "release": false }))
    };
    assert!(system.api.send(edit("one")).await.unwrap().status.is_success());
    let answer = system.api.send(edit("two")).await.unwrap();
    assert_eq!(answer.status, StatusCode::CONFLICT, "{answer:?}");
    let refusal = answer.refusal();
    assert_eq!(refusal.code, "version_conflict", "{refusal:?}");
    assert!(
        refusal.details["changed_by"].is_string() && refusal.details["changed_fields"].is_array(),
        "{refusal:?}"
    );
    let answer = system
        .api
        .send(
            system
                .api
                .request(Method::POST, &revisions)
                .json(&json!({ "spec": spec(WEB_1) })),
        )
        .await
        .unwrap();
    assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED);
    system.api.delete(&system.service("web")).await;
}
