//! Tokens between services, permissions and roles, passwords.
//!
//! The portal decides who may do what and says so in a short-lived signed token; every other service
//! accepts nothing else and filters what it shows by the token's grants.

pub mod caller;
pub mod middleware;
pub mod password;
pub mod permission;
pub mod token;

pub use caller::{Caller, Visible};
pub use permission::Permission;
pub use token::{CLUSTER_TOKEN_HEADER, CLUSTER_TOKEN_PREFIX, Issuer, Verifier};
