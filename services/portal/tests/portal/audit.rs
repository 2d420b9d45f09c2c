//! Every change is written down, before and after.

use std::time::Duration;

use api_types::access::Role;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::{Backend, wait_for};

use crate::stage::{PASSWORD, Stage};

const SERVICES: &str = "/projects/shop/environments/test/services";

#[tokio::test]
async fn a_change_is_written_down_without_its_secrets() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let ann = stage
            .user("ann", Role::Developer, Some("shop"), Some("test"))
            .await;
        let new = json!({ "name": "web", "spec": {
            "image": "registry.example/web:1",
            "env": [{ "name": "LEVEL", "value": "info" }, { "name": "DB_PASSWORD", "value": "hidden-1" }],
            "secrets": [{ "name": "TOKEN", "value": "hidden-2" }],
        } });
        let response = ann
            .with(stage.post(SERVICES, &new))
            .header("x-request-id", "request-1")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert!(
            stage.cluster_mgr.last().body.contains("hidden-2"),
            "the service gets all of it"
        );
        let rows = stage.audit("action=create_service").await;
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        for (field, expected) in [
            ("actor", json!("ann")),
            ("via", json!("session")),
            ("method", json!("POST")),
            ("path", json!(format!("/api/v1{SERVICES}"))),
            ("project", json!("shop")),
            ("environment", json!("test")),
            ("target", json!("service/web")),
            ("outcome", json!("succeeded")),
            ("status", json!(200)),
            ("error", Value::Null),
            ("request_id", json!("request-1")),
            ("remote_address", json!("127.0.0.1")),
        ] {
            assert_eq!(row[field], expected, "{field}");
        }
        assert!(row["duration_ms"].is_i64());
        assert!(!row.to_string().contains("hidden"), "{row}");
        assert_eq!(row["request"]["spec"]["secrets"][0]["name"], "TOKEN");
        assert_eq!(row["request"]["spec"]["env"][0]["value"], "info");

        let cluster = json!({ "name": "east", "region": "east", "kubeconfig": "hidden-3" });
        let admin = stage.admin().await;
        admin
            .with(stage.post("/clusters", &cluster))
            .send()
            .await
            .unwrap();
        let row = &stage.audit("action=create_cluster").await[0];
        assert_eq!(row["target"], "cluster/east");
        assert!(!row.to_string().contains("hidden"), "{row}");
    }
}

#[tokio::test]
async fn refusals_and_failures_are_written_down_with_their_reason() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let viewer = stage.user("vera", Role::Viewer, Some("shop"), None).await;
        let response = viewer
            .with(stage.request(Method::DELETE, &format!("{SERVICES}/web")))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 403);
        let row = &stage.audit("actor=vera&action=delete_service").await[0];
        assert_eq!(
            (&row["outcome"], &row["status"]),
            (&json!("refused"), &json!(403))
        );
        assert!(row["error"].as_str().unwrap().starts_with("forbidden: "), "{row}");

        let admin = stage.admin().await;
        let error =
            json!({ "code": "version_conflict", "message": "somebody was faster", "request_id": "x" });
        stage
            .cluster_mgr
            .answer("/api/v1/projects/shop", 409, error.clone());
        let response = admin
            .with(stage.request(Method::PATCH, "/projects/shop").json(&json!({})))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 409);
        assert_eq!(
            response.json::<Value>().await.unwrap(),
            error,
            "the refusal is passed on as it is"
        );
        let row = &stage.audit("action=update_project").await[0];
        assert_eq!(row["outcome"], "refused");
        assert_eq!(row["error"], "version_conflict: somebody was faster");

        stage.cluster_mgr.stop();
        let response = admin
            .with(stage.post("/projects", &json!({ "name": "bank" })))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 503);
        let row = &stage.audit("outcome=failed").await[0];
        assert_eq!(
            (&row["target"], &row["status"]),
            (&json!("project/bank"), &json!(503))
        );
    }
}

#[tokio::test]
async fn failed_sign_ins_are_written_down() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        stage.try_sign_in("mallory", "hidden password").await;
        let row = &stage.audit("actor=mallory").await[0];
        assert_eq!(
            (&row["action"], &row["via"]),
            (&json!("create_session"), &json!("anonymous"))
        );
        assert_eq!(
            (&row["outcome"], &row["target"]),
            (&json!("refused"), &json!("session/mallory"))
        );
        assert_eq!(
            row["error"],
            "wrong_credentials: the name or the password is wrong"
        );
        assert!(!row.to_string().contains("hidden"), "{row}");
        for _ in 0..20 {
            stage.try_sign_in("mallory", "wrong password").await;
        }
        assert_eq!(
            stage.audit("actor=mallory").await.len(),
            6,
            "what is locked out fills no table"
        );
        assert_eq!(
            stage
                .audit("actor=admin&action=create_session&outcome=succeeded&q=SESSION%2Fadmin")
                .await
                .len(),
            3
        );
    }
}

