//! Users, their roles, sessions, locks and API tokens, as the pages of the company use them.

use api_types::access::Role;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::Backend;

use crate::stage::{Caller, PASSWORD, Stage, read, refusal};

async fn status(stage: &Stage, caller: &Caller, method: Method, path: &str) -> u16 {
    let response = caller.with(stage.request(method, path)).send().await.unwrap();
    response.status().as_u16()
}

fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_password_that_somebody_else_knows_is_changed_first() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let new = json!({ "name": "ann", "password": PASSWORD, "must_change_password": true });
        let made = admin.with(stage.post("/users", &new)).send().await.unwrap();
        assert_eq!(made.json::<Value>().await.unwrap()["must_change_password"], true);
        let grant = json!({ "user": "ann", "grant": { "role": "operator" } });
        admin.with(stage.post("/bindings", &grant)).send().await.unwrap();

        let ann = stage.sign_in("ann").await;
        assert_eq!(
            read(&stage, &ann, "/session").await["user"]["must_change_password"],
            true
        );
        for path in ["/users", "/services", "/roles", "/stream"] {
            let (status, error) = refusal(ann.with(stage.get(path)).send().await.unwrap()).await;
            assert_eq!(
                (status, error.code.as_str()),
                (403, "password_change_required"),
                "{path}"
            );
        }
        let same = json!({ "current_password": PASSWORD, "password": PASSWORD });
        let (code, error) = refusal(
            ann.with(stage.post("/users/ann/password", &same))
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(
            (code, error.details["fields"][0]["field"].as_str()),
            (422, Some("password"))
        );
        let other = json!({ "password": "another good one" });
        let (code, _) = refusal(
            ann.with(stage.post("/users/admin/password", &other))
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(code, 403);
        let change = json!({ "current_password": PASSWORD, "password": "another good one" });
        let changed = ann
            .with(stage.post("/users/ann/password", &change))
            .send()
            .await
            .unwrap();
        assert_eq!(changed.status(), 204);
        assert_eq!(
            status(&stage, &ann, Method::GET, "/services").await,
            200,
            "the same session goes on"
        );

        let reset = json!({ "password": "given by the admin", "must_change_password": true });
        let done = admin
            .with(stage.post("/users/ann/password", &reset))
            .send()
            .await
            .unwrap();
        assert_eq!(done.status(), 204);
        assert_eq!(
            status(&stage, &ann, Method::GET, "/session").await,
            401,
            "sessions of before are over"
        );
        assert_eq!(
            read(&stage, &admin, "/users/ann").await["must_change_password"],
            true
        );
    }
}

#[tokio::test]
async fn users_are_found_by_text_state_and_role() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        stage.user("ann", Role::Viewer, Some("shop"), None).await;
        stage
            .user("bob", Role::Developer, Some("shop"), Some("test"))
            .await;
        let patch = stage
            .request(Method::PATCH, "/users/bob")
            .json(&json!({ "disabled": true }));
        assert_eq!(admin.with(patch).send().await.unwrap().status(), 200);
        for (query, expected) in [
            ("", vec!["admin", "ann", "bob"]),
            ("?sort=-name", vec!["bob", "ann", "admin"]),
            ("?q=AN", vec!["ann"]),
            ("?disabled=true", vec!["bob"]),
            ("?disabled=false", vec!["admin", "ann"]),
            ("?role=developer", vec!["bob"]),
            ("?role=developer&disabled=false", vec![]),
        ] {
            assert_eq!(
                names(&read(&stage, &admin, &format!("/users{query}")).await),
                expected,
                "{query}"
            );
        }
        let page = read(&stage, &admin, "/users?limit=2").await;
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = read(&stage, &admin, &format!("/users?limit=2&cursor={cursor}")).await;
        assert_eq!(
            (names(&rest), rest["total_estimate"].as_u64()),
            (vec!["bob"], Some(3))
        );
        let bad = admin.with(stage.get("/users?role=king")).send().await.unwrap();
        assert_eq!(refusal(bad).await.1.code, "invalid_query");
    }
}

