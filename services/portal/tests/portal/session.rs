//! Signing in and out, lock-out, cross-site requests.

use chrono::TimeDelta;
use serde_json::{Value, json};
use test_support::Backend;

use crate::stage::{Caller, PASSWORD, Stage, refusal};

#[tokio::test]
async fn a_session_lives_from_sign_in_to_sign_out() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let (status, error) = refusal(stage.get("/session").send().await.unwrap()).await;
        assert_eq!((status, error.code.as_str()), (401, "not_signed_in"));
        assert!(!error.request_id.is_empty());

        let response = stage.try_sign_in(" ADMIN ", PASSWORD).await;
        let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
        for part in [
            "longshore_session=",
            "HttpOnly",
            "SameSite=Lax",
            "Path=/",
            "Max-Age=604800",
        ] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
        assert!(!cookie.contains("Secure"), "plain HTTP: {cookie}");

        let admin = stage.admin().await;
        let session: Value = admin
            .with(stage.get("/session"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(session["user"]["name"], "admin");
        assert_eq!(session["grants"], json!([{ "role": "platform_admin" }]));
        assert_eq!(
            session["permissions"].as_array().unwrap().len(),
            auth::Permission::ALL.len()
        );
        assert_eq!(session["csrf_token"].as_str(), admin.csrf.as_deref());
        assert!(session["user"]["last_sign_in_at"].is_string());

        let out = admin
            .with(stage.request(reqwest::Method::DELETE, "/session"))
            .send()
            .await
            .unwrap();
        assert_eq!(out.status(), 204);
        assert!(
            out.headers()["set-cookie"]
                .to_str()
                .unwrap()
                .contains("Max-Age=0")
        );
        assert_eq!(
            admin.with(stage.get("/session")).send().await.unwrap().status(),
            401
        );
    }
}

#[tokio::test]
async fn only_a_digest_of_the_session_is_stored() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let id = admin.cookie.unwrap().split('=').nth(1).unwrap().to_owned();
    let digest = portal::app::secret::digest(&id);
    let database = &stage.foundation.database;
    assert!(
        portal::db::sessions::find(database, &digest)
            .await
            .unwrap()
            .is_some()
    );
    assert!(portal::db::sessions::find(database, &id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_change_needs_the_sessions_token() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let admin = stage.admin().await;
        let other = stage.admin().await;
        let project = json!({ "name": "shop" });
        let stolen = Caller {
            csrf: other.csrf.clone(),
            ..admin.clone()
        };
        for caller in [admin.without_csrf(), stolen] {
            let response = caller
                .with(stage.post("/projects", &project))
                .send()
                .await
                .unwrap();
            let (status, error) = refusal(response).await;
            assert_eq!((status, error.code.as_str()), (403, "csrf"));
        }
        assert!(stage.cluster_mgr.asked().is_empty(), "nothing was passed on");
        let response = admin
            .with(stage.post("/projects", &project))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(stage.cluster_mgr.last().path, "/api/v1/projects");
        let reading = admin
            .without_csrf()
            .with(stage.get("/projects"))
            .send()
            .await
            .unwrap();
        assert_eq!(reading.status(), 200, "reading needs none");
    }
}

#[tokio::test]
async fn a_session_moves_on_with_use_and_ends_without() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        let used = stage.admin().await;
        let unused = stage.admin().await;
        for _ in 0..16 {
            stage.advance(TimeDelta::hours(10));
            let status = used.with(stage.get("/session")).send().await.unwrap().status();
            assert_eq!(status, 200, "in use");
        }
        assert_eq!(
            unused.with(stage.get("/session")).send().await.unwrap().status(),
            401
        );
        stage.advance(TimeDelta::hours(9));
        let status = used.with(stage.get("/session")).send().await.unwrap().status();
        assert_eq!(status, 401, "after seven days even a session in use is over");
    }
}

