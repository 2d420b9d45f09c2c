//! How a change meets an object: server-side apply with its managed fields, strategic merge,
//! JSON merge patch.

pub mod fields;
pub mod managed;
pub mod merge;
pub mod strategic;
