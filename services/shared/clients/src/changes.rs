//! Following another service's changes.

use std::time::Duration;

use api_types::changes::ChangeLine;
use bytes::BytesMut;
use futures::{Stream, StreamExt as _, stream};
use reqwest::Method;

use crate::endpoint::{ClientError, Endpoint};

/// The other side says something every 5 s; longer silence is a broken connection.
const SILENCE: Duration = Duration::from_secs(20);
/// A stream is opened anew after this, so that its token need not outlive its minute by much.
const LONGEST: Duration = Duration::from_secs(3600);

/// The lines of a change stream from `cursor` on. Ends with an error when the connection breaks; open
/// it again with the cursor of the last line.
pub async fn follow(
    endpoint: &Endpoint,
    path: &str,
    cursor: Option<&str>,
) -> Result<impl Stream<Item = Result<ChangeLine, ClientError>> + Send + use<>, ClientError> {
    let mut request = endpoint.request(Method::GET, path).timeout(LONGEST);
    if let Some(cursor) = cursor {
        request = request.query(&[("cursor", cursor)]);
    }
    let response = endpoint.send(request).await?;
    let service = endpoint.service();
    let body = response.bytes_stream().boxed();
    Ok(stream::unfold(
        (body, BytesMut::new(), false),
        move |(mut body, mut buffer, ended)| async move {
            if ended {
                return None;
            }
            loop {
                if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                    let line = buffer.split_to(end + 1);
                    let parsed = serde_json::from_slice(&line).map_err(|source| ClientError::Unreadable {
                        service,
                        source: source.into(),
                    });
                    let failed = parsed.is_err();
                    return Some((parsed, (body, buffer, failed)));
                }
                let next = match tokio::time::timeout(SILENCE, body.next()).await {
                    Ok(Some(Ok(bytes))) => {
                        buffer.extend_from_slice(&bytes);
                        continue;
                    }
                    Ok(Some(Err(source))) => ClientError::Unreachable { service, source },
                    Ok(None) => ClientError::Unreadable {
                        service,
                        source: "the stream ended".into(),
                    },
                    Err(_) => ClientError::Unreadable {
                        service,
                        source: "the stream fell silent".into(),
                    },
                };
                return Some((Err(next), (body, buffer, true)));
            }
        },
    ))
}
