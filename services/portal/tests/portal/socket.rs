//! WebSockets through the gateway.

use api_types::access::Role;
use futures::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use test_support::Backend;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::stage::{Caller, Stage};

const PATH: &str = "/api/v1/projects/shop/environments/test/clusters/east/pods/web-1/log/stream?tail=5";

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Opens one as a page of `origin` would; a refusal is its status.
async fn open(stage: &Stage, caller: &Caller, origin: Option<&str>) -> Result<(Socket, Option<String>), u16> {
    let address = stage.running.address;
    let mut request = format!("ws://{address}{PATH}").into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", HeaderValue::from_static("lines"));
    if let Some(cookie) = &caller.cookie {
        headers.insert("cookie", HeaderValue::from_str(cookie).unwrap());
    }
    if let Some(token) = &caller.token {
        headers.insert(
            "authorization",
            HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
        );
    }
    if let Some(origin) = origin {
        headers.insert("origin", HeaderValue::from_str(origin).unwrap());
    }
    match connect_async(request).await {
        Ok((socket, response)) => {
            let protocol = response.headers().get("sec-websocket-protocol");
            Ok((socket, protocol.map(|value| value.to_str().unwrap().to_owned())))
        }
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn text(socket: &mut Socket) -> String {
    socket
        .next()
        .await
        .unwrap()
        .unwrap()
        .into_text()
        .unwrap()
        .to_string()
}

#[tokio::test]
async fn messages_pass_both_ways() {
    let stage = Stage::new(Backend::Sqlite).await;
    let ann = stage.user("ann", Role::Viewer, Some("shop"), Some("test")).await;
    let own = stage.running.url();
    let (mut socket, protocol) = open(&stage, &ann, Some(&own)).await.unwrap();
    assert_eq!(protocol.as_deref(), Some("lines"));
    assert_eq!(text(&mut socket).await, "hello ann");
    socket.send(Message::text("one")).await.unwrap();
    assert_eq!(text(&mut socket).await, "echo one");
    let large = "x".repeat(300_000);
    socket.send(Message::text(large.clone())).await.unwrap();
    assert_eq!(text(&mut socket).await.len(), large.len() + 5);
    socket.send(Message::binary(vec![0, 255, 7])).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap().into_data().as_ref(),
        [0, 255, 7]
    );
    socket.close(None).await.unwrap();
    let farewell = socket.next().await;
    assert!(
        matches!(farewell, Some(Ok(Message::Close(_)))),
        "the other side answers the close: {farewell:?}"
    );
}

#[tokio::test]
async fn another_sites_page_gets_no_socket() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    assert_eq!(
        open(&stage, &admin, Some("http://evil.example"))
            .await
            .unwrap_err(),
        403
    );
    assert_eq!(open(&stage, &admin, Some("null")).await.unwrap_err(), 403);
    assert!(open(&stage, &admin, Some(&stage.running.url())).await.is_ok());
    // An API token is no cookie that a page could borrow.
    let secret = portal::setup::issue_token(&stage.foundation, "admin", "ci")
        .await
        .unwrap();
    assert!(
        open(&stage, &Caller::token(&secret), Some("http://elsewhere.example"))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_socket_needs_the_permission() {
    let stage = Stage::new(Backend::Sqlite).await;
    let elsewhere = stage.user("eve", Role::Developer, Some("bank"), None).await;
    assert_eq!(open(&stage, &elsewhere, None).await.unwrap_err(), 404);
    let nobody = Caller {
        cookie: None,
        csrf: None,
        token: None,
    };
    assert_eq!(open(&stage, &nobody, None).await.unwrap_err(), 401);
    stage.ipaas.stop();
    let admin = stage.admin().await;
    assert_eq!(open(&stage, &admin, None).await.unwrap_err(), 503);
}

#[tokio::test]
async fn a_socket_ends_when_the_portal_stops() {
    let stage = Stage::new(Backend::Sqlite).await;
    let admin = stage.admin().await;
    let (mut socket, _) = open(&stage, &admin, None).await.unwrap();
    assert_eq!(text(&mut socket).await, "hello admin");
    stage.foundation.shutdown.cancel();
    let end = tokio::time::timeout(std::time::Duration::from_secs(5), socket.next())
        .await
        .unwrap();
    assert!(
        matches!(end, None | Some(Err(_)) | Some(Ok(Message::Close(_)))),
        "{end:?}"
    );
    stage.foundation.tracker.close();
    tokio::time::timeout(std::time::Duration::from_secs(5), stage.foundation.tracker.wait())
        .await
        .expect("every task ends");
}
