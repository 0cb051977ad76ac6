//! The key that tokens are signed with, and what makes a text unfit to be one.

mod asymmetric;
mod guessable;
mod known;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Random, RandomError};
use secrecy::{ExposeSecret, SecretSlice};
use thiserror::Error;

/// A symmetric key for HS256: at least 32 bytes that nobody guesses (RFC 7518, section 3.2). Never shown, wiped
/// from memory when dropped.
#[derive(Clone)]
pub struct SigningKey(SecretSlice<u8>);

/// The bytes may not become a signing key. Says the rule they break and the way out, never the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SigningKeyError {
    #[error(
        "the signing key is shorter than {} bytes (RFC 7518, section 3.2): make one with `openssl rand -base64 48`",
        SigningKey::MIN_BYTES
    )]
    TooShort,
    #[error(
        "the signing key is a public or private key, which HS256 must never take as its secret \
         (RFC 8725, section 3.1): make a secret with `openssl rand -base64 48`"
    )]
    Asymmetric,
    #[error(
        "the signing key has fewer than {} different bytes: make one with `openssl rand -base64 48`",
        SigningKey::MIN_DISTINCT_BYTES
    )]
    TooUniform,
    #[error("the signing key repeats a short pattern: make one with `openssl rand -base64 48`")]
    Repeated,
    #[error(
        "the signing key is a run of neighbours in the alphabet, in numbers or on the keyboard: \
         make one with `openssl rand -base64 48`"
    )]
    Sequence,
    #[error(
        "the signing key is a published sample, or words that people put into configurations: \
         make one with `openssl rand -base64 48`"
    )]
    Known,
}

impl SigningKey {
    /// The fewest bytes: as many as the hash has (RFC 7518, section 3.2).
    pub const MIN_BYTES: usize = 32;
    /// The fewest different bytes. Random hexadecimal digits in the number of a key have more, practically always.
    pub const MIN_DISTINCT_BYTES: usize = 8;

    /// Takes the bytes as they are; whoever reads them from a file cuts the line's end off first.
    ///
    /// # Errors
    /// [`SigningKeyError`] names the rule that `secret` breaks. What passes is not thereby random: only the
    /// known and the obvious are caught.
    pub fn parse(secret: &[u8]) -> Result<Self, SigningKeyError> {
        if asymmetric::is_asymmetric(secret) {
            return Err(SigningKeyError::Asymmetric);
        }
        if secret.len() < Self::MIN_BYTES {
            return Err(SigningKeyError::TooShort);
        }
        guessable::judge(secret)?;
        Ok(Self(secret.to_vec().into()))
    }

    /// A new key: 32 random bytes as 43 characters of base64url. The text itself is the key, so what
    /// [`SigningKey::expose`] gives can be kept in a file and parsed again.
    ///
    /// # Errors
    /// [`RandomError`] when there is no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bytes = [0; Self::MIN_BYTES];
        random.fill(&mut bytes)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes).into_bytes().into()))
    }

    /// The bytes, for signing and for the key's file alone.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests;
