//! What handlers and loops share.

use std::ops::Deref;
use std::sync::Arc;

use auth::Caller;
use chrono::{DateTime, SubsecRound as _, Utc};
use clients::IpaasClient;
use platform::driver::Statuses;
use platform::idempotency::Once;
use platform::{ApiResult, Foundation};
use serde::Serialize;

use crate::config::Config;
use crate::db::{DbErr, Outbox, Unit};
use crate::tasks::work::Work;

#[derive(Clone)]
pub struct AppState(Arc<Inner>);

pub struct Inner {
    pub foundation: Foundation,
    pub config: Config,
    pub ipaas: IpaasClient,
    pub outbox: Outbox,
    /// What the loops of this process have on their hands; all of it can be found again.
    pub work: Work,
    pub statuses: Statuses,
}

impl Deref for AppState {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl AppState {
    pub fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Now, as precisely as every database keeps it.
    pub fn now(&self) -> DateTime<Utc> {
        self.foundation.clock.now().trunc_subsecs(6)
    }

    /// A transaction whose changes are told when it commits.
    pub async fn begin(&self) -> Result<Unit, DbErr> {
        Unit::begin(&self.foundation.database, &self.outbox).await
    }

    /// For a reply: the database must be there.
    pub async fn unit(&self) -> ApiResult<Unit> {
        Ok(self.begin().await?)
    }

    /// A call's idempotency key; `operation` is the API operation and what it is on, `body` what was sent.
    pub fn once(&self, caller: &Caller, key: Option<&str>, operation: &str, body: &impl Serialize) -> Once {
        let master_key = &self.foundation.master_key;
        Once::new(master_key, "cluster-mgr", &caller.subject, key, operation, body)
    }
}
