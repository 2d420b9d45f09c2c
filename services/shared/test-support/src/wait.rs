//! Waiting for conditions, never for time.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Asks `condition` until it gives `Ok`, at most for `longest`; then panics with the last reason.
///
/// The condition says why not yet, so that a test that fails tells what it saw.
pub async fn wait_for<T, E: Debug>(
    what: &str,
    longest: Duration,
    mut condition: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let started = Instant::now();
    let mut pause = Duration::from_millis(10);
    loop {
        match condition().await {
            Ok(value) => return value,
            Err(reason) if started.elapsed() > longest => {
                panic!("waited {longest:?} for {what}; the last reason: {reason:?}")
            }
            Err(_) => {}
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}
