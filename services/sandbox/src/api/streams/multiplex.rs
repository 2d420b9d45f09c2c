//! Streams over SPDY: each is one of the connection's, named by a header when it opens.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::spdy::{self, Frame, Reader, Writer};
use super::{Pipes, Session, read_size};
use crate::api::Call;
use crate::api::body::Body;
use crate::api::errors::{ApiError, ApiResult};
use crate::kubelet::process::Output;

const VERSION_HEADER: &str = "x-stream-protocol-version";
const PROTOCOL: &str = "v4.channel.k8s.io";
/// How long a client may take to open its streams.
const OPENING: Duration = Duration::from_secs(30);
/// Largest piece of output in one frame.
pub const PIECE: usize = 32 * 1024;

pub fn answer(call: &Call, session: Session, request: Request<Incoming>) -> ApiResult<Response<Body>> {
    accept(call, request, PROTOCOL, move |connection| {
        serve(session, connection)
    })
}

/// Takes a connection on which a protocol is spoken over SPDY; `work` has it until the server ends.
pub fn accept<F: Future<Output = ()> + Send + 'static>(
    call: &Call,
    mut request: Request<Incoming>,
    protocol: &'static str,
    work: impl FnOnce(TokioIo<Upgraded>) -> F + Send + 'static,
) -> ApiResult<Response<Body>> {
    let offered = request.headers().get_all(VERSION_HEADER).iter();
    let speaks = offered
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    if !speaks.map(str::trim).any(|one| one == protocol) {
        return Err(ApiError::new(
            403,
            "Forbidden",
            format!("only {protocol} is spoken here"),
        ));
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let mut response = Response::new(Empty::new().boxed_unsync());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("SPDY/3.1"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(VERSION_HEADER, HeaderValue::from_static(protocol));
    let token = call.token.clone();
    call.cluster.spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        tokio::select! {
            () = token.cancelled() => {}
            () = work(TokioIo::new(upgraded)) => {}
        }
    });
    Ok(response)
}

/// The numbers of the streams, by what they are for.
#[derive(Debug, Default, Clone, Copy)]
struct Streams {
    error: Option<u32>,
    stdin: Option<u32>,
    stdout: Option<u32>,
    stderr: Option<u32>,
    resize: Option<u32>,
}

impl Streams {
    fn open(&mut self, kind: &str, stream: u32) {
        match kind {
            "error" => self.error = Some(stream),
            "stdin" => self.stdin = Some(stream),
            "stdout" => self.stdout = Some(stream),
            "stderr" => self.stderr = Some(stream),
            "resize" => self.resize = Some(stream),
            _ => {}
        }
    }

    fn has_all(&self, session: &Session) -> bool {
        let wants = session.wants;
        self.error.is_some()
            && (!wants.stdin || self.stdin.is_some())
            && (!wants.stdout || self.stdout.is_some())
            && (!wants.stderr || self.stderr.is_some())
            && (!session.terminal || self.resize.is_some())
    }
}

async fn serve(session: Session, connection: impl AsyncRead + AsyncWrite + Send + 'static) {
    let (mut from, mut into) = tokio::io::split(connection);
    let mut reader = Reader::default();
    let mut writer = Writer::default();
    let opening = open(&session, &mut from, &mut into, &mut reader, &mut writer);
    let Ok(Some(opened)) = tokio::time::timeout(OPENING, opening).await else {
        return;
    };
    let (streams, early) = opened;
    let Pipes {
        input,
        sizes,
        mut output,
        status,
        stop,
    } = session.start();
    let (to_wire, mut wire) = mpsc::channel::<Bytes>(16);
    let reading = tokio::spawn(read(
        from,
        reader,
        early,
        streams,
        input,
        sizes,
        to_wire.clone(),
        stop.clone(),
    ));
    let writing = tokio::spawn(async move {
        while let Some(frame) = wire.recv().await {
            if into.write_all(&frame).await.is_err() || into.flush().await.is_err() {
                return;
            }
        }
        let _ = into.shutdown().await;
    });
    while let Some(piece) = output.recv().await {
        let (stream, bytes) = match piece {
            Output::Out(bytes) => (streams.stdout, bytes),
            Output::Error(bytes) => (streams.stderr, bytes),
        };
        let Some(stream) = stream else { continue };
        for part in bytes.chunks(PIECE) {
            if to_wire.send(spdy::data(stream, part, false)).await.is_err() {
                stop.cancel();
            }
        }
    }
    if let (Ok(status), Some(error)) = (status.await, streams.error) {
        let _ = to_wire
            .send(spdy::data(error, status.to_string().as_bytes(), true))
            .await;
    }
    for stream in [streams.stdout, streams.stderr].into_iter().flatten() {
        let _ = to_wire.send(spdy::data(stream, &[], true)).await;
    }
    let _ = to_wire.send(spdy::go_away()).await;
    // The client closes when it has read everything; one that does not is left.
    let _ = tokio::time::timeout(Duration::from_secs(5), reading).await;
    drop(to_wire);
    let _ = writing.await;
}

