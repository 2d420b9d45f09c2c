//! A service behind the portal: checks tokens as the real ones do and says what it was asked.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api_types::changes::ChangeLine;
use auth::{Caller, Verifier};
use axum::body::{Body, Bytes};
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{Query, Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get};
use axum::{Extension, Json, Router};
use futures::StreamExt as _;
use http::StatusCode;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use platform::crypto::MasterKey;
use platform::stream::ndjson;
use serde_json::{Value, json};
use tokio::sync::{Notify, broadcast};
use tokio_stream::wrappers::BroadcastStream;

/// What a service was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HashMap<String, String>,
    pub body: String,
    pub caller: Caller,
}

#[derive(Clone)]
pub struct Simulated(Arc<Inner>);

struct Inner {
    name: &'static str,
    address: SocketAddr,
    asked: Mutex<Vec<Asked>>,
    answers: Mutex<HashMap<String, (u16, Value)>>,
    /// What is answered first, once.
    first: Mutex<HashMap<String, (u16, Value)>>,
    lines: Mutex<broadcast::Sender<ChangeLine>>,
    cursors: Mutex<Vec<Option<String>>>,
    /// Holds requests to `/slow` until told.
    pub gate: Notify,
    server: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Simulated {
    pub async fn start(name: &'static str, key: &MasterKey) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulated = Self(Arc::new(Inner {
            name,
            address: listener.local_addr().unwrap(),
            asked: Mutex::default(),
            answers: Mutex::default(),
            first: Mutex::default(),
            lines: Mutex::new(broadcast::channel(64).0),
            cursors: Mutex::default(),
            gate: Notify::new(),
            server: Mutex::default(),
        }));
        let verifier = Verifier::new(name, key);
        let router = Router::new()
            .route("/internal/v1/changes", get(changes))
            .route(
                "/api/v1/projects/{project}/environments/{environment}/clusters/{cluster}/pods/{pod}/log/stream",
                get(socket),
            )
            .fallback(any(answer))
            .layer(from_fn_with_state(verifier, auth::middleware::require_token))
            .with_state(simulated.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        *simulated.0.server.lock() = Some(server);
        simulated
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// What `path` is answered with from now on; 200 and an echo otherwise.
    pub fn answer(&self, path: &str, status: u16, body: Value) {
        self.0.answers.lock().insert(path.to_owned(), (status, body));
    }

    /// What `path` is answered with the next time only.
    pub fn answer_once(&self, path: &str, status: u16, body: Value) {
        self.0.first.lock().insert(path.to_owned(), (status, body));
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.0.asked.lock().clone()
    }

    pub fn last(&self) -> Asked {
        self.asked().pop().expect("something was asked")
    }

    pub fn tell(&self, line: ChangeLine) -> usize {
        self.0.lines.lock().send(line).unwrap_or(0)
    }

    pub fn followers(&self) -> usize {
        self.0.lines.lock().receiver_count()
    }

    /// Ends the streams of those who follow; they may come again.
    pub fn break_streams(&self) {
        *self.0.lines.lock() = broadcast::channel(64).0;
    }

    /// The cursors that followers came with.
    pub fn cursors(&self) -> Vec<Option<String>> {
        self.0.cursors.lock().clone()
    }

    /// Lets what waits go on.
    pub fn open_gate(&self) {
        self.0.gate.notify_waiters();
    }

    pub fn stop(&self) {
        if let Some(server) = self.0.server.lock().take() {
            server.abort();
        }
    }
}

async fn changes(
    State(simulated): State<Simulated>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    simulated.0.cursors.lock().push(query.get("cursor").cloned());
    let lines = BroadcastStream::new(simulated.0.lines.lock().subscribe())
        .take_while(|line| std::future::ready(line.is_ok()))
        .filter_map(|line| std::future::ready(line.ok()));
    let first = ChangeLine::Alive {
        cursor: format!("{}-0", simulated.0.name),
    };
    ndjson(futures::stream::once(std::future::ready(first)).chain(lines))
}

async fn answer(
    State(simulated): State<Simulated>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let headers: HashMap<String, String> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    if path.ends_with("/overview") && headers.contains_key("x-test-stream") {
        return streamed();
    }
    let body = body.collect().await.unwrap().to_bytes();
    let asked = Asked {
        method: parts.method.to_string(),
        path: path.clone(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.clone(),
        body: String::from_utf8_lossy(&body).into_owned(),
        caller,
    };
    // What the audit reads, and what the portal asks in its own name, is not what somebody asked.
    if !headers.contains_key("x-longshore-purpose") && !asked.caller.is_service() {
        simulated.0.asked.lock().push(asked);
    }
    if headers.contains_key("x-test-slow") {
        simulated.0.gate.notified().await;
    }
    let once = simulated.0.first.lock().remove(&path);
    let programmed = once.or_else(|| simulated.0.answers.lock().get(&path).cloned());
    let (status, body) = programmed.unwrap_or((200, json!({ "service": simulated.0.name, "path": path })));
    let headers = [
        ("etag", "\"7\""),
        ("set-cookie", "stolen=1"),
        ("x-from-service", "yes"),
    ];
    (StatusCode::from_u16(status).unwrap(), headers, Json(body)).into_response()
}

/// A line now and one when the reader took the first.
fn streamed() -> Response {
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    tokio::spawn(async move {
        for line in ["one\n", "two\n", "three\n"] {
            if sender.send(Ok(Bytes::from(line))).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver)).into_response()
}

async fn socket(Extension(caller): Extension<Caller>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.protocols(["lines"]).on_upgrade(async move |mut socket| {
        let hello = format!("hello {}", caller.name);
        if socket.send(Message::from(hello)).await.is_err() {
            return;
        }
        while let Some(Ok(message)) = socket.recv().await {
            let reply = match message {
                Message::Text(text) => Message::from(format!("echo {text}")),
                Message::Binary(bytes) => Message::from(bytes),
                _ => continue,
            };
            if socket.send(reply).await.is_err() {
                return;
            }
        }
    })
}
