//! WebSockets: the handshake is forwarded like any call, then bytes are copied both ways.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderValue, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use platform::{ApiError, ApiResult};
use tokio::io::copy_bidirectional;

use super::forward::{call, kept, send};
use crate::app::identity::Identity;
use crate::app::permission::{Access, Decision, decide};
use crate::app::routes::Matched;
use crate::state::AppState;

/// How soon a connection ends whose caller signed out or lost the permission.
const CHECKED_EVERY: Duration = Duration::from_secs(15);

/// Forwards the handshake; the copying goes on until either side ends it.
pub async fn forward(
    state: AppState,
    matched: Matched,
    identity: Arc<Identity>,
    request: Request,
) -> ApiResult<Response> {
    let (mut parts, _) = request.into_parts();
    let websocket = parts
        .headers
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let caller = parts.extensions.remove::<OnUpgrade>().filter(|_| websocket);
    let Some(caller) = caller else {
        return Err(ApiError::invalid(
            "invalid_upgrade",
            "this connection can only become a WebSocket",
        ));
    };
    let target = matched.operation.target;
    let call = call(&state, target, &identity.caller, &parts)?
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "websocket");
    let response = send(&state, target, call).await?;
    let status = response.status();
    let mut headers = kept(response.headers(), &[]);
    if status != StatusCode::SWITCHING_PROTOCOLS {
        let mut refusal = Response::new(Body::new(reqwest::Body::from(response)));
        *refusal.status_mut() = status;
        *refusal.headers_mut() = headers;
        return Ok(refusal);
    }
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let service = response.upgrade();
    let tracker = state.foundation.tracker.clone();
    tracker.spawn(async move {
        let (caller, mut service) = match tokio::join!(caller, service) {
            (Ok(caller), Ok(service)) => (caller, service),
            (caller, service) => {
                tracing::debug!(caller = caller.is_ok(), service = service.is_ok(), "a WebSocket did not open");
                return;
            }
        };
        let mut caller = TokioIo::new(caller);
        tokio::select! {
            outcome = copy_bidirectional(&mut caller, &mut service) => {
                if let Err(error) = outcome {
                    tracing::debug!(%error, "a WebSocket broke off");
                }
            }
            () = state.foundation.shutdown.cancelled() => {}
            () = until_turned_away(&state, &matched, &identity) => {
                tracing::info!(user.name = %identity.user.name, "a WebSocket was ended: its caller may no longer");
            }
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    Ok(response)
}

async fn until_turned_away(state: &AppState, matched: &Matched, identity: &Identity) {
    loop {
        tokio::time::sleep(CHECKED_EVERY).await;
        match state
            .identities
            .find_by_digest(identity.via, &identity.digest)
            .await
        {
            Ok(Some(now)) => {
                if let Access::Needs(permission) = matched.operation.access
                    && decide(&now.caller, permission, matched.operation.reads, matched.scope())
                        != Decision::Allowed
                {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => tracing::debug!(%error, "the caller could not be looked up; asked again soon"),
        }
    }
}
