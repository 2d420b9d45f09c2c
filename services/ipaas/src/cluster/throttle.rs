//! A cluster that has too much to do says so (429) and for how long it wants to be left alone. All requests to it keep
//! to that, whoever makes them.

use std::time::{Duration, Instant};

use http::{HeaderMap, header};
use parking_lot::RwLock;

/// When it doesn't say how long.
const UNSAID: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// How long after its last such answer a cluster is shown as busy.
const SHOWN: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub struct Throttle(RwLock<Option<Said>>);

#[derive(Clone, Copy, Debug)]
struct Said {
    at: Instant,
    until: Instant,
}

impl Throttle {
    /// The cluster asked for a pause.
    pub fn take(&self, headers: &HeaderMap, now: Instant) {
        let seconds = headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse().ok());
        let pause = seconds.map_or(UNSAID, Duration::from_secs).min(LONGEST);
        let mut said = self.0.write();
        let before = said.map_or(now, |said| said.until);
        *said = Some(Said {
            at: now,
            until: before.max(now + pause),
        });
    }

    /// How long it wants to be left alone yet.
    #[must_use]
    pub fn pause(&self, now: Instant) -> Duration {
        self.0
            .read()
            .map_or(Duration::ZERO, |said| said.until.saturating_duration_since(now))
    }

    /// For people, while it is so.
    #[must_use]
    pub fn shown(&self, now: Instant) -> Option<String> {
        let said = (*self.0.read())?;
        let pause = said.until.saturating_duration_since(now);
        (pause > Duration::ZERO || now.saturating_duration_since(said.at) < SHOWN)
            .then(|| "it has too much to do and asks to be asked less (429)".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(retry_after: &'static str) -> HeaderMap {
        let value = http::HeaderValue::from_static(retry_after);
        [(header::RETRY_AFTER, value)].into_iter().collect()
    }

    #[test]
    fn the_longest_pause_that_was_asked_for_holds() {
        let throttle = Throttle::default();
        let now = Instant::now();
        assert_eq!((throttle.pause(now), throttle.shown(now)), (Duration::ZERO, None));
        throttle.take(&headers("7"), now);
        throttle.take(&headers("2"), now + Duration::from_secs(1));
        assert_eq!(
            throttle.pause(now + Duration::from_secs(1)),
            Duration::from_secs(6)
        );
        assert!(throttle.shown(now + Duration::from_secs(8)).is_some());
        assert_eq!(throttle.pause(now + Duration::from_secs(8)), Duration::ZERO);
        assert_eq!(throttle.shown(now + Duration::from_secs(12)), None);
    }

    #[test]
    fn what_is_not_said_or_too_long_has_a_bound() {
        let now = Instant::now();
        for (said, pause) in [("", UNSAID), ("soon", UNSAID), ("86400", LONGEST)] {
            let throttle = Throttle::default();
            throttle.take(&headers(said), now);
            assert_eq!(throttle.pause(now), pause, "{said:?}");
        }
    }
}
