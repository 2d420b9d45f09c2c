//! Passwords: argon2id with the library's recommended parameters (19 MiB, 2 passes).
//!
//! Both functions take tens of milliseconds of a core; call them through `spawn_blocking`.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};

/// Fewer characters than this are refused.
pub const MINIMUM_LENGTH: usize = 10;

#[derive(Debug, thiserror::Error)]
#[error("hashing the password")]
pub struct HashFailed(#[source] argon2::password_hash::Error);

/// A PHC string with its own salt.
pub fn hash(password: &str) -> Result<String, HashFailed> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(HashFailed)
}

/// Whether a password is the one that was hashed. A damaged hash fits no password.
#[must_use]
pub fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_fits() {
        let hashed = hash("correct horse").unwrap();
        assert!(hashed.starts_with("$argon2id$"));
        assert!(verify("correct horse", &hashed));
        assert!(!verify("wrong horse", &hashed));
        assert!(!verify("correct horse", "rubbish"));
        assert_ne!(hashed, hash("correct horse").unwrap());
    }
}
