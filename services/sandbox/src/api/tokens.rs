//! Tokens of service accounts: made by TokenRequest, checked without a list of them.
//!
//! They have the three parts and the claims of the real ones; the signature is an HMAC under the
//! cluster's own key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::Duration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::auth::User;
use super::errors::{ApiError, ApiResult, FieldErrors};
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::core::SERVICE_ACCOUNT;

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// The shortest life the real server grants.
const SHORTEST: i64 = 600;

/// SHA-256 in the HMAC construction (RFC 2104); the key is shorter than a block.
fn sign(key: &str, message: &str) -> String {
    let pad = |byte: u8| -> Vec<u8> {
        (0..64)
            .map(|position| key.as_bytes().get(position).copied().unwrap_or(0) ^ byte)
            .collect()
    };
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    let outer = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize();
    BASE64.encode(outer)
}

/// Answers a TokenRequest.
pub fn request(cluster: &Cluster, namespace: &str, account: &str, body: &Value) -> ApiResult<Value> {
    let found = cluster
        .store
        .get(&SERVICE_ACCOUNT, namespace, account)
        .ok_or_else(|| ApiError::not_found(&SERVICE_ACCOUNT, account))?;
    let seconds = json::integer(body, "/spec/expirationSeconds").unwrap_or(3600);
    if seconds < SHORTEST {
        let mut errors = FieldErrors::default();
        errors.invalid(
            "spec.expirationSeconds",
            seconds,
            "may not specify a duration less than 10 minutes",
        );
        return Err(ApiError::invalid_named(
            "TokenRequest.authentication.k8s.io",
            "authentication.k8s.io",
            "TokenRequest",
            "",
            errors,
        ));
    }
    let audiences = match json::items(body, "/spec/audiences") {
        [] => json!([ISSUER]),
        stated => json!(stated),
    };
    let (now, expires) = (
        crate::clock::now(),
        crate::clock::now() + Duration::seconds(seconds),
    );
    let claims = json!({
        "iss": ISSUER,
        "sub": format!("system:serviceaccount:{namespace}:{account}"),
        "aud": audiences,
        "iat": now.timestamp(),
        "nbf": now.timestamp(),
        "exp": expires.timestamp(),
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": &*found.uid}},
    });
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let message = format!(
        "{}.{}",
        BASE64.encode(header.to_string()),
        BASE64.encode(claims.to_string())
    );
    let token = format!("{message}.{}", sign(&cluster.pki.token_key, &message));
    Ok(json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {"name": account, "namespace": namespace, "creationTimestamp": json::seconds(now)},
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": null},
        "status": {"token": token, "expirationTimestamp": json::seconds(expires)},
    }))
}

/// The service account behind a token, if the token is good and the account still there.
pub fn verify(cluster: &Cluster, token: &str) -> Option<User> {
    let (message, signature) = token.rsplit_once('.')?;
    if sign(&cluster.pki.token_key, message) != signature {
        return None;
    }
    let claims: Value = serde_json::from_slice(&BASE64.decode(message.split_once('.')?.1).ok()?).ok()?;
    if claims["exp"].as_i64()? < crate::clock::now().timestamp() {
        return None;
    }
    let account = &claims["kubernetes.io"];
    let (namespace, name) = (
        json::text(account, "/namespace"),
        json::text(account, "/serviceaccount/name"),
    );
    let found = cluster.store.get(&SERVICE_ACCOUNT, namespace, name)?;
    (*found.uid == *json::text(account, "/serviceaccount/uid"))
        .then(|| User::service_account(namespace, name))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_hmac_sha256() {
        // RFC 4231, test case 2.
        let signature = super::sign("Jefe", "what do ya want for nothing?");
        assert_eq!(signature, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM");
    }
}
