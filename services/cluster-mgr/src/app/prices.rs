//! What an hour of a unit costs, from when on.
//!
//! A price is for the hours from its first one on, until the next price begins. Hours that are over keep theirs: a new
//! price begins with the present hour at the earliest, unless nothing had a price before.

mod periods;

use api_types::common::{ListQuery, Page};
use api_types::usage::{NewPrices, Price, Prices};
use auth::Caller;
use chrono::{DateTime, Duration, Utc};
use platform::ApiResult;
use platform::time::storable;
use uuid::Uuid;

use crate::app::edit;
use crate::app::listing::{Sort, paginate};
use crate::app::metering::HOUR;
use crate::app::usage::buckets::time_of;
use crate::app::validation::Fields;
use crate::db::prices;
use crate::state::AppState;

pub use periods::{Periods, rounded};

const MOST: f64 = 1_000_000.0;
/// Prices are kept in millionths.
const MILLIONTHS: f64 = 1_000_000.0;
/// As long as nobody set any.
const USUAL_CURRENCY: &str = "CNY";
/// A price can be set so long beforehand.
const FARTHEST: Duration = Duration::days(3 * 366);

/// Times of one length in one zone sort as texts.
const SORTS: [Sort<Price>; 1] = [("valid_from", |price| price.valid_from.to_rfc3339())];

fn hour_of(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(HOUR)
}

fn shown(period: &periods::Period) -> Price {
    let price = |kept: Option<i64>| kept.map(|kept| kept as f64 / MILLIONTHS);
    let row = &period.row;
    Price {
        valid_from: time_of(row.from_hour),
        valid_to: period.until.map(time_of),
        currency: row.currency.clone(),
        cpu_core_hour: price(row.cpu_core_hour),
        memory_gib_hour: price(row.memory_gib_hour),
        gpu_hour: price(row.gpu_hour),
        storage_gib_hour: price(row.storage_gib_hour),
        version: row.version,
        set_at: row.set_at,
        set_by: row.set_by.clone(),
    }
}

/// As they are shown at a time.
fn all_at(rows: Vec<prices::Model>, now: DateTime<Utc>) -> Prices {
    let last = rows.last().cloned();
    let periods = Periods::of(rows);
    let hour = hour_of(now);
    let current = periods.at(hour).map(shown);
    Prices {
        currency: last
            .as_ref()
            .map_or_else(|| USUAL_CURRENCY.to_owned(), |row| row.currency.clone()),
        cpu_core_hour: current.as_ref().and_then(|price| price.cpu_core_hour),
        memory_gib_hour: current.as_ref().and_then(|price| price.memory_gib_hour),
        gpu_hour: current.as_ref().and_then(|price| price.gpu_hour),
        storage_gib_hour: current.as_ref().and_then(|price| price.storage_gib_hour),
        valid_from: current.map(|price| price.valid_from),
        upcoming: periods.after(hour).map(shown).collect(),
        version: last.as_ref().map_or(0, |row| row.version),
        updated_at: last.as_ref().map(|row| row.set_at),
        updated_by: last.map(|row| row.set_by),
    }
}

pub async fn get(state: &AppState) -> ApiResult<Prices> {
    let rows = prices::all(&state.foundation.database).await?;
    Ok(all_at(rows, state.now()))
}

/// Every price with the time that it is for.
pub async fn list(state: &AppState, query: &ListQuery) -> ApiResult<Page<Price>> {
    let rows = prices::all(&state.foundation.database).await?;
    let all = Periods::of(rows).all().map(shown).collect();
    paginate(all, query, &SORTS)
}

/// The first hour of a new price, if it can begin then.
fn first_hour(new: &NewPrices, known: &Periods, now: DateTime<Utc>, fields: &mut Fields) -> i64 {
    let present = hour_of(now);
    let Some(wanted) = new.valid_from.map(storable) else {
        return present;
    };
    let hour = hour_of(wanted);
    if wanted != time_of(hour) {
        fields.refuse("valid_from", "must be a whole hour: usage is kept by the hour");
    } else if hour < 0 || wanted > now + FARTHEST {
        fields.refuse("valid_from", "must be within three years from now");
    } else if hour < present && known.any_before(present) {
        fields.refuse(
            "valid_from",
            format!(
                "must not be before {}: hours that are over keep their price",
                time_of(present).to_rfc3339()
            ),
        );
    }
    hour
}

fn check(new: &NewPrices, fields: &mut Fields) {
    let currency = new.currency.len() == 3 && new.currency.chars().all(|letter| letter.is_ascii_uppercase());
    if !currency {
        fields.refuse("currency", "must be three capital letters, such as `CNY`");
    }
    for (field, price) in [
        ("cpu_core_hour", new.cpu_core_hour),
        ("memory_gib_hour", new.memory_gib_hour),
        ("gpu_hour", new.gpu_hour),
        ("storage_gib_hour", new.storage_gib_hour),
    ] {
        if price.is_some_and(|price| !(0.0..=MOST).contains(&price)) {
            fields.refuse(field, format!("must be 0 to {MOST}; leave it out for no price"));
        }
    }
}

