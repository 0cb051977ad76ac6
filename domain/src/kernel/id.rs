//! Identifiers: positive integers that are never reused.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use derive_where::derive_where;
use thiserror::Error;

/// Maximum identifier: 2^53 - 1, the largest integer that JSON implementations exchange exactly (RFC 8259, section 6).
pub const MAX_ID: i64 = (1 << 53) - 1;

/// Kind of the objects that an identifier refers to.
pub trait Kind: fmt::Debug + Clone + PartialEq + 'static {
    /// Name in the audit log and in entity tags, in the singular: lower-case ASCII letters.
    const NAME: &'static str;
}

/// Identifier of an object of one kind: 1 to [`MAX_ID`].
#[derive_where(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<K>(i64, PhantomData<fn() -> K>);

/// Kind of users. Declared here because audit events contain user ids.
#[derive(Debug, Clone, PartialEq)]
pub struct UserKind;

impl Kind for UserKind {
    const NAME: &'static str = "user";
}

/// Kind of sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionKind;

impl Kind for SessionKind {
    const NAME: &'static str = "session";
}

/// Identifies a user. Never reused: a deleted user's token would otherwise be valid for the next user.
pub type UserId = Id<UserKind>;

/// Identifies a session.
pub type SessionId = Id<SessionKind>;

/// The value is not an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an integer from 1 to {MAX_ID}")]
pub struct IdError;

impl<K> Id<K> {
    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<K> TryFrom<i64> for Id<K> {
    type Error = IdError;

    fn try_from(id: i64) -> Result<Self, IdError> {
        match id {
            1..=MAX_ID => Ok(Self(id, PhantomData)),
            _ => Err(IdError),
        }
    }
}

/// Accepts only decimal digits without a sign or leading zeros.
impl<K> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        match text.parse::<i64>() {
            Ok(id) if canonical => id.try_into(),
            _ => Err(IdError),
        }
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", K::NAME, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_has_one_text_form() {
        let parse = |text: &str| text.parse::<UserId>().map(UserId::get);
        assert_eq!(parse("7"), Ok(7));
        assert_eq!(parse(&MAX_ID.to_string()), Ok(MAX_ID));
        for wrong in ["", "0", "07", "+7", "-7", "7 ", "7.0", "seven", "9007199254740992", "99999999999999999999"] {
            assert_eq!(parse(wrong), Err(IdError), "{wrong:?}");
        }
    }
}
