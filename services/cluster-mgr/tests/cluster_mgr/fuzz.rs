//! Queries, paths and bodies that nobody would send: answered or refused, never an internal error.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use test_support::fuzz;

use crate::world::{SERVICES, World, new_service, on_each};

const PARAMETERS: &[(&str, &[&str])] = &[
    (
        "sort",
        &[
            "name",
            "-name",
            "updated_at",
            "-updated_at",
            "state",
            "-state",
            "project",
            "-project",
            "region",
        ],
    ),
    ("limit", &["1", "2", "500", "0", "501"]),
    ("q", &["web", "WEB", "registry", "%", "_"]),
    ("project", &["shop", "none"]),
    ("environment", &["test"]),
    ("service", &["web"]),
    ("cluster", &["east", "none"]),
    ("every", &["hour", "day", "month", "total"]),
    ("by", &["project", "service", "cluster"]),
    ("from", &["2026-11-01T00:00:00Z", "-262143-01-01T00:00:00Z"]),
    ("to", &["2026-12-01T00:00:00Z", "+262142-12-31T00:00:00Z"]),
    ("time_zone", &["UTC", "Asia/Kolkata", "Nowhere"]),
    ("state", &["running", "failed,stopped", "succeeded"]),
];

const LISTS: &[&str] = &[
    "/services",
    SERVICES,
    "/operations",
    "/clusters",
    "/projects",
    "/projects/shop/environments",
    "/projects/shop/environments/test/services/web/revisions",
];

/// Empty for as long as the test takes.
const EMPTY_LISTS: &[&str] = &["/usage"];

/// Two of everything that is listed, so that every list has a second page.
async fn fill(world: &World) {
    world.furnish().await;
    world.post("/projects", json!({ "name": "bank" })).await;
    let (status, _) = world
        .post("/projects/shop/environments", json!({ "name": "next" }))
        .await;
    assert_eq!(status, StatusCode::CREATED);
    for name in ["web", "cart"] {
        world
            .accepted(Method::POST, SERVICES, &[], new_service(name, 1))
            .await;
    }
    let version = world.service("web").await.version.to_string();
    let mut spec = new_service("web", 1)["spec"].clone();
    spec["args"] = json!(["--other"]);
    world
        .accepted(
            Method::POST,
            &format!("{SERVICES}/web/revisions"),
            &[("if-match", &version)],
            json!({ "spec": spec }),
        )
        .await;
}

/// A cursor of every list in every order that it has.
async fn cursors(world: &World) -> Vec<String> {
    let mut cursors = Vec::new();
    for list in LISTS {
        let before = cursors.len();
        for sort in ["name", "-name", "updated_at", "-state", "project"] {
            let path = format!("{list}?limit=1&sort={sort}");
            let (status, page) = world.call(Method::GET, &path, &[], Value::Null).await;
            if status.is_success() {
                cursors.push(page["next_cursor"].as_str().expect("a second page").to_owned());
            }
        }
        assert!(cursors.len() > before, "{list}");
    }
    cursors
}

#[tokio::test(flavor = "multi_thread")]
async fn any_query_of_a_list_gets_a_page_or_a_clear_refusal() {
    on_each(async |world| {
        fill(&world).await;
        let cursors = cursors(&world).await;
        let lists = [LISTS, EMPTY_LISTS].concat();
        fuzz::ask_lists(file!(), 250, &lists, PARAMETERS, cursors, async |path| {
            let (status, body) = world.call(Method::GET, path, &[], Value::Null).await;
            (status.as_u16(), body)
        });
    })
    .await;
}

