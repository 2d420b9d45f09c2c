//! Ports over SPDY: each connection is a pair of streams, one for its bytes and one for its error.

use std::collections::HashMap;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use super::super::multiplex::PIECE;
use super::super::spdy::{self, Frame, Reader, Writer};
use super::super::websocket::Socket;
use super::{Event, Target, connect};

/// Streams that wait for the other one of their pair; a client that opens more and never pairs them is cut off.
const UNPAIRED: usize = 256;

/// SPDY whose bytes come in the messages of a WebSocket.
pub async fn through(socket: Socket, target: Target) {
    let (ours, theirs) = tokio::io::duplex(2 * PIECE);
    let (mut from, mut into) = tokio::io::split(theirs);
    let (mut sink, mut source) = socket.split();
    let up = async {
        while let Some(Ok(message)) = source.next().await {
            match message {
                Message::Binary(bytes) if into.write_all(&bytes).await.is_ok() => {}
                Message::Ping(_) | Message::Pong(_) => {}
                _ => break,
            }
        }
        let _ = into.shutdown().await;
        std::future::pending::<()>().await;
    };
    let down = async {
        let mut buffer = vec![0; PIECE];
        while let Ok(count) = from.read(&mut buffer).await {
            let message = Message::Binary(Bytes::copy_from_slice(&buffer[..count]));
            if count == 0 || sink.send(message).await.is_err() {
                break;
            }
        }
        let _ = sink.close().await;
    };
    let serving = serve(target, ours);
    tokio::select! {
        () = up => {}
        // What it wrote last goes out before the socket is closed.
        ((), ()) = futures::future::join(serving, down) => {}
    }
}

#[derive(Default)]
struct Pair {
    error: Option<u32>,
    data: Option<u32>,
    port: Option<u16>,
}

pub async fn serve(target: Target, connection: impl AsyncRead + AsyncWrite) {
    let (from, mut into) = tokio::io::split(connection);
    let (to_wire, mut wire) = mpsc::channel::<Bytes>(32);
    let writing = async move {
        while let Some(frame) = wire.recv().await {
            if into.write_all(&frame).await.is_err() || into.flush().await.is_err() {
                return;
            }
        }
        let _ = into.shutdown().await;
    };
    tokio::select! {
        () = writing => {}
        () = read(target, from, to_wire) => {}
    }
}

async fn read(target: Target, mut from: impl AsyncRead + Unpin, to_wire: mpsc::Sender<Bytes>) {
    let mut reader = Reader::default();
    let mut writer = Writer::default();
    let mut pairs: HashMap<String, Pair> = HashMap::new();
    let mut inputs: HashMap<u32, mpsc::Sender<Bytes>> = HashMap::new();
    // They end with the client's connection.
    let mut connections = JoinSet::new();
    let mut buffer = vec![0; PIECE];
    loop {
        loop {
            let frame = match reader.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(_) => return,
            };
            match frame {
                Frame::Open { stream, headers, .. } => {
                    if to_wire.send(writer.reply(stream)).await.is_err() {
                        return;
                    }
                    let header = |wanted: &str| {
                        let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                        found.map_or("", |(_, value)| value.as_str())
                    };
                    let id = header("requestid");
                    let pair = pairs.entry(id.to_owned()).or_default();
                    match header("streamtype") {
                        "error" => pair.error = Some(stream),
                        _ => pair.data = Some(stream),
                    }
                    pair.port = pair.port.or(header("port").parse().ok());
                    if let (Some(error), Some(data)) = (pair.error, pair.data) {
                        let port = pair.port.unwrap_or(0);
                        pairs.remove(id);
                        let (sender, input) = mpsc::channel(16);
                        inputs.insert(data, sender);
                        connections.spawn(carry(target.clone(), port, (error, data), input, to_wire.clone()));
                    }
                    if pairs.len() > UNPAIRED {
                        return;
                    }
                }
                Frame::Data { stream, bytes, last } => {
                    if let Some(input) = inputs.get(&stream)
                        && (bytes.is_empty() || input.send(bytes).await.is_ok())
                        && !last
                    {
                        continue;
                    }
                    inputs.remove(&stream);
                }
                Frame::Reset { stream } => drop(inputs.remove(&stream)),
                Frame::Ping { id } => drop(to_wire.send(spdy::ping(id)).await),
                Frame::GoAway => return,
                Frame::Other => {}
            }
        }
        while connections.try_join_next().is_some() {}
        match from.read(&mut buffer).await {
            Ok(count) if count > 0 => reader.feed(&buffer[..count]),
            _ => return,
        }
    }
}

/// One connection: its bytes in one stream, why it failed in the other; both end with it.
async fn carry(
    target: Target,
    port: u16,
    (error, data): (u32, u32),
    input: mpsc::Receiver<Bytes>,
    to_wire: mpsc::Sender<Bytes>,
) {
    connect(&target, port, input, &to_wire, |event| match event {
        Event::Data(bytes) => vec![spdy::data(data, &bytes, false)],
        Event::Failed(why) => vec![spdy::data(error, why.as_bytes(), false)],
        Event::End => vec![spdy::data(error, &[], true), spdy::data(data, &[], true)],
    })
    .await;
}
