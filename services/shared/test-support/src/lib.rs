//! Test databases, waiting, and the real clusters that tests share; a dev-dependency only.

#![expect(
    clippy::print_stderr,
    clippy::missing_panics_doc,
    reason = "tests fail by panicking and say why"
)]

pub mod database;
pub mod fuzz;
pub mod real_clusters;
pub mod wait;

pub use database::{Backend, TestDatabase};
pub use wait::wait_for;
