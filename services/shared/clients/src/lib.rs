//! A typed client per service.
//!
//! Thin on purpose: one function per operation over [`endpoint::Endpoint`], which signs each call in
//! the calling service's name, bounds it in time and reads refusals back into [`ClientError`]; and
//! [`portal::PortalClient`] for those outside, who come with an API token.

pub mod changes;
pub mod cluster_mgr;
pub mod endpoint;
mod frames;
pub mod ipaas;
pub mod portal;

pub use cluster_mgr::ClusterMgrClient;
pub use endpoint::{ClientError, Endpoint};
pub use ipaas::IpaasClient;
pub use portal::PortalClient;
