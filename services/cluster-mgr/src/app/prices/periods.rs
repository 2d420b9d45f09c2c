//! Which price is for which hours. Pure. In whole hours since 1970.

use std::collections::BTreeMap;

use super::MILLIONTHS;
use crate::app::metering::HOUR;
use crate::db::prices::Model;

/// A price and the hours that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    pub row: Model,
    /// The first hour of the next one; none while there is no next.
    pub until: Option<i64>,
}

/// One after the other, the earliest first. Of two that begin with the same hour the later one to be set is right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Periods(Vec<Period>);

impl Periods {
    /// `rows` in the order in which they were set.
    #[must_use]
    pub fn of(rows: Vec<Model>) -> Self {
        let by_start: BTreeMap<i64, Model> = rows.into_iter().map(|row| (row.from_hour, row)).collect();
        let mut ends: Vec<Option<i64>> = by_start.keys().skip(1).map(|hour| Some(*hour)).collect();
        ends.push(None);
        Self(
            by_start
                .into_values()
                .zip(ends)
                .map(|(row, until)| Period { row, until })
                .collect(),
        )
    }

    pub fn all(&self) -> impl Iterator<Item = &Period> {
        self.0.iter()
    }

    /// The one that an hour is in.
    #[must_use]
    pub fn at(&self, hour: i64) -> Option<&Period> {
        self.0.iter().rev().find(|period| period.row.from_hour <= hour)
    }

    /// Those that begin after an hour.
    pub fn after(&self, hour: i64) -> impl Iterator<Item = &Period> {
        self.0.iter().filter(move |period| period.row.from_hour > hour)
    }

    /// Whether any is for an hour before.
    #[must_use]
    pub fn any_before(&self, hour: i64) -> bool {
        self.0.first().is_some_and(|period| period.row.from_hour < hour)
    }

    /// The currency of all of them; empty where there is none.
    #[must_use]
    pub fn currency(&self) -> &str {
        self.0.last().map_or("", |period| &period.row.currency)
    }

    /// SQL that gives what a row of hours costs, in the currency's unit; NULL where its hour has no price. Only hours
    /// within the range are asked for.
    #[must_use]
    pub fn expression(&self, (first, end): (i64, i64)) -> String {
        let concerned =
            self.0.iter().rev().filter(|period| {
                period.row.from_hour < end && period.until.is_none_or(|until| until > first)
            });
        let cases: String = concerned
            .map(|period| {
                let price = price_of_row(&period.row);
                format!(" WHEN \"hour\" >= {} THEN {price}", period.row.from_hour)
            })
            .collect();
        if cases.is_empty() {
            "CAST(NULL AS DOUBLE PRECISION)".to_owned()
        } else {
            format!("CAST(CASE{cases} ELSE NULL END AS DOUBLE PRECISION)")
        }
    }
}

/// Rows hold millicores, KiB of memory, GPUs and KiB of storage, times seconds.
fn price_of_row(row: &Model) -> String {
    let terms: Vec<String> = [
        ("cpu_requested", row.cpu_core_hour, 1000.0),
        ("memory_requested", row.memory_gib_hour, 1_048_576.0),
        ("gpu_requested", row.gpu_hour, 1.0),
        ("storage_requested", row.storage_gib_hour, 1_048_576.0),
    ]
    .into_iter()
    .filter_map(|(column, price, in_unit)| {
        let each = price? as f64 / MILLIONTHS / in_unit / HOUR as f64;
        Some(format!("CAST(\"{column}\" AS DOUBLE PRECISION) * {each:?}"))
    })
    .collect();
    if terms.is_empty() {
        "NULL".to_owned()
    } else {
        terms.join(" + ")
    }
}

/// To a millionth of the currency's unit.
#[must_use]
pub fn rounded(cost: f64) -> f64 {
    (cost * MILLIONTHS).round() / MILLIONTHS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(version: i64, from_hour: i64) -> Model {
        Model {
            version,
            from_hour,
            currency: "CNY".into(),
            cpu_core_hour: Some(version * 1_000_000),
            memory_gib_hour: None,
            gpu_hour: None,
            storage_gib_hour: None,
            set_at: chrono::DateTime::UNIX_EPOCH,
            set_by: "ada".into(),
        }
    }

    #[test]
    fn only_what_has_a_price_and_concerns_the_range_is_in_the_sql() {
        let all = Periods::of(vec![row(1, 10), row(2, 20), row(3, 30)]);
        assert_eq!(all.expression((0, 10)), "CAST(NULL AS DOUBLE PRECISION)");
        let middle = all.expression((20, 30));
        assert!(middle.contains(">= 20 THEN") && !middle.contains(">= 10") && !middle.contains(">= 30"));
        assert_eq!(all.expression((5, 40)).matches("WHEN").count(), 3);
        let mut free = row(4, 40);
        free.cpu_core_hour = None;
        assert!(Periods::of(vec![free]).expression((40, 41)).contains("THEN NULL"));
    }

    proptest! {
        /// Every hour has the price that was set last of those that begin latest before it.
        #[test]
        fn an_hour_has_one_price(starts in prop::collection::vec(0i64..30, 0..12), hour in 0i64..40) {
            let rows: Vec<Model> = starts
                .iter()
                .enumerate()
                .map(|(position, from)| row(position as i64 + 1, *from))
                .collect();
            let expected = rows
                .iter()
                .filter(|row| row.from_hour <= hour)
                .max_by_key(|row| (row.from_hour, row.version))
                .map(|row| row.version);
            let periods = Periods::of(rows);
            prop_assert_eq!(periods.at(hour).map(|period| period.row.version), expected);
            for pair in periods.all().collect::<Vec<_>>().windows(2) {
                prop_assert_eq!(pair[0].until, Some(pair[1].row.from_hour));
            }
        }
    }
}
