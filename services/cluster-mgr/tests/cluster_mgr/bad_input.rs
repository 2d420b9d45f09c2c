//! What can't be taken is refused at its field, with nothing half-done.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::ipaas::kubeconfig;
use crate::world::{SERVICES, new_service, on_each, spec};

fn fields(reply: &Value) -> Vec<String> {
    reply["details"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn specs_are_refused_at_their_fields_and_nothing_is_kept() {
    on_each(async |world| {
        world.furnish().await;
        let refused = async |body: Value| {
            let reply = world
                .refused(
                    Method::POST,
                    SERVICES,
                    &[],
                    body,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid_spec",
                )
                .await;
            fields(&reply)
        };
        assert_eq!(refused(new_service("Web_1", 1)).await, ["name"]);
        assert_eq!(
            refused(json!({ "name": "web", "spec": spec("Not An Image") })).await,
            ["spec.image"]
        );
        assert_eq!(
            refused(
                json!({ "name": "x", "replicas": 100_000, "spec": { "image": "web", "run_as_user": 0 },
                "placement": { "clusters": ["north"] } })
            )
            .await,
            ["replicas", "placement.clusters[0]", "spec.run_as_user"]
        );
        let mut unknown = new_service("web", 1);
        unknown["spec"]["secrets"] = json!([{ "name": "TOKEN" }]);
        assert_eq!(refused(unknown).await, ["spec.secrets[0].value"]);
        let (status, reply) = world
            .call(
                Method::POST,
                SERVICES,
                &[],
                json!({ "name": "web", "spec": { "image": "web", "imag": 1 } }),
            )
            .await;
        assert_eq!(
            (status, reply["code"].as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, Some("invalid_body"))
        );
        let page: api_types::Page<Value> = world.get("/services").await;
        assert_eq!(page.items, Vec::<Value>::new());
        let page: api_types::Page<Value> = world.get("/operations").await;
        assert_eq!(page.items, Vec::<Value>::new());
    })
    .await;
}

#[tokio::test]
async fn resources_beyond_every_node_are_refused_with_the_largest_there_is() {
    on_each(async |world| {
        world.furnish().await;
        let mut large = new_service("web", 1);
        large["spec"]["resources"] =
            json!({ "cpu_request": "9", "cpu_limit": "9", "memory_request": "1Gi", "memory_limit": "1Gi" });
        let reply = world
            .refused(
                Method::POST,
                SERVICES,
                &[],
                large,
                StatusCode::UNPROCESSABLE_ENTITY,
                "does_not_fit",
            )
            .await;
        let message = reply["message"].as_str().unwrap();
        assert!(message.contains("asks for 9 CPU and 1 GiB"), "{message}");
        assert!(message.contains("has 8 CPU and 32 GiB"), "{message}");
        assert_eq!(reply["details"]["largest_node"]["cpu_millicores"], 8000);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    on_each(async |world| {
        world.furnish().await;
        world.running("web", 1).await;
        for (path, code) in [
            (format!("{SERVICES}/nothing"), "not_found"),
            (format!("{SERVICES}/web/revisions/7"), "revision_not_found"),
            (
                format!("{SERVICES}/web/revisions/1/diff?against=9"),
                "revision_not_found",
            ),
            ("/clusters/north".to_owned(), "not_found"),
            ("/projects/none".to_owned(), "not_found"),
            (
                "/projects/shop/environments/none/services".to_owned(),
                "not_found",
            ),
        ] {
            world
                .refused(Method::GET, &path, &[], json!(null), StatusCode::NOT_FOUND, code)
                .await;
        }
        let release = format!("{SERVICES}/web/releases");
        world
            .refused(
                Method::POST,
                &release,
                &[],
                json!({ "revision": 7 }),
                StatusCode::NOT_FOUND,
                "revision_not_found",
            )
            .await;
        for body in [
            json!({}),
            json!({ "revision": 1, "image": "web" }),
            json!({ "image": "No" }),
        ] {
            world
                .refused(
                    Method::POST,
                    &release,
                    &[],
                    body,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid_spec",
                )
                .await;
        }
        assert_eq!(world.service("web").await.revision, 1);
    })
    .await;
}

#[tokio::test]
async fn a_bad_kubeconfig_registers_nothing() {
    on_each(async |world| {
        world.register("east", "east").await;
        world.ipaas.add("down");
        world.ipaas.change("down", |cluster| cluster.up = false);
        for (text, code, status) in [
            (
                "rubbish".to_owned(),
                "kubeconfig_invalid",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            (
                kubeconfig("nowhere"),
                "cluster_unreachable",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            (
                kubeconfig("down"),
                "cluster_unreachable",
                StatusCode::UNPROCESSABLE_ENTITY,
            ),
            (
                kubeconfig("east"),
                "cluster_registered_twice",
                StatusCode::CONFLICT,
            ),
        ] {
            let body = json!({ "name": "next", "region": "east", "kubeconfig": text });
            let reply = world
                .refused(Method::POST, "/clusters", &[], body, status, code)
                .await;
            assert!(!reply.to_string().contains("kubeconfig of"), "{reply}");
        }
        let page: api_types::Page<Value> = world.get("/clusters").await;
        assert_eq!(page.items.len(), 1);
        assert_eq!(world.ipaas.connections(), ["east"]);
        // The name is free.
        world.register("next", "east").await;
        let taken = json!({ "name": "next", "region": "east", "kubeconfig": kubeconfig("down") });
        world
            .refused(
                Method::POST,
                "/clusters",
                &[],
                taken,
                StatusCode::CONFLICT,
                "cluster_exists",
            )
            .await;
        let reply = world
            .refused(
                Method::POST,
                "/clusters",
                &[],
                json!({ "name": "A", "region": "", "kubeconfig": " ", "labels": { "-": "" } }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_spec",
            )
            .await;
        assert_eq!(fields(&reply), ["name", "region", "labels[-]", "kubeconfig"]);
        world
            .refused(
                Method::POST,
                "/clusters/check",
                &[],
                json!({ "kubeconfig": "rubbish" }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "kubeconfig_invalid",
            )
            .await;
        let (status, reply) = world
            .post("/clusters/check", json!({ "kubeconfig": kubeconfig("east") }))
            .await;
        assert_eq!(
            (status, reply["kubernetes_version"].as_str()),
            (StatusCode::OK, Some("v1.33.1"))
        );
    })
    .await;
}

#[tokio::test]
async fn names_that_kubernetes_would_not_take_are_refused() {
    on_each(async |world| {
        world.furnish().await;
        for (path, body) in [
            ("/projects", json!({ "name": "Shop" })),
            ("/projects", json!({ "name": "x".repeat(41) })),
            ("/projects/shop/environments", json!({ "name": "pre_production" })),
            (
                "/projects/shop/environments",
                json!({ "name": "prod", "clusters": ["north"] }),
            ),
            (
                "/projects/shop/environments",
                json!({ "name": "prod", "failback": { "mode": "confirm", "after_minutes": 0, "percent": 0 } }),
            ),
            (
                "/projects/shop/environments",
                json!({ "name": "prod", "failback": { "mode": "confirm", "after_minutes": 10_081, "percent": 1 } }),
            ),
        ] {
            world
                .refused(
                    Method::POST,
                    path,
                    &[],
                    body,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid_spec",
                )
                .await;
        }
        // Two environments can't share a namespace.
        for name in ["shop-a", "shop"] {
            world.post("/projects", json!({ "name": name })).await;
        }
        let (status, _) = world
            .post("/projects/shop/environments", json!({ "name": "a-b" }))
            .await;
        assert_eq!(status, StatusCode::CREATED);
        world
            .refused(
                Method::POST,
                "/projects/shop-a/environments",
                &[],
                json!({ "name": "b" }),
                StatusCode::CONFLICT,
                "namespace_taken",
            )
            .await;
        world
            .refused(
                Method::POST,
                "/projects/shop/environments",
                &[],
                json!({ "name": "a-b" }),
                StatusCode::CONFLICT,
                "environment_exists",
            )
            .await;
    })
    .await;
}
