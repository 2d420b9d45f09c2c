//! `portforward`: connections to a pod's ports. Clients of today bring SPDY through a WebSocket, older ones SPDY
//! itself, and client libraries pairs of channels in a WebSocket; all of it ends in [`connect`].

mod channels;
mod paired;

use std::net::Ipv4Addr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::multiplex::PIECE;
use super::{multiplex, text_header, websocket};
use crate::api::Call;
use crate::api::body::Body;
use crate::api::errors::{ApiError, ApiResult};
use crate::api::logs::reach;
use crate::api::path::Resource;
use crate::api::query::Query;
use crate::kubelet::pod_id;

const PROTOCOL: &str = "portforward.k8s.io";
const TUNNELLED: &str = "SPDY/3.1+portforward.k8s.io";
const CHANNELS: &str = "v4.channel.k8s.io";
const CONNECT: Duration = Duration::from_secs(5);

/// The pod whose ports are asked for.
#[derive(Clone)]
struct Target {
    address: Ipv4Addr,
    pod: String,
}

/// What a connection says on its way out.
enum Event {
    Data(Bytes),
    /// It did not come about, or broke: why.
    Failed(String),
    End,
}

pub fn answer(call: &Call, resource: &Resource, request: Request<Incoming>) -> ApiResult<Response<Body>> {
    let target = target(call, resource)?;
    let upgrade = text_header(&request, header::UPGRADE);
    if upgrade.eq_ignore_ascii_case("spdy/3.1") {
        return multiplex::accept(call, request, PROTOCOL, move |connection| {
            paired::serve(target, connection)
        });
    }
    if !upgrade.eq_ignore_ascii_case("websocket") {
        return Err(ApiError::bad_request("Upgrade request required"));
    }
    let offered = text_header(&request, header::SEC_WEBSOCKET_PROTOCOL);
    let token = call.token.clone();
    if offered.split(',').any(|one| one.trim() == TUNNELLED) {
        return websocket::accept(call, request, &[TUNNELLED], move |socket, _| async move {
            tokio::select! {
                () = token.cancelled() => {}
                () = paired::through(socket, target) => {}
            }
        });
    }
    let ports = ports(&call.query)?;
    websocket::accept(call, request, &[CHANNELS], move |socket, _| async move {
        tokio::select! {
            () = token.cancelled() => {}
            () = channels::serve(target, &ports, socket) => {}
        }
    })
}

fn target(call: &Call, resource: &Resource) -> ApiResult<Target> {
    let (kind, name) = (resource.kind, resource.name());
    let pod = call
        .cluster
        .store
        .get(kind, resource.namespace(), name)
        .ok_or_else(|| ApiError::not_found(kind, name))?;
    if pod.field("spec.nodeName") == Some("") {
        return Err(ApiError::bad_request(format!(
            "pod {name} does not have a host assigned"
        )));
    }
    reach(call, &pod)?;
    let running = pod.field("status.phase") == Some("Running");
    let address = pod.field("status.podIP").and_then(|address| address.parse().ok());
    match address.filter(|_| running) {
        Some(address) => Ok(Target {
            address,
            pod: pod_id(&pod.key, &pod.uid),
        }),
        None => Err(ApiError::internal(format!(
            "error upgrading connection: unable to forward port because pod is not running. Current status={}",
            pod.field("status.phase").unwrap_or("")
        ))),
    }
}

/// The ports of a request by channels: `ports=80,81`, or several of it.
fn ports(query: &Query) -> ApiResult<Vec<u16>> {
    let read = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
    let ports: Option<Vec<u16>> = query
        .all("ports")
        .into_iter()
        .flat_map(|list| list.split(','))
        .map(read)
        .collect();
    // Each has two channels, whose numbers are a byte.
    ports
        .filter(|ports| (1..=128).contains(&ports.len()))
        .ok_or_else(|| ApiError::bad_request("query parameter \"ports\" must name 1 to 128 ports"))
}

/// Connects to a port and carries bytes both ways until the pod's side ends, or the client's connection. Whoever has
/// the other end of `input` closes it when nothing more comes; `framed` puts events into what goes over the wire.
async fn connect(
    target: &Target,
    port: u16,
    mut input: mpsc::Receiver<Bytes>,
    to_wire: &mpsc::Sender<Bytes>,
    framed: impl Fn(Event) -> Vec<Bytes>,
) {
    let connecting = TcpStream::connect((target.address, port));
    let connected = match tokio::time::timeout(CONNECT, connecting).await {
        Ok(connected) => connected.map_err(|error| match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
            _ => error.to_string(),
        }),
        Err(_) => Err("i/o timeout".to_owned()),
    };
    let mut socket = match connected {
        Ok(socket) => socket,
        Err(why) => {
            let (id, uid) = target.pod.split_once('(').unwrap_or((&target.pod, ""));
            let uid = uid.trim_end_matches(')');
            let why = format!(
                "error forwarding port {port} to pod {id}, uid {uid}: failed to connect to localhost:{port}: {why}"
            );
            send(to_wire, framed(Event::Failed(why))).await;
            send(to_wire, framed(Event::End)).await;
            return;
        }
    };
    let (mut from, mut into) = socket.split();
    let up = async {
        while let Some(bytes) = input.recv().await {
            if into.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let _ = into.shutdown().await;
        std::future::pending::<()>().await;
    };
    let down = async {
        let mut buffer = vec![0; PIECE];
        while let Ok(count) = from.read(&mut buffer).await {
            if count == 0
                || !send(
                    to_wire,
                    framed(Event::Data(Bytes::copy_from_slice(&buffer[..count]))),
                )
                .await
            {
                break;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
    send(to_wire, framed(Event::End)).await;
}

async fn send(to_wire: &mpsc::Sender<Bytes>, frames: Vec<Bytes>) -> bool {
    for frame in frames {
        if to_wire.send(frame).await.is_err() {
            return false;
        }
    }
    true
}
