//! Single-use refresh tokens and their digests.

use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use thiserror::Error;

use crate::kernel::hex;
use crate::{Random, RandomError};

/// A refresh token (RFC 9700, section 4.14): 256 bits, written as 64 lower-case hexadecimal digits. Excluded from debug output;
/// memory is zeroed on drop.
pub struct RefreshToken(SecretBox<[u8; 32]>);

/// The text is not a refresh token.
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

    /// Generates a random token.
    ///
    /// # Errors
    /// [`RandomError`] if the random source fails.
    pub fn random(random: &dyn Random) -> Result<Self, RandomError> {
        let mut bits = [0; 32];
        random.fill(&mut bits)?;
        Ok(Self::new(bits))
    }

    /// Parses a token in the form of [`RefreshToken::PATTERN`].
    ///
    /// # Errors
    /// [`RefreshTokenError`]
    pub fn parse(text: &str) -> Result<Self, RefreshTokenError> {
        hex::decode(text).map(Self::new).ok_or(RefreshTokenError)
    }

    /// The bits. Use for digests only.
    #[must_use]
    pub fn bits(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// The text. Use for the response to the client only.
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

/// SHA-256 digest of a refresh token. Stores contain only the digest.
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
    fn refresh_token_is_256_bits_and_hidden_in_debug() {
        let token = RefreshToken::parse(&"0f".repeat(32)).unwrap();
        assert_eq!(token.bits(), &[0x0f; 32]);
        assert_eq!(token.expose(), "0f".repeat(32));
        assert_eq!(format!("{token:?}"), "RefreshToken(..)");
        assert_eq!(RefreshToken::parse(&"0F".repeat(32)).err(), Some(RefreshTokenError));
    }
}
