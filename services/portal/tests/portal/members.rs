//! Roles within a project, as its owners give and take them.

use api_types::access::Role;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use test_support::Backend;

use crate::stage::{Caller, PASSWORD, Stage, read, refusal};

const MEMBERS: &str = "/projects/shop/members";

async fn give(stage: &Stage, caller: &Caller, member: Value) -> Response {
    give_in(stage, caller, MEMBERS, member).await
}

async fn give_in(stage: &Stage, caller: &Caller, members: &str, member: Value) -> Response {
    caller.with(stage.post(members, &member)).send().await.unwrap()
}

async fn take(stage: &Stage, caller: &Caller, id: &str) -> Response {
    take_in(stage, caller, MEMBERS, id).await
}

async fn take_in(stage: &Stage, caller: &Caller, members: &str, id: &str) -> Response {
    let request = stage.request(Method::DELETE, &format!("{members}/{id}"));
    caller.with(request).send().await.unwrap()
}

async fn code(response: Response) -> (u16, String) {
    let (status, error) = refusal(response).await;
    (status, error.code)
}

/// The id of what a user holds in a place.
async fn binding_of(stage: &Stage, user: &str, project: &str) -> String {
    let admin = stage.admin().await;
    let page = read(stage, &admin, &format!("/bindings?user={user}&project={project}")).await;
    page["items"][0]["id"].as_str().expect("a binding").to_owned()
}

#[tokio::test]
async fn an_owner_gives_and_takes_roles_in_the_project() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
        let bob = stage.nobody("bob").await;
        let web = "/projects/shop/environments/test/services/web";
        assert_eq!(bob.with(stage.get(web)).send().await.unwrap().status(), 404);

        let member = json!({ "user": "Bob", "role": "developer", "environment": "test" });
        let made = give(&stage, &ann, member.clone()).await;
        assert_eq!(made.status(), 201);
        let made: Value = made.json().await.unwrap();
        let grant = json!({ "role": "developer", "project": "shop", "environment": "test" });
        assert_eq!(
            (&made["user"], &made["grant"], &made["created_by"]),
            (&json!("bob"), &grant, &json!("ann"))
        );
        assert_eq!(
            bob.with(stage.get(web)).send().await.unwrap().status(),
            200,
            "at once"
        );
        assert_eq!(
            code(give(&stage, &ann, member).await).await,
            (409, "binding_exists".to_owned())
        );
        let id = made["id"].as_str().unwrap();
        assert_eq!(read(&stage, &ann, &format!("{MEMBERS}/{id}")).await, made);

        assert_eq!(take(&stage, &ann, id).await.status(), 204);
        assert_eq!(
            bob.with(stage.get(web)).send().await.unwrap().status(),
            404,
            "at once"
        );
        assert_eq!(
            code(take(&stage, &ann, id).await).await,
            (404, "not_found".to_owned())
        );

        // The owner finds both in the project's audit, with what was given and taken.
        for (action, before, after) in [
            ("create_member", &Value::Null, &grant),
            ("delete_member", &grant, &Value::Null),
        ] {
            let rows = stage
                .audit_as(&ann, &format!("project=shop&outcome=succeeded&action={action}"))
                .await;
            assert_eq!(rows.len(), 1, "{action}");
            let row = read(
                &stage,
                &ann,
                &format!("/audit/{}", rows[0]["id"].as_str().unwrap()),
            )
            .await;
            assert_eq!(row["record"]["actor"], "ann");
            let grant_of = |object: &Value| object.get("grant").cloned().unwrap_or(Value::Null);
            assert_eq!(
                (&grant_of(&row["before"]), &grant_of(&row["after"])),
                (before, after),
                "{action}"
            );
        }
    }
}

