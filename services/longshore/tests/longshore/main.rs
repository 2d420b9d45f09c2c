//! The program as people start it.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking and say why")]

mod client;
mod client_load;
mod commands;
mod demo;
mod program;
mod specs;
mod targets;
