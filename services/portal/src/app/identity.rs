//! Who calls: a session's cookie or an API token, looked up once in a few seconds.
//!
//! The cache keeps the gateway's overhead small. What this process changes about access takes effect
//! at once; what another replica changes takes effect when the entry is [`KEPT`] old.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api_types::access::{Grant, Session, User};
use auth::Caller;
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::RwLock;
use platform::time::Clock;
use sea_orm::{DatabaseConnection, DbErr};

use super::grants;
use super::secret::{CsrfKey, TOKEN_PREFIX, digest};
use crate::config::SessionLimits;
use crate::db::{api_tokens, bindings, sessions, users};

const KEPT: TimeDelta = TimeDelta::seconds(5);
const ENTRIES_AT_MOST: usize = 10_000;
/// A session's or token's last use is written down no more often than this.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    Session,
    Token,
}

impl Via {
    /// As the audit names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
        }
    }
}

/// A person or machine that is signed in.
#[derive(Clone, Debug)]
pub struct Identity {
    pub user: User,
    pub caller: Caller,
    pub via: Via,
    /// Digest of the session's id or the token's secret.
    pub digest: String,
    /// Of a session only.
    pub csrf_token: Option<String>,
    pub expires_at: Option<DateTime<Utc>>,
}

impl Identity {
    /// As the API shows it; `simulated` says whether the clusters are, `changes_cursor` where the stream of changes is.
    #[must_use]
    pub fn session(&self, simulated: bool, changes_cursor: String) -> Session {
        Session {
            user: self.user.clone(),
            grants: self.caller.grants.clone(),
            permissions: grants::permissions(&self.caller.grants),
            csrf_token: self.csrf_token.clone(),
            expires_at: self.expires_at.unwrap_or(DateTime::<Utc>::MAX_UTC),
            simulated,
            changes_cursor,
        }
    }
}

/// What a request brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A session's id.
    Session(String),
    /// An API token's secret.
    Token(String),
}

/// When it was looked up, and what was found.
type Cached = (DateTime<Utc>, Arc<Identity>);

/// Looks callers up.
pub struct Identities {
    database: DatabaseConnection,
    clock: Clock,
    csrf: CsrfKey,
    limits: SessionLimits,
    cache: RwLock<HashMap<String, Cached>>,
    /// Grows when anything about access changes, so that a look-up that began before is not kept.
    generation: AtomicU64,
}

impl Identities {
    #[must_use]
    pub fn new(database: DatabaseConnection, clock: Clock, csrf: CsrfKey, limits: SessionLimits) -> Self {
        Self {
            database,
            clock,
            csrf,
            limits,
            cache: RwLock::default(),
            generation: AtomicU64::new(0),
        }
    }

    /// Forgets what was looked up: somebody's access changed.
    pub fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
        self.cache.write().clear();
    }

    /// Who holds a credential; nobody when it is unknown, over, or its user disabled.
    pub async fn find(&self, credential: &Credential) -> Result<Option<Arc<Identity>>, DbErr> {
        let key = match credential {
            Credential::Session(id) => digest(id),
            Credential::Token(secret) if secret.starts_with(TOKEN_PREFIX) => digest(secret),
            Credential::Token(_) => return Ok(None),
        };
        self.find_by_digest(credential.via(), &key).await
    }

    /// The same by the digest, for who is known already and looked at again.
    pub async fn find_by_digest(&self, via: Via, digest: &str) -> Result<Option<Arc<Identity>>, DbErr> {
        let now = self.clock.now();
        if let Some((at, identity)) = self.cache.read().get(digest)
            && fresh(*at, now)
            && identity.via == via
        {
            let over = identity.expires_at.is_some_and(|end| end <= now);
            return Ok((!over).then(|| Arc::clone(identity)));
        }
        let generation = self.generation.load(Ordering::SeqCst);
        let loaded = match via {
            Via::Session => self.load_session(digest, now).await?,
            Via::Token => self.load_token(digest, now).await?,
        };
        let Some(identity) = loaded.map(Arc::new) else {
            return Ok(None);
        };
        let mut cache = self.cache.write();
        if cache.len() >= ENTRIES_AT_MOST {
            cache.retain(|_, (at, _)| fresh(*at, now));
        }
        if generation == self.generation.load(Ordering::SeqCst) && cache.len() < ENTRIES_AT_MOST {
            cache.insert(digest.to_owned(), (now, Arc::clone(&identity)));
        }
        Ok(Some(identity))
    }

    async fn load_session(&self, digest: &str, now: DateTime<Utc>) -> Result<Option<Identity>, DbErr> {
        let Some(session) = sessions::find(&self.database, digest).await? else {
            return Ok(None);
        };
        let Some((user, grants)) = self.load_user(session.user_id.into()).await? else {
            return Ok(None);
        };
        if session.expires_at <= now {
            return Ok(None);
        }
        let mut expires_at = session.expires_at;
        if now - session.seen_at > NOTED_EVERY {
            expires_at = self.limits.expiry(session.created_at, now);
            sessions::touch(&self.database, digest, now, expires_at).await?;
        }
        let csrf_token = Some(self.csrf.token(digest));
        Ok(Some(identity(
            user,
            grants,
            Via::Session,
            digest,
            csrf_token,
            Some(expires_at),
        )))
    }

    async fn load_token(&self, digest: &str, now: DateTime<Utc>) -> Result<Option<Identity>, DbErr> {
        let Some(token) = api_tokens::find_by_digest(&self.database, digest).await? else {
            return Ok(None);
        };
        if token.expires_at.is_some_and(|end| end <= now) {
            return Ok(None);
        }
        let Some((user, grants)) = self.load_user(token.user_id.into()).await? else {
            return Ok(None);
        };
        let grants = match token.most() {
            Ok(None) => grants,
            Ok(Some(most)) => grants::narrowed(&grants, &most),
            Err(error) => {
                tracing::warn!(token.id = %token.id, %error, "an API token's role can't be read; it may do nothing");
                Vec::new()
            }
        };
        if token.last_used_at.is_none_or(|last| now - last > NOTED_EVERY) {
            api_tokens::touch(&self.database, token.id, now).await?;
        }
        Ok(Some(identity(
            user,
            grants,
            Via::Token,
            digest,
            None,
            token.expires_at,
        )))
    }

    async fn load_user(&self, id: api_types::common::UserId) -> Result<Option<(User, Vec<Grant>)>, DbErr> {
        let Some(user) = users::find(&self.database, id).await? else {
            return Ok(None);
        };
        if user.disabled {
            return Ok(None);
        }
        let grants = bindings::grants_of(&self.database, id).await?;
        Ok(Some((user.into(), grants)))
    }
}

impl Credential {
    fn via(&self) -> Via {
        match self {
            Self::Session(_) => Via::Session,
            Self::Token(_) => Via::Token,
        }
    }
}

/// A clock that was set back makes nothing fresh.
fn fresh(at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    (TimeDelta::zero()..KEPT).contains(&(now - at))
}

fn identity(
    user: User,
    grants: Vec<Grant>,
    via: Via,
    digest: &str,
    csrf_token: Option<String>,
    expires_at: Option<DateTime<Utc>>,
) -> Identity {
    Identity {
        caller: Caller {
            subject: user.id.to_string(),
            name: user.name.clone(),
            grants,
        },
        user,
        via,
        digest: digest.to_owned(),
        csrf_token,
        expires_at,
    }
}
