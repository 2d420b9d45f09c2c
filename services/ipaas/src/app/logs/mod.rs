//! Logs: of one container, or of a whole service merged in time; a piece, a file, or as it is written.

pub mod follow;
mod follower;
mod lines;
pub mod merge;
pub mod piece;
pub mod pod;
mod position;
mod reading;
mod selection;

use chrono::{DateTime, SecondsFormat};
use http::StatusCode;
use platform::{ApiError, ApiResult};

use crate::cluster::error::KubeError;

pub const DEFAULT_TAIL: u32 = 500;
const LONGEST_TAIL: u32 = 10_000;
/// A file to keep is cut here.
pub const LONGEST_DOWNLOAD: usize = 100 * 1024 * 1024;

/// # Errors
/// 400 `invalid_query`.
fn require_tail(tail: Option<u32>) -> ApiResult<Option<u32>> {
    match tail {
        Some(tail) if !(1..=LONGEST_TAIL).contains(&tail) => Err(ApiError::invalid(
            "invalid_query",
            format!("tail must be 1 to {LONGEST_TAIL} lines"),
        )),
        tail => Ok(tail),
    }
}

/// A cluster refuses in these ways what has no log yet.
fn asked_too_early(error: &KubeError) -> bool {
    matches!(
        error.status(),
        Some(StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND)
    )
}

/// As kubelets write it.
fn stamp(at: i64) -> String {
    DateTime::from_timestamp_nanos(at).to_rfc3339_opts(SecondsFormat::Nanos, true)
}

/// Says that a file is not the whole log.
fn cut_note(bytes: usize) -> String {
    format!("\n--- cut after {bytes} bytes; ask for less with since_seconds or tail ---\n")
}
