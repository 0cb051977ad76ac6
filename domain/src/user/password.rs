//! Passwords, and what is stored of them.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// A password as entered: 1 to 128 characters (Unicode scalar values). Never shown, wiped from
/// memory when dropped.
#[derive(Clone)]
pub struct Password(SecretString);

/// The text cannot be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordError {
    #[error("must not be empty")]
    Empty,
    #[error("must have at most {} characters", Password::MAX_CHARS)]
    TooLong,
}

impl Password {
    /// The most characters: what a hash has to read is bounded.
    pub const MAX_CHARS: usize = 128;

    /// # Errors
    /// [`PasswordError`]
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        if text.is_empty() {
            return Err(PasswordError::Empty);
        }
        if text.chars().nth(Self::MAX_CHARS).is_some() {
            return Err(PasswordError::TooLong);
        }
        Ok(Self(text.into()))
    }

    /// The characters, for hashing alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What is stored in place of a password: a salted hash with its parameters (PHC string format).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    #[must_use]
    pub const fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string, for stores and for verifying alone.
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
    fn a_login_checks_only_the_upper_length() {
        assert!(Password::parse("x").is_ok());
        assert!(Password::parse(&"é".repeat(128)).is_ok());
        assert_eq!(Password::parse("").err(), Some(PasswordError::Empty));
        assert_eq!(Password::parse(&"é".repeat(129)).err(), Some(PasswordError::TooLong));
    }
}