#[tokio::test]
async fn looking_leaves_no_trace() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    for request in [
        stage.get("/services"),
        stage.post(&format!("{SERVICES}/preview"), &json!({})),
        stage.post("/clusters/check", &json!({ "kubeconfig": "x" })),
        stage.get("/nothing"),
    ] {
        admin.with(request).send().await.unwrap();
    }
    let actions: Vec<Value> = stage
        .audit("limit=100")
        .await
        .into_iter()
        .map(|mut row| row["action"].take())
        .collect();
    assert!(
        actions.iter().all(|action| action == "create_session"),
        "{actions:?}"
    );
}

#[tokio::test]
async fn a_change_goes_on_when_the_browser_goes_away() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let slow = admin
            .with(stage.post("/projects", &json!({ "name": "shop" })))
            .header("x-test-slow", "1")
            .timeout(Duration::from_millis(300));
        assert!(slow.send().await.unwrap_err().is_timeout());
        let row = &stage.audit("action=create_project").await[0];
        assert_eq!(
            (&row["outcome"], &row["status"]),
            (&json!("unknown"), &Value::Null),
            "it is under way"
        );
        stage.cluster_mgr.open_gate();
        wait_for(
            "the end to be written down",
            Duration::from_secs(10),
            async || {
                let row = stage.audit("action=create_project").await.swap_remove(0);
                if row["outcome"] == "succeeded" {
                    Ok(())
                } else {
                    Err(row)
                }
            },
        )
        .await;
    }
}

#[tokio::test]
async fn everybody_sees_what_happened_where_they_may_look() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        for path in [
            "/projects/shop/environments/test/services",
            "/projects/shop/environments/production/services",
            "/projects/bank/environments/test/services",
            "/clusters",
        ] {
            admin
                .with(stage.post(path, &json!({ "name": "x" })))
                .send()
                .await
                .unwrap();
        }
        let owner = stage.user("olga", Role::ProjectOwner, Some("shop"), None).await;
        let narrow = stage
            .user("nora", Role::ProjectOwner, Some("shop"), Some("test"))
            .await;
        let nobody = stage.nobody("nina").await;
        let seen = async |caller: &crate::stage::Caller| {
            let page: Value = caller
                .with(stage.get("/audit"))
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            page["total_estimate"].clone()
        };
        assert_eq!(seen(&owner).await, 2);
        assert_eq!(seen(&narrow).await, 1);
        assert_eq!(
            nobody.with(stage.get("/audit")).send().await.unwrap().status(),
            403
        );
    }
}

#[tokio::test]
async fn the_audit_is_filtered_and_paged() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        for number in 0..7 {
            let new = json!({ "name": format!("project-{number}") });
            admin.with(stage.post("/projects", &new)).send().await.unwrap();
        }
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/audit?action=create_project&limit=3&cursor={cursor}");
            let page: Value = admin
                .with(stage.get(&path))
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            assert_eq!(page["total_estimate"], 7);
            for row in page["items"].as_array().unwrap() {
                seen.push(row["target"].as_str().unwrap().to_owned());
            }
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        let expected: Vec<String> = (0..7)
            .rev()
            .map(|number| format!("project/project-{number}"))
            .collect();
        assert_eq!(seen, expected);
        assert_eq!(stage.audit("q=PROJECT-3").await.len(), 1);
        assert_eq!(
            stage.audit("q=project_3").await.len(),
            0,
            "a wildcard is a plain character"
        );
        assert_eq!(stage.audit("outcome=refused,failed").await.len(), 0);
        assert_eq!(stage.audit("since=2100-01-01T00:00:00Z").await.len(), 0);
        assert_eq!(
            stage
                .audit("action=create_project&until=2100-01-01T00:00:00Z")
                .await
                .len(),
            7
        );
        let bad = admin
            .with(stage.get("/audit?cursor=rubbish"))
            .send()
            .await
            .unwrap();
        assert_eq!(bad.status(), 400);
    }
}

