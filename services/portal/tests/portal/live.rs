//! What changes, streamed to browsers.

use std::time::Duration;

use api_types::access::Role;
use api_types::changes::{Change, ChangeLine, Topic};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use reqwest::Method;
use serde_json::{Value, json};
use test_support::{Backend, wait_for};

use crate::simulated::Simulated;
use crate::stage::{Caller, Stage, refusal};

const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Default, PartialEq)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

/// A browser's event stream.
struct Events {
    body: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

impl Events {
    async fn open(stage: &Stage, caller: &Caller, query: &str, last: Option<&str>) -> Self {
        let mut request = caller.with(stage.get(&format!("/stream?{query}")));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            body: response.bytes_stream().boxed(),
            text: String::new(),
        }
    }

    /// The next event; nothing when the stream ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let mut event = Event::default();
                for line in block.lines() {
                    match line.split_once(": ") {
                        Some(("event", name)) => name.clone_into(&mut event.name),
                        Some(("id", id)) => id.clone_into(&mut event.id),
                        Some(("data", data)) => event.data = serde_json::from_str(data).unwrap(),
                        _ => {}
                    }
                }
                return Some(event);
            }
            let piece = tokio::time::timeout(PATIENCE, self.body.next())
                .await
                .expect("an event within ten seconds")?;
            self.text.push_str(std::str::from_utf8(&piece.ok()?).unwrap());
        }
    }

    /// The next one that is no ping.
    async fn news(&mut self) -> Event {
        loop {
            let event = self.next().await.expect("the stream goes on");
            if event.name != "ping" {
                return event;
            }
        }
    }
}

fn change(topic: Topic, project: Option<&str>, id: &str) -> ChangeLine {
    ChangeLine::Change(Change {
        cursor: format!("upstream-{id}"),
        topic,
        project: project.map(Into::into),
        environment: project.map(|_| "test".to_owned()),
        service: None,
        cluster: None,
        id: Some(id.to_owned()),
        at: platform::time::now(),
    })
}

async fn followed(service: &Simulated) {
    wait_for("the portal to follow", PATIENCE, async || {
        if service.followers() > 0 {
            Ok(())
        } else {
            Err("nobody follows")
        }
    })
    .await;
}

/// A stage whose portal follows both services.
async fn stage(backend: Backend) -> Stage {
    let stage = Stage::new(backend).await;
    followed(&stage.cluster_mgr).await;
    followed(&stage.ipaas).await;
    stage
}

