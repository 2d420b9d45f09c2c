//! Secrets inside specs: sealed at rest, opened only on their way to a cluster, never in a reply.

use api_types::common::FieldError;
use api_types::spec::{SecretEntry, ServiceSpec};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platform::crypto::{CryptoError, MasterKey};
use uuid::Uuid;

/// Binds a sealed value to its service and name, so that it opens nowhere else.
fn context(service_id: Uuid, name: &str) -> String {
    format!("service/{service_id}/secret/{name}")
}

/// The spec as it is kept: each value sealed, with its fingerprint. A value left out is taken from the
/// first of `bases` that has the name.
///
/// # Errors
/// Names each secret without a value that no base has.
pub fn seal(
    master_key: &MasterKey,
    service_id: Uuid,
    mut spec: ServiceSpec,
    bases: &[&ServiceSpec],
) -> Result<ServiceSpec, Vec<FieldError>> {
    let mut unknown = Vec::new();
    for (index, secret) in spec.secrets.iter_mut().enumerate() {
        let kept = bases
            .iter()
            .find_map(|base| base.secrets.iter().find(|entry| entry.name == secret.name));
        match (secret.value.take(), kept) {
            (Some(value), _) => {
                secret.fingerprint = Some(master_key.fingerprint(value.as_bytes()));
                let sealed = master_key.seal(&context(service_id, &secret.name), value.as_bytes());
                secret.value = Some(STANDARD.encode(sealed));
            }
            (None, Some(kept)) => {
                secret.value.clone_from(&kept.value);
                secret.fingerprint.clone_from(&kept.fingerprint);
            }
            (None, None) => unknown.push(FieldError {
                field: format!("secrets[{index}].value"),
                message: format!(
                    "a value is needed: no revision before has a secret `{}`",
                    secret.name
                ),
            }),
        }
    }
    if unknown.is_empty() {
        Ok(spec)
    } else {
        Err(unknown)
    }
}

/// The spec as replies carry it: fingerprints instead of values.
#[must_use]
pub fn redact(mut spec: ServiceSpec) -> ServiceSpec {
    for secret in &mut spec.secrets {
        secret.value = None;
    }
    spec
}

/// The spec with its values, as a cluster needs it.
pub fn open(
    master_key: &MasterKey,
    service_id: Uuid,
    mut spec: ServiceSpec,
) -> Result<ServiceSpec, CryptoError> {
    for secret in &mut spec.secrets {
        secret.value = Some(open_one(master_key, service_id, secret)?);
        secret.fingerprint = None;
    }
    Ok(spec)
}

fn open_one(master_key: &MasterKey, service_id: Uuid, secret: &SecretEntry) -> Result<String, CryptoError> {
    let sealed = secret
        .value
        .as_deref()
        .and_then(|value| STANDARD.decode(value).ok())
        .ok_or(CryptoError::Unseal)?;
    let plain = master_key.open(&context(service_id, &secret.name), &sealed)?;
    String::from_utf8(plain).map_err(|_| CryptoError::Unseal)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(secrets: serde_json::Value) -> ServiceSpec {
        serde_json::from_value(json!({ "image": "web", "secrets": secrets })).unwrap()
    }

    #[test]
    fn values_go_in_and_come_out_only_by_the_key() {
        let key = MasterKey::generate();
        let service = Uuid::now_v7();
        let given = spec(json!([{ "name": "TOKEN", "value": "hunter2", "fingerprint": "forged" }]));
        let stored = seal(&key, service, given, &[]).unwrap();
        let text = serde_json::to_string(&stored).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("forged"));
        let shown = redact(stored.clone());
        assert_eq!(shown.secrets[0].value, None);
        assert_eq!(
            shown.secrets[0].fingerprint.as_deref(),
            Some(key.fingerprint(b"hunter2").as_str())
        );
        let opened = open(&key, service, stored.clone()).unwrap();
        assert_eq!(opened.secrets[0].value.as_deref(), Some("hunter2"));
        assert!(open(&key, Uuid::now_v7(), stored.clone()).is_err());
        assert!(open(&MasterKey::generate(), service, stored).is_err());
    }

    #[test]
    fn a_value_left_out_is_kept_from_the_revision_before() {
        let key = MasterKey::generate();
        let service = Uuid::now_v7();
        let first = seal(&key, service, spec(json!([{ "name": "A", "value": "1" }])), &[]).unwrap();
        let second = seal(
            &key,
            service,
            spec(json!([{ "name": "A", "path": "/a" }, { "name": "B", "value": "2" }])),
            &[&first],
        )
        .unwrap();
        let opened = open(&key, service, second).unwrap();
        assert_eq!(opened.secrets[0].value.as_deref(), Some("1"));
        assert_eq!(opened.secrets[0].path.as_deref(), Some("/a"));
        let refused = seal(&key, service, spec(json!([{ "name": "C" }])), &[&first]).unwrap_err();
        assert_eq!(refused[0].field, "secrets[0].value");
    }
}