#[tokio::test]
async fn the_portals_own_changes_are_written_down_too() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let new = json!({ "name": "ann", "password": PASSWORD });
        admin.with(stage.post("/users", &new)).send().await.unwrap();
        let row = &stage.audit("action=create_user").await[0];
        assert_eq!(
            (&row["target"], &row["status"]),
            (&json!("user/ann"), &json!(201))
        );
        assert!(!row.to_string().contains(PASSWORD), "{row}");
        let change = json!({ "current_password": PASSWORD, "password": "another good one" });
        admin
            .with(stage.post("/users/admin/password", &change))
            .send()
            .await
            .unwrap();
        let row = &stage.audit_as(&admin, "action=set_user_password").await[0];
        assert!(
            !row.to_string().contains("another good one") && !row.to_string().contains(PASSWORD),
            "{row}"
        );
    }
}

#[tokio::test]
async fn a_change_shows_its_object_as_it_was_and_as_it_became() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let detail = async |query: &str| -> Value {
            let row = stage.audit_as(&admin, query).await[0].clone();
            let path = format!("/audit/{}", row["id"].as_str().unwrap());
            admin
                .with(stage.get(&path))
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap()
        };
        // The portal's own.
        let new = json!({ "name": "ann", "password": PASSWORD, "display_name": "Ann" });
        admin.with(stage.post("/users", &new)).send().await.unwrap();
        let made = detail("action=create_user").await;
        assert_eq!(
            (&made["before"], &made["after"]["display_name"]),
            (&Value::Null, &json!("Ann"))
        );
        assert_eq!(made["record"]["target"], "user/ann");
        let patch = json!({ "display_name": "Ann of the shop", "disabled": true });
        admin
            .with(stage.request(Method::PATCH, "/users/ann").json(&patch))
            .send()
            .await
            .unwrap();
        let changed = detail("action=update_user").await;
        for (field, before, after) in [
            ("display_name", json!("Ann"), json!("Ann of the shop")),
            ("disabled", json!(false), json!(true)),
            ("name", json!("ann"), json!("ann")),
        ] {
            assert_eq!(
                (&changed["before"][field], &changed["after"][field]),
                (&before, &after),
                "{field}"
            );
        }
        let grant = json!({ "user": "ann", "grant": { "role": "viewer", "project": "shop" } });
        let made = admin.with(stage.post("/bindings", &grant)).send().await.unwrap();
        let id = made.json::<Value>().await.unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            detail("action=create_binding").await["after"]["grant"],
            grant["grant"]
        );
        admin
            .with(stage.request(Method::DELETE, &format!("/bindings/{id}")))
            .send()
            .await
            .unwrap();
        let gone = detail("action=delete_binding").await;
        assert_eq!(
            (&gone["before"]["grant"], &gone["after"]),
            (&grant["grant"], &Value::Null)
        );
        let token = json!({ "name": "ci" });
        let made = admin
            .with(stage.post("/api-tokens", &token))
            .send()
            .await
            .unwrap();
        let secret = made.json::<Value>().await.unwrap()["secret"]
            .as_str()
            .unwrap()
            .to_owned();
        let made = detail("action=create_api_token").await;
        assert!(
            made["after"].is_object() && !made.to_string().contains(&secret),
            "{made}"
        );

        // Another service's: read the way the caller reads it, secrets and what is only seen left out.
        let place = format!("/api/v1{SERVICES}/web");
        let service = |replicas: u32| {
            json!({ "name": "web", "replicas": replicas, "status": { "ready": replicas },
                    "spec": { "secrets": [{ "name": "A", "value": "hidden" }] } })
        };
        stage.cluster_mgr.answer(&place, 200, service(2));
        let patch = stage
            .request(Method::PATCH, &format!("{SERVICES}/web"))
            .json(&json!({ "replicas": 3 }));
        admin.with(patch).send().await.unwrap();
        let same = detail("action=update_service").await;
        assert_eq!(
            (&same["before"], &same["after"]),
            (&Value::Null, &Value::Null),
            "nothing was changed"
        );
        stage.cluster_mgr.answer_once(&place, 200, service(2));
        stage.cluster_mgr.answer(&place, 200, service(3));
        let released = stage.post(&format!("{SERVICES}/web/releases"), &json!({ "revision": 2 }));
        admin.with(released).send().await.unwrap();
        let changed = detail("action=create_release").await;
        assert_eq!(
            (&changed["before"]["replicas"], &changed["after"]["replicas"]),
            (&json!(2), &json!(3))
        );
        assert!(
            changed["before"]["status"].is_null() && !changed.to_string().contains("hidden"),
            "{changed}"
        );

        // What there is only one of is read where it is put.
        let prices = |version: u32| json!({ "version": version, "cpu_core_hour": 0.25 });
        stage.cluster_mgr.answer_once("/api/v1/prices", 200, prices(1));
        stage.cluster_mgr.answer("/api/v1/prices", 200, prices(2));
        let put = stage
            .request(Method::PUT, "/prices")
            .header("if-match", "1")
            .json(&json!({ "currency": "CNY" }));
        admin.with(put).send().await.unwrap();
        let priced = detail("action=put_prices").await;
        assert_eq!(
            (&priced["before"]["version"], &priced["after"]["version"]),
            (&json!(1), &json!(2))
        );

        // A refused change has no object, and who may not read a record doesn't learn of it.
        let refused = admin.with(
            stage
                .request(Method::PATCH, "/users/ann")
                .json(&json!({ "email": "x" })),
        );
        assert_eq!(refused.send().await.unwrap().status(), 422);
        let refused = detail("action=update_user&outcome=refused").await;
        assert_eq!(
            (&refused["before"], &refused["after"]),
            (&Value::Null, &Value::Null)
        );
        let owner = stage.user("olga", Role::ProjectOwner, Some("bank"), None).await;
        let path = format!("/audit/{}", changed["record"]["id"].as_str().unwrap());
        assert_eq!(owner.with(stage.get(&path)).send().await.unwrap().status(), 404);
        let nothing = "/audit/00000000-0000-7000-8000-000000000000";
        assert_eq!(admin.with(stage.get(nothing)).send().await.unwrap().status(), 404);
    }
}

