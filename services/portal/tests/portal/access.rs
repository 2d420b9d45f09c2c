//! Users, roles and API tokens.

use api_types::access::Role;
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::Backend;

use crate::stage::{Caller, PASSWORD, Stage, refusal};

const NEW_PASSWORD: &str = "staple correct horse";

#[tokio::test]
async fn a_token_stands_for_its_user_until_it_is_revoked() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let ann = stage.user("ann", Role::Viewer, None, None).await;
        let new = json!({ "name": "ci", "expires_in_days": 30 });
        let made = ann.with(stage.post("/api-tokens", &new)).send().await.unwrap();
        assert_eq!(made.status(), 201);
        let made: Value = made.json().await.unwrap();
        let secret = made["secret"].as_str().unwrap();
        assert!(secret.starts_with("lsp_") && secret.len() > 40);
        let machine = Caller::token(secret);

        let session: Value = machine
            .with(stage.get("/session"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(session["user"]["name"], "ann");
        assert_eq!(session["csrf_token"], Value::Null);
        let list: Value = ann
            .with(stage.get("/api-tokens"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(list["total_estimate"], 1);
        assert!(list["items"][0]["last_used_at"].is_string());
        assert!(!list.to_string().contains(secret));

        let response = machine
            .with(stage.post("/api-tokens", &new))
            .send()
            .await
            .unwrap();
        assert_eq!(refusal(response).await.1.code, "session_required");

        let path = format!("/api-tokens/{}", made["token"]["id"].as_str().unwrap());
        let bob = stage.user("bob", Role::Operator, None, None).await;
        let response = bob
            .with(stage.request(Method::DELETE, &path))
            .send()
            .await
            .unwrap();
        assert_eq!(
            response.status(),
            404,
            "another's token is nobody else's business"
        );
        let revoked = ann
            .with(stage.request(Method::DELETE, &path))
            .send()
            .await
            .unwrap();
        assert_eq!(revoked.status(), 204);
        assert_eq!(
            machine.with(stage.get("/session")).send().await.unwrap().status(),
            401
        );
    }
}

#[tokio::test]
async fn a_token_expires() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let new = json!({ "name": "short", "expires_in_days": 1 });
    let made: Value = admin
        .with(stage.post("/api-tokens", &new))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let machine = Caller::token(made["secret"].as_str().unwrap());
    assert_eq!(
        machine.with(stage.get("/session")).send().await.unwrap().status(),
        200
    );
    stage.advance(TimeDelta::days(1));
    assert_eq!(
        machine.with(stage.get("/session")).send().await.unwrap().status(),
        401
    );
    for rubbish in ["lsp_rubbish", "rubbish", ""] {
        let status = Caller::token(rubbish)
            .with(stage.get("/session"))
            .send()
            .await
            .unwrap()
            .status();
        assert_eq!(status, 401, "{rubbish:?}");
    }
}

#[tokio::test]
async fn a_repeated_call_is_done_once() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        for (path, body, other) in [
            (
                "/users",
                json!({ "name": "ann", "password": PASSWORD }),
                json!({ "name": "bob", "password": PASSWORD }),
            ),
            (
                "/bindings",
                json!({ "user": "admin", "grant": { "role": "viewer", "project": "shop" } }),
                json!({ "user": "admin", "grant": { "role": "viewer", "project": "bank" } }),
            ),
            ("/api-tokens", json!({ "name": "ci" }), json!({ "name": "cd" })),
        ] {
            let key = format!("key {path}");
            let call = async |body: &Value| {
                let request = admin.with(stage.post(path, body));
                request.header("idempotency-key", &key).send().await.unwrap()
            };
            let first = call(&body).await;
            assert_eq!(first.status(), 201);
            let first: Value = first.json().await.unwrap();
            let again: Value = call(&body).await.json().await.unwrap();
            assert_eq!(first, again, "{path}");
            assert_eq!(
                refusal(call(&other).await).await.1.code,
                "idempotency_key_reused",
                "{path}"
            );
        }
        let keys = portal_keys(&stage).await;
        assert!(!keys.contains("lsp_"), "a secret lies in the open: {keys}");
    }
}

