//! Faults on demand: what goes wrong in a cluster, until it is told to go right again.
//!
//! A fault is a piece of state, not an action: everything that can go wrong asks what is on. So
//! faults add up, end by themselves or when they are cleared, and leave nothing behind.

mod conduct;
mod kinds;
mod on_requests;
mod schedule;
mod state;

pub(crate) use conduct::conduct;
pub use kinds::{Fault, Latency, Manner, Only, Order};
pub(crate) use on_requests::{Asked, Effect, break_off};
pub use schedule::{Planned, schedule};
pub use state::Faults;
pub(crate) use state::Silence;
