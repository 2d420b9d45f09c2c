//! Lists: filters, orders, pages, and what a caller may see of them.

use api_types::Page;
use api_types::access::{Grant, Role};
use api_types::operations::Operation;
use api_types::projects::Project;
use api_types::services::{Service, ServiceState};
use auth::Caller;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{World, new_service, on_each, read};

async fn create(world: &World, project: &str, environment: &str, name: &str, replicas: u32) {
    let path = format!("/projects/{project}/environments/{environment}/services");
    let accepted = world
        .accepted(Method::POST, &path, &[], new_service(name, replicas))
        .await;
    world.succeeded(&accepted).await;
}

/// Three services in `shop/test`, one in `bank/test`.
async fn fill(world: &World) {
    world.furnish().await;
    world.post("/projects", json!({ "name": "bank" })).await;
    world
        .post("/projects/bank/environments", json!({ "name": "test" }))
        .await;
    create(world, "shop", "test", "web", 2).await;
    create(world, "shop", "test", "cart", 1).await;
    create(world, "shop", "test", "idle", 0).await;
    create(world, "bank", "test", "web", 1).await;
}

async fn names(world: &World, query: &str) -> Vec<String> {
    let page: Page<Service> = world.get(&format!("/services?{query}")).await;
    page.items
        .iter()
        .map(|service| format!("{}/{}", service.project, service.name))
        .collect()
}

#[tokio::test]
async fn services_are_filtered_sorted_and_paged() {
    on_each(async |world| {
        fill(&world).await;
        assert_eq!(
            names(&world, "").await,
            ["shop/cart", "shop/idle", "bank/web", "shop/web"]
        );
        assert_eq!(
            names(&world, "sort=-name").await,
            ["shop/web", "bank/web", "shop/idle", "shop/cart"]
        );
        assert_eq!(
            names(&world, "sort=project").await,
            ["bank/web", "shop/cart", "shop/idle", "shop/web"]
        );
        assert_eq!(names(&world, "sort=updated_at").await[0], "shop/web");
        assert_eq!(names(&world, "sort=-state").await[0], "shop/idle");
        assert_eq!(names(&world, "project=bank").await, ["bank/web"]);
        assert_eq!(
            names(&world, "project=shop&environment=test&state=stopped,failed").await,
            ["shop/idle"]
        );
        assert_eq!(names(&world, "q=WEB").await.len(), 4, "the image has it too");
        assert_eq!(names(&world, "q=car").await, ["shop/cart"]);
        assert_eq!(
            names(&world, "q=%25").await,
            Vec::<String>::new(),
            "a pattern is no text"
        );
        let placed = world.spread("cart").await;
        let there = placed
            .iter()
            .find(|(_, replicas)| *replicas > 0)
            .unwrap()
            .0
            .clone();
        assert!(
            names(&world, &format!("cluster={there}"))
                .await
                .contains(&"shop/cart".to_owned())
        );
        assert_eq!(names(&world, "cluster=north").await, Vec::<String>::new());

        for sort in [
            "name",
            "-name",
            "state",
            "-state",
            "updated_at",
            "-updated_at",
            "project",
            "-project",
        ] {
            let whole = names(&world, &format!("sort={sort}")).await;
            let mut parts = Vec::new();
            let mut cursor = String::new();
            loop {
                let page: Page<Service> = world
                    .get(&format!("/services?sort={sort}&limit=1&cursor={cursor}"))
                    .await;
                assert_eq!(page.total_estimate, 4);
                parts.extend(
                    page.items
                        .iter()
                        .map(|service| format!("{}/{}", service.project, service.name)),
                );
                match page.next_cursor {
                    Some(next) => cursor = next,
                    None => break,
                }
            }
            assert_eq!(parts, whole, "{sort}");
        }
        let page: Page<Service> = world.get("/services?limit=1").await;
        let cursor = page.next_cursor.unwrap();
        for (query, code) in [
            ("cursor=rubbish".to_owned(), "invalid_cursor"),
            (format!("q={}", "a".repeat(60_000)), "invalid_query"),
            ("q=a%00b".to_owned(), "invalid_query"),
            ("project=%00".to_owned(), "invalid_query"),
            (format!("cursor={cursor}&sort=-name"), "invalid_cursor"),
            ("sort=color".to_owned(), "invalid_sort"),
            ("state=purple".to_owned(), "invalid_query"),
            ("limit=many".to_owned(), "invalid_query"),
        ] {
            world
                .refused(
                    Method::GET,
                    &format!("/services?{query}"),
                    &[],
                    json!(null),
                    StatusCode::BAD_REQUEST,
                    code,
                )
                .await;
        }
    })
    .await;
}

