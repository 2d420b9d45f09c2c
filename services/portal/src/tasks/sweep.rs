//! Removes what is over: ended sessions, failed sign-ins, old audit and idempotency keys.

use async_trait::async_trait;
use platform::driver::Task;

use crate::app::limiter;
use crate::db::{audit, sessions, sign_in_failures};
use crate::state::AppState;

pub struct Sweep(pub AppState);

#[async_trait]
impl Task for Sweep {
    fn name(&self) -> &'static str {
        "portal_sweep"
    }

    async fn turn(&self, _epoch: i64) -> anyhow::Result<()> {
        let foundation = &self.0.foundation;
        let ended = sessions::delete_expired(&foundation.database, foundation.clock.now()).await?;
        let now = foundation.clock.now();
        let calm = sign_in_failures::delete_old(&foundation.database, now - limiter::MEMORY).await?;
        let aged = match self.0.config.audit_kept {
            Some(kept) => audit::delete_old(&foundation.database, now - kept).await?,
            None => 0,
        };
        let forgotten = platform::idempotency::forget_old(&foundation.database).await?;
        tracing::debug!(
            ended,
            calm,
            aged,
            forgotten,
            "swept sessions, failed sign-ins, old audit and idempotency keys"
        );
        Ok(())
    }
}
