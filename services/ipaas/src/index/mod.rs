//! What is known of the clusters, in plain structs that know neither HTTP nor Kubernetes' client.
//!
//! Each cluster has tables of its own, so that a cluster that is slow or away holds no lock that
//! another one needs.

pub mod best;
pub mod claims;
pub mod free;
pub mod interner;
pub mod names;
pub mod nodes;
pub mod pods;
pub mod query;
pub mod wire;
pub mod workloads;