async fn get<T: serde::de::DeserializeOwned>(world: &World, caller: &Caller, path: &str) -> T {
    let reply = world.request(caller, Method::GET, &format!("/api/v1{path}"));
    let (status, body) = read(reply.send().await.unwrap()).await;
    assert!(status.is_success(), "{path}: {status} {body}");
    serde_json::from_value(body).unwrap()
}

#[tokio::test]
async fn lists_show_only_what_the_caller_may_see() {
    on_each(async |world| {
        fill(&world).await;
        let banker = Caller {
            subject: "b".to_owned(),
            name: "bo".to_owned(),
            grants: vec![Grant {
                role: Role::Viewer,
                project: Some("bank".to_owned()),
                environment: Some("test".to_owned()),
            }],
        };
        let page: Page<Service> = get(&world, &banker, "/services").await;
        assert_eq!(page.items.len(), 1);
        assert_eq!((page.items[0].project.as_str(), page.total_estimate), ("bank", 1));
        let page: Page<Service> = get(&world, &banker, "/services?project=shop").await;
        assert_eq!(page.items, []);
        let page: Page<Project> = get(&world, &banker, "/projects").await;
        assert_eq!(page.items.len(), 1);
        assert_eq!((page.items[0].name.as_str(), page.items[0].services), ("bank", 1));
        let page: Page<Operation> = get(&world, &banker, "/operations").await;
        assert_eq!(page.items.len(), 1);
        let all: Page<Operation> = world.get("/operations?project=shop").await;
        assert_eq!(all.items.len(), 3);
        let hidden = format!("/api/v1/operations/{}", all.items[0].id);
        let reply = world.request(&banker, Method::GET, &hidden).send().await.unwrap();
        assert_eq!(reply.status(), StatusCode::NOT_FOUND);
        let overview: Value = get(&world, &banker, "/overview").await;
        assert_eq!(
            (&overview["services"]["running"], &overview["replicas_wanted"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(overview["recent_operations"].as_array().unwrap().len(), 1);

        let nobody = Caller {
            subject: "n".to_owned(),
            name: "no".to_owned(),
            grants: vec![],
        };
        for path in ["/services", "/projects", "/operations"] {
            let page: Page<Value> = get(&world, &nobody, path).await;
            assert_eq!((page.items.len(), page.total_estimate), (0, 0), "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn releasing_a_new_revision_needs_the_right_to_release() {
    on_each(async |world| {
        fill(&world).await;
        // No role writes without releasing, so the caller's grants are put together by hand.
        let writer = Caller {
            subject: "w".to_owned(),
            name: "wo".to_owned(),
            grants: vec![Grant {
                role: Role::Developer,
                project: Some("bank".to_owned()),
                environment: None,
            }],
        };
        let path = "/api/v1/projects/shop/environments/test/services/web/revisions";
        let reply = world
            .request(&writer, Method::POST, path)
            .header("if-match", "1")
            .json(&json!({ "spec": { "image": "web:2" } }))
            .send()
            .await
            .unwrap();
        let (status, body) = read(reply).await;
        assert_eq!(
            (status, body["code"].as_str()),
            (StatusCode::FORBIDDEN, Some("forbidden"))
        );
    })
    .await;
}

#[tokio::test]
async fn operations_are_listed_newest_first() {
    on_each(async |world| {
        fill(&world).await;
        let mut titles = Vec::new();
        let mut cursor = String::new();
        loop {
            let page: Page<Operation> = world
                .get(&format!("/operations?limit=1&state=succeeded&cursor={cursor}"))
                .await;
            assert_eq!(page.total_estimate, 4);
            titles.extend(page.items.into_iter().map(|operation| operation.title));
            match page.next_cursor {
                Some(next) => cursor = next,
                None => break,
            }
        }
        assert_eq!(
            titles,
            [
                "create bank/test/web",
                "create shop/test/idle",
                "create shop/test/cart",
                "create shop/test/web"
            ]
        );
        let page: Page<Operation> = world.get("/operations?service=cart").await;
        assert_eq!(page.items.len(), 1);
        let idle = world.service("idle").await;
        assert_eq!(idle.status.state, ServiceState::Stopped);
    })
    .await;
}