/// Nothing broke: it was answered, or refused with a code.
fn refused_at_most(what: &str, status: StatusCode, body: &Value) -> Result<(), TestCaseError> {
    prop_assert!(status.as_u16() < 500, "{what}: {status} {body}");
    prop_assert!(
        status.is_success() || body["code"].is_string(),
        "{what}: {status} {body}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn any_word_of_a_path_names_something_or_nothing() {
    on_each(async |world| {
        fill(&world).await;
        let word = prop_oneof![1 => proptest::sample::select(&["shop", "test", "web", "1"][..]).prop_map(str::to_owned), 2 => fuzz::text()]
            // Dots and nothing are not words of a path, but ways in it.
            .prop_map(|word| if word.chars().all(|character| character == '.') { "a".to_owned() } else { word });
        let strategy = (0..6_usize, word.clone(), word.clone(), word.clone(), word);
        fuzz::ask(file!(), 150, &strategy, async |(depth, a, b, c, d)| {
            let [a, b, c, d] = [a, b, c, d].map(|word| fuzz::escaped(word.as_bytes()));
            let path = match depth {
                0 => format!("/projects/{a}"),
                1 => format!("/projects/{a}/environments/{b}"),
                2 => format!("/projects/{a}/environments/{b}/services/{c}"),
                3 => format!("/projects/{a}/environments/{b}/services/{c}/revisions/{d}"),
                4 => format!("/clusters/{a}"),
                _ => format!("/operations/{a}"),
            };
            let (status, body) = world.call(Method::GET, &path, &[], Value::Null).await;
            refused_at_most(&path, status, &body)
        });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_body_is_taken_or_refused() {
    on_each(async |world| {
        fill(&world).await;
        let mut service = new_service("web", 1);
        service["description"] = json!("the shop");
        service["comment"] = json!("first");
        service["placement"] = json!({ "strategy": { "type": "weights", "weights": { "east": 2 } }, "clusters": ["east"] });
        service["spec"]["env"] = json!([{ "name": "A", "value": "b" }]);
        service["spec"]["config_files"] = json!([{ "path": "/etc/a", "content": "b" }]);
        service["spec"]["secrets"] = json!([{ "name": "TOKEN", "value": "c" }]);
        let strategy = prop_oneof![
            4 => fuzz::changed(service).prop_map(|body| (SERVICES, body)),
            1 => fuzz::changed(json!({ "name": "shop", "description": "d" })).prop_map(|body| ("/projects", body)),
            1 => fuzz::changed(json!({ "name": "test", "description": "d", "clusters": ["east"] }))
                .prop_map(|body| ("/projects/shop/environments", body)),
        ];
        fuzz::ask(file!(), 150, &strategy, async |(path, body)| {
            let (status, reply) = world.call(Method::POST, path, &[], body.clone()).await;
            refused_at_most(&format!("{path} {body}"), status, &reply)
        });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_policy_is_taken_or_refused() {
    on_each(async |world| {
        fill(&world).await;
        let path = format!("{SERVICES}/web/autoscaling");
        let policy = json!({
            "min_replicas": 1, "max_replicas": 3, "rounding": "ceil", "tolerance_percent": 10, "foresight_seconds": 75,
            "metrics": [
                { "source": { "type": "cpu", "of": "limit" }, "target": 50.0 },
                { "source": { "type": "promql", "query": "queue" }, "target": 1.5 },
            ],
            "up": { "stabilization_seconds": 60, "select": "max", "steps": [{ "unit": "percent", "value": 100, "period_seconds": 15 }] },
            "schedules": [{
                "name": "sale", "cron": "0 8 * * 1-5", "time_zone": "Asia/Shanghai", "minutes": 60,
                "min_replicas": 2, "max_replicas": 4,
            }],
            "dry_run": true,
        });
        fuzz::ask(file!(), 150, &fuzz::changed(policy), async |body| {
            let known: Value = world.get(&path).await;
            let version = known["version"].to_string();
            let headers = [("if-match", version.as_str())];
            let (status, reply) = world.call(Method::PUT, &path, &headers, body.clone()).await;
            refused_at_most(&format!("{path} {body}"), status, &reply)
        });
        // Whatever was taken, the loop goes on.
        let (status, known) = world.call(Method::GET, &path, &[], Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{known}");
    })
    .await;
}
