//! Wire types and ids, a module per subject.
//!
//! Everything that crosses a process boundary as JSON is declared here and nowhere else: the services
//! answer with these types, the clients decode them, and the OpenAPI documents (and so the web portal's
//! types) are generated from them. The crate holds shapes only: no logic, no I/O.
//!
//! JSON is snake_case, times are RFC 3339 UTC with microseconds, quantities of CPU and memory are
//! Kubernetes quantity strings in specs (`"500m"`, `"1Gi"`) and plain numbers in observations
//! (millicores, bytes).

pub mod access;
pub mod audit;
pub mod autoscaling;
pub mod changes;
pub mod clusters;
pub mod common;
pub mod evacuations;
pub mod failbacks;
pub mod fencing;
pub mod internal;
pub mod logs;
pub mod operations;
pub mod overview;
pub mod placement;
pub mod pods;
pub mod projects;
pub mod services;
pub mod simulation;
pub mod spec;
pub mod storage;
pub mod usage;

pub use common::{ErrorBody, Gap, ListQuery, Page};