#[tokio::test]
async fn nobody_gives_more_than_they_hold_or_elsewhere() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
        let dev = stage.user("dev", Role::Developer, Some("shop"), None).await;
        let part = stage
            .user("part", Role::ProjectOwner, Some("shop"), Some("test"))
            .await;
        let eve = stage.user("eve", Role::ProjectOwner, Some("bank"), None).await;
        stage.nobody("bob").await;
        let viewer = json!({ "user": "bob", "role": "viewer" });
        for (caller, expected) in [
            (&dev, (403, "forbidden")),
            // An environment is not the project.
            (&part, (403, "forbidden")),
            (&eve, (404, "not_found")),
        ] {
            let (status, code) = code(give(&stage, caller, viewer.clone()).await).await;
            assert_eq!((status, code.as_str()), expected);
        }
        for (member, field) in [
            (json!({ "user": "bob", "role": "platform_admin" }), "role"),
            (json!({ "user": "bob", "role": "operator" }), "role"),
            (
                json!({ "user": "bob", "role": "viewer", "environment": "Test!" }),
                "environment",
            ),
            (json!({ "user": "nobody-of-this-name", "role": "viewer" }), "user"),
        ] {
            let (status, error) = refusal(give(&stage, &ann, member.clone()).await).await;
            assert_eq!(
                (status, error.details["fields"][0]["field"].as_str()),
                (422, Some(field)),
                "{member}"
            );
        }
        // Neither another project's roles nor those of the platform are reached through this one.
        for id in [
            binding_of(&stage, "eve", "bank").await,
            binding_of(&stage, "admin", "").await,
        ] {
            assert_eq!(
                code(take(&stage, &ann, &id).await).await,
                (404, "not_found".to_owned())
            );
            let hidden = ann
                .with(stage.get(&format!("{MEMBERS}/{id}")))
                .send()
                .await
                .unwrap();
            assert_eq!(hidden.status(), 404);
        }
        // A token that may do less than its user gives no roles.
        let new = json!({ "name": "ci", "grant": { "role": "developer", "project": "shop" } });
        let made = ann.with(stage.post("/api-tokens", &new)).send().await.unwrap();
        let secret = made.json::<Value>().await.unwrap()["secret"]
            .as_str()
            .unwrap()
            .to_owned();
        let refused = give(&stage, &Caller::token(&secret), viewer.clone()).await;
        assert_eq!(code(refused).await.0, 403);
        // An operator owns every project, and gives what an owner holds.
        let operator = stage.user("olga", Role::Operator, None, None).await;
        assert_eq!(give(&stage, &operator, viewer).await.status(), 201);
    }
}

#[tokio::test]
async fn an_owner_of_an_environment_gives_and_takes_roles_in_it_alone() {
    const OWN: &str = "/projects/shop/environments/test/members";
    const OTHER: &str = "/projects/shop/environments/production/members";
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let part = stage
            .user("part", Role::ProjectOwner, Some("shop"), Some("test"))
            .await;
        let dev = stage
            .user("dev", Role::Developer, Some("shop"), Some("test"))
            .await;
        let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
        let bob = stage.nobody("bob").await;
        let service = |environment: &str| {
            let path = format!("/projects/shop/environments/{environment}/services/web");
            bob.with(stage.get(&path)).send()
        };
        let found = read(
            &stage,
            &part,
            "/projects/shop/environments/test/member-candidates?q=bo",
        )
        .await;
        assert_eq!(found["items"][0]["name"], "bob");

        let member = json!({ "user": "bob", "role": "developer" });
        let made = give_in(&stage, &part, OWN, member.clone()).await;
        assert_eq!(made.status(), 201);
        let made: Value = made.json().await.unwrap();
        assert_eq!(
            made["grant"],
            json!({ "role": "developer", "project": "shop", "environment": "test" })
        );
        assert_eq!(service("test").await.unwrap().status(), 200);
        assert_eq!(service("production").await.unwrap().status(), 404);
        let id = made["id"].as_str().unwrap();
        assert_eq!(read(&stage, &part, &format!("{OWN}/{id}")).await, made);
        assert_eq!(read(&stage, &part, OWN).await["total_estimate"], 3);
        let admin = json!({ "user": "bob", "role": "operator" });
        let (status, error) = refusal(give_in(&stage, &part, OWN, admin).await).await;
        assert_eq!(
            (status, error.details["fields"][0]["field"].as_str()),
            (422, Some("role"))
        );

        // Neither elsewhere, nor by who doesn't own it, nor what is not a role of this environment.
        assert_eq!(
            code(give_in(&stage, &part, OTHER, member.clone()).await).await.0,
            404
        );
        assert_eq!(
            code(give_in(&stage, &dev, OWN, member.clone()).await).await.0,
            403
        );
        let whole = binding_of(&stage, "ann", "shop").await;
        for members in [OWN, OTHER] {
            let refused = take_in(&stage, &part, members, &whole).await;
            assert_eq!(code(refused).await.0, 404, "{members}");
        }
        assert_eq!(code(take_in(&stage, &ann, OTHER, id).await).await.0, 404);

        assert_eq!(take_in(&stage, &part, OWN, id).await.status(), 204);
        assert_eq!(service("test").await.unwrap().status(), 404);
        let rows = stage
            .audit_as(
                &part,
                "project=shop&outcome=succeeded&action=delete_environment_member",
            )
            .await;
        let row = read(
            &stage,
            &part,
            &format!("/audit/{}", rows[0]["id"].as_str().unwrap()),
        )
        .await;
        assert_eq!(row["before"]["user"], "bob");
        // The project has its owner, so an environment needs none.
        let own = binding_of(&stage, "part", "shop").await;
        assert_eq!(take_in(&stage, &part, OWN, &own).await.status(), 204);
    }
}

