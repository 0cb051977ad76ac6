//! The name that a user logs in with.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::fold::fold;

/// A login name: 1 to 64 characters, no white space or control characters. Two names that differ by case
/// alone are the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

/// The text is no login name; says the rule it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UsernameError {
    #[error("must not be empty")]
    Empty,
    #[error("must have at most {} characters", Username::MAX_CHARS)]
    TooLong,
    #[error("must not contain white space or control characters")]
    Character,
}

impl Username {
    /// The most characters (Unicode scalar values) a login name has.
    pub const MAX_CHARS: usize = 64;

    /// What a login name may hold as a regular expression (ECMA-262), for documents; the length comes on top.
    pub const PATTERN: &'static str = r"^[^\s\x00-\x1F\x7F-\x9F]+$";

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with its case folded: unique among users.
    #[must_use]
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

impl FromStr for Username {
    type Err = UsernameError;

    fn from_str(text: &str) -> Result<Self, UsernameError> {
        if text.is_empty() {
            return Err(UsernameError::Empty);
        }
        if text.chars().nth(Self::MAX_CHARS).is_some() {
            return Err(UsernameError::TooLong);
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(UsernameError::Character);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_that_breaks_a_rule_is_told_which() {
        assert_eq!("".parse::<Username>(), Err(UsernameError::Empty));
        assert_eq!("x".repeat(65).parse::<Username>(), Err(UsernameError::TooLong));
        for wrong in ["a b", "a\t", "a\0", "\u{a0}a"] {
            assert_eq!(wrong.parse::<Username>(), Err(UsernameError::Character), "{wrong:?}");
        }
        assert_eq!("Åsa@x".parse::<Username>().unwrap().folded(), "åsa@x");
    }
}