async fn portal_keys(stage: &Stage) -> String {
    use sea_orm::EntityTrait as _;
    let rows = platform::idempotency::Entity::find()
        .all(&stage.foundation.database)
        .await
        .unwrap();
    assert_eq!(rows.len(), 3);
    format!("{rows:?}")
}

#[tokio::test]
async fn users_are_made_changed_listed_and_removed() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        for name in ["carol", "ann", "bob"] {
            let new = json!({ "name": name, "display_name": name.to_uppercase(), "password": PASSWORD });
            assert_eq!(
                admin
                    .with(stage.post("/users", &new))
                    .send()
                    .await
                    .unwrap()
                    .status(),
                201
            );
        }
        let taken = json!({ "name": "ANN", "password": PASSWORD });
        let response = admin.with(stage.post("/users", &taken)).send().await.unwrap();
        let (status, error) = refusal(response).await;
        assert_eq!((status, error.code.as_str()), (409, "user_exists"));
        let bad = json!({ "name": "a b", "password": "short", "email": "nowhere" });
        let (status, error) = refusal(admin.with(stage.post("/users", &bad)).send().await.unwrap()).await;
        assert_eq!((status, error.code.as_str()), (422, "invalid_spec"));
        let fields: Vec<&str> = error.details["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| field["field"].as_str().unwrap())
            .collect();
        assert_eq!(fields, ["email", "name", "password"]);

        let names = async |query: &str| -> (Vec<String>, Option<String>) {
            let page: Value = admin
                .with(stage.get(&format!("/users?{query}")))
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            let names = page["items"].as_array().unwrap().iter();
            let names = names
                .map(|user| user["name"].as_str().unwrap().to_owned())
                .collect();
            (names, page["next_cursor"].as_str().map(str::to_owned))
        };
        let (first, cursor) = names("limit=3&sort=name").await;
        assert_eq!(first, ["admin", "ann", "bob"]);
        let (rest, end) = names(&format!("limit=3&sort=name&cursor={}", cursor.unwrap())).await;
        assert_eq!((rest, end), (vec!["carol".to_owned()], None));
        assert_eq!(names("sort=-created_at&limit=2").await.0, ["bob", "ann"]);
        assert_eq!(names("q=CAR").await.0, ["carol"]);
        assert_eq!(
            names("q=%25").await.0,
            Vec::<String>::new(),
            "a wildcard is a plain character"
        );

        let patch = json!({ "email": "ann@example.org" });
        let ann: Value = admin
            .with(stage.request(Method::PATCH, "/users/ann").json(&patch))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(
            (&ann["email"], &ann["display_name"]),
            (&json!("ann@example.org"), &json!("ANN"))
        );
        let gone = admin
            .with(stage.request(Method::DELETE, "/users/ann"))
            .send()
            .await
            .unwrap();
        assert_eq!(gone.status(), 204);
        assert_eq!(
            admin.with(stage.get("/users/ann")).send().await.unwrap().status(),
            404
        );
    }
}

#[tokio::test]
async fn who_is_disabled_is_out_at_once() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let ann = stage.user("ann", Role::Developer, Some("shop"), None).await;
        let new = json!({ "name": "ci" });
        let made: Value = ann
            .with(stage.post("/api-tokens", &new))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let machine = Caller::token(made["secret"].as_str().unwrap());
        assert_eq!(
            machine.with(stage.get("/session")).send().await.unwrap().status(),
            200
        );
        let admin = stage.admin().await;
        let disable = async |disabled: bool| {
            let patch = json!({ "disabled": disabled });
            let request = stage.request(Method::PATCH, "/users/ann").json(&patch);
            assert_eq!(admin.with(request).send().await.unwrap().status(), 200);
        };
        disable(true).await;
        assert_eq!(
            ann.with(stage.get("/session")).send().await.unwrap().status(),
            401
        );
        assert_eq!(
            machine.with(stage.get("/session")).send().await.unwrap().status(),
            401
        );
        assert_eq!(stage.try_sign_in("ann", PASSWORD).await.status(), 401);
        disable(false).await;
        assert_eq!(
            ann.with(stage.get("/session")).send().await.unwrap().status(),
            401,
            "the old session is over"
        );
        assert_eq!(stage.try_sign_in("ann", PASSWORD).await.status(), 200);
    }
}

