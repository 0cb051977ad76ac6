//! The symmetric signing key and its checks.

mod asymmetric;
mod guessable;
mod known;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Random, RandomError};
use secrecy::{ExposeSecret, SecretSlice};
use thiserror::Error;

/// Symmetric key for HS256: at least 32 bytes that are not guessable (RFC 7518, section 3.2). Never printed; wiped from
/// memory on drop.
#[derive(Clone)]
pub struct SigningKey(SecretSlice<u8>);

/// Reason why a signing key is rejected. The message contains a remedy and never the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SigningKeyError {
    #[error(
        "the signing key is shorter than {} bytes (RFC 7518, section 3.2): generate one with `openssl rand -base64 48`",
        SigningKey::MIN_BYTES
    )]
    TooShort,
    #[error(
        "the signing key is a public or private key, which must not be used as an HS256 secret \
         (RFC 8725, section 3.1): generate a secret with `openssl rand -base64 48`"
    )]
    Asymmetric,
    #[error(
        "the signing key has fewer than {} different bytes: generate one with `openssl rand -base64 48`",
        SigningKey::MIN_DISTINCT_BYTES
    )]
    TooUniform,
    #[error("the signing key repeats a short pattern: generate one with `openssl rand -base64 48`")]
    Repeated,
    #[error(
        "the signing key is a sequence of neighbours in the alphabet, in numbers or on the keyboard: \
         generate one with `openssl rand -base64 48`"
    )]
    Sequence,
    #[error(
        "the signing key is a published sample or consists of common words: \
         generate one with `openssl rand -base64 48`"
    )]
    Known,
}

impl SigningKey {
    /// Minimum length in bytes: the size of the hash output (RFC 7518, section 3.2).
    pub const MIN_BYTES: usize = 32;
    /// Minimum number of different bytes. 32 random hexadecimal digits practically always have more.
    pub const MIN_DISTINCT_BYTES: usize = 8;

    /// Checks the bytes and uses them unchanged, including a trailing line break.
    ///
    /// # Errors
    /// [`SigningKeyError`] if `secret` is too short, asymmetric or guessable. The check does not prove randomness.
    pub fn parse(secret: &[u8]) -> Result<Self, SigningKeyError> {
        if asymmetric::is_asymmetric(secret) {
            return Err(SigningKeyError::Asymmetric);
        }
        if secret.len() < Self::MIN_BYTES {
            return Err(SigningKeyError::TooShort);
        }
        guessable::check(secret)?;
        Ok(Self(secret.to_vec().into()))
    }

    /// Generates a key of 32 random bytes as 43 base64url characters. The key is the text itself, not the decoded bytes, so
    /// the result of [`SigningKey::expose`] can be stored in a file and parsed.
    ///
    /// # Errors
    /// [`RandomError`] if the random source fails.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bytes = [0; Self::MIN_BYTES];
        random.fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes).into_bytes().into()))
    }

    /// The secret bytes. Only for signing and for the key file.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests;
