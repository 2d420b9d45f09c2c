#![doc = include_str!("../README.md")]

pub mod api;
pub mod app;
pub mod config;
pub mod db;
pub mod setup;
pub mod state;
pub mod tasks;

use platform::Foundation;
use platform::server::Running;

pub use config::Config;
use state::AppState;

/// Starts to answer, to follow the other services, and to sweep.
pub async fn start(foundation: Foundation, config: Config) -> anyhow::Result<Running> {
    let state = AppState::new(foundation, config)?;
    let running = platform::server::start(
        "portal",
        state.config.listen,
        api::router(state.clone()),
        tasks::Database(state.clone()),
        state.foundation.shutdown.clone(),
    )
    .await?;
    tasks::start(&state);
    Ok(running)
}