#[tokio::test]
async fn a_role_in_what_does_not_exist_is_refused() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
        let gone = json!({ "code": "not_found", "message": "it doesn't exist", "request_id": "" });
        for place in ["ghost", "shop/environments/ghost"] {
            let path = format!("/api/v1/projects/{place}");
            stage.cluster_mgr.answer(&path, 404, gone.clone());
        }
        let bind = async |grant: &Value| {
            let binding = json!({ "user": "ann", "grant": grant });
            refusal(
                admin
                    .with(stage.post("/bindings", &binding))
                    .send()
                    .await
                    .unwrap(),
            )
            .await
        };
        for (grant, field) in [
            (json!({ "role": "viewer", "project": "ghost" }), "grant.project"),
            (
                json!({ "role": "viewer", "project": "ghost", "environment": "test" }),
                "grant.project",
            ),
            (
                json!({ "role": "viewer", "project": "shop", "environment": "ghost" }),
                "grant.environment",
            ),
        ] {
            let (status, error) = bind(&grant).await;
            assert_eq!((status, error.code.as_str()), (422, "invalid_spec"), "{grant}");
            assert_eq!(error.details["fields"][0]["field"], field, "{grant}");
        }
        let member = json!({ "user": "admin", "role": "viewer", "environment": "ghost" });
        let (status, error) = refusal(give(&stage, &ann, member).await).await;
        assert_eq!(
            (status, error.details["fields"][0]["field"].as_str()),
            (422, Some("environment"))
        );
        // Where nobody can say, nothing is given.
        let away = json!({ "code": "database_unavailable", "message": "later", "request_id": "" });
        stage.cluster_mgr.answer("/api/v1/projects/shop", 503, away);
        let (status, error) = bind(&json!({ "role": "viewer", "project": "shop" })).await;
        assert_eq!((status, error.code.as_str()), (503, "database_unavailable"));
        let held = read(&stage, &admin, "/bindings?user=ann").await;
        assert_eq!(held["total_estimate"], 1);
    }
}

#[tokio::test]
async fn a_repeated_gift_is_given_once() {
    let stage = Stage::new(Backend::Sqlite).await;
    let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
    stage.nobody("bob").await;
    let call = async |role: &str| {
        let body = json!({ "user": "bob", "role": role });
        let request = ann
            .with(stage.post(MEMBERS, &body))
            .header("idempotency-key", "k");
        request.send().await.unwrap()
    };
    let first: Value = call("viewer").await.json().await.unwrap();
    let again: Value = call("viewer").await.json().await.unwrap();
    assert_eq!((first.clone(), first["user"].as_str()), (again, Some("bob")));
    assert_eq!(
        code(call("developer").await).await,
        (422, "idempotency_key_reused".to_owned())
    );
}

