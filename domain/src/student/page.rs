//! Keyset pages: the roll in order of id, a bounded piece at a time.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{NamePart, RollNumber, Student, StudentId};
use crate::{MAX_ID, PageSize};

/// Where the next page begins: behind an id. Written as 16 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(i64);

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be the cursor of an earlier page: 16 lower-case hexadecimal digits")]
pub struct CursorError;

impl Cursor {
    /// The grammar as a regular expression (ECMA-262): exactly the cursors that [`Cursor::from_str`] takes,
    /// 0 to 2^53 - 1. Behind 0 lies the whole roll.
    pub const PATTERN: &'static str = "^00[01][0-9a-f]{13}$";

    /// The cursor behind `last`.
    #[must_use]
    pub const fn behind(last: StudentId) -> Self {
        Self(last.get())
    }

    /// The page holds ids above this one; nobody need have it.
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

/// Which students are wanted: those that fit every filter that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StudentFilter {
    /// The name contains this, without regard to case.
    pub name: Option<NamePart>,
    /// The roll number is this one.
    pub roll_no: Option<RollNumber>,
}

/// A piece of the roll, in order of id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudentPage {
    pub students: Vec<Student>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<Cursor>,
}

impl StudentPage {
    /// Makes a page of what a store found when it looked for one student more than `size`.
    #[must_use]
    pub fn from_one_more(mut found: Vec<Student>, size: PageSize) -> Self {
        let size = usize::from(size.get());
        let more = found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(|last| Cursor::behind(last.id));
        Self { students: found, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_spelling() {
        for id in [1, 255, MAX_ID] {
            let cursor = Cursor::behind(StudentId::try_from(id).unwrap());
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for wrong in ["", "1", "00000000000000FF", "+000000000000001", "0020000000000000", "ffffffffffffffff"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(CursorError), "{wrong:?}");
        }
    }
}
