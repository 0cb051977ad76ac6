//! Keyset pagination, in order of id.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Id, Kind, MAX_ID, PageSize};

/// Start of a page: the id before its first entry. Written as 16 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(i64);

/// The text is not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be the cursor of a previous page: 16 lower-case hexadecimal digits")]
pub struct CursorError;

impl Cursor {
    /// Grammar of [`Cursor::from_str`] as a regular expression (ECMA-262): 0 to 2^53 - 1. A page after 0 is the first page.
    pub const PATTERN: &'static str = "^00[01][0-9a-f]{13}$";

    /// Cursor of the page that starts after `last`.
    #[must_use]
    pub fn after(last: &impl Listed) -> Self {
        Self(last.id().get())
    }

    /// Exclusive lower bound of the ids of the page. An object with this id need not exist.
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

/// Entry of a list in order of id.
pub trait Listed {
    type Kind: Kind;

    fn id(&self) -> Id<Self::Kind>;
}

/// A page of a list, in order of id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub entries: Vec<T>,
    /// Cursor of the next page; `None` on the last page.
    pub next: Option<Cursor>,
}

impl<T: Listed> Page<T> {
    /// Creates a page from the rows that a store found, at most [`PageRequest::rows`].
    #[must_use]
    pub fn from_rows(mut found: Vec<T>, request: PageRequest) -> Self {
        let size = usize::from(request.size.get());
        let more = found.len() > size;
        found.truncate(size);
        let next = found.last().filter(|_| more).map(Cursor::after);
        Self { entries: found, next }
    }
}

/// Request for a page of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// Cursor of the page; `None` for the first page.
    pub after: Option<Cursor>,
    pub size: PageSize,
}

impl PageRequest {
    /// The first page, with one entry.
    pub const ONE: Self = Self { after: None, size: PageSize::ONE };
    /// The first page, with the maximum page size.
    pub const LARGEST: Self = Self { after: None, size: PageSize::LARGEST };

    /// Exclusive lower bound of the ids of the page.
    #[must_use]
    pub fn position(self) -> i64 {
        self.after.map_or(0, Cursor::position)
    }

    /// Number of rows to query: one more than the page size shows whether there is a next page.
    #[must_use]
    pub fn rows(self) -> i64 {
        i64::from(self.size.get()) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_has_one_text_form() {
        for id in [1, 255, MAX_ID] {
            assert_eq!(Cursor(id).to_string().parse(), Ok(Cursor(id)));
        }
        for wrong in ["", "1", "00000000000000FF", "+000000000000001", "0020000000000000", "ffffffffffffffff"] {
            assert_eq!(wrong.parse::<Cursor>(), Err(CursorError), "{wrong:?}");
        }
    }
}
