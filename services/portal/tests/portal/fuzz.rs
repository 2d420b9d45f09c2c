//! Queries of lists that nobody would send.

use api_types::access::Role;
use serde_json::Value;
use test_support::{Backend, fuzz};

use crate::stage::{PASSWORD, Stage};

const PARAMETERS: &[(&str, &[&str])] = &[
    ("sort", &["name", "-name", "created_at", "-created_at"]),
    ("limit", &["1", "2", "500", "0", "501"]),
    ("q", &["ann", "ANN", "admin", "%", "_"]),
    ("user", &["ann", "none"]),
    ("role", &["viewer", "operator"]),
    ("disabled", &["true", "false"]),
    ("everywhere", &["true", "false"]),
    ("project", &["shop"]),
    ("environment", &["test"]),
    ("actor", &["admin"]),
    ("action", &["create_user"]),
    ("target", &["user", "user/ann"]),
    ("outcome", &["succeeded", "failed,refused"]),
    (
        "since",
        &[
            "2026-01-01T00:00:00Z",
            "+262142-12-31T23:59:59Z",
            "-262143-01-01T00:00:00Z",
        ],
    ),
    (
        "until",
        &[
            "2026-01-01T00:00:00Z",
            "+262142-12-31T23:59:59Z",
            "-262143-01-01T00:00:00Z",
        ],
    ),
];

const LISTS: &[&str] = &[
    "/users",
    "/bindings",
    "/sessions",
    "/users/admin/sessions",
    "/api-tokens",
    "/sign-in-locks",
    "/audit",
    "/projects/shop/members",
];

#[tokio::test(flavor = "multi_thread")]
async fn any_query_of_a_list_gets_a_page_or_a_clear_refusal() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        stage.user("ann", Role::Viewer, Some("shop"), None).await;
        stage.user("bob", Role::Operator, None, None).await;
        assert_eq!(stage.try_sign_in("ann", &PASSWORD[1..]).await.status(), 401);
        let admin = stage.admin().await;
        let mut cursors = Vec::new();
        for list in LISTS {
            let path = format!("{list}?limit=1");
            let response = admin.with(stage.get(&path)).send().await.unwrap();
            let page: Value = response.json().await.unwrap();
            assert!(page["items"].is_array(), "{path}: {page}");
            cursors.extend(page["next_cursor"].as_str().map(str::to_owned));
        }
        assert!(cursors.len() > 3, "{cursors:?}");
        fuzz::ask_lists(file!(), 250, LISTS, PARAMETERS, cursors, async |path| {
            let response = admin.with(stage.get(path)).send().await.unwrap();
            let status = response.status().as_u16();
            let text = response.text().await.unwrap();
            (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
        });
    }
}
