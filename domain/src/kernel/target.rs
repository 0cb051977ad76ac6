//! Targets of audited actions.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Id, Kind};

/// Target of an action, as `kind:id`: `student:7`, `operation:createUser`. The set of kinds is open: a store may contain kinds
/// of a later release.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    kind: Cow<'static, str>,
    id: String,
}

/// The text is not a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be KIND:ID, such as student:7 or operation:createUser")]
pub struct TargetError;

impl Target {
    /// Grammar of [`Target::from_str`] as a regular expression (ECMA-262).
    pub const PATTERN: &'static str = "^[a-z][a-z0-9_]{0,31}:[!-~]{1,128}$";

    /// The record or session with this id.
    #[must_use]
    pub fn of<K: Kind>(id: Id<K>) -> Self {
        Self { kind: K::NAME.into(), id: id.to_string() }
    }

    /// An operation, by its id in the API document.
    #[must_use]
    pub fn operation(id: &str) -> Self {
        Self { kind: "operation".into(), id: id.to_owned() }
    }

    /// A signing key, by its id.
    #[must_use]
    pub fn key(id: &str) -> Self {
        Self { kind: "key".into(), id: id.to_owned() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (kind, id) = text.split_once(':').ok_or(TargetError)?;
        let is_kind = kind.starts_with(|c: char| c.is_ascii_lowercase())
            && kind.len() <= 32
            && kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let is_id = (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        if is_kind && is_id { Ok(Self { kind: kind.to_owned().into(), id: id.to_owned() }) } else { Err(TargetError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_of_any_kind_has_one_text_form() {
        for text in ["student:7", "user:1", "operation:deleteUser", "key:a-b_c", "course:12", "x:a:b"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        let long = format!("key:{}", "k".repeat(129));
        for wrong in ["", "user", "user:", ":7", "User:7", "7x:1", "key:\n", "key:a b", "key:é", &long] {
            assert_eq!(wrong.parse::<Target>(), Err(TargetError), "{wrong:?}");
        }
    }
}
