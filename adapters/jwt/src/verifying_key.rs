//! Verification key, bound to one algorithm (RFC 8725, section 3.1).

use domain::token::{SignError, TokenError};
use jsonwebtoken::crypto;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};

/// Input of the HMAC that yields the `kid`. Its spaces keep it distinct from the signing input of any token.
const KEY_ID_LABEL: &[u8] = b"rollbook key id";
/// 96 bits: enough to avoid collisions between the keys of one service.
const KEY_ID_CHARS: usize = 16;

/// Verifies the signatures of one key and algorithm.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl VerifyingKey {
    /// Secret for HMAC-SHA256 (RFC 7518, section 3.2).
    pub(crate) fn hs256(secret: &[u8]) -> Self {
        Self { algorithm: Algorithm::HS256, key: DecodingKey::from_secret(secret) }
    }

    /// Ed25519 public key (RFC 8032, section 5.1.5).
    pub(crate) fn eddsa(x: &[u8; 32]) -> Self {
        Self { algorithm: Algorithm::EdDSA, key: DecodingKey::from_ed_der(x) }
    }

    /// ECDSA public key on P-256, as the coordinates of its point.
    pub(crate) fn es256(x: &[u8; 32], y: &[u8; 32]) -> Self {
        // Despite its name, `from_ec_der` expects an uncompressed point (SEC 1, section 2.3.3).
        let point = [&[0x04][..], x, y].concat();
        Self { algorithm: Algorithm::ES256, key: DecodingKey::from_ec_der(&point) }
    }

    /// Verifies the base64url `signature` of `message`, in constant time.
    ///
    /// # Errors
    /// [`TokenError::Algorithm`] if the key has another algorithm, [`TokenError::Malformed`] if the signature is not
    /// base64url, [`TokenError::Signature`] if it is wrong.
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

/// The `kid` of an HS256 key: a truncated HMAC, so it is the same on all nodes and does not reveal the key.
///
/// # Errors
/// [`SignError`] if the HMAC fails.
pub(crate) fn key_id(key: &EncodingKey) -> Result<String, SignError> {
    let mut id = crypto::sign(KEY_ID_LABEL, key, Algorithm::HS256).map_err(|e| SignError(e.to_string()))?;
    id.truncate(KEY_ID_CHARS);
    Ok(id)
}
