//! The loops, run by the one replica that leads. Each reads what is wanted and what is there and closes
//! the difference; each can be cut off at any line and started again.

pub mod autoscale;
pub mod dispatch;
pub mod failback;
pub mod health;
mod lead;
pub mod metering;
pub mod observe;
pub mod reconcile;
pub mod registry;
pub mod trim;
pub mod work;

use std::sync::Arc;
use std::time::Duration;

use platform::driver::{Driver, Signal};

use crate::state::AppState;

/// The pause before a broken connection to ipaas is tried again.
const RECONNECT: Duration = Duration::from_millis(500);
const REGISTRY_PERIOD: Duration = Duration::from_secs(5);
const TRIM_PERIOD: Duration = Duration::from_secs(600);

pub use lead::LEASE;

/// Starts every loop.
pub fn start(state: &AppState, driver: &Driver) {
    let config = &state.config;
    driver.start(
        Arc::new(observe::Observe::new(state.clone())),
        RECONNECT,
        Signal::default(),
    );
    driver.start(
        Arc::new(health::Health::new(state.clone())),
        config.probe_period(),
        state.work.health.clone(),
    );
    driver.start(
        Arc::new(reconcile::Reconcile::new(state.clone())),
        config.reconcile_period(),
        state.outbox.reconcile.clone(),
    );
    driver.start(
        Arc::new(registry::Registry::new(state.clone())),
        REGISTRY_PERIOD.min(config.probe_period()),
        state.work.registry.clone(),
    );
    driver.start(
        Arc::new(failback::Failback::new(state.clone())),
        REGISTRY_PERIOD.min(config.probe_period()),
        state.work.failback.clone(),
    );
    driver.start(
        Arc::new(autoscale::Autoscale::new(state.clone())),
        config.autoscaling_period(),
        // Never sooner: each turn decides about every service, and keeps it.
        Signal::default(),
    );
    driver.start(
        Arc::new(metering::Metering::new(state.clone())),
        config.metering_period(),
        Signal::default(),
    );
    driver.start(
        Arc::new(trim::Trim::new(state.clone())),
        TRIM_PERIOD,
        Signal::default(),
    );
}
