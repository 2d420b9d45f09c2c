//! Ports over a WebSocket: each has a channel for its bytes and one for its error, and one connection.

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::super::websocket::{Socket, framed};
use super::{Event, Target, connect};

pub async fn serve(target: Target, ports: &[u16], socket: Socket) {
    let (mut sink, mut source) = socket.split();
    let (to_wire, mut wire) = mpsc::channel::<Bytes>(32);
    let (inputs, connections): (Vec<_>, Vec<_>) = ports
        .iter()
        .zip((0_u8..).step_by(2))
        .map(|(port, channel)| {
            let (sender, input) = mpsc::channel(16);
            (
                sender,
                carry(target.clone(), *port, channel, input, to_wire.clone()),
            )
        })
        .unzip();
    drop(to_wire);
    let reading = async move {
        let mut inputs: Vec<Option<mpsc::Sender<Bytes>>> = inputs.into_iter().map(Some).collect();
        while let Some(Ok(message)) = source.next().await {
            let bytes = match message {
                Message::Binary(bytes) => bytes,
                Message::Close(_) => break,
                _ => continue,
            };
            let Some(channel) = bytes.first() else { continue };
            let place = usize::from(channel / 2);
            if let Some(slot) = inputs.get_mut(place)
                && let Some(input) = slot
                && channel.is_multiple_of(2)
                && input.send(bytes.slice(1..)).await.is_err()
            {
                *slot = None;
            }
        }
    };
    // Ends when every connection has, and all that they said is out.
    let writing = async {
        while let Some(frame) = wire.recv().await {
            if sink.send(Message::Binary(frame)).await.is_err() {
                return;
            }
        }
        let _ = sink.close().await;
    };
    let working = async { tokio::join!(futures::future::join_all(connections), writing) };
    tokio::select! {
        () = reading => {}
        _ = working => {}
    }
}

/// One connection. Both channels begin with the port that they are for.
async fn carry(
    target: Target,
    port: u16,
    channel: u8,
    input: mpsc::Receiver<Bytes>,
    to_wire: mpsc::Sender<Bytes>,
) {
    for channel in [channel, channel + 1] {
        if to_wire.send(framed(channel, &port.to_le_bytes())).await.is_err() {
            return;
        }
    }
    connect(&target, port, input, &to_wire, |event| match event {
        Event::Data(bytes) => vec![framed(channel, &bytes)],
        Event::Failed(why) => vec![framed(channel + 1, why.as_bytes())],
        // Nothing says that one of several ports has ended.
        Event::End => Vec::new(),
    })
    .await;
}
