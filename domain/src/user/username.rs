//! The name that a user logs in with.

use thiserror::Error;

use crate::kernel::{Text, fold, text};

text! {
    /// A login name: 1 to 64 characters, no white space or control characters. Two names that differ by case alone are the
    /// same name. The pattern leaves white space and control characters beyond ASCII to the parser.
    Username, 1..=64, r"^[^\x00-\x20\x7F]+$", check => UsernameError
}

/// The rule that a text breaks, which is not a login name.
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
    /// The name with its case folded: unique among users.
    #[must_use]
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

fn check(text: &str) -> Result<(), UsernameError> {
    if text.is_empty() {
        return Err(UsernameError::Empty);
    }
    if text.chars().nth(Username::MAX_CHARS).is_some() {
        return Err(UsernameError::TooLong);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(UsernameError::Character);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_that_breaks_a_rule_is_told_which() {
        assert_eq!(Username::parse(""), Err(UsernameError::Empty));
        assert_eq!(Username::parse("x".repeat(65)), Err(UsernameError::TooLong));
        for wrong in ["a b", "a\t", "a\0", "\u{a0}a"] {
            assert_eq!(Username::parse(wrong), Err(UsernameError::Character), "{wrong:?}");
        }
        assert_eq!(Username::parse("Åsa@x").unwrap().folded(), "åsa@x");
    }
}
