//! Streams of JSON lines between services.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use serde::Serialize;

/// Answers with one JSON document a line, sent as each comes.
pub fn ndjson<T: Serialize + Send + 'static>(items: impl Stream<Item = T> + Send + 'static) -> Response {
    let lines = items.map(|item| {
        let mut line = serde_json::to_vec(&item).expect("a line is plain data");
        line.push(b'\n');
        Ok::<_, Infallible>(Bytes::from(line))
    });
    let headers = [
        (http::header::CONTENT_TYPE, "application/x-ndjson"),
        (http::header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(lines)).into_response()
}
