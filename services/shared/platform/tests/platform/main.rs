//! The kit on real databases and real sockets.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod database;
mod driver;
mod idempotency;
mod lease;
mod server;
