//! The door: every call of the API is matched, its caller found, and both weighed before it goes on.

use std::sync::Arc;
use std::time::Duration;

use auth::CLUSTER_TOKEN_PREFIX;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{ALLOW, AUTHORIZATION, UPGRADE};
use http::{HeaderMap, HeaderValue, StatusCode};
use platform::{ApiError, ApiResult};

use super::origin::{Client, of_own_page};
use super::{not_signed_in, record, session};
use crate::app::identity::{Credential, Identity, Via};
use crate::app::permission::{Access, Decision, decide};
use crate::app::routes::Matched;
use crate::app::sign_in::normal;
use crate::state::AppState;

/// The header that proves that a change comes from our own pages.
pub const CSRF_HEADER: &str = "x-csrf-token";

const LOOKED_UP_WITHIN: Duration = Duration::from_secs(8);

/// What the door needs.
#[derive(Clone)]
pub struct Door {
    pub state: AppState,
    /// Every operation, with nobody asked at the door: for what the portal reads for itself.
    pub behind: Router,
}

/// For `from_fn_with_state`.
pub async fn door(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let Door { state, behind } = door;
    let matched = match state.routes.find(request.method(), request.uri().path()) {
        Ok(matched) => matched,
        Err(error) => return refusal(error),
    };
    let identity = match identify(&state, &matched, request.headers()).await {
        Ok(identity) => identity,
        Err(error) => return error.into_response(),
    };
    let verdict = match &identity {
        Some(identity) => admit(&state, &matched, identity, request.headers()),
        None => Ok(()),
    };
    let client = Client::of(&state.config, request.headers(), request.extensions());
    if let Some(identity) = &identity {
        request.extensions_mut().insert(Arc::clone(identity));
    }
    request.extensions_mut().insert(matched.clone());
    if matched.operation.reads {
        return match verdict {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        };
    }
    let change = record::Change {
        matched,
        identity,
        client,
    };
    record::carry_out(state, behind, change, verdict, request, next).await
}

/// Who calls. Nobody, where nobody needs to be.
async fn identify(
    state: &AppState,
    matched: &Matched,
    headers: &HeaderMap,
) -> ApiResult<Option<Arc<Identity>>> {
    match matched.operation.access {
        Access::Public => return Ok(None),
        Access::ClusterToken => {
            return match cluster_token(headers) {
                Some(_) => Ok(None),
                None => Err(ApiError::not_signed_in(
                    "this takes the token of a cluster's agent",
                )),
            };
        }
        Access::SignedIn | Access::Needs(_) => {}
    }
    let credential = match headers.get(AUTHORIZATION) {
        Some(value) => {
            let token = value
                .to_str()
                .ok()
                .and_then(|value| value.strip_prefix("Bearer "));
            let token = token.ok_or_else(|| {
                ApiError::not_signed_in("the authorization header must be `Bearer` and an API token")
            })?;
            Credential::Token(token.trim().to_owned())
        }
        None => Credential::Session(session::cookie_of(headers).ok_or_else(not_signed_in)?),
    };
    // A connection that went silent in the middle of a query tells nothing by itself.
    let found = tokio::time::timeout(LOOKED_UP_WITHIN, state.identities.find(&credential))
        .await
        .map_err(|_| ApiError::database_unavailable())??;
    found.map(Some).ok_or_else(|| match credential {
        Credential::Token(_) => {
            ApiError::not_signed_in("the API token is unknown, revoked or expired, or its user disabled")
        }
        Credential::Session(_) => ApiError::not_signed_in("the session is over; sign in again"),
    })
}

/// The token of a cluster's agent, if the call has one.
pub fn cluster_token(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
        .map(str::trim)
        .filter(|token| token.starts_with(CLUSTER_TOKEN_PREFIX))
}

/// Whether this caller may go on.
fn admit(state: &AppState, matched: &Matched, identity: &Identity, headers: &HeaderMap) -> ApiResult<()> {
    let operation = &matched.operation;
    if identity.via == Via::Session {
        let upgrades = headers.contains_key(UPGRADE);
        if upgrades && !of_own_page(&state.config, headers) {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "foreign_origin",
                "the connection comes from a page of another site",
            ));
        }
        if operation.method != http::Method::GET && !has_csrf_token(state, identity, headers) {
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "csrf",
                format!("a change made with a session needs the session's token as {CSRF_HEADER}"),
            ));
        }
    }
    if identity.via == Via::Session && identity.user.must_change_password && !leads_out(matched, identity) {
        return Err(ApiError::new(
            StatusCode::FORBIDDEN,
            "password_change_required",
            "somebody else knows this password: change it first",
        ));
    }
    let Access::Needs(permission) = operation.access else {
        return Ok(());
    };
    let scope = matched.scope();
    match decide(&identity.caller, permission, operation.reads, scope) {
        Decision::Allowed => Ok(()),
        Decision::Hidden => {
            let project = scope.project.unwrap_or_default();
            Err(match scope.environment {
                Some(environment) => {
                    ApiError::not_found(format_args!("the environment {project}/{environment}"))
                }
                None => ApiError::not_found(format_args!("the project {project}")),
            })
        }
        Decision::Denied => {
            let place = match (scope.project, scope.environment) {
                (None, _) => String::new(),
                (Some(project), None) => format!(" in {project}"),
                (Some(project), Some(environment)) => format!(" in {project}/{environment}"),
            };
            Err(ApiError::forbidden(format!(
                "this needs the permission {permission}{place}; ask whoever manages roles here"
            ))
            .with_details(serde_json::json!({ "permission": permission.name() })))
        }
    }
}

/// What remains open to who has to change the password: looking who one is, changing it, signing out.
fn leads_out(matched: &Matched, identity: &Identity) -> bool {
    match matched.operation.id.as_str() {
        "get_session" | "delete_session" => true,
        "set_user_password" => matched.parameter("user").map(normal).as_deref() == Some(&identity.user.name),
        _ => false,
    }
}

fn has_csrf_token(state: &AppState, identity: &Identity, headers: &HeaderMap) -> bool {
    headers
        .get(CSRF_HEADER)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|token| state.csrf.fits(&identity.digest, token))
}

/// Names the methods that there are, as 405 has to.
fn refusal(error: ApiError) -> Response {
    let allowed = error.details["allowed"].as_array().map(|methods| {
        let names: Vec<&str> = methods.iter().filter_map(|method| method.as_str()).collect();
        names.join(", ")
    });
    let mut response = error.into_response();
    if let Some(value) = allowed.and_then(|names| HeaderValue::try_from(names).ok()) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}
