//! Entities and queries.

pub mod applied;
pub mod connections;
