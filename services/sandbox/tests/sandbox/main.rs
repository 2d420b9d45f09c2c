//! The sandbox through a real client: what the contract of `tests/kubernetes` does not ask, since
//! it is the sandbox's own: the rules by image, what survives a restart, clusters that go away.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod access;
mod admin;
mod debugging;
mod definitions;
mod deployments;
mod faults;
mod kubectl;
mod lifetime;
mod lists;
mod load;
mod pods;
mod scale;
mod scheduling;
mod support;