#[tokio::test]
async fn repeated_failures_lock_out_for_a_while() {
    for backend in Backend::all() {
        let stage = Stage::new(backend).await;
        for _ in 0..6 {
            let (status, error) = refusal(stage.try_sign_in("admin", "wrong password").await).await;
            assert_eq!((status, error.code.as_str()), (401, "wrong_credentials"));
        }
        let response = stage.try_sign_in("admin", PASSWORD).await;
        let after: i64 = response.headers()["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        let (status, error) = refusal(response).await;
        assert_eq!(
            (status, error.code.as_str()),
            (429, "too_many_attempts"),
            "even the right one"
        );
        assert!((1..=16).contains(&after), "{after}");
        assert!(error.details["retry_at"].is_string());
        stage.advance(TimeDelta::seconds(after));
        assert_eq!(stage.try_sign_in("admin", PASSWORD).await.status(), 200);
        // And all is forgotten.
        for _ in 0..5 {
            assert_eq!(stage.try_sign_in("admin", "wrong password").await.status(), 401);
        }
        assert_eq!(stage.try_sign_in("admin", PASSWORD).await.status(), 200);
    }
}

#[tokio::test]
async fn guesses_made_at_once_count_as_many() {
    let stage = Stage::new(Backend::Sqlite).await;
    let tries = (0..30).map(|_| stage.try_sign_in("admin", "wrong password"));
    let answers = futures::future::join_all(tries).await;
    let tried = answers.iter().filter(|answer| answer.status() == 401).count();
    let refused = answers.iter().filter(|answer| answer.status() == 429).count();
    assert_eq!((tried, refused), (6, 24));
}

#[tokio::test]
async fn an_unknown_user_is_refused_in_the_same_words_and_time() {
    let stage = Stage::new(Backend::Sqlite).await;
    stage.nobody("ann").await;
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for round in 0..5 {
        let begun = std::time::Instant::now();
        let (status, error) = refusal(stage.try_sign_in("ann", "wrong password").await).await;
        known.push(begun.elapsed());
        let begun = std::time::Instant::now();
        let name = format!("nobody{round}");
        let (other_status, other) = refusal(stage.try_sign_in(&name, "wrong password").await).await;
        unknown.push(begun.elapsed());
        assert_eq!(
            (status, &error.code, &error.message),
            (other_status, &other.code, &other.message)
        );
    }
    known.sort_unstable();
    unknown.sort_unstable();
    let (known, unknown) = (known[2].as_secs_f64(), unknown[2].as_secs_f64());
    assert!(
        known / unknown < 3.0 && unknown / known < 3.0,
        "{known} s and {unknown} s"
    );
}

#[tokio::test]
async fn sign_in_takes_json_only() {
    let stage = Stage::new(Backend::Sqlite).await;
    // A form of another site can send this without asking the browser's leave.
    let form = stage
        .request(reqwest::Method::POST, "/session")
        .header("content-type", "text/plain")
        .body(json!({ "username": "admin", "password": PASSWORD }).to_string());
    let (status, error) = refusal(form.send().await.unwrap()).await;
    assert_eq!((status, error.code.as_str()), (400, "invalid_json"));
    let long = json!({ "username": "admin", "password": "x".repeat(20_000) });
    let (status, error) = refusal(stage.post("/session", &long).send().await.unwrap()).await;
    assert_eq!((status, error.code.as_str()), (413, "body_too_large"));
    let extra = json!({ "username": "admin", "password": PASSWORD, "admin": true });
    assert_eq!(stage.post("/session", &extra).send().await.unwrap().status(), 422);
}

#[tokio::test]
async fn the_cookie_is_for_https_only_where_there_is_https() {
    let stage = Stage::with(Backend::Sqlite, |config| portal::Config {
        public_url: Some("https://longshore.example.org".to_owned()),
        ..config
    })
    .await;
    let response = stage.try_sign_in("admin", PASSWORD).await;
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Secure")
    );
    assert!(response.headers().contains_key("strict-transport-security"));
}
