//! Keyset pages: bounded parts of a list, in order of id.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Id, Kind, MAX_ID, PageSize};

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

    /// The cursor of the page that begins after `last`.
    #[must_use]
    pub fn after(last: &impl Listed) -> Self {
        Self(last.id().get())
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

/// What lists hold, in order of id.
pub trait Listed {
    type Kind: Kind;

    fn id(&self) -> Id<Self::Kind>;
}

/// A page of a list, in order of id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub entries: Vec<T>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<Cursor>,
}

impl<T: Listed> Page<T> {
    /// Makes a page of the rows that a store found, at most [`PageRequest::rows`].
    #[must_use]
    pub fn from_one_more(mut found: Vec<T>, request: PageRequest) -> Self {
        let size = usize::from(request.size.get());
        let more = found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(Cursor::after);
        Self { entries: found, next }
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the page begins; `None` for the first.
    pub after: Option<Cursor>,
    pub size: PageSize,
}

impl PageRequest {
    /// The first page, with one entry.
    pub const ONE: Self = Self { after: None, size: PageSize::ONE };
    /// The first page, as large as pages may be.
    pub const LARGEST: Self = Self { after: None, size: PageSize::LARGEST };

    /// The id that every entry of the page is greater than.
    #[must_use]
    pub fn position(self) -> i64 {
        self.after.map_or(0, Cursor::position)
    }

    /// How many rows a store looks for: one more than the page holds says whether there is a next page.
    #[must_use]
    pub fn rows(self) -> i64 {
        i64::from(self.size.get()) + 1
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
