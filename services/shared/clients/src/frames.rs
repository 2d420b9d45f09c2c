//! WebSockets of JSON frames, over the same HTTP client as everything else.

use std::time::Duration;

use futures::{Stream, StreamExt as _, stream};
use http::StatusCode;
use http::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::endpoint::ClientError;
use crate::portal::checked;

/// How long the handshake may take.
const OPENING: Duration = Duration::from_secs(30);
/// The other side pings every 15 s; longer silence is a broken connection.
const SILENCE: Duration = Duration::from_secs(45);

/// Opens a WebSocket and reads its frames until the other side closes it.
pub(crate) async fn open<T: DeserializeOwned + Send>(
    service: &'static str,
    request: RequestBuilder,
) -> Result<impl Stream<Item = Result<T, ClientError>> + Send + use<T>, ClientError> {
    let unreadable =
        move |source: Box<dyn std::error::Error + Send + Sync>| ClientError::Unreadable { service, source };
    let request = request
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, generate_key());
    let response = tokio::time::timeout(OPENING, checked(request))
        .await
        .map_err(|_| unreadable("the connection did not open in time".into()))??;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(unreadable("the connection did not become a WebSocket".into()));
    }
    let upgraded = response
        .upgrade()
        .await
        .map_err(|source| ClientError::Unreachable { service, source })?;
    let socket = WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await;
    Ok(stream::unfold(Some(socket), move |socket| async move {
        let mut socket = socket?;
        loop {
            let failure: Box<dyn std::error::Error + Send + Sync> =
                match tokio::time::timeout(SILENCE, socket.next()).await {
                    Ok(Some(Ok(Message::Text(text)))) => match serde_json::from_str(&text) {
                        Ok(frame) => return Some((Ok(frame), Some(socket))),
                        Err(error) => error.into(),
                    },
                    Ok(Some(Ok(Message::Close(_))) | None) => return None,
                    Ok(Some(Ok(_))) => continue,
                    Ok(Some(Err(error))) => error.into(),
                    Err(_) => "the connection fell silent".into(),
                };
            return Some((Err(unreadable(failure)), None));
        }
    }))
}
