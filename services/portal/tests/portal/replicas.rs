//! Two portals on one database: it doesn't matter which of them answers, nor that one is gone.

use std::time::Duration;

use api_types::access::Role;
use chrono::TimeDelta;
use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::{Backend, wait_for};

use crate::stage::Stage;

#[tokio::test]
async fn it_does_not_matter_which_replica_answers() {
    for backend in Backend::all() {
        let one = Stage::new(backend).await;
        let two = one.replica().await;
        let admin = one.admin().await;
        let seen = admin.with(two.get("/session")).send().await.unwrap();
        assert_eq!(
            seen.json::<Value>().await.unwrap()["csrf_token"].as_str(),
            admin.csrf.as_deref()
        );
        let made = admin
            .with(two.post("/projects", &json!({ "name": "shop" })))
            .send()
            .await
            .unwrap();
        assert_eq!(made.status(), 200, "the token of the one is good at the other");
        let (here, there) = (
            one.audit("action=create_project").await,
            two.audit("action=create_project").await,
        );
        assert_eq!((here.len(), &here), (1, &there));

        // The same call at both, as a client does whose connection broke: done once.
        let key = "key-1";
        let new = json!({ "name": "ann", "password": "correct horse battery" });
        for place in [&one, &two] {
            let made = admin
                .with(place.post("/users", &new))
                .header("idempotency-key", key)
                .send()
                .await
                .unwrap();
            assert_eq!(made.status(), 201);
        }
    }
}

#[tokio::test]
async fn what_one_replica_takes_away_the_other_refuses_within_seconds() {
    for backend in Backend::all() {
        let one = Stage::new(backend).await;
        let two = one.replica().await;
        let admin = one.admin().await;
        let ann = one.user("ann", Role::Operator, None, None).await;
        assert_eq!(
            ann.with(two.get("/session")).send().await.unwrap().status(),
            200,
            "known to the other now"
        );
        let gone = admin
            .with(one.request(Method::DELETE, "/users/ann/sessions"))
            .send()
            .await
            .unwrap();
        assert_eq!(gone.status(), 204);
        assert_eq!(
            ann.with(one.get("/session")).send().await.unwrap().status(),
            401,
            "here at once"
        );
        one.advance(TimeDelta::seconds(5));
        assert_eq!(
            ann.with(two.get("/session")).send().await.unwrap().status(),
            401,
            "there in five seconds"
        );
    }
}

#[tokio::test]
async fn a_stream_tells_what_another_replica_wrote_down() {
    for backend in Backend::all() {
        let one = Stage::new(backend).await;
        let two = one.replica().await;
        let admin = one.admin().await;
        let response = admin.with(two.get("/stream?topics=audit")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let mut chunks = response.bytes_stream();
        admin
            .with(one.post("/projects", &json!({ "name": "shop" })))
            .send()
            .await
            .unwrap();
        let row = one.audit("action=create_project").await[0].clone();
        let id = row["id"].as_str().unwrap();
        let mut text = String::new();
        let told = async {
            while !text.contains(id) {
                let chunk = chunks.next().await.expect("the stream goes on").unwrap();
                text.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        tokio::time::timeout(Duration::from_secs(20), told)
            .await
            .expect("told within seconds");
    }
}

#[tokio::test]
async fn a_browser_goes_on_at_the_replica_that_is_left() {
    for backend in Backend::all() {
        let one = Stage::new(backend).await;
        let two = one.replica().await;
        let admin = one.admin().await;
        let mut stream = admin
            .with(one.get("/stream"))
            .send()
            .await
            .unwrap()
            .bytes_stream();
        let first = String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()).into_owned();
        let cursor = first
            .lines()
            .find_map(|line| line.strip_prefix("id: "))
            .unwrap()
            .to_owned();
        one.foundation.shutdown.cancel();
        wait_for(
            "the replica to be gone",
            Duration::from_secs(10),
            async || match admin.with(one.get("/session")).send().await {
                Err(_) => Ok(()),
                Ok(response) => Err(response.status()),
            },
        )
        .await;
        assert_eq!(
            admin.with(two.get("/session")).send().await.unwrap().status(),
            200
        );
        let again = admin.with(two.get("/stream")).header("last-event-id", cursor);
        let mut stream = again.send().await.unwrap().bytes_stream();
        let first = String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()).into_owned();
        assert!(
            first.contains("event: reset"),
            "a place of another replica: read all again; {first}"
        );
        let made = admin
            .with(two.post("/projects", &json!({ "name": "bank" })))
            .send()
            .await
            .unwrap();
        assert_eq!(made.status(), 200);
    }
}
