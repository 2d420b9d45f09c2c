//! The logic. The hard parts are pure: [`placement`], [`reconcile`], [`validation`], [`diff`], [`health`].

pub mod assignments;
pub mod changes;
pub mod clusters;
pub mod create;
pub mod diff;
mod edit;
pub mod environments;
pub mod health;
mod image;
mod listing;
pub mod operations;
pub mod overview;
pub mod placement;
pub mod preview;
pub mod projects;
pub mod quantity;
pub mod reconcile;
pub mod register;
pub mod releases;
pub mod reservations;
pub mod revisions;
mod room;
pub mod secrets;
pub mod services;
pub mod validation;
pub mod workload;
