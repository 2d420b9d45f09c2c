//! Whether a cluster is there, and how far what is known of it can be trusted.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::app::observation::Freshness;

/// A watch that was cut is opened again within moments; until this long after, what it left is fresh.
const WATCH_GRACE: Duration = Duration::from_secs(10);

/// What the probes say.
#[derive(Clone, Debug, Default)]
pub struct Probed {
    pub reachable: bool,
    pub error: Option<String>,
    pub last_probe_at: Option<DateTime<Utc>>,
    pub last_success_at: Option<DateTime<Utc>>,
    /// Begin of the present run of good (or bad) probes.
    pub since: Option<DateTime<Utc>>,
}

/// The probes of one cluster.
#[derive(Debug)]
pub struct Health {
    probed: RwLock<Probed>,
    /// When everything known of the cluster was last known to be true.
    fresh_at: RwLock<Option<DateTime<Utc>>>,
    reachable: watch::Sender<bool>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            probed: RwLock::default(),
            fresh_at: RwLock::default(),
            reachable: watch::Sender::new(false),
        }
    }
}

impl Health {
    #[must_use]
    pub fn probed(&self) -> Probed {
        self.probed.read().clone()
    }

    /// Follows whether the cluster answers.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.reachable.subscribe()
    }

    /// Takes a probe's outcome. Returns whether that is news.
    pub fn take(&self, outcome: Result<(), String>, at: DateTime<Utc>) -> bool {
        let reachable = outcome.is_ok();
        let news = {
            let mut probed = self.probed.write();
            let error = outcome.err();
            let turned = probed.since.is_none() || probed.reachable != reachable;
            let news = turned || probed.error != error;
            if turned {
                probed.since = Some(at);
            }
            probed.reachable = reachable;
            probed.error = error;
            probed.last_probe_at = Some(at);
            if reachable {
                probed.last_success_at = Some(at);
            }
            news
        };
        self.reachable.send_if_modified(|was| {
            let changed = *was != reachable;
            *was = reachable;
            changed
        });
        news
    }

    /// What can be said of everything known of the cluster, given its feeds.
    pub fn freshness(&self, feeds: &[Arc<Feed>], now: DateTime<Utc>) -> Freshness {
        let probed = self.probed();
        let complete = feeds.iter().all(|feed| feed.is_fresh(now));
        if probed.reachable && complete {
            let observed_at = probed.last_success_at.unwrap_or(now);
            *self.fresh_at.write() = Some(observed_at);
            return Freshness {
                observed_at,
                stale: false,
            };
        }
        Freshness {
            observed_at: self
                .fresh_at
                .read()
                .or(probed.last_success_at)
                .or(probed.since)
                .unwrap_or(now),
            stale: true,
        }
    }

    /// When everything known of the cluster was last known to be true.
    #[must_use]
    pub fn fresh_at(&self) -> Option<DateTime<Utc>> {
        *self.fresh_at.read()
    }
}

/// One list and watch of a cluster.
#[derive(Debug, Default)]
pub struct Feed {
    state: RwLock<FeedState>,
}

#[derive(Debug, Default)]
struct FeedState {
    synced: bool,
    watching: bool,
    lost_at: Option<DateTime<Utc>>,
    error: Option<String>,
}

impl Feed {
    /// The list is complete.
    pub fn listed(&self) {
        let mut state = self.state.write();
        state.synced = true;
        state.error = None;
    }

    /// The watch is open.
    pub fn watching(&self) {
        let mut state = self.state.write();
        state.watching = true;
        state.error = None;
    }

    /// The watch is cut, or the list failed.
    pub fn lost(&self, error: Option<String>, at: DateTime<Utc>) {
        let mut state = self.state.write();
        if state.watching || state.lost_at.is_none() {
            state.lost_at = Some(at);
        }
        state.watching = false;
        if error.is_some() {
            state.error = error;
        }
    }

    /// Whether a whole list was ever read.
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.state.read().synced
    }

    /// Why it is not there, when it is not.
    #[must_use]
    pub fn error(&self) -> Option<String> {
        self.state.read().error.clone()
    }

    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        let state = self.state.read();
        state.synced
            && (state.watching
                || state
                    .lost_at
                    .is_some_and(|at| (now - at).to_std().is_ok_and(|since| since < WATCH_GRACE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_run_of_probes_has_one_beginning() {
        let health = Health::default();
        assert!(health.take(Ok(()), at(0)));
        assert!(!health.take(Ok(()), at(5)));
        assert_eq!(health.probed().since, Some(at(0)));
        assert!(health.take(Err("refused".into()), at(10)));
        assert!(!health.take(Err("refused".into()), at(15)));
        let probed = health.probed();
        assert_eq!(
            (probed.since, probed.last_success_at),
            (Some(at(10)), Some(at(5)))
        );
        assert!(!probed.reachable && !*health.watch().borrow());
    }

    #[test]
    fn the_first_probe_is_news_even_when_it_fails() {
        assert!(Health::default().take(Err("refused".into()), at(0)));
    }

    #[test]
    fn what_is_known_is_stale_from_the_first_failed_probe_on() {
        let health = Health::default();
        let feeds = [Arc::new(Feed::default())];
        health.take(Ok(()), at(0));
        assert!(health.freshness(&feeds, at(0)).stale, "not listed yet");
        feeds[0].listed();
        feeds[0].watching();
        health.take(Ok(()), at(5));
        assert_eq!(
            health.freshness(&feeds, at(6)),
            Freshness {
                observed_at: at(5),
                stale: false
            }
        );
        health.take(Err("refused".into()), at(10));
        assert_eq!(
            health.freshness(&feeds, at(100)),
            Freshness {
                observed_at: at(5),
                stale: true
            }
        );
    }

    #[test]
    fn a_watch_that_is_opened_again_soon_leaves_no_gap() {
        let health = Health::default();
        let feeds = [Arc::new(Feed::default())];
        feeds[0].listed();
        feeds[0].watching();
        health.take(Ok(()), at(0));
        feeds[0].lost(None, at(1));
        assert!(!health.freshness(&feeds, at(2)).stale);
        feeds[0].lost(Some("refused".into()), at(8));
        assert!(health.freshness(&feeds, at(12)).stale);
        feeds[0].watching();
        assert!(!health.freshness(&feeds, at(13)).stale);
    }
}
