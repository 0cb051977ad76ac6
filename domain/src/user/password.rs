//! Passwords and password hashes.

use std::fmt;

use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::Profile as _;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// A password in the form to be hashed: 1 to 128 characters (Unicode scalar values). Excluded from debug output; memory is zeroed on drop.
#[derive(Clone)]
pub struct Password(SecretString);

/// Reason why a text is not a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordError {
    #[error("must not be empty")]
    Empty,
    #[error("must have at most {} characters", Password::MAX_CHARS)]
    TooLong,
}

impl Password {
    /// Maximum length in characters; bounds the input of the hash.
    pub const MAX_CHARS: usize = 128;

    /// Parses a password.
    ///
    /// # Errors
    /// [`PasswordError`] if it is empty or too long.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        if text.is_empty() {
            return Err(PasswordError::Empty);
        }
        if text.chars().nth(Self::MAX_CHARS).is_some() {
            return Err(PasswordError::TooLong);
        }
        Ok(Self(text.into()))
    }

    /// The plain text. Use for hashing only.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The text as RFC 8265 prepares passwords (profile `OpaqueString`): in NFC, with ASCII spaces only. `None` if it contains
/// characters that the profile rejects, such as control characters and unassigned code points.
pub(super) fn opaque_string(text: &str) -> Option<SecretString> {
    OpaqueString::new().enforce(text).ok().map(|prepared| prepared.into_owned().into())
}

/// Salted password hash with its parameters (PHC string format).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    #[must_use]
    pub const fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string. Use for storage and verification only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_has_1_to_128_characters() {
        assert!(Password::parse("x").is_ok());
        assert!(Password::parse(&"é".repeat(128)).is_ok());
        assert_eq!(Password::parse("").err(), Some(PasswordError::Empty));
        assert_eq!(Password::parse(&"é".repeat(129)).err(), Some(PasswordError::TooLong));
    }
}