/// What changes after a page was told who it is, and before it follows, is not missed.
#[tokio::test]
async fn a_session_says_where_to_follow_from() {
    let stage = stage(Backend::Sqlite).await;
    let ann = stage.user("ann", Role::Viewer, Some("shop"), None).await;
    let session: Value = ann
        .with(stage.get("/session"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let cursor = session["changes_cursor"].as_str().unwrap();
    let mut other = Events::open(&stage, &ann, "", None).await;
    stage.cluster_mgr.tell(change(Topic::Services, Some("shop"), "1"));
    other.news().await;
    let mut events = Events::open(&stage, &ann, &format!("cursor={cursor}"), None).await;
    assert_eq!(events.news().await.data["id"], "1");
}

#[tokio::test]
async fn changes_arrive_from_every_service_filtered_by_topic_and_right() {
    let stage = stage(Backend::Sqlite).await;
    let ann = stage.user("ann", Role::Viewer, Some("shop"), None).await;
    let mut events = Events::open(&stage, &ann, "topics=services,pods", None).await;
    let first = events.next().await.unwrap();
    assert_eq!(first.name, "ping", "a place to come back to, at once");
    for (service, line) in [
        (
            &stage.cluster_mgr,
            change(Topic::Services, Some("bank"), "not hers"),
        ),
        (
            &stage.cluster_mgr,
            change(Topic::Operations, Some("shop"), "another topic"),
        ),
        (&stage.cluster_mgr, change(Topic::Services, Some("shop"), "1")),
    ] {
        service.tell(line);
    }
    let event = events.news().await;
    assert_eq!((event.name.as_str(), &event.data["id"]), ("change", &json!("1")));
    assert_eq!(
        event.data["cursor"],
        json!(event.id),
        "the cursor is the portal's"
    );
    stage.ipaas.tell(change(Topic::Pods, Some("shop"), "2"));
    assert_eq!(events.news().await.data["id"], "2");
    let bad = ann
        .with(stage.get("/stream?topics=weather"))
        .send()
        .await
        .unwrap();
    assert_eq!(refusal(bad).await.1.code, "invalid_topic");
}

#[tokio::test]
async fn a_browser_that_returns_misses_nothing() {
    let stage = stage(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let mut events = Events::open(&stage, &admin, "topics=services", None).await;
    events.next().await.unwrap();
    stage.cluster_mgr.tell(change(Topic::Services, Some("shop"), "1"));
    let first = events.news().await;
    drop(events);
    for id in ["2", "3"] {
        stage.cluster_mgr.tell(change(Topic::Services, Some("shop"), id));
    }
    // The browser repeats the address with its old cursor and says the newer one in the header.
    let query = "topics=services&cursor=old-1";
    let mut events = Events::open(&stage, &admin, query, Some(&first.id)).await;
    assert_eq!(events.news().await.data["id"], "2");
    let third = events.news().await;
    assert_eq!(third.data["id"], "3");
    let query = format!("topics=services&cursor={}", third.id);
    let mut events = Events::open(&stage, &admin, &query, None).await;
    stage.cluster_mgr.tell(change(Topic::Services, Some("shop"), "4"));
    assert_eq!(events.news().await.data["id"], "4");
}

#[tokio::test]
async fn who_comes_with_an_unknown_place_is_told_to_read_again() {
    let stage = stage(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let mut events = Events::open(&stage, &admin, "topics=services&cursor=00000000-7", None).await;
    let reset = events.news().await;
    assert_eq!(reset.name, "reset");
    stage.cluster_mgr.tell(change(Topic::Services, Some("shop"), "1"));
    let next = events.news().await;
    assert_eq!(next.data["id"], "1");
    let mut events = Events::open(&stage, &admin, "topics=services", Some(&reset.id)).await;
    assert_eq!(events.news().await, next, "the reset's own id is a place");
}

#[tokio::test]
async fn a_service_that_lost_track_resets_everybody() {
    let stage = stage(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let mut events = Events::open(&stage, &admin, "topics=pods", None).await;
    events.next().await.unwrap();
    stage.ipaas.tell(ChangeLine::Reset {
        cursor: "new-1".into(),
    });
    assert_eq!(events.news().await.name, "reset");
    stage.ipaas.tell(change(Topic::Pods, None, "after"));
    assert_eq!(events.news().await.data["id"], "after");
}

#[tokio::test]
async fn the_portal_goes_on_where_a_service_broke_off() {
    let stage = stage(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let mut events = Events::open(&stage, &admin, "topics=services", None).await;
    stage.cluster_mgr.tell(change(Topic::Services, Some("shop"), "1"));
    assert_eq!(events.news().await.data["id"], "1");
    assert_eq!(stage.cluster_mgr.cursors(), [None]);
    stage.cluster_mgr.break_streams();
    wait_for("the portal to come back", PATIENCE, async || {
        let cursors = stage.cluster_mgr.cursors();
        if cursors.len() > 1 { Ok(()) } else { Err(cursors) }
    })
    .await;
    assert_eq!(stage.cluster_mgr.cursors()[1].as_deref(), Some("upstream-1"));
    followed(&stage.cluster_mgr).await;
    stage.cluster_mgr.tell(change(Topic::Services, Some("shop"), "2"));
    assert_eq!(
        events.news().await.data["id"],
        "2",
        "and nobody had to read again"
    );
}

#[tokio::test]
async fn the_audit_is_live_for_those_who_may_read_it() {
    for backend in Backend::all() {
        let stage = stage(backend).await;
        let owner = stage.user("olga", Role::ProjectOwner, Some("shop"), None).await;
        let mut events = Events::open(&stage, &owner, "topics=audit", None).await;
        events.next().await.unwrap();
        let admin = stage.admin().await;
        for path in ["/projects/bank/environments", "/projects/shop/environments"] {
            admin
                .with(stage.post(path, &json!({ "name": "test" })))
                .send()
                .await
                .unwrap();
        }
        let event = events.news().await;
        assert_eq!(
            (&event.data["topic"], &event.data["project"]),
            (&json!("audit"), &json!("shop"))
        );
        let id = &event.data["id"];
        let rows = stage.audit_as(&owner, "").await;
        assert_eq!(&rows[0]["id"], id);
    }
}

#[tokio::test]
async fn a_stream_ends_with_the_session() {
    let stage = Stage::with(Backend::Sqlite, |config| portal::Config {
        ping_period: Duration::from_millis(50),
        ..config
    })
    .await;
    let ann = stage.user("ann", Role::Viewer, None, None).await;
    let mut events = Events::open(&stage, &ann, "", None).await;
    for _ in 0..3 {
        assert_eq!(events.next().await.unwrap().name, "ping");
    }
    ann.with(stage.request(Method::DELETE, "/session"))
        .send()
        .await
        .unwrap();
    while let Some(event) = events.next().await {
        assert_eq!(event.name, "ping");
    }
}

#[tokio::test]
async fn streams_end_when_the_portal_stops() {
    let stage = stage(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let mut events = Events::open(&stage, &admin, "topics=pods", None).await;
    events.next().await.unwrap();
    let begun = std::time::Instant::now();
    stage.foundation.shutdown.cancel();
    while events.next().await.is_some() {}
    stage.running.stopped().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
