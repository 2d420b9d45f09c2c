//! API tokens: what machines sign in with.

use api_types::access::{ApiToken, ApiTokenCreated, NewApiToken};
use api_types::common::{FieldError, ListQuery, Page, TokenId, UserId};
use auth::Permission;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use platform::idempotency::Once;
use platform::{ApiError, ApiResult, page};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::identity::{Identity, Via};
use super::secret::{digest, random_token};
use super::{grants, users as people};
use crate::db::{api_tokens, users};
use crate::state::AppState;

const LONGEST_NAME: usize = 64;
const LONGEST_DAYS: u32 = 3650;
const TOKENS_AT_MOST: u64 = 100;

/// What a repeated call is answered with: the secret is sealed, as it is at rest nowhere else.
#[derive(Serialize, Deserialize)]
struct Reply {
    token: ApiToken,
    sealed: String,
}

/// Makes a token for the caller.
///
/// # Errors
/// 403 `session_required` when the caller is a token itself: one that leaked must not outlive its
/// revocation by making another.
pub async fn create(
    state: &AppState,
    identity: &Identity,
    key: Option<&str>,
    new: &NewApiToken,
) -> ApiResult<ApiTokenCreated> {
    if identity.via == Via::Token {
        return Err(ApiError::new(
            http::StatusCode::FORBIDDEN,
            "session_required",
            "an API token can't make API tokens; sign in with a password",
        ));
    }
    let new = checked(identity, new)?;
    let once = Once::new(
        &state.foundation.master_key,
        "portal",
        &identity.caller.subject,
        key,
        "create_api_token",
        &new,
    );
    let transaction = platform::database::begin(&state.foundation.database).await?;
    let context = format!("api-token-reply/{}", identity.caller.subject);
    if let Some(reply) = once.replay::<Reply>(&transaction).await? {
        let sealed = STANDARD.decode(&reply.sealed).map_err(ApiError::internal)?;
        let secret = state.foundation.master_key.open(&context, &sealed)?;
        return Ok(ApiTokenCreated {
            token: reply.token,
            secret: String::from_utf8(secret).map_err(ApiError::internal)?,
        });
    }
    if api_tokens::count(&transaction, identity.user.id).await? >= TOKENS_AT_MOST {
        return Err(ApiError::conflict(
            "too_many_api_tokens",
            format!("there are {TOKENS_AT_MOST} API tokens already; revoke one that is no longer used"),
        ));
    }
    let (row, secret) = make(state, identity.user.id, &new);
    api_tokens::insert(&transaction, row.clone()).await?;
    let token = row.shown(&identity.user.name);
    let sealed = STANDARD.encode(state.foundation.master_key.seal(&context, secret.as_bytes()));
    let reply = Reply { token, sealed };
    once.store(&transaction, &reply).await?;
    transaction.commit().await?;
    Ok(ApiTokenCreated {
        token: reply.token,
        secret,
    })
}

/// Makes a token for a user by name, for the program's own set-up.
pub async fn issue(state: &AppState, user: &str, name: &str) -> ApiResult<String> {
    let database = &state.foundation.database;
    let user = users::find_by_name(database, user)
        .await?
        .ok_or_else(|| ApiError::not_found(format_args!("the user {user}")))?;
    let new = NewApiToken {
        name: name.to_owned(),
        grant: None,
        expires_in_days: None,
    };
    let (row, secret) = make(state, user.id.into(), &new);
    api_tokens::insert(database, row).await?;
    Ok(secret)
}

fn make(state: &AppState, user: UserId, new: &NewApiToken) -> (api_tokens::Model, String) {
    let now = state.foundation.clock.now();
    let secret = random_token();
    let row = api_tokens::Model {
        id: TokenId::new().0,
        user_id: user.0,
        name: new.name.clone(),
        digest: digest(&secret),
        scope: new.grant.as_ref().map(|grant| json!(grant)),
        created_at: now,
        expires_at: new
            .expires_in_days
            .map(|days| now + TimeDelta::days(i64::from(days))),
        last_used_at: None,
    };
    (row, secret)
}

fn checked(identity: &Identity, new: &NewApiToken) -> ApiResult<NewApiToken> {
    let mut fields = new.grant.as_ref().map(grants::check).unwrap_or_default();
    if let Some(grant) = new.grant.as_ref().filter(|_| fields.is_empty())
        && !grants::holds_all(&identity.caller, grant)
    {
        fields.push(FieldError {
            field: "grant".to_owned(),
            message: "is more than you may do there yourself".to_owned(),
        });
    }
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        fields.push(FieldError {
            field: "name".to_owned(),
            message: format!("must have 1 to {LONGEST_NAME} characters"),
        });
    }
    if new
        .expires_in_days
        .is_some_and(|days| !(1..=LONGEST_DAYS).contains(&days))
    {
        fields.push(FieldError {
            field: "expires_in_days".to_owned(),
            message: format!("must be 1 to {LONGEST_DAYS}"),
        });
    }
    if !fields.is_empty() {
        return Err(ApiError::fields(fields));
    }
    Ok(NewApiToken {
        name: name.to_owned(),
        grant: new.grant.clone(),
        expires_in_days: new.expires_in_days,
    })
}

/// A user's tokens, newest first: the caller's own without a name.
pub async fn list(
    state: &AppState,
    identity: &Identity,
    name: Option<&str>,
    query: &ListQuery,
) -> ApiResult<Page<ApiToken>> {
    let database = &state.foundation.database;
    let (user, id) = match name {
        Some(name) => {
            let row = people::find(database, name).await?;
            (row.name, row.id.into())
        }
        None => (identity.user.name.clone(), identity.user.id),
    };
    let limit = page::limit(query.limit);
    let after = page::decode_cursor::<Uuid>(query.cursor.as_deref())?;
    let rows = api_tokens::list(database, id, after, limit as u64 + 1).await?;
    let total = api_tokens::count(database, id).await?;
    let page = page::of(rows, limit, total, |row| page::encode_cursor(&row.id));
    Ok(page.map(|row| row.shown(&user)))
}

/// Revokes a token: one's own, or anybody's for who may change users.
pub async fn delete(state: &AppState, identity: &Identity, id: TokenId) -> ApiResult<()> {
    let database = &state.foundation.database;
    let anybodys = identity.caller.may(Permission::UserWrite, None, None);
    let token = api_tokens::find(database, id)
        .await?
        .filter(|token| anybodys || token.user_id == identity.user.id.0)
        .ok_or_else(|| ApiError::not_found(format_args!("the API token {id}")))?;
    api_tokens::delete(database, token.id.into()).await?;
    state.identities.forget();
    Ok(())
}
