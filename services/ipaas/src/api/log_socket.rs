//! A live log over a WebSocket.
//!
//! One loop reads the log and writes the browser, so that a browser that reads slowly slows the
//! clusters' sending, and nothing piles up here.

use std::time::Duration;

use api_types::logs::{LogFrame, ServiceLogFrame};
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use serde::Serialize;
use tokio::time::{Instant, interval_at};
use tokio_util::sync::CancellationToken;

use crate::app::logs::follow::ServiceStream;
use crate::app::logs::pod::PodLog;

/// Proxies cut what is silent for a minute, some for twenty seconds.
const PING_PERIOD: Duration = Duration::from_secs(15);
/// A browser that takes nothing for this long is gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// A log frame by frame.
pub trait Frames: Send + 'static {
    type Frame: Serialize + Send;

    /// The next frame; `None` after the last. May be dropped while it waits.
    fn frame(&mut self) -> impl Future<Output = Option<Self::Frame>> + Send;

    fn end(reason: String) -> Self::Frame;
}

impl Frames for PodLog {
    type Frame = LogFrame;

    async fn frame(&mut self) -> Option<LogFrame> {
        Self::frame(self).await
    }

    fn end(reason: String) -> LogFrame {
        LogFrame::End { reason }
    }
}

impl Frames for ServiceStream {
    type Frame = ServiceLogFrame;

    async fn frame(&mut self) -> Option<ServiceLogFrame> {
        Self::frame(self).await
    }

    fn end(reason: String) -> ServiceLogFrame {
        ServiceLogFrame::End { reason }
    }
}

/// The browser went.
struct Gone;

/// Sends a log until it ends, the browser goes, or the process stops.
pub async fn serve<F: Frames>(mut socket: WebSocket, mut log: F, shutdown: CancellationToken) {
    if pump(&mut socket, &mut log, &shutdown).await.is_ok()
        && let Err(error) = socket.send(Message::Close(None)).await
    {
        tracing::trace!(%error, "the browser went first");
    }
}

async fn pump<F: Frames>(
    socket: &mut WebSocket,
    log: &mut F,
    shutdown: &CancellationToken,
) -> Result<(), Gone> {
    let mut ping = interval_at(Instant::now() + PING_PERIOD, PING_PERIOD);
    loop {
        tokio::select! {
            frame = log.frame() => match frame {
                Some(frame) => send(socket, &frame).await?,
                None => return Ok(()),
            },
            _ = ping.tick() => within(socket.send(Message::Ping(Bytes::new()))).await?,
            () = shutdown.cancelled() => {
                return send(socket, &F::end("ipaas is stopping; open the log again".to_owned())).await;
            }
            // Reading answers pings and tells when the browser closes; what it says is of no matter.
            message = socket.recv() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone),
                Some(Ok(_)) => {}
            }
        }
    }
}

async fn send<F: Serialize>(socket: &mut WebSocket, frame: &F) -> Result<(), Gone> {
    let text = serde_json::to_string(frame).expect("a frame is plain data");
    within(socket.send(Message::Text(text.into()))).await
}

async fn within(sending: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Gone> {
    match tokio::time::timeout(SEND_TIMEOUT, sending).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Gone),
    }
}
