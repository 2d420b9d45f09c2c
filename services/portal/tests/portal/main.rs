//! The real router on real databases, with simulated services behind it.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking and say why")]

mod access;
mod audit;
mod away;
mod company;

mod fuzz;
mod gateway;
mod live;
mod members;
mod openapi;
mod proxy;
mod replicas;
mod roles;
mod session;
mod simulated;
mod socket;
mod stage;
mod web;
