//! What the portal decides: who calls, what they may do, what is written down, what is streamed.

pub mod aftermath;
pub mod audit;
pub mod bindings;
pub mod document;
pub mod export;
pub mod grants;
pub mod identity;
pub mod limiter;
pub mod live;
pub mod members;
pub mod object;
pub mod passwords;
pub mod permission;
pub mod redact;
pub mod routes;
pub mod secret;
pub mod sessions;
pub mod sign_in;
pub mod simulation;
pub mod tokens;
pub mod users;
