//! Which bounds hold now. A schedule is a window from each time of its cron expression on; what counts is whether one is on,
//! not whether anybody saw it begin.

use api_types::autoscaling::{AutoscalingPolicy, ScheduledBounds};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// The bounds that hold, and the schedules that they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub min: u32,
    pub max: u32,
    pub schedules: Vec<String>,
}

/// A cron expression of five fields.
///
/// # Errors
/// In words for a person.
pub fn read_cron(text: &str) -> Result<Cron, String> {
    CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed)
        .build()
        .parse(text)
        .map_err(|error| format!("can't be read: {error}; five fields are expected, such as `0 8 * * 1-5`"))
}

/// # Errors
/// In words for a person.
pub fn read_time_zone(text: &str) -> Result<Tz, String> {
    text.parse()
        .map_err(|_| format!("there is no time zone `{text}`; name one as in `Asia/Shanghai` or `UTC`"))
}

/// Whether a window of a schedule is on. One that can't be read, as after a downgrade, is not.
#[must_use]
pub fn is_on(schedule: &ScheduledBounds, now: DateTime<Utc>) -> bool {
    let (Ok(cron), Ok(zone)) = (read_cron(&schedule.cron), read_time_zone(&schedule.time_zone)) else {
        return false;
    };
    let local = now.with_timezone(&zone);
    cron.find_previous_occurrence(&local, true)
        .is_ok_and(|began| local - began < Duration::minutes(i64::from(schedule.minutes)))
}

#[must_use]
pub fn bounds(policy: &AutoscalingPolicy, now: DateTime<Utc>) -> Bounds {
    let on: Vec<&ScheduledBounds> = policy
        .schedules
        .iter()
        .filter(|schedule| is_on(schedule, now))
        .collect();
    Bounds {
        min: on
            .iter()
            .map(|schedule| schedule.min_replicas)
            .max()
            .unwrap_or(policy.min_replicas),
        max: on
            .iter()
            .map(|schedule| schedule.max_replicas)
            .max()
            .unwrap_or(policy.max_replicas),
        schedules: on.iter().map(|schedule| schedule.name.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(cron: &str, zone: &str, minutes: u32) -> ScheduledBounds {
        ScheduledBounds {
            name: "sale".into(),
            cron: cron.into(),
            time_zone: zone.into(),
            minutes,
            min_replicas: 10,
            max_replicas: 40,
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_in_the_time_of_its_zone() {
        let sale = schedule("0 8 * * 1-5", "Asia/Shanghai", 60);
        // 8 in Shanghai is midnight UTC; 2026-11-27 is a Friday.
        for (time, on) in [
            ("2026-11-26T23:59:59Z", false),
            ("2026-11-27T00:00:00Z", true),
            ("2026-11-27T00:59:59Z", true),
            ("2026-11-27T01:00:00Z", false),
            ("2026-11-28T00:30:00Z", false),
        ] {
            assert_eq!(is_on(&sale, at(time)), on, "{time}");
        }
    }

    #[test]
    fn the_clocks_change_with_the_zone() {
        let morning = schedule("0 8 * * *", "Europe/Berlin", 60);
        assert!(is_on(&morning, at("2026-07-01T06:30:00Z")));
        assert!(is_on(&morning, at("2026-12-01T07:30:00Z")));
        assert!(!is_on(&morning, at("2026-12-01T06:30:00Z")));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(read_cron("0 8 * *").is_err());
        assert!(read_cron("0 0 8 * * *").is_err());
        assert!(read_cron("0 25 * * *").is_err());
        assert!(
            read_time_zone("Asia/Atlantis")
                .unwrap_err()
                .contains("Asia/Atlantis")
        );
    }
}
