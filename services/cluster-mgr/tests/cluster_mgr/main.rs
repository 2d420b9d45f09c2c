//! The service's router on real databases, with a simulated ipaas.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod autoscaling;
mod bad_input;
mod change_stream;
mod cluster_health;
mod clusters;
mod document;
mod edits;
mod evacuations;
mod failbacks;
mod faults;
mod fencing;
mod fuzz;
mod ipaas;
mod kills;
mod lists;
mod placement;
mod quotas;
mod releases;
mod service_life;
mod upgrades;
mod usage;
mod volumes;
mod world;
