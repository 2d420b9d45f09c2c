//! A container's log. Heartbeat lines are not stored: they are computed when someone reads, so
//! that an idle pod costs nothing.

use std::collections::VecDeque;

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use parking_lot::Mutex;
use tokio::sync::watch;

/// Pace of the heartbeat lines.
pub const HEARTBEAT: Duration = Duration::seconds(30);
/// Like the real rotation, old lines go.
const MOST_LINES: usize = 5_000;

pub type Line = (DateTime<Utc>, String);

pub struct Log {
    inner: Mutex<Inner>,
    signal: watch::Sender<u64>,
}

struct Inner {
    started: DateTime<Utc>,
    ended: Option<DateTime<Utc>>,
    lines: VecDeque<Line>,
}

impl Log {
    pub fn new(started: DateTime<Utc>) -> Self {
        let inner = Inner {
            started,
            ended: None,
            lines: VecDeque::new(),
        };
        Self {
            inner: Mutex::new(inner),
            signal: watch::channel(0).0,
        }
    }

    pub fn write(&self, text: impl Into<String>) {
        self.write_at(crate::clock::now(), text);
    }

    pub fn write_at(&self, time: DateTime<Utc>, text: impl Into<String>) {
        {
            let mut inner = self.inner.lock();
            // No two lines have the same time: a reader continues after the last time it saw.
            let last = inner.lines.back().map(|(time, _)| *time);
            let time = last.map_or(time, |last| time.max(last + Duration::nanoseconds(1)));
            inner.lines.push_back((time, text.into()));
            if inner.lines.len() > MOST_LINES {
                inner.lines.pop_front();
            }
        }
        self.signal.send_modify(|count| *count += 1);
    }

    pub fn end(&self) {
        self.inner.lock().ended.get_or_insert(crate::clock::now());
        self.signal.send_modify(|count| *count += 1);
    }

    pub fn has_ended(&self) -> bool {
        self.inner.lock().ended.is_some()
    }

    /// Wakes when a line is written or the log ends.
    pub fn signal(&self) -> watch::Receiver<u64> {
        self.signal.subscribe()
    }

    /// When the next heartbeat line is due.
    pub fn next_heartbeat(&self, after: DateTime<Utc>) -> DateTime<Utc> {
        let started = self.inner.lock().started;
        let beats = ((after - started)
            .num_milliseconds()
            .div_euclid(HEARTBEAT.num_milliseconds())
            + 1)
        .max(1);
        started + HEARTBEAT * i32::try_from(beats).unwrap_or(i32::MAX)
    }

    /// Every line after a time, in order.
    pub fn after(&self, after: Option<DateTime<Utc>>) -> Vec<Line> {
        let inner = self.inner.lock();
        let end = inner.ended.unwrap_or_else(Utc::now);
        let from = after.unwrap_or(inner.started);
        let mut lines: Vec<Line> = inner
            .lines
            .iter()
            .filter(|(time, _)| after.is_none_or(|after| *time > after))
            .cloned()
            .collect();
        let most = HEARTBEAT * i32::try_from(MOST_LINES).unwrap_or(i32::MAX);
        let from = from.max(end - most);
        let first = ((from - inner.started)
            .num_milliseconds()
            .div_euclid(HEARTBEAT.num_milliseconds())
            + 1)
        .max(1);
        let last = (end - inner.started)
            .num_milliseconds()
            .div_euclid(HEARTBEAT.num_milliseconds());
        for beat in first..=last {
            let beat = i32::try_from(beat).unwrap_or(i32::MAX);
            let up = HEARTBEAT * beat;
            lines.push((inner.started + up, format!("alive, up {}s", up.num_seconds())));
        }
        lines.sort_by_key(|(time, _)| *time);
        lines
    }
}

/// A time as log lines carry it.
pub fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_appear_between_the_written_lines() {
        let started = crate::clock::now() - Duration::seconds(100);
        let log = Log::new(started);
        log.write_at(started, "start");
        log.write_at(started + Duration::seconds(45), "request");
        let texts: Vec<String> = log.after(None).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            texts,
            [
                "start",
                "alive, up 30s",
                "request",
                "alive, up 60s",
                "alive, up 90s"
            ]
        );
        let later = log.after(Some(started + Duration::seconds(60)));
        assert_eq!(later.len(), 1);
        let next = log.next_heartbeat(crate::clock::now());
        assert_eq!(next, started + Duration::seconds(120));
    }

    #[test]
    fn an_ended_log_stops_beating() {
        let log = Log::new(crate::clock::now() - Duration::seconds(40));
        log.end();
        assert_eq!(log.after(None).len(), 1);
        assert!(log.has_ended());
    }
}
