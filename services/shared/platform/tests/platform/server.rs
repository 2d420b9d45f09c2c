use std::net::SocketAddr;

use api_types::ErrorBody;
use axum::Router;
use axum::routing::{get, post};
use platform::extract::{IfMatch, Json, Query};
use platform::server::{Ready, start};
use platform::{ApiError, ApiResult};
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

#[derive(Clone)]
struct Waits(Vec<String>);

impl Ready for Waits {
    async fn waits_for(&self) -> Vec<String> {
        self.0.clone()
    }
}

#[derive(Deserialize)]
struct Number {
    #[expect(dead_code, reason = "only read in")]
    n: u32,
}

async fn panics() -> ApiResult<&'static str> {
    panic!("on purpose")
}

fn router() -> Router {
    Router::new()
        .route("/ok", get(async || "ok"))
        .route("/panics", get(panics))
        .route(
            "/bug",
            get(async || -> ApiResult<()> { Err(ApiError::internal("the disk is on fire")) }),
        )
        .route(
            "/away",
            get(async || -> ApiResult<()> { Err(ApiError::unavailable("away", "try again")) }),
        )
        .route("/number", get(async |_: Query<Number>| "ok"))
        .route("/json", post(async |Json(_): Json<Value>| "ok"))
        .route(
            "/version",
            get(async |IfMatch(version): IfMatch| version.to_string()),
        )
}

async fn serve(waits: &[&str]) -> (String, CancellationToken) {
    let shutdown = CancellationToken::new();
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let waits = Waits(waits.iter().map(|&one| one.to_owned()).collect());
    let running = start("test", address, router(), waits, shutdown.clone())
        .await
        .unwrap();
    (running.url(), shutdown)
}

async fn refusal(request: reqwest::RequestBuilder) -> (u16, ErrorBody) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body: ErrorBody = response.json().await.unwrap();
    assert_eq!(body.request_id, id, "the body names the request");
    (status, body)
}

#[tokio::test]
async fn every_refusal_has_the_same_shape() {
    let (url, _stop) = serve(&[]).await;
    let http = platform::foundation::http_client();
    let get = |path: &str| http.get(format!("{url}{path}"));

    let (status, body) = refusal(get("/bug")).await;
    assert_eq!((status, body.code.as_str()), (500, "internal"));
    assert!(!body.message.contains("fire"), "what broke inside is not told");
    let (status, body) = refusal(get("/panics")).await;
    assert_eq!((status, body.code.as_str()), (500, "internal"));
    let (status, body) = refusal(get("/away")).await;
    assert_eq!((status, body.code.as_str()), (503, "away"));
    let (status, body) = refusal(get("/number?n=x")).await;
    assert_eq!((status, body.code.as_str()), (400, "invalid_query"));
    let (status, body) = refusal(get("/version")).await;
    assert_eq!((status, body.code.as_str()), (428, "precondition_required"));
    let json = |text: &str| {
        http.post(format!("{url}/json"))
            .header("content-type", "application/json")
            .body(text.to_owned())
    };
    let (status, body) = refusal(json("{")).await;
    assert_eq!((status, body.code.as_str()), (400, "invalid_json"));
    let (status, body) = refusal(json(&format!("\"{}\"", "x".repeat(5 * 1024 * 1024)))).await;
    assert_eq!((status, body.code.as_str()), (413, "body_too_large"));
    assert_eq!(
        get("/version")
            .header("if-match", "\"7\"")
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "7"
    );
}

#[tokio::test]
async fn a_given_request_id_is_kept_and_a_bad_one_replaced() {
    let (url, _stop) = serve(&[]).await;
    let http = platform::foundation::http_client();
    let id = async |sent: &str| {
        let response = http
            .get(format!("{url}/ok"))
            .header("x-request-id", sent)
            .send()
            .await
            .unwrap();
        response.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id("abc-1").await, "abc-1");
    assert_ne!(id("has spaces").await, "has spaces");
}

#[tokio::test]
async fn health_tells_alive_from_ready() {
    let (url, stop) = serve(&["the database"]).await;
    let http = platform::foundation::http_client();
    assert_eq!(
        http.get(format!("{url}/healthz")).send().await.unwrap().status(),
        200
    );
    let ready = http.get(format!("{url}/readyz")).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    assert!(ready.text().await.unwrap().contains("the database"));
    http.get(format!("{url}/ok")).send().await.unwrap();
    let metrics = http
        .get(format!("{url}/metrics"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(metrics.contains("longshore_http_request_seconds"), "{metrics}");
    stop.cancel();
}
