//! What a running container answers on its ports.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::logs::Log;

/// What the answers say about the container.
pub struct Face {
    /// A JSON object, as text: there are as many of these as pods.
    pub identity: Box<str>,
    pub ready: AtomicBool,
    pub log: Arc<Log>,
}

/// Opens the ports; a port that cannot be had is said in the log and the container runs on.
pub fn listen(address: Ipv4Addr, ports: &[u16], face: &Arc<Face>, token: &CancellationToken) {
    for port in ports {
        let at = SocketAddr::from((address, *port));
        let bound = std::net::TcpListener::bind(at).and_then(|listener| {
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        });
        match bound {
            Ok(listener) => {
                face.log.write(format!("listening on {at}"));
                let accepting = accept(listener, *port, face.clone(), token.clone());
                tokio::spawn(crate::clock::current().scope(accepting));
            }
            Err(error) => face.log.write(format!("cannot listen on {at}: {error}")),
        }
    }
}

async fn accept(listener: TcpListener, port: u16, face: Arc<Face>, token: CancellationToken) {
    loop {
        let (stream, peer) = tokio::select! {
            () = token.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let (face, token) = (face.clone(), token.clone());
        tokio::spawn(crate::clock::current().scope(async move {
            let service = service_fn(move |request| {
                let response = answer(&face, port, peer, &request);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = token.cancelled() => {}
                _ = connection => {}
            }
        }));
    }
}

fn answer(face: &Face, port: u16, peer: SocketAddr, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let ready = face.ready.load(Ordering::Relaxed);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    face.log.write(format!(
        "{} {} {} from {peer}",
        request.method(),
        request.uri(),
        status.as_u16()
    ));
    let mut body: Value = serde_json::from_str(&face.identity).unwrap_or_default();
    body["ready"] = ready.into();
    body["port"] = port.into();
    body["method"] = request.method().as_str().into();
    body["path"] = request.uri().to_string().into();
    if !ready {
        body["error"] = json!("not ready");
    }
    let mut response = Response::new(Full::new(Bytes::from(format!("{body}\n"))));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    response
}
