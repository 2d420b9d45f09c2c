//! The database away: refusals with a stable code at once, nothing lost, back by itself.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use test_support::{Backend, wait_for};

use crate::proxy::Proxy;
use crate::stage::{Stage, refusal};

/// A refusal must come within this, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stage, and a portal that reaches the same PostgreSQL through a proxy.
async fn stages() -> Option<(Stage, Stage, Proxy)> {
    if !Backend::all().contains(&Backend::Postgres) {
        return None;
    }
    let stage = Stage::new(Backend::Postgres).await;
    let mut url = reqwest::Url::parse(stage.database_url()).unwrap();
    let proxy = Proxy::start(url.host_str().unwrap(), url.port().unwrap()).await;
    url.set_port(Some(proxy.port())).unwrap();
    let away = stage.replica_at(url.as_str()).await;
    Some((stage, away, proxy))
}

async fn tries(away: &Stage, proxy: &Proxy, hang: bool) {
    let admin = away.admin().await;
    if hang {
        proxy.hang();
    } else {
        proxy.refuse();
    }
    away.advance(chrono::TimeDelta::seconds(6));
    let begun = Instant::now();
    for (method, path) in [
        (Method::GET, "/users"),
        (Method::POST, "/projects"),
        (Method::GET, "/session"),
    ] {
        let request = away.request(method, path).json(&json!({ "name": "shop" }));
        let (status, error) = refusal(admin.with(request).send().await.unwrap()).await;
        assert_eq!(
            (status, error.code.as_str()),
            (503, "database_unavailable"),
            "{path}, hang: {hang}"
        );
    }
    let (status, error) = refusal(away.try_sign_in("admin", "whatever it is").await).await;
    assert_eq!((status, error.code.as_str()), (503, "database_unavailable"));
    assert!(
        begun.elapsed() < PATIENCE,
        "four refusals took {:?}",
        begun.elapsed()
    );
    let ready = away
        .http
        .get(format!("{}/readyz", away.running.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), 503);
    assert!(
        away.cluster_mgr.asked().iter().all(|asked| asked.method == "GET"),
        "nothing was passed on"
    );

    proxy.pass();
    wait_for("the portal to be back", PATIENCE, async || {
        let response = admin.with(away.get("/users")).send().await.unwrap();
        if response.status() == 200 {
            Ok(())
        } else {
            Err(response.status())
        }
    })
    .await;
    let made = admin
        .with(away.post("/projects", &json!({ "name": "shop" })))
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 200, "the session outlived it");
}

#[tokio::test]
async fn a_database_that_refuses_is_told_and_come_back_from() {
    if let Some((_stage, away, proxy)) = stages().await {
        tries(&away, &proxy, false).await;
    }
}

#[tokio::test]
async fn a_database_that_hangs_is_told_and_come_back_from() {
    if let Some((_stage, away, proxy)) = stages().await {
        tries(&away, &proxy, true).await;
    }
}

#[tokio::test]
async fn the_end_of_a_change_is_written_down_when_the_database_is_back() {
    let Some((stage, away, proxy)) = stages().await else {
        return;
    };
    let admin = away.admin().await;
    let change = tokio::spawn(
        admin
            .with(away.post("/projects", &json!({ "name": "shop" })))
            .header("x-test-slow", "yes")
            .send(),
    );
    wait_for("the change to be under way", PATIENCE, async || {
        let asked = away.cluster_mgr.asked();
        if asked.iter().any(|asked| asked.method == "POST") {
            Ok(())
        } else {
            Err(asked.len())
        }
    })
    .await;
    proxy.refuse();
    away.cluster_mgr.open_gate();
    let answer = change.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200, "it was made, so it is told");
    let there = stage.admin().await;
    let outcome =
        async || -> Value { stage.audit_as(&there, "action=create_project").await[0]["outcome"].clone() };
    assert_eq!(
        outcome().await,
        "unknown",
        "begun before, its end not written yet"
    );
    proxy.pass();
    wait_for("the end to be written down", PATIENCE, async || {
        let outcome = outcome().await;
        if outcome == "succeeded" {
            Ok(())
        } else {
            Err(outcome)
        }
    })
    .await;
}
