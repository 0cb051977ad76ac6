//! Identifiers: positive integers that are never used twice.

use thiserror::Error;

/// The largest identifier: 2^53 - 1, which every JSON reader keeps exactly (RFC 8259, section 6).
pub const MAX_ID: i64 = (1 << 53) - 1;

/// The value names nothing that could exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number from 1 to {MAX_ID}")]
pub struct IdError;

/// Parses the one spelling that an identifier has: decimal digits, no sign, no leading zero.
pub(crate) fn parse(text: &str) -> Result<i64, IdError> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    match text.parse() {
        Ok(id @ 1..=MAX_ID) if canonical => Ok(id),
        _ => Err(IdError),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// The number itself.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = $crate::id::IdError;

            fn try_from(id: i64) -> Result<Self, Self::Error> {
                match id {
                    1..=$crate::id::MAX_ID => Ok(Self(id)),
                    _ => Err($crate::id::IdError),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::id::parse(text).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(crate) use id;

#[cfg(test)]
mod tests {
    use super::{IdError, MAX_ID, parse};

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!(parse("7"), Ok(7));
        assert_eq!(parse(&MAX_ID.to_string()), Ok(MAX_ID));
        for wrong in ["", "0", "07", "+7", "-7", "7 ", "7.0", "seven", "9007199254740992", "99999999999999999999"] {
            assert_eq!(parse(wrong), Err(IdError), "{wrong:?}");
        }
    }
}