#[tokio::test]
async fn roles_take_effect_at_once() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let ann = stage.nobody("ann").await;
        let path = "/projects/shop/environments/test/services";
        assert_eq!(ann.with(stage.get(path)).send().await.unwrap().status(), 404);
        let grant = json!({ "role": "viewer", "project": "shop", "environment": "test" });
        let new = json!({ "user": "ann", "grant": grant });
        let made: Value = admin
            .with(stage.post("/bindings", &new))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(made["grant"], grant);
        assert_eq!(made["created_by"], "admin");
        assert_eq!(ann.with(stage.get(path)).send().await.unwrap().status(), 200);
        let twice = admin.with(stage.post("/bindings", &new)).send().await.unwrap();
        assert_eq!(refusal(twice).await.1.code, "binding_exists");
        let list: Value = admin
            .with(stage.get("/bindings?user=ann"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(list["items"], json!([made]));
        let path_of_binding = format!("/bindings/{}", made["id"].as_str().unwrap());
        let gone = admin
            .with(stage.request(Method::DELETE, &path_of_binding))
            .send()
            .await
            .unwrap();
        assert_eq!(gone.status(), 204);
        assert_eq!(ann.with(stage.get(path)).send().await.unwrap().status(), 404);
    }
}

#[tokio::test]
async fn roles_end_with_the_project_they_are_held_in() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
        let bob = stage.user("bob", Role::Viewer, Some("shop"), Some("test")).await;
        let delete = async |path: &str| {
            let response = admin
                .with(stage.request(Method::DELETE, path))
                .send()
                .await
                .unwrap();
            response.status().as_u16()
        };
        stage.cluster_mgr.answer(
            "/api/v1/projects/shop",
            409,
            json!({ "code": "in_use", "message": "no", "request_id": "" }),
        );
        assert_eq!(delete("/projects/shop").await, 409);
        assert_eq!(
            ann.with(stage.get("/projects/shop"))
                .send()
                .await
                .unwrap()
                .status(),
            409,
            "nothing was taken away"
        );
        assert_eq!(delete("/projects/shop/environments/test").await, 200);
        assert_eq!(
            bob.with(stage.get("/projects/shop"))
                .send()
                .await
                .unwrap()
                .status(),
            404
        );
        stage.cluster_mgr.answer("/api/v1/projects/shop", 200, json!({}));
        assert_eq!(delete("/projects/shop").await, 200);
        assert_eq!(
            ann.with(stage.get("/projects/shop"))
                .send()
                .await
                .unwrap()
                .status(),
            404
        );
    }
}

#[tokio::test]
async fn the_last_platform_admin_stays() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let list: Value = admin
            .with(stage.get("/bindings?user=admin"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let own = format!("/bindings/{}", list["items"][0]["id"].as_str().unwrap());
        let refused = async |request: reqwest::RequestBuilder| {
            let (status, error) = refusal(admin.with(request).send().await.unwrap()).await;
            assert_eq!((status, error.code.as_str()), (409, "last_platform_admin"));
        };
        refused(stage.request(Method::DELETE, "/users/admin")).await;
        refused(stage.request(Method::DELETE, &own)).await;
        refused(
            stage
                .request(Method::PATCH, "/users/admin")
                .json(&json!({ "disabled": true })),
        )
        .await;
        // A second one who can't sign in doesn't count.
        let ann = stage.user("ann", Role::PlatformAdmin, None, None).await;
        let disable = stage
            .request(Method::PATCH, "/users/ann")
            .json(&json!({ "disabled": true }));
        assert_eq!(admin.with(disable).send().await.unwrap().status(), 200);
        refused(stage.request(Method::DELETE, "/users/admin")).await;
        let enable = stage
            .request(Method::PATCH, "/users/ann")
            .json(&json!({ "disabled": false }));
        assert_eq!(admin.with(enable).send().await.unwrap().status(), 200);
        let gone = admin
            .with(stage.request(Method::DELETE, "/users/admin"))
            .send()
            .await
            .unwrap();
        assert_eq!(gone.status(), 204);
        drop(ann);
    }
}

