//! What one cluster should run of a service, and its digest. Pure.

use std::fmt::Write as _;

use api_types::internal::DesiredWorkload;
use api_types::spec::ServiceSpec;
use sha2::{Digest as _, Sha256};

use crate::app::secrets::redact;
use crate::db::services;

/// The desired state without secrets' values.
///
/// The digest is over fingerprints instead of values: it shows in observations, and a plain digest of a
/// short secret could be guessed from.
#[must_use]
pub fn desired(service: &services::Model, spec: &ServiceSpec, replicas: u32) -> DesiredWorkload {
    let mut desired = DesiredWorkload {
        project: service.project.clone(),
        environment: service.environment.clone(),
        service: service.name.clone(),
        revision: service.revision,
        replicas,
        spec: redact(spec.clone()),
        restarted_at: service.restarted_at,
        singleton: service.is_singleton(),
        hash: String::new(),
    };
    desired.hash = digest(&desired);
    desired
}

/// SHA-256 over the JSON, whose order of fields is the types'.
fn digest(desired: &DesiredWorkload) -> String {
    let json = serde_json::to_vec(desired).expect("a desired state is plain data");
    Sha256::digest(json).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to text can't fail");
        text
    })
}
