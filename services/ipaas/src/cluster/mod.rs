//! The connection to one cluster: its client with its own limits and deadlines, its probe, its watches.

pub mod error;
pub mod follow;
pub mod health;
pub mod kubeconfig;
pub mod member;
pub mod paths;
pub mod rest;
pub mod sinks;
pub mod throttle;
