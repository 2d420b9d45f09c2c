//! The time of a cluster. It is this machine's, unless a fault sets the cluster's clock wrong.
//!
//! What a cluster does runs inside its clock's scope, so that nothing below has to carry it along.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};

tokio::task_local! {
    static CURRENT: Clock;
}

/// By how much a cluster's clock is wrong. Clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// Sets the clock that many milliseconds ahead (or behind, below zero).
    pub fn set_skew(&self, milliseconds: i64) {
        self.0.store(milliseconds, Ordering::Relaxed);
    }

    pub fn now(&self) -> DateTime<Utc> {
        Utc::now() + Duration::milliseconds(self.0.load(Ordering::Relaxed))
    }

    /// Lets work see this clock.
    pub fn scope<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self.clone(), work)
    }
}

/// The time of the cluster whose work this is.
pub fn now() -> DateTime<Utc> {
    CURRENT.try_with(Clock::now).unwrap_or_else(|_| Utc::now())
}

/// The clock that the work around sees, for work that it starts.
pub fn current() -> Clock {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_work_of_a_cluster_sees_its_clock() {
        let clock = Clock::default();
        clock.set_skew(-3_600_000);
        // The cluster's time is read first, so it lags by an hour and a little more.
        let lag = clock.scope(async { now() - Utc::now() }).await;
        assert_eq!(lag.num_minutes(), -60);
        let inherited = clock.scope(async { current() }).await;
        assert_eq!((inherited.now() - Utc::now()).num_minutes(), -60);
        assert_eq!((now() - Utc::now()).num_minutes(), 0);
    }
}