#[tokio::test]
async fn bindings_are_found_by_person_and_by_place() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
        stage
            .user("bob", Role::Developer, Some("shop"), Some("test"))
            .await;
        let eve = stage.user("eve", Role::Viewer, Some("bank"), None).await;
        for (query, expected) in [
            ("", vec!["admin", "ann", "bob", "eve"]),
            ("?everywhere=true", vec!["admin"]),
            ("?project=shop", vec!["ann", "bob"]),
            ("?project=shop&environment=test", vec!["bob"]),
            ("?user=EVE", vec!["eve"]),
            ("?q=b", vec!["bob"]),
            ("?role=viewer", vec!["eve"]),
        ] {
            let page = read(&stage, &admin, &format!("/bindings{query}")).await;
            let users: Vec<&str> = page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["user"].as_str().unwrap())
                .collect();
            assert_eq!(users, expected, "{query}");
        }
        let page = read(&stage, &admin, "/bindings?user=bob").await;
        let id = page["items"][0]["id"].as_str().unwrap();
        assert_eq!(
            read(&stage, &admin, &format!("/bindings/{id}")).await["user"],
            "bob"
        );

        let members = read(&stage, &ann, "/projects/shop/members").await;
        assert_eq!(members["total_estimate"], 2);
        let hidden = eve
            .with(stage.get("/projects/shop/members"))
            .send()
            .await
            .unwrap();
        assert_eq!(refusal(hidden).await.0, 404);
        let roles = read(&stage, &eve, "/roles").await;
        assert_eq!(roles["items"].as_array().unwrap().len(), 5);
        assert_eq!(roles["items"][0]["role"], "platform_admin");
        assert_eq!(roles["items"][0]["within_project"], false);
        assert!(
            roles["items"][4]["permissions"]
                .as_array()
                .unwrap()
                .contains(&json!("pod:logs"))
        );
    }
}

#[tokio::test]
async fn sessions_are_seen_and_ended() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let first = stage.user("ann", Role::Viewer, None, None).await;
        let second = stage.sign_in("ann").await;
        let third = stage.sign_in("ann").await;
        let page = read(&stage, &second, "/sessions").await;
        let items = page["items"].as_array().unwrap();
        let current: Vec<bool> = items
            .iter()
            .map(|item| item["current"].as_bool().unwrap())
            .collect();
        assert_eq!(current, [false, true, false], "newest first");
        assert_eq!(items[0]["remote_address"], "127.0.0.1");
        assert!(!page.to_string().contains("digest"));

        let oldest = items[2]["id"].as_str().unwrap().to_owned();
        let bob = stage.user("bob", Role::Operator, None, None).await;
        let path = format!("/sessions/{oldest}");
        assert_eq!(
            status(&stage, &bob, Method::DELETE, &path).await,
            404,
            "another's"
        );
        assert_eq!(status(&stage, &second, Method::DELETE, &path).await, 204);
        assert_eq!(status(&stage, &first, Method::GET, "/session").await, 401);
        assert_eq!(status(&stage, &second, Method::DELETE, "/sessions").await, 204);
        assert_eq!(status(&stage, &third, Method::GET, "/session").await, 401);
        assert_eq!(
            status(&stage, &second, Method::GET, "/session").await,
            200,
            "all but this one"
        );

        let seen = read(&stage, &bob, "/users/ann/sessions").await;
        assert_eq!(seen["total_estimate"], 1);
        assert_eq!(seen["items"][0]["current"], false);
        assert_eq!(
            status(&stage, &bob, Method::DELETE, "/users/ann/sessions").await,
            403
        );
        assert_eq!(
            status(&stage, &admin, Method::DELETE, "/users/ann/sessions").await,
            204
        );
        assert_eq!(status(&stage, &second, Method::GET, "/session").await, 401);
        assert_eq!(
            status(&stage, &admin, Method::GET, "/users/nobody/sessions").await,
            404
        );
    }
}

