//! What passes through the gateway, and what doesn't.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::Backend;

use crate::stage::{Caller, Stage, refusal};

#[tokio::test]
async fn a_call_reaches_its_owner_as_it_was_made() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let response = admin
        .with(stage.request(
            Method::PATCH,
            "/projects/shop/environments/test/services/web?dry_run=true&x=a%20b",
        ))
        .header("if-match", "\"7\"")
        .header("idempotency-key", "once")
        .header("x-request-id", "request-9")
        .header("x-forwarded-for", "6.6.6.6")
        .json(&json!({ "replicas": 3 }))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["etag"], "\"7\"");
    assert_eq!(response.headers()["x-from-service"], "yes");
    assert_eq!(response.headers()["x-request-id"], "request-9");
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(
        !response.headers().contains_key("set-cookie"),
        "no service sets our cookies"
    );
    let asked = stage.cluster_mgr.last();
    assert_eq!(
        (asked.method.as_str(), asked.query.as_str()),
        ("PATCH", "dry_run=true&x=a%20b")
    );
    assert_eq!(asked.body, r#"{"replicas":3}"#);
    for (name, value) in [
        ("if-match", "\"7\""),
        ("idempotency-key", "once"),
        ("x-request-id", "request-9"),
        ("content-type", "application/json"),
        ("content-length", "14"),
    ] {
        assert_eq!(asked.headers.get(name).map(String::as_str), Some(value), "{name}");
    }
    for name in ["cookie", "x-csrf-token", "x-forwarded-for"] {
        assert!(!asked.headers.contains_key(name), "{name}");
    }
    assert!(asked.headers["authorization"].starts_with("Bearer ey"));
    assert!(stage.ipaas.asked().is_empty());
    admin.with(stage.get("/pods?phase=Running")).send().await.unwrap();
    assert_eq!(stage.ipaas.last().path, "/api/v1/pods");
}

#[tokio::test]
async fn an_answer_streams_through() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let response = admin
        .with(stage.get("/overview"))
        .header("x-test-stream", "1")
        .send()
        .await
        .unwrap();
    let pieces: Vec<_> = response
        .bytes_stream()
        .map(|piece| piece.unwrap())
        .collect()
        .await;
    assert!(pieces.len() > 1, "it came in pieces: {pieces:?}");
    assert_eq!(pieces.concat(), b"one\ntwo\nthree\n");
}

#[tokio::test]
async fn a_service_that_is_away_is_named() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    stage.ipaas.stop();
    let response = admin.with(stage.get("/pods")).send().await.unwrap();
    assert!(response.headers().contains_key("retry-after"));
    let (status, error) = refusal(response).await;
    assert_eq!((status, error.code.as_str()), (503, "service_unavailable"));
    assert_eq!(error.details["service"], "ipaas");
    assert!(error.message.contains("ipaas"));
    assert_eq!(
        admin.with(stage.get("/services")).send().await.unwrap().status(),
        200,
        "the others go on"
    );
}

#[tokio::test]
async fn a_service_that_hangs_is_not_waited_for() {
    let stage = Stage::with(Backend::Sqlite, |config| portal::Config {
        service_timeout: Duration::from_millis(200),
        ..config
    })
    .await;
    let admin = stage.admin().await;
    let response = admin
        .with(stage.get("/services"))
        .header("x-test-slow", "1")
        .send()
        .await
        .unwrap();
    let (status, error) = refusal(response).await;
    assert_eq!((status, error.code.as_str()), (503, "service_timeout"));
    assert_eq!(error.details["service"], "cluster-mgr");
}

#[tokio::test]
async fn what_no_document_names_does_not_exist() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let base = stage.running.url();
    for path in [
        "/api/v1/nothing",
        "/api/v1/",
        "/api/v1",
        "/api/v2/services",
        "/api",
        "/internal/v1/changes",
        "/api/v1/%70rojects",
    ] {
        let response = admin
            .with(stage.http.get(format!("{base}{path}")))
            .send()
            .await
            .unwrap();
        let (status, error) = refusal(response).await;
        assert_eq!((status, error.code.as_str()), (404, "not_found"), "{path}");
    }
    let response = admin
        .with(stage.request(Method::PUT, "/services"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["allow"], "GET");
    assert_eq!(refusal(response).await.1.code, "method_not_allowed");
    assert!(stage.cluster_mgr.asked().is_empty());
}

