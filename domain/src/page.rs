//! Keyset pages: a list in order of id, a bounded piece at a time.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::{MAX_ID, PageSize, Record};

/// Where the next page begins: behind an id. Written as 16 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(i64);

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be the cursor of an earlier page: 16 lower-case hexadecimal digits")]
pub struct CursorError;

impl Cursor {
    /// The grammar as a regular expression (ECMA-262): exactly the cursors that [`Cursor::from_str`] takes,
    /// 0 to 2^53 - 1. Behind 0 lies the whole list.
    pub const PATTERN: &'static str = "^00[01][0-9a-f]{13}$";

    /// The cursor behind `last`.
    #[must_use]
    pub fn behind(last: &impl Record) -> Self {
        Self(last.id().into())
    }

    /// The page holds ids above this one; nothing need have it.
    #[must_use]
    pub const fn position(self) -> i64 {
        self.0
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 16 || !text.bytes().all(lower_hex) {
            return Err(CursorError);
        }
        match i64::from_str_radix(text, 16) {
            Ok(position @ 0..=MAX_ID) => Ok(Self(position)),
            _ => Err(CursorError),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A piece of a list, in order of id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub entries: Vec<T>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<Cursor>,
}

impl<T: Record> Page<T> {
    /// Makes a page of what a store found when it looked for one entry more than `size`.
    #[must_use]
    pub fn from_one_more(mut found: Vec<T>, size: PageSize) -> Self {
        let size = usize::from(size.get());
        let more = found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(Cursor::behind);
        Self { entries: found, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_spelling() {
        for id in [1, 255, MAX_ID] {
            assert_eq!(Cursor(id).to_string().parse(), Ok(Cursor(id)));
        }
        for wrong in ["", "1", "00000000000000FF", "+000000000000001", "0020000000000000", "ffffffffffffffff"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(CursorError), "{wrong:?}");
        }
    }
}
