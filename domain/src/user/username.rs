//! Usernames.

use thiserror::Error;

use crate::kernel::{Text, fold, text};

text! {
    /// A username: 1 to 64 characters, no white space or control characters. Usernames that differ only in case are equal. The
    /// pattern does not cover white space and control characters beyond ASCII; the parser does.
    Username, 1..=64, r"^[^\x00-\x20\x7F]+$", check => UsernameError
}

/// Reason why a text is not a username.
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
    /// The case-folded username, which is unique among users.
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
    fn invalid_username_reports_violated_rule() {
        assert_eq!(Username::parse(""), Err(UsernameError::Empty));
        assert_eq!(Username::parse("x".repeat(65)), Err(UsernameError::TooLong));
        for wrong in ["a b", "a\t", "a\0", "\u{a0}a"] {
            assert_eq!(Username::parse(wrong), Err(UsernameError::Character), "{wrong:?}");
        }
        assert_eq!(Username::parse("Åsa@x").unwrap().folded(), "åsa@x");
    }
}
