//! The harness of the system tests: the platform's services as processes of their own, a client of
//! the public API, and clusters that are simulated in this process or real ones that are given.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test fails by panicking; its helpers do the same"
)]

pub mod api;
pub mod clusters;
pub mod process;
pub mod proxy;
pub mod system;

pub use api::Api;
pub use clusters::{Kind, TestCluster, TestClusters};
pub use system::System;
