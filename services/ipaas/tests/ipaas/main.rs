//! Service tests of ipaas: the real router on a real database against clusters, simulated ones always,
//! real ones where `LONGSHORE_TEST_KUBECONFIGS` names them.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it ran on"
)]

mod bed;
mod changes;
mod connections;
mod drift;
mod faults;
mod fuzz;
mod gpus;
mod logs;
mod looking;
mod measurements;
mod openapi;
mod proxy;
mod replicas;
mod volumes;
mod workloads;