#[tokio::test]
async fn of_two_admins_who_remove_each_other_one_stays() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let ann = stage.user("ann", Role::PlatformAdmin, None, None).await;
        let first = ann.with(stage.request(Method::DELETE, "/users/admin")).send();
        let second = admin.with(stage.request(Method::DELETE, "/users/ann")).send();
        let (first, second) = tokio::join!(first, second);
        let mut statuses = [
            first.unwrap().status().as_u16(),
            second.unwrap().status().as_u16(),
        ];
        statuses.sort_unstable();
        // The slower one is refused, or has lost its own session or role meanwhile.
        assert_eq!(statuses[0], 204);
        assert!([401, 403, 404, 409].contains(&statuses[1]), "{statuses:?}");
    }
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let ann = stage.user("ann", Role::Viewer, None, None).await;
        let elsewhere = stage.sign_in("ann").await;
        let change = async |caller: &Caller, user: &str, body: Value| {
            let path = format!("/users/{user}/password");
            caller.with(stage.post(&path, &body)).send().await.unwrap()
        };
        let none = change(&ann, "ann", json!({ "password": NEW_PASSWORD })).await;
        assert_eq!(
            refusal(none).await.1.details["fields"][0]["field"],
            "current_password"
        );
        let wrong = json!({ "current_password": "wrong password", "password": NEW_PASSWORD });
        assert_eq!(
            refusal(change(&ann, "ann", wrong).await).await.1.code,
            "wrong_password"
        );
        let short = json!({ "current_password": PASSWORD, "password": "short" });
        assert_eq!(refusal(change(&ann, "ann", short).await).await.0, 422);
        let others = change(&ann, "admin", json!({ "password": NEW_PASSWORD })).await;
        assert_eq!(refusal(others).await.1.code, "forbidden");
        let good = json!({ "current_password": PASSWORD, "password": NEW_PASSWORD });
        assert_eq!(change(&ann, "ann", good).await.status(), 204);
        assert_eq!(
            ann.with(stage.get("/session")).send().await.unwrap().status(),
            200
        );
        assert_eq!(
            elsewhere
                .with(stage.get("/session"))
                .send()
                .await
                .unwrap()
                .status(),
            401
        );
        assert_eq!(stage.try_sign_in("ann", NEW_PASSWORD).await.status(), 200);

        let admin = stage.admin().await;
        assert_eq!(
            change(&admin, "ann", json!({ "password": PASSWORD }))
                .await
                .status(),
            204
        );
        assert_eq!(
            ann.with(stage.get("/session")).send().await.unwrap().status(),
            401
        );
        assert_eq!(stage.try_sign_in("ann", PASSWORD).await.status(), 200);
        let unknown = change(&admin, "nobody", json!({ "password": PASSWORD })).await;
        assert_eq!(unknown.status(), 404);
    }
}

#[tokio::test]
async fn the_program_itself_can_put_access_right() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let foundation = &stage.foundation;
        assert_eq!(
            portal::setup::bootstrap_admin(foundation, None).await.unwrap(),
            None,
            "there is one"
        );
        let admin = stage.admin().await;
        let generated = portal::setup::reset_password(foundation, "Admin", None)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stage.try_sign_in("admin", PASSWORD).await.status(), 401);
        assert_eq!(stage.try_sign_in("admin", &generated).await.status(), 200);
        stage.advance(TimeDelta::seconds(6));
        assert_eq!(
            admin.with(stage.get("/session")).send().await.unwrap().status(),
            401
        );
        let (user, generated) = portal::setup::create_user(foundation, "Ann", Role::Operator, None)
            .await
            .unwrap();
        assert_eq!(user.name, "ann");
        let generated = generated.unwrap();
        assert_eq!(stage.try_sign_in("ann", &generated).await.status(), 200);
        for (password, fits) in [(generated.as_str(), true), ("wrong password", false), ("", false)] {
            let found = portal::setup::is_password_of(foundation, "ANN", password).await;
            assert_eq!(found.unwrap(), fits, "{password}");
        }
        let secret = portal::setup::issue_token(foundation, "ann", "ci").await.unwrap();
        let session: Value = Caller::token(&secret)
            .with(stage.get("/session"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(session["grants"], json!([{ "role": "operator" }]));
        assert!(
            portal::setup::reset_password(foundation, "nobody", None)
                .await
                .is_err()
        );
    }
}
