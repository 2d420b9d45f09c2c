//! Signing in and out with a local user's password.

use std::net::IpAddr;

use api_types::access::Credentials;
use api_types::common::SessionId;
use http::StatusCode;
use platform::{ApiError, ApiResult};

use super::limiter;
use super::secret::{digest, random};
use crate::db::{sessions, users};
use crate::state::AppState;

const LONGEST_NAME: usize = 64;
const LONGEST_USER_AGENT: usize = 200;

/// Where a sign-in comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    pub address: IpAddr,
    pub user_agent: String,
}

/// Checks the password and begins a session; returns the session's id, which is nowhere else.
///
/// # Errors
/// 401 `wrong_credentials`, the same and as slow whether the user is unknown, disabled or the password
/// wrong; 429 `too_many_attempts` with `retry_at`.
pub async fn sign_in(state: &AppState, credentials: &Credentials, origin: &Origin) -> ApiResult<String> {
    let name = normal(&credentials.username);
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(wrong());
    }
    limiter::attempt(state, &name, origin.address).await?;
    let database = &state.foundation.database;
    let user = users::find_by_name(database, &name)
        .await?
        .filter(|user| !user.disabled);
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    let fits = state.passwords.fits(&credentials.password, hash).await?;
    let Some(user) = user.filter(|_| fits) else {
        tracing::info!(user.name = %name, remote.address = %origin.address, "a sign-in failed");
        return Err(wrong());
    };
    limiter::succeeded(state, &name, origin.address).await?;
    let id = random();
    let now = state.foundation.clock.now();
    let session = sessions::Model {
        digest: digest(&id),
        public_id: SessionId::new().0,
        user_id: user.id,
        created_at: now,
        seen_at: now,
        expires_at: state.config.sessions.expiry(now, now),
        remote_address: origin.address.to_string(),
        user_agent: origin.user_agent.chars().take(LONGEST_USER_AGENT).collect(),
    };
    sessions::insert(database, session).await?;
    users::signed_in(database, user.id.into(), now).await?;
    tracing::info!(user.name = %name, remote.address = %origin.address, "signed in");
    Ok(id)
}

/// Ends a session, at once.
pub async fn sign_out(state: &AppState, session: &str) -> ApiResult<()> {
    sessions::delete(&state.foundation.database, session).await?;
    state.identities.forget();
    Ok(())
}

/// Names are told apart without regard to case.
#[must_use]
pub fn normal(name: &str) -> String {
    name.trim().to_lowercase()
}

fn wrong() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "wrong_credentials",
        "the name or the password is wrong",
    )
}
