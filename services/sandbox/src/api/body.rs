//! Bodies of answers, and the form the client wants them in.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;

pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The form of objects in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Object,
    Table,
    /// `PartialObjectMetadata`: metadata alone.
    Metadata,
    /// Nothing this server can write.
    Unacceptable,
}

impl Format {
    /// The first form of an Accept header that we can write.
    pub fn of(accept: Option<&HeaderValue>) -> Self {
        let Some(accept) = accept.and_then(|accept| accept.to_str().ok()) else {
            return Self::Object;
        };
        for choice in accept.split(',') {
            let mut parts = choice.split(';').map(str::trim);
            let media = parts.next().unwrap_or("");
            if !matches!(
                media,
                "application/json" | "*/*" | "application/*" | "" | "application/yaml"
            ) {
                continue;
            }
            let mut wanted = "";
            for part in parts {
                if let Some(form) = part.strip_prefix("as=") {
                    wanted = form;
                }
            }
            match wanted {
                "" => return Self::Object,
                "Table" => return Self::Table,
                "PartialObjectMetadata" | "PartialObjectMetadataList" => return Self::Metadata,
                _ => {}
            }
        }
        Self::Unacceptable
    }
}

pub fn full(status: StatusCode, content_type: &'static str, bytes: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(bytes.into()).boxed_unsync());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub fn json(status: StatusCode, value: &Value) -> Response<Body> {
    full(status, "application/json", value.to_string())
}

pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    full(status, "text/plain; charset=utf-8", text)
}

/// An answer whose body comes bit by bit.
pub fn stream(
    content_type: &'static str,
    stream: impl futures::Stream<Item = Bytes> + Send + 'static,
) -> Response<Body> {
    use futures::StreamExt as _;
    let frames = stream.map(|bytes| Ok(hyper::body::Frame::data(bytes)));
    let mut response = Response::new(http_body_util::StreamBody::new(frames).boxed_unsync());
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_writable_form_wins() {
        for (accept, format) in [
            ("application/json", Format::Object),
            ("*/*", Format::Object),
            (
                "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
                Format::Table,
            ),
            (
                "application/vnd.kubernetes.protobuf, application/json",
                Format::Object,
            ),
            ("application/vnd.kubernetes.protobuf", Format::Unacceptable),
            (
                "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
                Format::Metadata,
            ),
        ] {
            assert_eq!(
                Format::of(Some(&HeaderValue::from_static(accept))),
                format,
                "{accept}"
            );
        }
    }
}
