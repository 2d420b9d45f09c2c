//! The web pages, part of the program.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, Method, StatusCode, Uri};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What `npm run build` made. Without it the program builds too, and says how to make it.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Pages;

const INDEX: &str = "index.html";
const MISSING: &str = include_str!("missing.html");
/// Names under here change with their content.
const HASHED: &str = "assets/";
const FOREVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// A file, or the page that finds its way by the path (history fallback).
pub async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = uri.path().trim_start_matches('/');
    if let Some(file) = Pages::get(path) {
        return answer(path, file, &headers);
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if path.starts_with(HASHED) || last.contains('.') {
        return (StatusCode::NOT_FOUND, "there is no such file").into_response();
    }
    match Pages::get(INDEX) {
        Some(index) => answer(INDEX, index, &headers),
        None => {
            let headers = [
                (CONTENT_TYPE, "text/html; charset=utf-8"),
                (CACHE_CONTROL, "no-store"),
            ];
            (StatusCode::NOT_FOUND, headers, MISSING).into_response()
        }
    }
}

/// Whether the pages are part of this program.
#[must_use]
pub fn is_built() -> bool {
    Pages::get(INDEX).is_some()
}

fn answer(path: &str, file: EmbeddedFile, headers: &HeaderMap) -> Response {
    let digest = file.metadata.sha256_hash();
    let tag: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let caching = if path.starts_with(HASHED) {
        FOREVER
    } else {
        ASK_AGAIN
    };
    let known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains(tag.as_str()));
    let common = [(ETAG, tag), (CACHE_CONTROL, caching.to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = content_type(path, file.metadata.mimetype());
    let body = match file.data {
        std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
        std::borrow::Cow::Owned(bytes) => Body::from(bytes),
    };
    (common, [(CONTENT_TYPE, kind)], body).into_response()
}

fn content_type(path: &str, guessed: &str) -> String {
    let text = guessed.starts_with("text/") || path.ends_with(".js");
    if text && !guessed.contains("charset") {
        format!("{guessed}; charset=utf-8")
    } else {
        guessed.to_owned()
    }
}