#[tokio::test]
async fn a_path_can_not_leave_its_scope() {
    let stage = Stage::new(Backend::Sqlite).await;
    let owner = stage
        .user("olga", api_types::access::Role::ProjectOwner, Some("shop"), None)
        .await;
    // Written by hand: a client library would tidy the path up before it is sent.
    for path in [
        "/api/v1/projects/shop/environments/%2e%2e/services",
        "/api/v1/projects/shop/environments/..%2f..%2fbank/services",
        "/api/v1/projects/shop/environments/../../bank/environments/test/services",
        "/api/v1/projects/shop/environments/a%5c..%5cb/services",
    ] {
        let status = raw_get(&stage, &owner, path).await;
        assert!([400, 404].contains(&status), "{path}: {status}");
    }
    assert!(
        stage.cluster_mgr.asked().is_empty(),
        "{:?}",
        stage.cluster_mgr.asked()
    );
}

async fn raw_get(stage: &Stage, caller: &Caller, path: &str) -> u16 {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(stage.running.address)
        .await
        .unwrap();
    let cookie = caller.cookie.as_ref().unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let fits = json!({ "name": "x", "kubeconfig": "k".repeat(3 * 1024 * 1024) });
    assert_eq!(
        admin
            .with(stage.post("/clusters", &fits))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let large = json!({ "name": "x", "kubeconfig": "k".repeat(5 * 1024 * 1024) });
    let (status, error) = refusal(admin.with(stage.post("/clusters", &large)).send().await.unwrap()).await;
    assert_eq!((status, error.code.as_str()), (413, "body_too_large"));
    let rows = stage.audit("action=create_cluster&outcome=refused").await;
    assert_eq!(rows[0]["status"], 413);
}

#[tokio::test]
async fn the_document_and_its_page_are_there() {
    let stage = Stage::new(Backend::Sqlite).await;
    let base = stage.running.url();
    let document: Value = stage
        .http
        .get(format!("{base}/api/openapi.json"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(document["paths"]["/api/v1/services"]["get"].is_object());
    assert!(document["paths"]["/api/v1/pods"]["get"].is_object());
    assert!(document["paths"]["/api/v1/session"]["post"].is_object());
    let page = stage
        .http
        .get(format!("{base}/api/docs"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for file in ["docs.js", "docs.css"] {
        assert!(page.contains(&format!("/api/docs/{file}")), "{file}");
        let response = stage
            .http
            .get(format!("{base}/api/docs/{file}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.content_length().unwrap() > 500);
    }
}

#[tokio::test]
async fn a_heartbeat_passes_with_its_cluster_s_token_and_with_nothing_else() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let path = "/clusters/east/heartbeat";
    let beat = || {
        stage
            .request(Method::POST, path)
            .json(&json!({ "lease_age_ms": 3 }))
    };
    let response = beat()
        .bearer_auth("lsa_secret")
        .header("x-cluster-token", "lsa_forged")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let asked = stage.cluster_mgr.last();
    assert_eq!(asked.headers["x-cluster-token"], "lsa_secret");
    assert_eq!(asked.body, r#"{"lease_age_ms":3}"#);
    assert!(asked.caller.grants.is_empty() && !asked.caller.is_service());
    // No user's call carries such a token, and no user's token is one.
    let (status, error) = refusal(admin.with(beat()).send().await.unwrap()).await;
    assert_eq!((status, error.code.as_str()), (401, "not_signed_in"));
    admin
        .with(stage.get("/clusters"))
        .header("x-cluster-token", "lsa_forged")
        .send()
        .await
        .unwrap();
    assert!(!stage.cluster_mgr.last().headers.contains_key("x-cluster-token"));
    // A cluster's token opens nothing else.
    let other = stage.get("/clusters").bearer_auth("lsa_secret");
    let (status, _) = refusal(other.send().await.unwrap()).await;
    assert_eq!(status, 401);
    // It is nobody's doing, so it is not in the audit.
    let audit: Value = admin
        .with(stage.get("/audit?limit=100"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let items = audit["items"].as_array().unwrap();
    assert!(
        items
            .iter()
            .all(|record| !record["path"].as_str().unwrap_or_default().contains("heartbeat"))
    );
}