/// The row that makes the prices what is wanted of them.
///
/// # Errors
/// 422 `invalid_spec`.
fn change(rows: &[prices::Model], new: NewPrices, by: &str, now: DateTime<Utc>) -> ApiResult<prices::Model> {
    let mut fields = Fields::default();
    check(&new, &mut fields);
    let from_hour = first_hour(&new, &Periods::of(rows.to_vec()), now, &mut fields);
    let kept = |price: Option<f64>| price.map(|price| (price * MILLIONTHS).round() as i64);
    let row = prices::Model {
        version: rows.last().map_or(0, |row| row.version) + 1,
        from_hour,
        currency: new.currency,
        cpu_core_hour: kept(new.cpu_core_hour),
        memory_gib_hour: kept(new.memory_gib_hour),
        gpu_hour: kept(new.gpu_hour),
        storage_gib_hour: kept(new.storage_gib_hour),
        set_at: now,
        set_by: by.to_owned(),
    };
    let then = Periods::of(rows.iter().cloned().chain([row.clone()]).collect());
    if let Some(other) = then.all().find(|period| period.row.currency != row.currency) {
        fields.refuse(
            "currency",
            format!(
                "the prices of other times are in {}, and sums can't be in two currencies",
                other.row.currency
            ),
        );
    }
    fields.done()?;
    Ok(row)
}

pub async fn put(state: &AppState, caller: &Caller, version: i64, new: NewPrices) -> ApiResult<Prices> {
    let now = state.now();
    let unit = state.unit().await?;
    let mut rows = prices::all(&*unit).await?;
    let last = rows.last();
    let known = edit::Versioned {
        what: "the prices".to_owned(),
        id: Uuid::nil(),
        version: last.map_or(0, |row| row.version),
        updated_by: last.map_or("nobody", |row| row.set_by.as_str()),
        updated_at: last.map_or(now, |row| row.set_at),
    };
    edit::check_alone(known, version)?;
    let row = change(&rows, new, &caller.name, now)?;
    match prices::insert(&*unit, row.clone()).await {
        Err(error) if platform::database::is_unique_violation(&error) => {
            return Err(platform::ApiError::conflict(
                "version_conflict",
                "the prices were set a moment ago; read them again and repeat your change",
            ));
        }
        outcome => outcome?,
    }
    unit.commit().await?;
    rows.push(row);
    Ok(all_at(rows, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-28T10:20:30Z".parse().unwrap()
    }

    fn new(currency: &str, cpu: f64, from: Option<&str>) -> NewPrices {
        NewPrices {
            currency: currency.into(),
            cpu_core_hour: Some(cpu),
            memory_gib_hour: None,
            gpu_hour: None,
            storage_gib_hour: None,
            valid_from: from.map(|time| time.parse().unwrap()),
        }
    }

    #[test]
    fn a_price_is_a_number_of_a_currency() {
        assert!(change(&[], new("CNY", 0.25, None), "ada", now()).is_ok());
        for (currency, price) in [("yuan", 1.0), ("CNY", -1.0), ("CNY", f64::NAN), ("", 2e6)] {
            let bad = new(currency, price, None);
            assert!(change(&[], bad, "ada", now()).is_err(), "{currency} {price}");
        }
    }

    #[test]
    fn the_past_keeps_its_price() {
        let set =
            |rows: &[prices::Model], from: Option<&str>| change(rows, new("CNY", 1.0, from), "ada", now());
        // What never had a price may get one.
        let first = set(&[], Some("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(time_of(first.from_hour).to_rfc3339(), "2026-01-01T00:00:00+00:00");
        let rows = [first];
        for bad in [
            "2026-11-28T09:00:00Z",
            "2026-11-28T11:30:00Z",
            "2036-01-01T00:00:00Z",
        ] {
            assert!(set(&rows, Some(bad)).is_err(), "{bad}");
        }
        for good in [None, Some("2026-11-28T10:00:00Z"), Some("2026-12-01T00:00:00Z")] {
            let row = set(&rows, good).unwrap();
            assert_eq!(row.version, 2);
            assert!(row.from_hour >= hour_of(now()), "{good:?}");
        }
        // Of one that only begins now nothing is over yet.
        let fresh = [set(&[], None).unwrap()];
        assert!(set(&fresh, Some("2026-11-01T00:00:00Z")).is_ok());
    }

    #[test]
    fn sums_are_in_one_currency() {
        let first = change(&[], new("CNY", 1.0, None), "ada", now()).unwrap();
        let rows = [first];
        assert!(change(&rows, new("EUR", 1.0, Some("2026-12-01T00:00:00Z")), "ada", now()).is_err());
        // A slip is put right by setting the same hour again.
        assert!(change(&rows, new("EUR", 1.0, None), "ada", now()).is_ok());
    }

    #[test]
    fn what_begins_later_is_upcoming() {
        let mut rows = Vec::new();
        assert_eq!(all_at(rows.clone(), now()).cpu_core_hour, None);
        for (price, from) in [(1.0, None), (2.0, Some("2026-12-01T00:00:00Z"))] {
            rows.push(change(&rows, new("CNY", price, from), "ada", now()).unwrap());
        }
        let shown = all_at(rows.clone(), now());
        assert_eq!(
            (shown.cpu_core_hour, shown.version, shown.upcoming.len()),
            (Some(1.0), 2, 1)
        );
        assert_eq!(shown.upcoming[0].cpu_core_hour, Some(2.0));
        let later = all_at(rows, "2026-12-02T00:00:00Z".parse().unwrap());
        assert_eq!((later.cpu_core_hour, later.upcoming.len()), (Some(2.0), 0));
    }
}
