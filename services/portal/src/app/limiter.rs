//! Slows down who guesses passwords.
//!
//! An attempt counts as failed from its begin until it succeeds, so that a hundred attempts at once
//! count as a hundred. Counts are by name and address together: a stranger elsewhere can't lock a
//! person out. A second count by address alone bounds who tries many names. The counts are in the
//! database: all replicas count together, and a restart forgets nothing.

use std::net::IpAddr;

use api_types::access::SignInLock;
use api_types::common::{ListQuery, LockId, Page};
use chrono::{DateTime, Duration, Utc};
use http::StatusCode;
use platform::database::begin;
use platform::{ApiError, ApiResult, page};
use serde_json::json;
use uuid::Uuid;

use crate::db::sign_in_failures::{self as failures, Model};
use crate::state::AppState;

/// Failures that are free, by name and address.
const FREE: i32 = 5;
/// Failures that are free, by address alone.
const FREE_BY_ADDRESS: i32 = 50;
const FIRST_DELAY_SECONDS: i64 = 15;
const LONGEST_DELAY_SECONDS: i64 = 900;
/// Counts are forgotten after this long without an attempt.
pub const MEMORY: Duration = Duration::hours(1);

/// Counts an attempt.
///
/// # Errors
/// 429 `too_many_attempts` with `retry_at`; such an attempt is not counted, so that waiting always helps.
pub async fn attempt(state: &AppState, name: &str, address: IpAddr) -> ApiResult<()> {
    let now = state.foundation.clock.now();
    let transaction = begin(&state.foundation.database).await?;
    // Always in this order, so that no two attempts wait for each other.
    let [own, shared] = keys(name, address, now);
    let mut own = failures::lock(&transaction, own).await?;
    let mut shared = failures::lock(&transaction, shared).await?;
    let until = own.closed_until.max(shared.closed_until);
    if until > now {
        transaction.commit().await?;
        return Err(too_many(until, now));
    }
    for (count, free) in [(&mut own, FREE), (&mut shared, FREE_BY_ADDRESS)] {
        fail(count, free, now);
        failures::update(&transaction, count).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The attempt was a good one.
pub async fn succeeded(state: &AppState, name: &str, address: IpAddr) -> ApiResult<()> {
    let now = state.foundation.clock.now();
    let [own, shared] = keys(name, address, now);
    let transaction = begin(&state.foundation.database).await?;
    failures::delete(&transaction, &own.key).await?;
    let mut shared = failures::lock(&transaction, shared).await?;
    shared.failures = (shared.failures - 1).max(0);
    shared.closed_until = shared.last_at + delay(shared.failures, FREE_BY_ADDRESS);
    failures::update(&transaction, &shared).await?;
    transaction.commit().await?;
    Ok(())
}

/// What is closed now, newest first.
pub async fn list(state: &AppState, query: &ListQuery) -> ApiResult<Page<SignInLock>> {
    let limit = page::limit(query.limit);
    let after = page::decode_cursor::<Uuid>(query.cursor.as_deref())?;
    let (items, total) = failures::list(
        &state.foundation.database,
        state.foundation.clock.now(),
        query.q.as_deref(),
        after,
        limit as u64 + 1,
    )
    .await?;
    Ok(page::of(items, limit, total, |lock| {
        page::encode_cursor(&lock.id)
    }))
}

/// Opens what is closed, at once and for all replicas.
pub async fn lift(state: &AppState, id: LockId) -> ApiResult<()> {
    if failures::delete_by_id(&state.foundation.database, id).await? {
        Ok(())
    } else {
        Err(ApiError::not_found(format_args!("the lock {id}")))
    }
}

fn keys(name: &str, address: IpAddr, now: DateTime<Utc>) -> [Model; 2] {
    let address = network(address).to_string();
    let fresh = |name: Option<&str>| Model {
        key: match name {
            Some(name) => format!("{address} {name}"),
            None => address.clone(),
        },
        id: LockId::new().0,
        name: name.map(str::to_owned),
        address: address.clone(),
        failures: 0,
        last_at: now,
        closed_until: now,
    };
    [fresh(Some(name)), fresh(None)]
}

fn fail(count: &mut Model, free: i32, now: DateTime<Utc>) {
    if now - count.last_at > MEMORY {
        count.failures = 0;
    }
    count.failures = count.failures.saturating_add(1);
    count.last_at = now;
    count.closed_until = now + delay(count.failures, free);
}

fn too_many(until: DateTime<Utc>, now: DateTime<Utc>) -> ApiError {
    let seconds = (until - now).num_seconds().max(0) + 1;
    ApiError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_attempts",
        format!("too many wrong passwords; try again in {seconds} s"),
    )
    .with_details(json!({ "retry_at": until, "retry_after_seconds": seconds }))
}

/// Who has an IPv6 address has the 2^64 beside it too.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_none() => {
            let mut segments = v6.segments();
            segments[4..].fill(0);
            IpAddr::from(segments)
        }
        other => other.to_canonical(),
    }
}

fn delay(failures: i32, free: i32) -> Duration {
    let over = failures.saturating_sub(free);
    if over <= 0 {
        return Duration::zero();
    }
    let seconds = FIRST_DELAY_SECONDS.saturating_mul(1 << (over - 1).min(16));
    Duration::seconds(seconds.min(LONGEST_DELAY_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(address: &str) -> [Model; 2] {
        keys("ann", address.parse().unwrap(), Utc::now())
    }

    #[test]
    fn repeated_failures_close_the_door_for_longer_and_longer() {
        let [mut count, _] = counts("192.0.2.1");
        let now = count.last_at;
        for _ in 0..FREE {
            fail(&mut count, FREE, now);
            assert_eq!(count.closed_until, now);
        }
        let mut last = Duration::zero();
        for _ in 0..8 {
            fail(&mut count, FREE, now);
            assert!(count.closed_until - now >= last);
            last = count.closed_until - now;
        }
        assert_eq!(last, Duration::seconds(LONGEST_DELAY_SECONDS));
    }

    #[test]
    fn an_hour_later_all_is_forgotten() {
        let [mut count, _] = counts("192.0.2.1");
        for _ in 0..20 {
            let now = count.last_at;
            fail(&mut count, FREE, now);
        }
        let later = count.last_at + MEMORY + Duration::seconds(1);
        fail(&mut count, FREE, later);
        assert_eq!((count.failures, count.closed_until), (1, later));
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let key = |address: &str| counts(address).map(|count| count.key);
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2::ffff"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1")[0], key("192.0.2.1")[1]);
    }
}