#[tokio::test]
async fn a_token_may_do_no_more_than_its_role_and_its_user() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
        let ask =
            |grant: Value| ann.with(stage.post("/api-tokens", &json!({ "name": "ci", "grant": grant })));
        for (grant, field) in [
            (json!({ "role": "developer" }), "grant"),
            (json!({ "role": "viewer", "project": "bank" }), "grant"),
            (json!({ "role": "operator" }), "grant"),
            (
                json!({ "role": "viewer", "environment": "test" }),
                "grant.environment",
            ),
        ] {
            let (code, error) = refusal(ask(grant.clone()).send().await.unwrap()).await;
            assert_eq!(
                (code, error.details["fields"][0]["field"].as_str()),
                (422, Some(field)),
                "{grant}"
            );
        }
        let grant = json!({ "role": "developer", "project": "shop", "environment": "test" });
        let made: Value = ask(grant.clone()).send().await.unwrap().json().await.unwrap();
        assert_eq!(made["token"]["grant"], grant);
        let token = Caller::token(made["secret"].as_str().unwrap());
        assert_eq!(read(&stage, &token, "/session").await["grants"], json!([grant]));
        let test = "/projects/shop/environments/test/services/web";
        let live = "/projects/shop/environments/production/services/web";
        assert_eq!(status(&stage, &token, Method::GET, test).await, 200);
        assert_eq!(status(&stage, &token, Method::GET, live).await, 404);
        assert_eq!(
            status(&stage, &token, Method::DELETE, test).await,
            403,
            "no developer deletes"
        );
        assert_eq!(
            status(&stage, &ann, Method::DELETE, test).await,
            200,
            "but its user"
        );

        let listed = read(&stage, &admin, "/users/ann/api-tokens").await;
        assert_eq!(listed["items"][0]["grant"], grant);
        assert!(listed["items"][0]["last_used_at"].is_string());
        assert!(!listed.to_string().contains(made["secret"].as_str().unwrap()));

        let page = read(&stage, &admin, "/bindings?user=ann").await;
        let binding = page["items"][0]["id"].as_str().unwrap();
        assert_eq!(
            status(&stage, &admin, Method::DELETE, &format!("/bindings/{binding}")).await,
            204
        );
        assert_eq!(
            read(&stage, &token, "/session").await["grants"],
            json!([]),
            "the role ended for its user"
        );
    }
}

#[tokio::test]
async fn a_lock_counts_for_all_replicas_and_is_lifted_for_all() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let other = stage.replica().await;
        let admin = stage.admin().await;
        for number in 0..6 {
            let place = if number % 2 == 0 { &stage } else { &other };
            assert_eq!(place.try_sign_in("ann", "wrong password").await.status(), 401);
        }
        for place in [&stage, &other] {
            let (status, error) = refusal(place.try_sign_in("ann", "wrong password").await).await;
            assert_eq!((status, error.code.as_str()), (429, "too_many_attempts"));
        }
        let locks = read(&other, &admin, "/sign-in-locks?q=AN").await;
        assert_eq!(locks["total_estimate"], 1);
        let lock = &locks["items"][0];
        assert_eq!(
            (&lock["name"], &lock["address"]),
            (&json!("ann"), &json!("127.0.0.1"))
        );
        assert_eq!(lock["failures"], 6);
        let path = format!("/sign-in-locks/{}", lock["id"].as_str().unwrap());
        let viewer = stage.user("vera", Role::Operator, None, None).await;
        assert_eq!(status(&stage, &viewer, Method::DELETE, &path).await, 403);
        assert_eq!(status(&stage, &admin, Method::DELETE, &path).await, 204);
        assert_eq!(status(&stage, &admin, Method::DELETE, &path).await, 404);
        assert_eq!(
            other.try_sign_in("ann", "wrong password").await.status(),
            401,
            "open again"
        );
        assert_eq!(
            stage
                .audit("action=lift_sign_in_lock&outcome=succeeded")
                .await
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn many_names_from_one_address_are_bounded() {
    let stage = Stage::new(Backend::Sqlite).await;
    let mut refused = 0;
    for number in 0..55 {
        let response = stage
            .try_sign_in(&format!("user{number}"), "wrong password")
            .await;
        refused += usize::from(response.status() == 429);
    }
    assert_eq!(refused, 4);
}