/// Takes frames until every stream the request asks for is open.
async fn open(
    session: &Session,
    from: &mut (impl AsyncRead + Unpin),
    into: &mut (impl AsyncWrite + Unpin),
    reader: &mut Reader,
    writer: &mut Writer,
) -> Option<(Streams, Vec<Frame>)> {
    let mut streams = Streams::default();
    let mut early = Vec::new();
    let mut buffer = vec![0; PIECE];
    loop {
        while let Some(frame) = reader.next().ok()? {
            match frame {
                Frame::Open { stream, headers, .. } => {
                    let kind = headers
                        .iter()
                        .find(|(name, _)| name.eq_ignore_ascii_case("streamtype"));
                    streams.open(kind.map_or("", |(_, value)| value), stream);
                    into.write_all(&writer.reply(stream)).await.ok()?;
                }
                Frame::Ping { id } => into.write_all(&spdy::ping(id)).await.ok()?,
                Frame::GoAway => return None,
                frame @ Frame::Data { .. } => early.push(frame),
                Frame::Reset { .. } | Frame::Other => {}
            }
        }
        into.flush().await.ok()?;
        if streams.has_all(session) {
            return Some((streams, early));
        }
        let count = from.read(&mut buffer).await.ok()?;
        if count == 0 {
            return None;
        }
        reader.feed(&buffer[..count]);
    }
}

#[expect(clippy::too_many_arguments, reason = "the ends of one connection")]
async fn read(
    mut from: impl AsyncRead + Unpin,
    mut reader: Reader,
    early: Vec<Frame>,
    streams: Streams,
    mut input: Option<mpsc::Sender<Bytes>>,
    sizes: mpsc::Sender<(u16, u16)>,
    to_wire: mpsc::Sender<Bytes>,
    stop: CancellationToken,
) {
    let mut waiting: std::collections::VecDeque<Frame> = early.into();
    let mut buffer = vec![0; PIECE];
    loop {
        while let Ok(Some(frame)) = reader.next() {
            waiting.push_back(frame);
        }
        while let Some(frame) = waiting.pop_front() {
            match frame {
                Frame::Data { stream, bytes, last } if Some(stream) == streams.stdin => {
                    if let Some(sender) = &input
                        && !bytes.is_empty()
                        && sender.send(bytes).await.is_err()
                    {
                        input = None;
                    }
                    if last {
                        input = None;
                    }
                }
                Frame::Data { stream, bytes, .. } if Some(stream) == streams.resize => {
                    if let Some(size) = read_size(&bytes) {
                        let _ = sizes.send(size).await;
                    }
                }
                Frame::Ping { id } => drop(to_wire.send(spdy::ping(id)).await),
                Frame::Reset { stream } if Some(stream) == streams.stdin => input = None,
                Frame::GoAway => {
                    stop.cancel();
                    return;
                }
                _ => {}
            }
        }
        match from.read(&mut buffer).await {
            Ok(count) if count > 0 => reader.feed(&buffer[..count]),
            _ => {
                stop.cancel();
                return;
            }
        }
    }
}
