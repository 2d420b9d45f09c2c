//! Passing a call on to the service that owns it.

use std::sync::Arc;
use std::time::Instant;

use auth::{CLUSTER_TOKEN_HEADER, Caller};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Uri};
use platform::server::{REQUEST_ID, request_id};
use platform::{ApiError, ApiResult};
use reqwest::{RequestBuilder, Url};
use serde_json::json;

use super::door::cluster_token;
use super::{not_signed_in, socket};
use crate::app::identity::Identity;
use crate::app::permission::Access;
use crate::app::routes::{Matched, Target};
use crate::state::AppState;

/// What belongs to one connection, not to the message.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// What is between the caller and the portal only.
const OURS: &[&str] = &[
    "authorization",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "origin",
    CLUSTER_TOKEN_HEADER,
    "x-csrf-token",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];
/// A heartbeat is a few words.
const LARGEST_HEARTBEAT: usize = 16 * 1024;
/// What no service may do to our callers.
const THEIRS: &[&str] = &["server", "set-cookie", "x-request-id"];

/// Forwards what is not the portal's own.
pub async fn forward(
    State(state): State<AppState>,
    Extension(matched): Extension<Matched>,
    identity: Option<Extension<Arc<Identity>>>,
    request: Request,
) -> ApiResult<Response> {
    if matched.operation.access == Access::ClusterToken {
        return forward_agent(&state, matched.operation.target, request).await;
    }
    let Extension(identity) = identity.ok_or_else(not_signed_in)?;
    if request.headers().contains_key(UPGRADE) {
        return socket::forward(state, matched, identity, request).await;
    }
    let target = matched.operation.target;
    let (parts, body) = request.into_parts();
    let mut call = call(&state, target, &identity.caller, &parts)?;
    if parts.method != Method::GET && parts.method != Method::HEAD {
        call = call.body(reqwest::Body::wrap_stream(body.into_data_stream()));
    }
    answer(send(&state, target, call).await?)
}

/// Forwards what a cluster's agent says, in nobody's name and with its token beside.
async fn forward_agent(state: &AppState, target: Target, request: Request) -> ApiResult<Response> {
    let (parts, body) = request.into_parts();
    let token = cluster_token(&parts.headers).ok_or_else(not_signed_in)?;
    let agent = Caller {
        subject: "cluster-agent".to_owned(),
        name: "cluster-agent".to_owned(),
        grants: Vec::new(),
    };
    let body = axum::body::to_bytes(body, LARGEST_HEARTBEAT)
        .await
        .map_err(|error| ApiError::invalid("invalid_body", error.to_string()))?;
    let call = call(state, target, &agent, &parts)?
        .header(CLUSTER_TOKEN_HEADER, token)
        .body(body);
    answer(send(state, target, call).await?)
}

fn answer(response: reqwest::Response) -> ApiResult<Response> {
    let (mut parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
    parts.headers = kept(&parts.headers, THEIRS);
    parts.extensions.clear();
    Ok(Response::from_parts(parts, Body::new(body)))
}

/// The call to the service, signed in the caller's name, without its body.
pub(super) fn call(
    state: &AppState,
    target: Target,
    caller: &Caller,
    parts: &http::request::Parts,
) -> ApiResult<RequestBuilder> {
    let url = url(state.base_url(target), &parts.uri)?;
    let token = state.issuer.issue(target.name(), caller);
    let mut headers = kept(&parts.headers, OURS);
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        headers.insert(REQUEST_ID, id);
    }
    Ok(state
        .upstream
        .request(parts.method.clone(), url)
        .headers(headers)
        .bearer_auth(token))
}

/// The same path on the service. Checked to have stayed the same: permission was given for this one.
fn url(base: &str, asked: &Uri) -> ApiResult<Url> {
    let path = asked.path();
    let text = match asked.query() {
        Some(query) => format!("{base}{path}?{query}"),
        None => format!("{base}{path}"),
    };
    let url = Url::parse(&text).map_err(ApiError::internal)?;
    if url.path().ends_with(path) {
        Ok(url)
    } else {
        Err(ApiError::invalid(
            "invalid_path",
            format!("{path} can't be passed on"),
        ))
    }
}

/// Sends, and says plainly when the service is away.
pub(super) async fn send(
    state: &AppState,
    target: Target,
    call: RequestBuilder,
) -> ApiResult<reqwest::Response> {
    let name = target.name();
    let longest = state.config.service_timeout;
    let begun = Instant::now();
    let outcome = tokio::time::timeout(longest, call.send()).await;
    let answered = if matches!(outcome, Ok(Ok(_))) { "yes" } else { "no" };
    metrics::histogram!("longshore_gateway_seconds", "service" => name, "answered" => answered)
        .record(begun.elapsed().as_secs_f64());
    let (code, message, source): (_, _, Box<dyn std::error::Error + Send + Sync>) = match outcome {
        Ok(Ok(response)) => return Ok(response),
        Ok(Err(error)) if error.is_connect() => (
            "service_unavailable",
            format!("{name} doesn't answer, so nothing was done; try again in a moment"),
            error.into(),
        ),
        Ok(Err(error)) if !error.is_timeout() => (
            "service_unavailable",
            format!("{name} broke off; look whether it was done before you try again"),
            error.into(),
        ),
        Ok(Err(error)) => ("service_timeout", too_long(name, longest), error.into()),
        Err(error) => ("service_timeout", too_long(name, longest), error.into()),
    };
    Err(ApiError::unavailable(code, message)
        .with_details(json!({ "service": name }))
        .with_source(source))
}

fn too_long(name: &str, longest: std::time::Duration) -> String {
    format!("{name} did not answer within {longest:?}; look whether it was done before you try again")
}

/// Headers without those of the connection and `dropped`.
pub(super) fn kept(headers: &HeaderMap, dropped: &[&str]) -> HeaderMap {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    headers
        .iter()
        .filter(|(name, _)| {
            let name = name.as_str();
            !HOP_BY_HOP.contains(&name) && !dropped.contains(&name) && !named.iter().any(|own| own == name)
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_two_ends_stays_there() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("cookie", "longshore_session=x"),
            ("authorization", "Bearer lsp_x"),
            ("connection", "keep-alive, x-mine"),
            ("keep-alive", "5"),
            ("x-mine", "1"),
            ("if-match", "\"7\""),
            ("idempotency-key", "k"),
            ("x-csrf-token", "t"),
        ] {
            headers.append(
                http::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let kept = kept(&headers, OURS);
        let mut names: Vec<&str> = kept.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["idempotency-key", "if-match"]);
    }

    #[test]
    fn a_path_that_changes_on_the_way_is_refused() {
        let asked = |path: &'static str| url("http://127.0.0.1:1", &Uri::from_static(path));
        let url = asked("/api/v1/pods?q=a%20b&phase=x").unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:1/api/v1/pods?q=a%20b&phase=x");
        assert!(asked("/api/v1/projects/../pods").is_err());
        assert!(asked("/api/v1/projects/%2e%2e/pods").is_err());
    }
}
