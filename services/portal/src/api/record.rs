//! Carrying out a change between the two halves of its audit record.
//!
//! The change runs in a task of its own: a browser that goes away in the middle neither stops it nor
//! leaves its end unknown.

use std::sync::Arc;
use std::time::Instant;

use api_types::audit::{AuditOutcome, AuditRecord};
use api_types::common::{AuditId, ErrorBody};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use platform::server::{in_request, request_id};
use platform::{ApiError, ApiResult};
use serde_json::Value;
use tracing::Instrument as _;

use super::object::Reader;
use super::origin::Client;
use crate::app::audit::Objects;
use crate::app::identity::Identity;
use crate::app::permission::Access;
use crate::app::routes::Matched;
use crate::app::{aftermath, audit};
use crate::state::AppState;

/// The largest body of a change: a kubeconfig, or a spec with its config files.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// The same of who is not signed in yet.
const LARGEST_PUBLIC_BODY: usize = 16 * 1024;
const LARGEST_ERROR: usize = 64 * 1024;
const LONGEST_PATH: usize = 1024;
const LONGEST_ACTOR: usize = 64;

/// Who asks for what.
pub struct Change {
    pub matched: Matched,
    pub identity: Option<Arc<Identity>>,
    pub client: Client,
}

/// Writes the change down, carries it out unless `verdict` refuses, and writes down how it ended.
pub async fn carry_out(
    state: AppState,
    behind: Router,
    change: Change,
    verdict: ApiResult<()>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let public = change.matched.operation.access == Access::Public;
    let (parts, body) = request.into_parts();
    let limit = if public { LARGEST_PUBLIC_BODY } else { LARGEST_BODY };
    let (body, known, verdict) = match read(body, &parts.headers, limit).await {
        Ok((body, known)) => (body, known, verdict),
        Err(error) => (Body::empty(), Value::Null, verdict.and(Err(error))),
    };
    let record = draft(&state, &change, parts.uri.path(), &known);
    let reader = match (&verdict, &change.identity) {
        (Ok(()), Some(identity)) => Reader::of(
            &state,
            &change.matched,
            identity,
            parts.uri.path(),
            &known,
            behind,
        ),
        _ => None,
    };
    let before = match &reader {
        Some(reader) => reader.before().await,
        None => None,
    };
    // Who isn't signed in writes nothing before it is known that they may try at all.
    if !public && let Err(error) = audit::begin(&state, record.clone(), before.as_ref()).await {
        return error.into_response();
    }
    let request = Request::from_parts(parts, body);
    let id = request_id();
    let task = state.clone();
    let work = async move {
        let response = match verdict {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        };
        let (response, error) = look_at(response).await;
        let (response, after) = match reader {
            Some(reader) if response.status().is_success() => reader.after(response).await,
            _ => (response, None),
        };
        let duration = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let ending = audit::ending(response.status(), error.as_ref(), duration);
        if !public {
            audit::end(&task, &record, ending, Objects { before, after }).await;
        } else if response.status() != StatusCode::TOO_MANY_REQUESTS {
            audit::whole(&task, record, &ending).await;
        }
        if response.status().is_success() {
            aftermath::of(&task, &change.matched).await;
        }
        response
    };
    let work = in_request(id, work).instrument(tracing::Span::current());
    match state.foundation.tracker.spawn(work).await {
        Ok(response) => response,
        Err(error) => ApiError::internal(error).into_response(),
    }
}

/// A JSON body is read whole, so that it can be written down; anything else passes unseen.
async fn read(body: Body, headers: &HeaderMap, limit: usize) -> ApiResult<(Body, Value)> {
    let too_large = || {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body is larger than {limit} bytes"),
        )
    };
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let json = headers
        .get(CONTENT_TYPE)
        .is_none_or(|value| value.to_str().is_ok_and(|text| text.contains("json")));
    if !json {
        return Ok((Body::new(Limited::new(body, limit)), Value::Null));
    }
    let bytes = match Limited::new(body, limit).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
        Err(error) => {
            return Err(ApiError::invalid(
                "invalid_body",
                format!("the body did not arrive whole: {error}"),
            ));
        }
    };
    let known = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok((Body::from(bytes), known))
}

fn draft(state: &AppState, change: &Change, path: &str, body: &Value) -> AuditRecord {
    let matched = &change.matched;
    let operation = &matched.operation;
    let actor = match &change.identity {
        Some(identity) => identity.user.name.clone(),
        None => body["username"]
            .as_str()
            .unwrap_or_default()
            .chars()
            .take(LONGEST_ACTOR)
            .collect(),
    };
    let scope = matched.scope();
    AuditRecord {
        id: AuditId::new(),
        at: state.foundation.clock.now(),
        actor,
        via: change
            .identity
            .as_ref()
            .map_or("anonymous", |identity| identity.via.name())
            .to_owned(),
        action: operation.id.clone(),
        method: operation.method.to_string(),
        path: path.chars().take(LONGEST_PATH).collect(),
        project: scope.project.map(Into::into),
        environment: scope.environment.map(Into::into),
        target: audit::target(matched, body),
        request: (!body.is_null()).then(|| operation.secrets.take_out(body)),
        outcome: AuditOutcome::Unknown,
        status: None,
        error: None,
        request_id: request_id(),
        remote_address: change.client.address.to_string(),
        duration_ms: None,
    }
}

/// Reads what a refusal says, and hands it on.
async fn look_at(response: Response) -> (Response, Option<ErrorBody>) {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("json")));
    if !failed || !json {
        return (response, None);
    }
    let (parts, body) = response.into_parts();
    let bytes: Bytes = match Limited::new(body, LARGEST_ERROR).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => {
            let error = ApiError::unavailable(
                "service_unavailable",
                "the service's answer broke off; whether the change was made is not known",
            )
            .with_source(error);
            return (error.into_response(), None);
        }
    };
    let error = serde_json::from_slice(&bytes).ok();
    (Response::from_parts(parts, Body::from(bytes)), error)
}