#[tokio::test]
async fn the_audit_is_found_by_object_and_written_out() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let owner = stage.user("olga", Role::ProjectOwner, Some("shop"), None).await;
        for number in 0..3 {
            let patch = json!({ "description": format!("number, {number}") });
            owner
                .with(stage.request(Method::PATCH, "/projects/shop").json(&patch))
                .send()
                .await
                .unwrap();
        }
        stage.try_sign_in("=cmd()", "wrong password").await;
        assert_eq!(stage.audit("target=project/shop").await.len(), 3);
        assert_eq!(stage.audit("target=project").await.len(), 3);
        assert_eq!(stage.audit("target=pro").await.len(), 0);
        let export = async |caller: &crate::stage::Caller, query: &str| {
            let response = caller
                .with(stage.get(&format!("/audit/export?{query}")))
                .send()
                .await
                .unwrap();
            assert_eq!(response.status(), 200, "{query}");
            assert!(
                response.headers()["content-disposition"]
                    .to_str()
                    .unwrap()
                    .contains("attachment")
            );
            response.text().await.unwrap()
        };
        let lines = export(&owner, "format=jsonl").await;
        let records: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(records.len(), 3, "what the caller may see");
        assert_eq!(
            records[0]["record"]["request"]["description"], "number, 2",
            "newest first"
        );
        let table = export(&admin, "format=csv&q=cmd").await;
        let rows: Vec<&str> = table.lines().collect();
        assert_eq!(rows.len(), 2, "{table}");
        assert!(
            rows[0].starts_with("at,actor,") && rows[1].contains(",'=cmd(),anonymous,create_session,"),
            "{table}"
        );
        let all = export(&admin, "").await;
        assert_eq!(
            all.lines().count(),
            stage.audit_as(&admin, "limit=500").await.len()
        );
        let bad = admin
            .with(stage.get("/audit/export?format=pdf"))
            .send()
            .await
            .unwrap();
        assert_eq!(bad.status(), 400);
    }
}

#[tokio::test]
async fn old_records_go_with_their_objects() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        admin
            .with(stage.post("/users", &json!({ "name": "ann", "password": PASSWORD })))
            .send()
            .await
            .unwrap();
        let database = &stage.foundation.database;
        let before = stage.audit_as(&admin, "").await;
        let id = before[0]["id"].as_str().unwrap().parse().unwrap();
        assert!(
            portal::db::audit_objects::find(database, id)
                .await
                .unwrap()
                .is_some()
        );
        let yesterday = platform::time::now() - chrono::TimeDelta::days(1);
        assert_eq!(
            portal::db::audit::delete_old(database, yesterday).await.unwrap(),
            0
        );
        let tomorrow = platform::time::now() + chrono::TimeDelta::days(1);
        assert_eq!(
            portal::db::audit::delete_old(database, tomorrow).await.unwrap(),
            before.len() as u64
        );
        assert!(
            portal::db::audit_objects::find(database, id)
                .await
                .unwrap()
                .is_none()
        );
    }
}
