//! The change stream: in order, resumable, also across restarts.

use api_types::changes::{ChangeLine, Topic};
use auth::{Caller, Issuer};
use clients::{ClusterMgrClient, Endpoint};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};
use reqwest::Method;
use serde_json::json;

use crate::world::{LONG, SERVICES, World, new_service, on_each, somebody};

fn client(world: &World) -> ClusterMgrClient {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    ClusterMgrClient::new(Endpoint::new(
        http,
        &world.service.as_ref().unwrap().url,
        "cluster-mgr",
        Issuer::new("portal", &world.key),
    ))
}

type Lines = BoxStream<'static, Result<ChangeLine, clients::ClientError>>;

/// What changes from now on.
pub async fn followed(world: &World) -> Lines {
    let mut lines = client(world).follow_changes(None).await.unwrap().boxed();
    assert!(matches!(next(&mut lines).await, ChangeLine::Reset { .. }));
    lines
}

async fn next(
    lines: &mut (impl Stream<Item = Result<ChangeLine, clients::ClientError>> + Unpin),
) -> ChangeLine {
    tokio::time::timeout(LONG, lines.next())
        .await
        .expect("something is said every few seconds")
        .expect("the stream goes on")
        .unwrap()
}

/// Reads until a change fits; the cursor behind it.
pub async fn until(
    lines: &mut (impl Stream<Item = Result<ChangeLine, clients::ClientError>> + Unpin),
    fits: impl Fn(&api_types::changes::Change) -> bool,
) -> String {
    loop {
        if let ChangeLine::Change(change) = next(lines).await
            && fits(&change)
        {
            return change.cursor;
        }
    }
}

#[tokio::test]
async fn a_follower_resumes_where_it_was_even_after_a_restart() {
    on_each(async |mut world| {
        world.furnish().await;
        let mut lines = Box::pin(client(&world).follow_changes(None).await.unwrap());
        let ChangeLine::Reset { cursor } = next(&mut lines).await else {
            panic!("a follower without a cursor reads everything first");
        };
        world.running("web", 2).await;
        let middle = until(&mut lines, |change| {
            change.topic == Topic::Services && change.service.as_deref() == Some("web")
        })
        .await;
        let last = until(&mut lines, |change| {
            change.topic == Topic::Workloads && change.cluster.is_some()
        })
        .await;
        assert!(sequence(&cursor) < sequence(&middle) && sequence(&middle) < sequence(&last));
        drop(lines);

        world.kill_and_start().await;
        world
            .accepted(Method::POST, SERVICES, &[], new_service("cart", 1))
            .await;
        for from in [&cursor, &middle] {
            let mut lines = Box::pin(client(&world).follow_changes(Some(from)).await.unwrap());
            let ChangeLine::Change(first) = next(&mut lines).await else {
                panic!("nothing is missing behind {from}");
            };
            assert_eq!(sequence(&first.cursor), sequence(from) + 1);
            until(&mut lines, |change| change.service.as_deref() == Some("cart")).await;
            until(&mut lines, |change| change.topic == Topic::Operations).await;
        }
    })
    .await;
}

fn sequence(cursor: &str) -> i64 {
    cursor.parse().unwrap()
}

#[tokio::test]
async fn an_unknown_or_trimmed_cursor_starts_anew() {
    on_each(async |world| {
        world.furnish().await;
        for cursor in ["rubbish", "-1", "999999"] {
            let mut lines = Box::pin(client(&world).follow_changes(Some(cursor)).await.unwrap());
            assert!(
                matches!(next(&mut lines).await, ChangeLine::Reset { .. }),
                "{cursor}"
            );
        }
        use sea_orm::ConnectionTrait as _;
        world
            .database
            .connection
            .execute_unprepared("DELETE FROM changes WHERE sequence <= 3")
            .await
            .unwrap();
        let mut lines = Box::pin(client(&world).follow_changes(Some("2")).await.unwrap());
        assert!(matches!(next(&mut lines).await, ChangeLine::Reset { .. }));
        let mut lines = Box::pin(client(&world).follow_changes(Some("3")).await.unwrap());
        assert!(matches!(next(&mut lines).await, ChangeLine::Change(_)));
    })
    .await;
}

#[tokio::test]
async fn a_quiet_stream_says_that_it_lives() {
    on_each(async |world| {
        let mut lines = followed(&world).await;
        assert!(matches!(next(&mut lines).await, ChangeLine::Alive { .. }));
    })
    .await;
}

#[tokio::test]
async fn the_internal_paths_are_for_services_only() {
    on_each(async |world| {
        let admin = somebody("ada", api_types::access::Role::PlatformAdmin);
        for path in ["/internal/v1/changes", "/internal/v1/tasks"] {
            let reply = world.request(&admin, Method::GET, path).send().await.unwrap();
            assert_eq!(reply.status(), reqwest::StatusCode::NOT_FOUND);
        }
        let portal = Caller::service("portal");
        let reply = world
            .request(&portal, Method::GET, "/internal/v1/tasks")
            .send()
            .await
            .unwrap();
        let tasks: serde_json::Value = reply.json().await.unwrap();
        assert!(tasks.is_object(), "{tasks}");
        let bare = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/api/v1/services", world.service.as_ref().unwrap().url);
        let reply = bare.get(url).send().await.unwrap();
        assert_eq!(reply.status(), reqwest::StatusCode::UNAUTHORIZED);
        assert_eq!(
            reply.json::<serde_json::Value>().await.unwrap()["code"],
            json!("not_signed_in")
        );
    })
    .await;
}
