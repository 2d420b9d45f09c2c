//! Signing in and out.

use api_types::access::{Credentials, Session};
use api_types::common::ErrorBody;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use http::header::{RETRY_AFTER, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderValue, StatusCode};
use platform::extract::Json;
use platform::{ApiError, ApiResult};

use super::origin::Client;
use super::{Shared, Who};
use crate::app::identity::{Credential, Identity, Via};
use crate::app::sign_in::{self, Origin};
use crate::state::AppState;

/// The cookie with the session's id.
pub const COOKIE: &str = "longshore_session";

/// Signs in.
///
/// Sets the cookie `longshore_session`. `csrf_token` goes into the header `x-csrf-token` of every
/// change made with it.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session",
    request_body = Credentials,
    responses(
        (status = 200, description = "Signed in", body = Session),
        (status = 401, description = "`wrong_credentials`", body = ErrorBody),
        (status = 429, description = "`too_many_attempts`: `details.retry_at` says when to try again", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("public")))
)]
pub async fn create_session(
    State(state): Shared,
    client: Client,
    headers: HeaderMap,
    Json(credentials): Json<Credentials>,
) -> ApiResult<Response> {
    let origin = Origin {
        address: client.address,
        user_agent: headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
    };
    let id = match sign_in::sign_in(&state, &credentials, &origin).await {
        Ok(id) => id,
        Err(error) => return Ok(refusal(error)),
    };
    let identity = state
        .identities
        .find(&Credential::Session(id.clone()))
        .await?
        .ok_or_else(|| ApiError::internal("the session that was made is not there"))?;
    let longest = Duration::seconds(state.config.sessions.longest.num_seconds());
    let mut response = Json(shown(&state, &identity)).into_response();
    set_cookie(&mut response, &id, longest, client.secure)?;
    Ok(response)
}

/// Who is signed in, and what they may do.
#[utoipa::path(
    get, path = "/api/v1/session", tag = "session",
    responses(
        (status = 200, description = "The caller", body = Session),
        (status = 401, description = "`not_signed_in`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn get_session(State(state): Shared, Who(identity): Who) -> Json<Session> {
    Json(shown(&state, &identity))
}

fn shown(state: &AppState, identity: &Identity) -> Session {
    let cursor = state.hub.cursor(state.hub.head());
    identity.session(state.config.simulation_url.is_some(), cursor)
}

/// Signs out: the session ends at once, everywhere.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session",
    responses(
        (status = 204, description = "Signed out"),
        (status = 400, description = "`no_session`: an API token is no session; revoke it instead", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("signed-in")))
)]
pub async fn delete_session(
    State(state): State<AppState>,
    client: Client,
    Who(identity): Who,
) -> ApiResult<Response> {
    if identity.via != Via::Session {
        return Err(ApiError::invalid(
            "no_session",
            "an API token is no session; revoke it under /api-tokens instead",
        ));
    }
    sign_in::sign_out(&state, &identity.digest).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, "", Duration::ZERO, client.secure)?;
    Ok(response)
}

/// Says in the header too when to try again.
fn refusal(error: ApiError) -> Response {
    let seconds = error.details["retry_after_seconds"].as_i64();
    let mut response = error.into_response();
    if let Some(seconds) = seconds {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn set_cookie(response: &mut Response, value: &str, age: Duration, secure: bool) -> ApiResult<()> {
    let cookie = Cookie::build((COOKIE, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(secure)
        .max_age(age)
        .build();
    let value = HeaderValue::try_from(cookie.to_string()).map_err(ApiError::internal)?;
    response.headers_mut().append(SET_COOKIE, value);
    Ok(())
}

/// The session's id of a request.
#[must_use]
pub fn cookie_of(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == COOKIE && !cookie.value().is_empty())
        .map(|cookie| cookie.value().to_owned())
}
