//! Who is signed in where, and ending it.

use api_types::access::SessionSummary;
use api_types::common::{ListQuery, Page, SessionId};
use auth::Permission;
use platform::{ApiError, ApiResult, page};
use uuid::Uuid;

use super::identity::{Identity, Via};
use super::users;
use crate::db::sessions;
use crate::state::AppState;

/// A user's sessions, newest first: the caller's own without a name.
pub async fn list(
    state: &AppState,
    identity: &Identity,
    name: Option<&str>,
    query: &ListQuery,
) -> ApiResult<Page<SessionSummary>> {
    let database = &state.foundation.database;
    let (user, id) = match name {
        Some(name) => {
            let row = users::find(database, name).await?;
            (row.name, row.id.into())
        }
        None => (identity.user.name.clone(), identity.user.id),
    };
    let limit = page::limit(query.limit);
    let after = page::decode_cursor::<Uuid>(query.cursor.as_deref())?;
    let now = state.foundation.clock.now();
    let (rows, total) = sessions::list(database, id, now, after, limit as u64 + 1).await?;
    let page = page::of(rows, limit, total, |row| page::encode_cursor(&row.public_id));
    Ok(page.map(|row| SessionSummary {
        id: row.public_id.into(),
        user: user.clone(),
        current: identity.via == Via::Session && identity.digest == row.digest,
        created_at: row.created_at,
        seen_at: row.seen_at,
        expires_at: row.expires_at,
        remote_address: row.remote_address,
        user_agent: row.user_agent,
    }))
}

/// Ends a session: one's own, or anybody's for who may change users.
pub async fn end(state: &AppState, identity: &Identity, id: SessionId) -> ApiResult<()> {
    let database = &state.foundation.database;
    let anybodys = identity.caller.may(Permission::UserWrite, None, None);
    let session = sessions::find_by_public_id(database, id)
        .await?
        .filter(|session| anybodys || session.user_id == identity.user.id.0)
        .ok_or_else(|| ApiError::not_found(format_args!("the session {id}")))?;
    sessions::delete(database, &session.digest).await?;
    state.identities.forget();
    Ok(())
}

/// Ends all of one's own sessions but the one that asks.
pub async fn end_others(state: &AppState, identity: &Identity) -> ApiResult<()> {
    let spared = (identity.via == Via::Session).then_some(identity.digest.as_str());
    sessions::delete_of(&state.foundation.database, identity.user.id, spared).await?;
    state.identities.forget();
    Ok(())
}

/// Ends all of a user's sessions.
pub async fn end_all(state: &AppState, name: &str) -> ApiResult<()> {
    let database = &state.foundation.database;
    let user = users::find(database, name).await?;
    sessions::delete_of(database, user.id.into(), None).await?;
    state.identities.forget();
    Ok(())
}
