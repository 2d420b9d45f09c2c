//! The API's description, for programs and for people.

use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use platform::{ApiError, ApiResult};

use super::Shared;

const PAGE: &str = include_str!("docs/index.html");
const SCRIPT: &str = include_str!("docs/docs.js");
const STYLE: &str = include_str!("docs/docs.css");
const ASK_AGAIN: (http::HeaderName, &str) = (CACHE_CONTROL, "no-cache");

/// Every operation of every service, as one OpenAPI document.
pub async fn openapi(State(state): Shared) -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "application/json"), ASK_AGAIN];
    (headers, state.document.clone())
}

/// The page that shows it; it needs nothing from elsewhere.
pub async fn page() -> impl IntoResponse {
    ([ASK_AGAIN], Html(PAGE))
}

/// What the page is made of.
pub async fn file(Path(name): Path<String>) -> ApiResult<Response> {
    let (kind, text) = match name.as_str() {
        "docs.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "docs.css" => ("text/css; charset=utf-8", STYLE),
        _ => return Err(ApiError::not_found(format_args!("the page /api/docs/{name}"))),
    };
    Ok(([(CONTENT_TYPE, kind), ASK_AGAIN], text).into_response())
}

/// Nothing else is there; programs are told so in their own words, not with a page.
pub async fn nothing(uri: http::Uri) -> ApiError {
    ApiError::not_found(format_args!("the API path {}", uri.path()))
}
