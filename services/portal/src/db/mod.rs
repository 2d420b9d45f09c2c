//! Queries over the portal's own tables.

pub mod api_tokens;
pub mod audit;
pub mod audit_objects;
pub mod bindings;
pub mod sessions;
pub mod sign_in_failures;
pub mod users;
