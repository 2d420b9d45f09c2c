//! Streams over a WebSocket: every message begins with the number of its channel.

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_util::sync::CancellationToken;

use super::{Pipes, Session, read_size, text_header};
use crate::api::Call;
use crate::api::body::Body;
use crate::api::errors::{ApiError, ApiResult};
use crate::kubelet::process::Output;

/// Spoken here, the better first.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: u8 = 4;
/// Since v5: the channel named by the next byte is closed.
const CLOSE: u8 = 255;

pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

pub fn answer(call: &Call, session: Session, request: Request<Incoming>) -> ApiResult<Response<Body>> {
    let token = call.token.clone();
    accept(call, request, &PROTOCOLS, move |socket, protocol| {
        serve(session, socket, protocol == PROTOCOLS[0], token)
    })
}

/// Takes a WebSocket on which one of the protocols is spoken, the better first; `work` has it from then on.
pub fn accept<F: Future<Output = ()> + Send + 'static>(
    call: &Call,
    request: Request<Incoming>,
    protocols: &[&'static str],
    work: impl FnOnce(Socket, &'static str) -> F + Send + 'static,
) -> ApiResult<Response<Body>> {
    let offered = text_header(&request, header::SEC_WEBSOCKET_PROTOCOL);
    let offered: Vec<&str> = offered.split(',').map(str::trim).collect();
    let protocol = protocols
        .iter()
        .copied()
        .find(|one| offered.contains(one))
        .ok_or_else(|| {
            ApiError::new(
                403,
                "Forbidden",
                format!("none of the protocols {offered:?} is spoken here"),
            )
        })?;
    let key = text_header(&request, header::SEC_WEBSOCKET_KEY);
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
        .map_err(|_| ApiError::bad_request("malformed handshake"))?;
    let mut response = Response::new(Empty::new().boxed_unsync());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    call.cluster.spawn(async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else {
            return;
        };
        let socket = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
        work(socket, protocol).await;
    });
    Ok(response)
}

async fn serve<S>(session: Session, socket: WebSocketStream<S>, closes: bool, server: CancellationToken)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let wants = session.wants;
    let Pipes {
        input,
        sizes,
        mut output,
        status,
        stop,
    } = session.start();
    let (mut sink, source) = socket.split();
    let reading = tokio::spawn(read(source, input, sizes, closes, stop.clone()));
    loop {
        let frame = tokio::select! {
            () = server.cancelled() => break,
            frame = output.recv() => match frame {
                Some(Output::Out(bytes)) => wants.stdout.then(|| framed(STDOUT, &bytes)),
                Some(Output::Error(bytes)) => wants.stderr.then(|| framed(STDERR, &bytes)),
                None => break,
            },
        };
        if let Some(frame) = frame
            && sink.send(Message::Binary(frame)).await.is_err()
        {
            break;
        }
    }
    // The output ends by itself when the process has; if not, it ends now.
    stop.cancel();
    drop(output);
    if let Ok(status) = status.await {
        let _ = sink
            .send(Message::Binary(framed(ERROR, status.to_string().as_bytes())))
            .await;
    }
    let normal = CloseFrame {
        code: CloseCode::Normal,
        reason: "".into(),
    };
    let _ = sink.send(Message::Close(Some(normal))).await;
    let _ = sink.close().await;
    reading.abort();
}

async fn read<S>(
    mut source: futures::stream::SplitStream<WebSocketStream<S>>,
    mut input: Option<mpsc::Sender<Bytes>>,
    sizes: mpsc::Sender<(u16, u16)>,
    closes: bool,
    stop: CancellationToken,
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = source.next().await {
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Text(text) => Bytes::from(text),
            Message::Close(_) => break,
            _ => continue,
        };
        let Some((channel, rest)) = bytes.split_first() else {
            continue;
        };
        match *channel {
            STDIN if !rest.is_empty() => {
                if let Some(sender) = &input
                    && sender.send(bytes.slice(1..)).await.is_err()
                {
                    input = None;
                }
            }
            RESIZE => {
                if let Some(size) = read_size(rest) {
                    let _ = sizes.send(size).await;
                }
            }
            CLOSE if closes && rest == [STDIN] => input = None,
            _ => {}
        }
    }
    stop.cancel();
}

pub fn framed(channel: u8, bytes: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(bytes.len() + 1);
    frame.push(channel);
    frame.extend_from_slice(bytes);
    frame.into()
}
