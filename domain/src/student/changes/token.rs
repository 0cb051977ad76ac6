//! Positions in the feed, and their tokens.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::kernel::hex;

/// Position of a change in the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangePosition {
    /// Number of the transaction, or 0 in a store whose writes are committed one after another.
    pub transaction: i64,
    /// Number of the change, from 1.
    pub number: i64,
}

impl ChangePosition {
    /// Before every change.
    pub const START: Self = Self { transaction: 0, number: 0 };
}

/// Position after which a follower continues. Written as 48 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeToken {
    /// Identifies the feed.
    pub feed: i64,
    pub position: ChangePosition,
}

/// The text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a token of the feed of changes")]
pub struct ChangeTokenError;

impl ChangeToken {
    /// Grammar of [`ChangeToken::from_str`] as a regular expression (ECMA-262).
    pub const PATTERN: &'static str = "^[0-9a-f]{16}([0-7][0-9a-f]{15}){2}$";
    pub const CHARS: usize = 48;
}

impl FromStr for ChangeToken {
    type Err = ChangeTokenError;

    fn from_str(text: &str) -> Result<Self, ChangeTokenError> {
        let bytes: [u8; Self::CHARS / 2] = hex::decode(text).ok_or(ChangeTokenError)?;
        let mut numbers = bytes.as_chunks().0.iter().map(|bytes| i64::from_be_bytes(*bytes));
        let mut next = || numbers.next().ok_or(ChangeTokenError);
        let (feed, position) = (next()?, ChangePosition { transaction: next()?, number: next()? });
        if position.transaction < 0 || position.number < 0 {
            Err(ChangeTokenError)
        } else {
            Ok(Self { feed, position })
        }
    }
}

impl fmt::Display for ChangeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { feed, position: ChangePosition { transaction, number } } = self;
        write!(f, "{feed:016x}{transaction:016x}{number:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_token_has_one_text_form() {
        let position = ChangePosition { transaction: 7, number: i64::MAX };
        let text = "fffffffffffffffe00000000000000077fffffffffffffff";
        assert_eq!(text.parse(), Ok(ChangeToken { feed: -2, position }));
        assert_eq!(ChangeToken { feed: -2, position }.to_string(), text);
        for wrong in
            ["", &text[1..], &text.to_uppercase(), &format!("{text}0"), &format!("{}f{}", &text[..32], &text[33..])]
        {
            assert_eq!(wrong.parse::<ChangeToken>(), Err(ChangeTokenError), "{wrong:?}");
        }
    }
}
