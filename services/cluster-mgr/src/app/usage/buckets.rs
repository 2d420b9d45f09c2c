//! The parts of a range of time that usage is summed up by. Pure. In whole hours since 1970.

use api_types::usage::UsagePeriod;
use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::app::metering::HOUR;

/// Parts of one range; a request for more is refused.
pub const MOST: usize = 1000;

/// Where each part begins, and where the last one ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    starts: Vec<i64>,
    end: i64,
    hourly: bool,
}

fn hour_of(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(HOUR)
}

/// The first hour at or after a time.
fn hour_from(time: DateTime<Utc>) -> i64 {
    -(-time.timestamp()).div_euclid(HOUR)
}

/// A moment that is a whole hour.
#[must_use]
pub fn time_of(hour: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(hour * HOUR, 0).unwrap_or_default()
}

/// When a day begins in a time zone; where clocks go forward at midnight, after that. One that a zone left out begins
/// with the next.
fn start_of(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    day.iter_days().take(2).find_map(|day| {
        (0..24).find_map(|hour| {
            let local = day.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?);
            // The later of two: what comes between them is still the day before.
            let start = zone.from_local_datetime(&local).latest()?;
            Some(start.to_utc())
        })
    })
}

/// The first hour of the day or month after the one that `hour` is in.
fn next_start(hour: i64, every: UsagePeriod, zone: Tz) -> Option<i64> {
    let day = time_of(hour).with_timezone(&zone).date_naive();
    let next = match every {
        UsagePeriod::Hour => return Some(hour + 1),
        UsagePeriod::Total => return None,
        UsagePeriod::Day => day.succ_opt()?,
        UsagePeriod::Month => day.with_day(1)?.checked_add_months(Months::new(1))?,
    };
    Some(hour_from(start_of(next, zone)?))
}

impl Buckets {
    /// The parts of the range from the hour of `from` up to the hour that `to` is in.
    ///
    /// # Errors
    /// In words, when the range is empty or has too many parts.
    pub fn of(from: DateTime<Utc>, to: DateTime<Utc>, every: UsagePeriod, zone: Tz) -> Result<Self, String> {
        let (first, end) = (hour_of(from), hour_from(to));
        if first >= end {
            return Err("the end must be after the beginning".to_owned());
        }
        let mut starts = vec![first];
        let mut last = first;
        while let Some(next) = next_start(last, every, zone).filter(|next| *next < end) {
            if starts.len() == MOST {
                return Err(format!(
                    "the range has more than {MOST} parts; ask for a shorter one, or by longer parts"
                ));
            }
            starts.push(next);
            last = next;
        }
        Ok(Self {
            starts,
            end,
            hourly: every == UsagePeriod::Hour,
        })
    }

    #[must_use]
    pub fn range(&self) -> (i64, i64) {
        (self.starts[0], self.end)
    }

    /// Where the part that begins with an hour ends; None where none begins.
    #[must_use]
    pub fn end_of(&self, start: i64) -> Option<i64> {
        let position = self.starts.binary_search(&start).ok()?;
        Some(self.starts.get(position + 1).copied().unwrap_or(self.end))
    }

    /// SQL that gives the first hour of the part that a row's `hour` is in.
    #[must_use]
    pub fn expression(&self) -> String {
        if self.hourly {
            return "\"hour\"".to_owned();
        }
        let cases: String = self
            .starts
            .windows(2)
            .map(|pair| format!(" WHEN \"hour\" < {} THEN {}", pair[1], pair[0]))
            .collect();
        let last = self.starts[self.starts.len() - 1];
        if cases.is_empty() {
            format!("CAST({last} AS BIGINT)")
        } else {
            format!("CAST(CASE{cases} ELSE {last} END AS BIGINT)")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn starts(from: &str, to: &str, every: UsagePeriod, zone: Tz) -> Vec<String> {
        let buckets = Buckets::of(time(from), time(to), every, zone).unwrap();
        let each = buckets.starts.iter().map(|hour| time_of(*hour));
        each.map(|start| start.format("%m-%d %H").to_string()).collect()
    }

    #[test]
    fn days_and_months_begin_where_the_reader_is() {
        assert_eq!(
            starts(
                "2026-11-27T10:20:00Z",
                "2026-11-29T01:00:00Z",
                UsagePeriod::Day,
                chrono_tz::UTC
            ),
            ["11-27 10", "11-28 00", "11-29 00"]
        );
        let shanghai = chrono_tz::Asia::Shanghai;
        assert_eq!(
            starts(
                "2026-11-27T16:00:00Z",
                "2026-11-29T16:00:00Z",
                UsagePeriod::Day,
                shanghai
            ),
            ["11-27 16", "11-28 16"]
        );
        assert_eq!(
            starts(
                "2026-10-31T16:00:00Z",
                "2026-12-01T00:00:00Z",
                UsagePeriod::Month,
                shanghai
            ),
            ["10-31 16", "11-30 16"]
        );
        // A day of 23 hours, and one whose midnight is none of our hours.
        assert_eq!(
            starts(
                "2026-03-28T23:00:00Z",
                "2026-03-30T22:00:00Z",
                UsagePeriod::Day,
                chrono_tz::Europe::Berlin
            ),
            ["03-28 23", "03-29 22"]
        );
        assert_eq!(
            starts(
                "2026-03-28T00:00:00Z",
                "2026-03-29T00:00:00Z",
                UsagePeriod::Day,
                chrono_tz::Asia::Kolkata
            ),
            ["03-28 00", "03-28 19"]
        );
    }

    #[test]
    fn a_range_must_be_one_and_not_too_long() {
        let (from, to) = (time("2026-11-01T00:00:00Z"), time("2026-12-31T00:00:00Z"));
        assert!(Buckets::of(to, from, UsagePeriod::Day, chrono_tz::UTC).is_err());
        assert!(Buckets::of(from, to, UsagePeriod::Hour, chrono_tz::UTC).is_err());
        let whole = Buckets::of(from, to, UsagePeriod::Total, chrono_tz::UTC).unwrap();
        assert_eq!(whole.expression(), format!("CAST({} AS BIGINT)", whole.range().0));
        assert_eq!(whole.end_of(whole.range().0), Some(whole.range().1));
    }

    proptest! {
        #[test]
        fn the_parts_follow_each_other_and_cover_the_range(
            from in 0i64..4_000_000_000, length in 1i64..30_000_000, zone in 0..chrono_tz::TZ_VARIANTS.len(), monthly: bool,
        ) {
            let from = DateTime::from_timestamp(from, 0).unwrap();
            let to = from + chrono::Duration::seconds(length);
            let every = if monthly { UsagePeriod::Month } else { UsagePeriod::Day };
            let buckets = Buckets::of(from, to, every, chrono_tz::TZ_VARIANTS[zone]).unwrap();
            prop_assert!(buckets.starts.windows(2).all(|pair| pair[0] < pair[1]));
            let (first, end) = buckets.range();
            let (mut at, mut parts) = (first, 0);
            while at < end {
                at = buckets.end_of(at).unwrap();
                parts += 1;
            }
            prop_assert_eq!((at, parts), (end, buckets.starts.len()));
        }
    }
}