#[tokio::test]
async fn the_last_owner_of_a_project_stays() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
        let own = binding_of(&stage, "ann", "shop").await;
        let last = (409, "last_project_owner".to_owned());
        assert_eq!(code(take(&stage, &ann, &own).await).await, last);
        // Neither an owner of a part, nor one who can't sign in, is another one.
        let part = json!({ "user": "admin", "role": "project_owner", "environment": "test" });
        assert_eq!(give(&stage, &ann, part).await.status(), 201);
        stage.user("bob", Role::ProjectOwner, Some("shop"), None).await;
        let disable = async |disabled: bool| {
            let request = stage.request(Method::PATCH, "/users/bob");
            let request = request.json(&json!({ "disabled": disabled }));
            assert_eq!(admin.with(request).send().await.unwrap().status(), 200);
        };
        disable(true).await;
        assert_eq!(code(take(&stage, &ann, &own).await).await, last);
        disable(false).await;
        assert_eq!(take(&stage, &ann, &own).await.status(), 204);
        // Who may change every role may also leave a project without an owner.
        let bob = binding_of(&stage, "bob", "shop").await;
        assert_eq!(code(take(&stage, &admin, &bob).await).await, last);
        let request = stage.request(Method::DELETE, &format!("/bindings/{bob}"));
        assert_eq!(admin.with(request).send().await.unwrap().status(), 204);
    }
}

#[tokio::test]
async fn of_two_owners_who_remove_each_other_one_stays() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
        let bob = stage.user("bob", Role::ProjectOwner, Some("shop"), None).await;
        let ids = [
            binding_of(&stage, "bob", "shop").await,
            binding_of(&stage, "ann", "shop").await,
        ];
        let (first, second) = tokio::join!(take(&stage, &ann, &ids[0]), take(&stage, &bob, &ids[1]));
        let mut statuses = [first.status().as_u16(), second.status().as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses[0], 204);
        // The slower one is refused, or has lost its own role meanwhile.
        assert!([404, 409].contains(&statuses[1]), "{statuses:?}");
    }
}

#[tokio::test]
async fn people_are_found_by_how_their_name_begins_and_no_other_way() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let ann = stage.user("ann", Role::ProjectOwner, Some("shop"), None).await;
        let dev = stage.user("dev", Role::Developer, Some("shop"), None).await;
        let shown = json!({ "name": "zhao", "password": PASSWORD, "display_name": "Anna Zhao" });
        assert_eq!(
            admin
                .with(stage.post("/users", &shown))
                .send()
                .await
                .unwrap()
                .status(),
            201
        );
        stage.nobody("hannah").await;
        stage.nobody("an_x").await;
        stage.nobody("anton").await;
        let request = stage.request(Method::PATCH, "/users/anton");
        let request = request.json(&json!({ "disabled": true }));
        assert_eq!(admin.with(request).send().await.unwrap().status(), 200);

        let path = |q: &str| format!("/projects/shop/member-candidates?q={q}");
        let names = async |q: &str| -> Vec<String> {
            let page = read(&stage, &ann, &path(q)).await;
            let items = page["items"].as_array().unwrap();
            let mut names: Vec<String> = items
                .iter()
                .map(|item| item["name"].as_str().unwrap().to_owned())
                .collect();
            // Databases differ in where they put a `_`.
            names.sort();
            names
        };
        assert_eq!(names("AN").await, ["an_x", "ann", "zhao"]);
        assert_eq!(names("an_").await, ["an_x"], "not every character");
        assert_eq!(names("nn").await, [""; 0]);
        let page = read(&stage, &ann, &path("zh")).await;
        assert_eq!(
            page["items"],
            json!([{ "name": "zhao", "display_name": "Anna Zhao" }]),
            "and nothing more of them"
        );
        for q in ["", "a", "%20a%20"] {
            let refused = ann.with(stage.get(&path(q))).send().await.unwrap();
            assert_eq!(code(refused).await, (400, "invalid_query".to_owned()), "{q:?}");
        }
        let refused = dev.with(stage.get(&path("an"))).send().await.unwrap();
        assert_eq!(code(refused).await.0, 403);
        let users = ann.with(stage.get("/users")).send().await.unwrap();
        assert_eq!(
            code(users).await.0,
            403,
            "an owner doesn't read the list of people"
        );

        for number in 0..12 {
            stage.nobody(&format!("crowd{number}")).await;
        }
        assert_eq!(names("crowd").await.len(), 10);
    }
}
