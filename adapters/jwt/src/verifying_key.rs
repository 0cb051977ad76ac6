//! A key that verifies signatures, bound to its one algorithm (RFC 8725, section 3.1).

use domain::token::{SignError, TokenError};
use jsonwebtoken::crypto;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

/// What is signed to name a key. No token's signing input holds a space, so this is no token's signature.
const KEY_ID_LABEL: &[u8] = b"rollbook key id";
/// 96 bits: enough to tell the keys of one service apart.
const KEY_ID_CHARS: usize = 16;

/// Verifies what one key has signed with one algorithm.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl VerifyingKey {
    /// The key as raw bytes, for HMAC with SHA-256 (RFC 7518, section 3.2).
    pub(crate) fn hs256(secret: &[u8]) -> Self {
        Self { algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret) }
    }

    /// A public key of Ed25519 (RFC 8032, section 5.1.5).
    pub(crate) fn eddsa(x: &[u8; 32]) -> Self {
        Self { algorithm: Algorithm::EdDSA, key: DecodingKey::from_ed_der(x) }
    }

    /// A public key of ECDSA on P-256: its point's coordinates.
    pub(crate) fn es256(x: &[u8; 32], y: &[u8; 32]) -> Self {
        // Uncompressed (SEC 1, section 2.3.3), which is what the library takes in spite of the name.
        let point = [&[0x04][..], x, y].concat();
        Self { algorithm: Algorithm::ES256, key: DecodingKey::from_ec_der(&point) }
    }

    /// Whether `signature`, in base64url, is this key's over `message`; compared in constant time.
    ///
    /// # Errors
    /// [`TokenError::Algorithm`] where the token names another algorithm than the key's,
    /// [`TokenError::Malformed`] where the signature is no base64url, [`TokenError::Signature`] where it is wrong.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &str, signature: &str) -> Result<(), TokenError> {
        if algorithm != self.algorithm {
            return Err(TokenError::Algorithm);
        }
        match crypto::verify(signature, message.as_bytes(), &self.key, self.algorithm) {
            Ok(true) => Ok(()),
            Ok(false) => Err(TokenError::Signature),
            Err(_) => Err(TokenError::Malformed),
        }
    }
}

/// The `kid` of an HS256 key: derived from the key, so that nodes that share it agree, and so short a part of
/// an HMAC that it tells nothing of it.
///
/// # Errors
/// [`SignError`] when the key cannot sign.
pub(crate) fn key_id(key: &EncodingKey) -> Result<String, SignError> {
    let mut id = crypto::sign(KEY_ID_LABEL, key, Algorithm::HS256).map_err(|e| SignError(e.to_string()))?;
    id.truncate(KEY_ID_CHARS);
    Ok(id)
}
