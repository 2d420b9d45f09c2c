//! The logic: knows neither the HTTP framework nor the ORM.

pub mod apply;
pub mod changes;
pub mod check;
pub mod claims;
pub mod connections;
pub mod events;
pub mod fields;
pub mod gpu;
pub mod logs;
pub mod measured_range;
pub mod measurements;
pub mod names;
pub mod nodes;
pub mod observation;
pub mod pod_status;
pub mod pods;
pub mod problems;
pub mod prometheus;
pub mod quantity;
pub mod render;
pub mod rights;
