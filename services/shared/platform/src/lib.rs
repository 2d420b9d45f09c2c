//! The platform kit: what every service stands on.
//!
//! A service takes a [`foundation::Foundation`] (database, master key, HTTP client, shutdown), builds a
//! router, and hands it to [`server::start`], which adds request ids, logs, limits, `/healthz`,
//! `/readyz` and `/metrics`. Its loops run under [`driver`], on a timer and on a signal, while its
//! replica holds the [`lease`]. Errors leave through [`error::ApiError`], the one place that maps a
//! refusal to a status and a stable code.

pub mod config;
pub mod crypto;
pub mod database;
pub mod driver;
pub mod error;
pub mod extract;
pub mod foundation;
pub mod idempotency;
pub mod lease;
pub mod page;
pub mod server;
pub mod stream;
pub mod telemetry;
pub mod text;
pub mod time;

pub use error::{ApiError, ApiResult};
pub use foundation::Foundation;
