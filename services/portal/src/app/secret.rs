//! Random secrets, their digests, and the token against cross-site requests.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use platform::crypto::MasterKey;
use sha2::{Digest as _, Sha256};

/// What an API token's secret begins with, so that scanners of leaked secrets know it.
pub const TOKEN_PREFIX: &str = "lsp_";

/// Letters and digits that are not mistaken for each other when a person copies them.
const READABLE: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// 256 random bits in base64.
#[must_use]
pub fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// A new API token's secret.
#[must_use]
pub fn random_token() -> String {
    format!("{TOKEN_PREFIX}{}", random())
}

/// A password for a person to copy: 20 readable characters, some 115 bits.
#[must_use]
pub fn random_password() -> String {
    let mut password = String::with_capacity(20);
    while password.len() < 20 {
        let byte = usize::from(rand::random::<u8>());
        // A remainder over the whole byte would favour the first letters.
        if byte < READABLE.len() * (256 / READABLE.len()) {
            password.push(char::from(READABLE[byte % READABLE.len()]));
        }
    }
    password
}

/// SHA-256 in hex. Enough for random secrets of 256 bits; passwords go through argon2.
#[must_use]
pub fn digest(secret: &str) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(secret.as_bytes()) {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}

/// Makes and checks the tokens that prove that a change comes from our own pages.
///
/// Derived from the session by a keyed digest: nothing to store, and no use beyond the session.
#[derive(Clone)]
pub struct CsrfKey([u8; 32]);

impl CsrfKey {
    #[must_use]
    pub fn new(master_key: &MasterKey) -> Self {
        Self(master_key.derive("longshore/csrf"))
    }

    /// The token of a session, by the digest of its id.
    #[must_use]
    pub fn token(&self, session: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(session).finalize().into_bytes())
    }

    /// Takes the same time for every token.
    #[must_use]
    pub fn fits(&self, session: &str, token: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(token)
            .is_ok_and(|token| self.mac(session).verify_slice(&token).is_ok())
    }

    fn mac(&self, session: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length is taken");
        mac.update(session.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_digests_are_stable() {
        assert_ne!(random(), random());
        assert_eq!(random().len(), 43);
        assert!(random_token().starts_with(TOKEN_PREFIX));
        assert_eq!(
            digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn passwords_are_readable_and_long() {
        let password = random_password();
        assert_eq!(password.len(), 20);
        assert!(password.bytes().all(|byte| READABLE.contains(&byte)));
        assert_ne!(password, random_password());
    }

    #[test]
    fn a_csrf_token_fits_its_session_and_key_only() {
        let master_key = MasterKey::generate();
        let key = CsrfKey::new(&master_key);
        let token = key.token("session");
        assert!(key.fits("session", &token));
        assert!(CsrfKey::new(&master_key).fits("session", &token));
        assert!(!key.fits("another", &token));
        assert!(!key.fits("session", ""));
        assert!(!key.fits("session", "@@@"));
        assert!(!CsrfKey::new(&MasterKey::generate()).fits("session", &token));
    }
}
