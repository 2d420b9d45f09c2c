//! Test databases and waiting; a dev-dependency only.

#![expect(
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "tests fail by panicking and say why"
)]

pub mod database;
pub mod fuzz;
pub mod wait;

pub use database::{Backend, TestDatabase};
pub use wait::wait_for;
