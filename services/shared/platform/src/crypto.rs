//! The master key: sealing secrets at rest, and deriving the keys of everything else.
//!
//! Values are sealed with XChaCha20-Poly1305 (random 24-byte nonces, so no counter has to survive a
//! restart). The context given at sealing is bound as associated data: a value copied to another row
//! does not open there. Purpose keys are derived with HKDF-SHA-256, so that no key serves two ends.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;

const NONCE_BYTES: usize = 24;

#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    #[error(
        "reading the master key from {path}; where there is none yet, `head -c 32 /dev/urandom | base64` makes one"
    )]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("writing the master key to {path}")]
    Write {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the master key must be 32 bytes in base64")]
    Malformed,
    #[error("a sealed value does not open: another master key, or a damaged or moved value")]
    Unseal,
}

/// 32 bytes that open everything; see the module's words.
#[derive(Clone)]
pub struct MasterKey(Arc<[u8; 32]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self(Arc::new(rand::random()))
    }

    /// From base64 text; surrounding white space is ignored.
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| CryptoError::Malformed)?;
        Ok(Self(Arc::new(
            bytes.try_into().map_err(|_| CryptoError::Malformed)?,
        )))
    }

    /// Reads the key from a file.
    pub fn read(path: &Path) -> Result<Self, CryptoError> {
        let text = std::fs::read_to_string(path).map_err(|source| CryptoError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Reads the key from a file, or makes one there (mode 0600) when there is none.
    pub fn read_or_generate(path: &Path) -> Result<Self, CryptoError> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let failed = |source| CryptoError::Write {
            path: path.display().to_string(),
            source,
        };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(failed)?;
        }
        let key = Self::generate();
        match std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
        {
            Ok(mut file) => {
                file.write_all(STANDARD.encode(*key.0).as_bytes())
                    .map_err(failed)?;
                file.sync_all().map_err(failed)?;
                Ok(key)
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Self::read(path),
            Err(error) => Err(failed(error)),
        }
    }

    /// A key for one purpose, such as `longshore/internal-token`.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut key = [0; 32];
        Hkdf::<Sha256>::new(None, &*self.0)
            .expand(purpose.as_bytes(), &mut key)
            .expect("32 bytes are within what HKDF gives");
        key
    }

    /// Seals `plain`; only the same `context` opens it again.
    #[must_use]
    pub fn seal(&self, context: &str, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let sealed = self
            .cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: context.as_bytes(),
                },
            )
            .expect("the value is shorter than the cipher's limit of 256 GiB");
        [&nonce[..], &sealed].concat()
    }

    /// Opens what [`Self::seal`] sealed under the same context.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or(CryptoError::Unseal)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| CryptoError::Unseal)?;
        self.cipher()
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: sealed,
                    aad: context.as_bytes(),
                },
            )
            .map_err(|_| CryptoError::Unseal)
    }

    /// Tells whether two values are the same without telling either: a keyed digest, 16 hex digits.
    #[must_use]
    pub fn fingerprint(&self, value: &[u8]) -> String {
        let mut digest = [0; 8];
        Hkdf::<Sha256>::new(Some(&self.derive("longshore/fingerprint")), value)
            .expand(b"fingerprint", &mut digest)
            .expect("8 bytes are within what HKDF gives");
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A keyed digest of a value for one purpose, 64 hex digits: equal values have equal digests, and
    /// without the key no value can be tried against one.
    #[must_use]
    pub fn digest(&self, purpose: &str, value: &[u8]) -> String {
        let mut digest = [0; 32];
        Hkdf::<Sha256>::new(Some(&self.derive(purpose)), value)
            .expand(b"digest", &mut digest)
            .expect("32 bytes are within what HKDF gives");
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derive("longshore/seal").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_with_its_key_and_context() {
        let key = MasterKey::generate();
        let sealed = key.seal("connection/1", b"kubeconfig");
        assert_eq!(key.open("connection/1", &sealed).unwrap(), b"kubeconfig");
        assert!(key.open("connection/2", &sealed).is_err());
        assert!(MasterKey::generate().open("connection/1", &sealed).is_err());
        assert!(key.open("connection/1", &sealed[..10]).is_err());
        assert!(!sealed.windows(10).any(|window| window == b"kubeconfig"));
    }

    #[test]
    fn a_damaged_value_does_not_open() {
        let key = MasterKey::generate();
        let mut sealed = key.seal("x", b"value");
        *sealed.last_mut().unwrap() ^= 1;
        assert!(key.open("x", &sealed).is_err());
    }

    #[test]
    fn the_key_file_is_made_once_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys/master.key");
        let first = MasterKey::read_or_generate(&path).unwrap();
        let second = MasterKey::read_or_generate(&path).unwrap();
        assert_eq!(first.derive("a"), second.derive("a"));
        assert_ne!(first.derive("a"), first.derive("b"));
    }

    #[test]
    fn a_digest_needs_its_key_and_purpose() {
        let key = MasterKey::generate();
        let digest = key.digest("longshore/a", b"value");
        assert_eq!(digest.len(), 64);
        assert_eq!(digest, key.digest("longshore/a", b"value"));
        assert_ne!(digest, key.digest("longshore/a", b"other"));
        assert_ne!(digest, key.digest("longshore/b", b"value"));
        assert_ne!(digest, MasterKey::generate().digest("longshore/a", b"value"));
    }

    #[test]
    fn fingerprints_tell_equality_only() {
        let key = MasterKey::generate();
        assert_eq!(key.fingerprint(b"a"), key.fingerprint(b"a"));
        assert_ne!(key.fingerprint(b"a"), key.fingerprint(b"b"));
        assert_ne!(key.fingerprint(b"a"), MasterKey::generate().fingerprint(b"a"));
    }
}
