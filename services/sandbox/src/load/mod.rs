//! What pods use: little at rest, more under the load that is put on a service and shared among its
//! ready pods. Everything that shows figures shows these: `metrics.k8s.io`, `/metrics`, queries.

pub mod figures;
mod gone;
mod metrics;
pub mod plan;
pub mod query;
pub mod series;
mod state;

pub use plan::{Plan, Shape};
pub use state::Takers;
pub(crate) use state::{Load, run, run_of, seconds_of};
