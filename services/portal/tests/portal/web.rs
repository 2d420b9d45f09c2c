//! The web pages and what every answer says to browsers.

use portal::api::web::is_built;
use test_support::Backend;

use crate::stage::Stage;

#[tokio::test]
async fn pages_find_their_way_by_the_path() {
    let stage = Stage::new(Backend::Sqlite).await;
    let base = stage.running.url();
    for path in ["/", "/services", "/services/shop/test/web?tab=logs"] {
        let response = stage.http.get(format!("{base}{path}")).send().await.unwrap();
        let status = response.status();
        assert_eq!(
            response.headers()["content-type"],
            "text/html; charset=utf-8",
            "{path}"
        );
        if is_built() {
            assert_eq!(status, 200, "{path}");
            assert_eq!(response.headers()["cache-control"], "no-cache");
            let tag = response.headers()["etag"].to_str().unwrap().to_owned();
            let again = stage
                .http
                .get(format!("{base}{path}"))
                .header("if-none-match", tag);
            assert_eq!(again.send().await.unwrap().status(), 304);
            assert!(response.text().await.unwrap().contains("id=\"root\""));
        } else {
            assert_eq!(status, 404, "{path}");
            assert!(
                response
                    .text()
                    .await
                    .unwrap()
                    .contains("npm --prefix web run build")
            );
        }
    }
    for path in ["/assets/none-1234.js", "/favicon.none"] {
        let response = stage.http.get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(response.status(), 404, "a missing file is no page: {path}");
    }
    let posted = stage.http.post(format!("{base}/services")).send().await.unwrap();
    assert_eq!(posted.status(), 405);
}

#[tokio::test]
async fn every_answer_tells_the_browser_to_be_careful() {
    let stage = Stage::new(Backend::Sqlite).await;
    let base = stage.running.url();
    for path in [
        "/",
        "/api/v1/session",
        "/api/docs",
        "/api/openapi.json",
        "/nothing.js",
    ] {
        let response = stage.http.get(format!("{base}{path}")).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("script-src 'self' 'unsafe"), "{path}: {policy}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(response.headers()["x-frame-options"], "DENY", "{path}");
        assert!(
            !response.headers().contains_key("strict-transport-security"),
            "plain HTTP"
        );
    }
}

#[tokio::test]
async fn large_answers_are_compressed_for_who_can_read_them() {
    let stage = Stage::new(Backend::Sqlite).await;
    let url = format!("{}/api/openapi.json", stage.running.url());
    let plain = stage.http.get(&url).send().await.unwrap();
    assert!(!plain.headers().contains_key("content-encoding"));
    let plain = plain.bytes().await.unwrap().len();
    let response = stage
        .http
        .get(&url)
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(response.bytes().await.unwrap().len() * 4 < plain);
}

#[tokio::test]
async fn health_is_told() {
    let stage = Stage::new(Backend::Sqlite).await;
    let base = stage.running.url();
    for path in ["/healthz", "/readyz"] {
        let response = stage.http.get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(
            (
                response.status().as_u16(),
                response.text().await.unwrap().as_str()
            ),
            (200, "ok")
        );
    }
    let admin = stage.admin().await;
    admin.with(stage.get("/services")).send().await.unwrap();
    let following = admin.with(stage.get("/stream")).send().await.unwrap();
    let figures = stage.http.get(format!("{base}/metrics"));
    let figures = figures.send().await.unwrap().text().await.unwrap();
    assert!(figures.contains("longshore_gateway_seconds_count{service=\"cluster-mgr\",answered=\"yes\"}"));
    assert!(figures.contains("longshore_event_streams "), "{figures}");
    drop(following);
}
