//! Background loops. They run in every replica: each follows every cluster itself.

pub mod compare;
pub mod flush;
pub mod members;
pub mod probe;
