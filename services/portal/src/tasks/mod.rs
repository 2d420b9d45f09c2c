//! Loops of the portal.

mod follow;
mod others;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use platform::driver::Signal;
use platform::server::Ready;
use sea_orm::ConnectionTrait as _;

use crate::state::AppState;

const SWEPT_EVERY: Duration = Duration::from_secs(600);
const ASKED_AT_MOST: Duration = Duration::from_secs(2);

/// Starts every loop.
pub fn start(state: &AppState) {
    follow::start(state);
    others::start(state);
    let driver = state.foundation.driver("portal");
    driver.start(
        Arc::new(sweep::Sweep(state.clone())),
        SWEPT_EVERY,
        Signal::default(),
    );
}

/// Ready when the database answers: without it nobody can be signed in.
#[derive(Clone)]
pub struct Database(pub AppState);

impl Ready for Database {
    async fn waits_for(&self) -> Vec<String> {
        let asked = self.0.foundation.database.execute_unprepared("SELECT 1");
        match tokio::time::timeout(ASKED_AT_MOST, asked).await {
            Ok(Ok(_)) => Vec::new(),
            _ => vec!["the database".to_owned()],
        }
    }
}
