//! What an hour of a unit costs.

use api_types::usage::{NewPrices, Prices};
use auth::Caller;
use platform::ApiResult;
use uuid::Uuid;

use crate::app::edit;
use crate::app::validation::Fields;
use crate::db::prices;
use crate::state::AppState;

const MOST: f64 = 1_000_000.0;
/// Prices are kept in millionths.
const MILLIONTHS: f64 = 1_000_000.0;
/// As long as nobody set any.
const USUAL_CURRENCY: &str = "CNY";

/// What is charged for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    cpu_core_hour: f64,
    memory_gib_hour: f64,
}

impl Rate {
    /// None while nothing has a price.
    #[must_use]
    pub fn of(row: &prices::Model) -> Option<Self> {
        let price = |kept: Option<i64>| kept.map(|kept| kept as f64 / MILLIONTHS);
        let (cpu, memory) = (price(row.cpu_core_hour), price(row.memory_gib_hour));
        (cpu.is_some() || memory.is_some()).then(|| Self {
            cpu_core_hour: cpu.unwrap_or(0.0),
            memory_gib_hour: memory.unwrap_or(0.0),
        })
    }

    /// In the currency's unit, to a millionth.
    #[must_use]
    pub fn cost(&self, cpu_core_hours: f64, memory_gib_hours: f64) -> f64 {
        let cost = cpu_core_hours * self.cpu_core_hour + memory_gib_hours * self.memory_gib_hour;
        (cost * MILLIONTHS).round() / MILLIONTHS
    }
}

fn shown(row: Option<prices::Model>) -> Prices {
    let price = |kept: Option<i64>| kept.map(|kept| kept as f64 / MILLIONTHS);
    match row {
        None => Prices {
            currency: USUAL_CURRENCY.to_owned(),
            cpu_core_hour: None,
            memory_gib_hour: None,
            version: 0,
            updated_at: None,
            updated_by: None,
        },
        Some(row) => Prices {
            currency: row.currency,
            cpu_core_hour: price(row.cpu_core_hour),
            memory_gib_hour: price(row.memory_gib_hour),
            version: row.version,
            updated_at: Some(row.updated_at),
            updated_by: Some(row.updated_by),
        },
    }
}

pub async fn get(state: &AppState) -> ApiResult<Prices> {
    Ok(shown(prices::find(&state.foundation.database).await?))
}

fn check(new: &NewPrices) -> ApiResult<()> {
    let mut fields = Fields::default();
    let currency = new.currency.len() == 3 && new.currency.chars().all(|letter| letter.is_ascii_uppercase());
    if !currency {
        fields.refuse("currency", "must be three capital letters, such as `CNY`");
    }
    for (field, price) in [
        ("cpu_core_hour", new.cpu_core_hour),
        ("memory_gib_hour", new.memory_gib_hour),
    ] {
        if price.is_some_and(|price| !(0.0..=MOST).contains(&price)) {
            fields.refuse(field, format!("must be 0 to {MOST}; leave it out for no price"));
        }
    }
    fields.done()
}

pub async fn put(state: &AppState, caller: &Caller, version: i64, new: NewPrices) -> ApiResult<Prices> {
    check(&new)?;
    let unit = state.unit().await?;
    let before = prices::find_locked(&*unit).await?;
    let now = state.now();
    let known = edit::Versioned {
        what: "the prices".to_owned(),
        id: Uuid::nil(),
        version: before.as_ref().map_or(0, |row| row.version),
        updated_by: before.as_ref().map_or("nobody", |row| row.updated_by.as_str()),
        updated_at: before.as_ref().map_or(now, |row| row.updated_at),
    };
    edit::check_alone(known, version)?;
    let kept = |price: Option<f64>| price.map(|price| (price * MILLIONTHS).round() as i64);
    let row = prices::Model {
        id: prices::ONE,
        currency: new.currency,
        cpu_core_hour: kept(new.cpu_core_hour),
        memory_gib_hour: kept(new.memory_gib_hour),
        version: version + 1,
        updated_at: now,
        updated_by: caller.name.clone(),
    };
    match before {
        Some(_) => prices::save(&*unit, &row).await?,
        None => match prices::insert(&*unit, row.clone()).await {
            Err(error) if platform::database::is_unique_violation(&error) => {
                return Err(platform::ApiError::conflict(
                    "version_conflict",
                    "the prices were set a moment ago; read them again and repeat your change",
                ));
            }
            outcome => outcome?,
        },
    }
    unit.commit().await?;
    Ok(shown(Some(row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cpu: Option<i64>, memory: Option<i64>) -> prices::Model {
        prices::Model {
            id: prices::ONE,
            currency: "CNY".into(),
            cpu_core_hour: cpu,
            memory_gib_hour: memory,
            version: 1,
            updated_at: chrono::Utc::now(),
            updated_by: "ada".into(),
        }
    }

    #[test]
    fn hours_become_money_only_where_there_is_a_price() {
        assert_eq!(Rate::of(&row(None, None)), None);
        let rate = Rate::of(&row(Some(250_000), Some(20_000))).unwrap();
        assert_eq!(rate.cost(10.0, 40.0), 3.3);
        assert_eq!(Rate::of(&row(None, Some(0))).unwrap().cost(10.0, 40.0), 0.0);
    }

    #[test]
    fn a_price_is_a_number_of_a_currency() {
        let new = |currency: &str, cpu: f64| NewPrices {
            currency: currency.into(),
            cpu_core_hour: Some(cpu),
            memory_gib_hour: None,
        };
        assert!(check(&new("CNY", 0.25)).is_ok());
        for bad in [
            new("yuan", 1.0),
            new("CNY", -1.0),
            new("CNY", f64::NAN),
            new("", 2e6),
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
    }
}
