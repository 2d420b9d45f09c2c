//! The clock, so that tests can replace it, with the precision that every database keeps.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use parking_lot::Mutex;

/// Tells the time. Microseconds at most: PostgreSQL keeps no more, and a time must read back as written.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Mutex<DateTime<Utc>>>>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is told to move; for tests.
    #[must_use]
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Self(Some(Arc::new(Mutex::new(at.trunc_subsecs(6)))))
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            None => now(),
            Some(at) => *at.lock(),
        }
    }

    /// Moves a fixed clock; the machine's clock stays as it is.
    pub fn advance(&self, by: chrono::Duration) {
        if let Some(at) = &self.0 {
            *at.lock() += by;
        }
    }
}

/// The nearest time that every database keeps and compares: SQLite writes years of four digits, and PostgreSQL's
/// years end earlier than ours.
#[must_use]
pub fn storable(time: DateTime<Utc>) -> DateTime<Utc> {
    let first = DateTime::from_timestamp(-62_135_596_800, 0).expect("the year 1");
    let last = DateTime::from_timestamp(253_402_300_799, 999_999_000).expect("the end of the year 9999");
    time.clamp(first, last)
}

/// The machine's time in microseconds.
#[must_use]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_no_database_keeps_become_the_nearest_that_they_do() {
        for (given, kept) in [
            ("-262143-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("2026-01-02T03:04:05.678901Z", "2026-01-02T03:04:05.678901Z"),
            ("+262142-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            let given: DateTime<Utc> = given.parse().unwrap();
            assert_eq!(storable(given), kept.parse::<DateTime<Utc>>().unwrap());
        }
    }
}
