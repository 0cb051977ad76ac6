//! Refresh tokens: 256 bits that are good for one refresh.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use thiserror::Error;

use crate::kernel::hex;
use crate::{Random, RandomError};

/// A refresh token (RFC 9700, section 4.14): 256 bits. Never shown, wiped from memory when dropped. Written as 64
/// lower-case hexadecimal digits.
pub struct RefreshToken(SecretBox<[u8; 32]>);

/// The text is no refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a refresh token: 64 lower-case hexadecimal digits")]
pub struct RefreshTokenError;

impl RefreshToken {
    /// The grammar as a regular expression (ECMA-262).
    pub const PATTERN: &'static str = "^[0-9a-f]{64}$";

    #[must_use]
    pub fn new(bits: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(bits)))
    }

    /// # Errors
    /// [`RandomError`] when there is no randomness.
    pub fn random(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bits = [0; 32];
        random.fill(&mut bits)?;
        Ok(Self::new(bits))
    }

    /// Reads the one spelling that a token has.
    ///
    /// # Errors
    /// [`RefreshTokenError`]
    pub fn parse(text: &str) -> Result<Self, RefreshTokenError> {
        hex::decode(text).map(Self::new).ok_or(RefreshTokenError)
    }

    /// The bits, for digests alone.
    #[must_use]
    pub fn bits(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// The text, for the answer to its bearer alone.
    #[must_use]
    pub fn expose(&self) -> String {
        hex::encode(self.bits())
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(..)")
    }
}

/// What is stored of a refresh token: a SHA-256 digest, which cannot be turned back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefreshTokenDigest([u8; 32]);

impl RefreshTokenDigest {
    #[must_use]
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for RefreshTokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshTokenDigest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REQ 12.
    #[test]
    fn refresh_token_is_256_bits_and_is_never_shown() {
        let token = RefreshToken::parse(&"0f".repeat(32)).unwrap();
        assert_eq!(token.bits(), &[0x0f; 32]);
        assert_eq!(token.expose(), "0f".repeat(32));
        assert_eq!(format!("{token:?}"), "RefreshToken(..)");
        assert_eq!(RefreshToken::parse(&"0F".repeat(32)).err(), Some(RefreshTokenError));
    }
}
