//! The signed token that goes with every call between services.
//!
//! HS256 under a key derived from the master key; good for a minute and for one audience.

use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use platform::crypto::MasterKey;
use serde::{Deserialize, Serialize};

use crate::caller::Caller;

/// What the token of a cluster's agent begins with.
pub const CLUSTER_TOKEN_PREFIX: &str = "lsa_";
/// How the portal passes such a token on: its own token says only that the call came through it.
pub const CLUSTER_TOKEN_HEADER: &str = "x-cluster-token";

const PURPOSE: &str = "longshore/internal-token";
/// Long enough for a call and for clocks that differ a little.
const LIFETIME_SECONDS: u64 = 60;

#[derive(Debug, thiserror::Error)]
#[error("the token isn't good")]
pub struct BadToken(#[from] jsonwebtoken::errors::Error);

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: u64,
    #[serde(flatten)]
    caller: Caller,
}

/// Issues tokens in one service's name.
#[derive(Clone)]
pub struct Issuer {
    service: String,
    key: EncodingKey,
}

impl Issuer {
    #[must_use]
    pub fn new(service: &str, master_key: &MasterKey) -> Self {
        Self {
            service: service.to_owned(),
            key: EncodingKey::from_secret(&master_key.derive(PURPOSE)),
        }
    }

    /// A token for `audience` that says who calls.
    #[must_use]
    pub fn issue(&self, audience: &str, caller: &Caller) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let claims = Claims {
            iss: self.service.clone(),
            aud: audience.to_owned(),
            exp: now + LIFETIME_SECONDS,
            caller: caller.clone(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.key)
            .expect("claims are plain data and the key is a secret")
    }

    /// A token in the service's own name.
    #[must_use]
    pub fn issue_own(&self, audience: &str) -> String {
        self.issue(audience, &Caller::service(&self.service))
    }
}

/// Checks tokens meant for one service.
#[derive(Clone)]
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    #[must_use]
    pub fn new(service: &str, master_key: &MasterKey) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[service]);
        validation.leeway = 5;
        Self {
            key: DecodingKey::from_secret(&master_key.derive(PURPOSE)),
            validation,
        }
    }

    /// Who calls.
    pub fn verify(&self, token: &str) -> Result<Caller, BadToken> {
        Ok(
            jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)?
                .claims
                .caller,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_audience_and_key_only() {
        let key = MasterKey::generate();
        let token = Issuer::new("portal", &key).issue("ipaas", &Caller::service("portal"));
        assert_eq!(
            Verifier::new("ipaas", &key).verify(&token).unwrap(),
            Caller::service("portal")
        );
        assert!(Verifier::new("cluster-mgr", &key).verify(&token).is_err());
        assert!(
            Verifier::new("ipaas", &MasterKey::generate())
                .verify(&token)
                .is_err()
        );
        assert!(Verifier::new("ipaas", &key).verify("rubbish").is_err());
    }
}
