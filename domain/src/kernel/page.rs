//! Keyset pagination.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{Id, Kind, MAX_ID, Order, PageSize, SortKey, SortValue, hex};

/// Start of a page: id and sort key of the entry before it. An entry with them need not exist. Written as 16 lower-case hexadecimal
/// digits, followed by `.ORDER` or `.ORDER.VALUE` unless the list is in order of id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub id: i64,
    /// `None` for a list in order of id.
    pub value: Option<SortValue>,
    /// `None` for ascending order of id.
    order: Option<String>,
}

/// The text is not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be the cursor of a previous page")]
pub struct CursorError;

impl Cursor {
    /// Grammar of [`Cursor::from_str`] as a regular expression (ECMA-262). A page after 0 is the first page.
    pub const PATTERN: &'static str = r"^00[01][0-9a-f]{13}(\.-?[a-z_]+(\.[nt]([0-9a-f]{2})*)?)?$";
    pub const MIN_CHARS: usize = 16;
    /// A sort value with the largest characters, and the name of a field.
    pub const MAX_CHARS: usize = 16 + 2 + 32 + 2 + SortValue::MAX_CHARS * 8;

    /// Cursor of the page that starts after `last` in this order.
    #[must_use]
    pub fn after(last: &impl Listed, value: Option<SortValue>, order: Order) -> Self {
        let order = (order != Order::default()).then(|| order.to_string());
        Self { id: last.id().get(), value, order }
    }

    /// The order of the list of this cursor; `None` if it is the cursor of another list.
    #[must_use]
    pub fn order(&self, keys: &'static [SortKey]) -> Option<Order> {
        let order = self.order.as_deref().map_or(Some(Order::default()), |order| Order::parse(order, keys))?;
        order.has(self.value.as_ref()).then_some(order)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (id, order) = text.split_once('.').map_or((text, None), |(id, order)| (id, Some(order)));
        let (order, value) = match order.map(|order| order.split_once('.').ok_or(order)) {
            None => (None, None),
            Some(Err(order)) => (Some(order), None),
            Some(Ok((order, value))) => (Some(order), Some(SortValue::parse(value).ok_or(CursorError)?)),
        };
        let id = i64::from_be_bytes(hex::decode(id).ok_or(CursorError)?);
        if !(0..=MAX_ID).contains(&id) || order == Some("id") {
            return Err(CursorError);
        }
        Ok(Self { id, value, order: order.map(str::to_owned) })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.id)?;
        if let Some(order) = &self.order {
            write!(f, ".{order}")?;
        }
        if let Some(value) = &self.value {
            write!(f, ".{value}")?;
        }
        Ok(())
    }
}

/// Entry of a list.
pub trait Listed {
    type Kind: Kind;

    fn id(&self) -> Id<Self::Kind>;
}

/// An entry of a list with its sort value, which is `None` in order of id.
pub type SortedEntry<T> = (T, Option<SortValue>);

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub entries: Vec<T>,
    /// Cursor of the next page; `None` on the last page.
    pub next: Option<Cursor>,
}

impl<T: Listed> Page<T> {
    /// Creates a page from the rows that a store found in order of id, at most [`PageRequest::rows`].
    #[must_use]
    pub fn from_rows(found: Vec<T>, size: PageSize) -> Self {
        let request = PageRequest { size, ..PageRequest::default() };
        Self::from_sorted_rows(found.into_iter().map(|entry| (entry, None)).collect(), &request)
    }

    /// Creates a page from the rows that a store found, with their sort values, at most [`PageRequest::rows`].
    #[must_use]
    pub fn from_sorted_rows(mut found: Vec<SortedEntry<T>>, request: &PageRequest) -> Self {
        let size = usize::from(request.size.get());
        let more = found.len() > size;
        found.truncate(size);
        let last = found.last().filter(|_| more);
        let next = last.map(|(entry, value)| Cursor::after(entry, value.clone(), request.order));
        Self { entries: found.into_iter().map(|(entry, _)| entry).collect(), next }
    }
}

/// Request for a page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    pub order: Order,
    /// Cursor of the page, of a list in this order; `None` for the first page.
    pub after: Option<Cursor>,
    pub size: PageSize,
}

impl PageRequest {
    /// The first page, with one entry.
    pub const ONE: Self = Self { order: Order::BY_ID, after: None, size: PageSize::ONE };
    /// The first page, with the maximum page size.
    pub const LARGEST: Self = Self { order: Order::BY_ID, after: None, size: PageSize::LARGEST };

    /// Exclusive bound of the ids of the page, if the list is in order of id.
    #[must_use]
    pub fn position(&self) -> i64 {
        let first = if self.order.descending { MAX_ID + 1 } else { 0 };
        self.after.as_ref().map_or(first, |after| after.id)
    }

    /// The same list after the last of these entries.
    #[must_use]
    pub fn continued<T: Listed>(&self, last: &SortedEntry<T>) -> Self {
        Self { after: Some(Cursor::after(&last.0, last.1.clone(), self.order)), ..self.clone() }
    }

    /// Number of rows to query: one more than the page size shows whether there is a next page.
    #[must_use]
    pub fn rows(&self) -> i64 {
        i64::from(self.size.get()) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SortKeyKind;

    const KEYS: &[SortKey] =
        &[SortKey { name: "name", kind: SortKeyKind::Text }, SortKey { name: "roll_no", kind: SortKeyKind::Number }];

    #[test]
    fn cursor_has_one_text_form() {
        for text in [
            "00000000000000ff",
            "001fffffffffffff",
            "0000000000000001.-id",
            "0000000000000001.-name.tc3a9",
            "0000000000000001.roll_no.n0000000000000007",
        ] {
            let cursor: Cursor = text.parse().unwrap();
            assert_eq!(cursor.to_string(), text);
            let order = text.split('.').nth(1).unwrap_or("id");
            assert_eq!(cursor.order(KEYS).map(|order| order.to_string()).as_deref(), Some(order));
        }
        for wrong in [
            "",
            "1",
            "00000000000000FF",
            "+000000000000001",
            "0020000000000000",
            "ffffffffffffffff",
            "0000000000000001.id",
            "0000000000000001.name.tff",
            "0000000000000001.name.",
        ] {
            assert_eq!(wrong.parse::<Cursor>(), Err(CursorError), "{wrong:?}");
        }
    }

    #[test]
    fn cursor_of_another_list_has_no_order() {
        for text in
            ["1.name", "1.name.n0000000000000007", "1.roll_no.t61", "1.age.n0000000000000007", "1.-id.t61", "1."]
        {
            let cursor: Cursor = format!("000000000000000{text}").parse().unwrap();
            assert_eq!(cursor.order(KEYS), None, "{text}");
        }
        for sorted in ["0000000000000001.roll_no.n0000000000000007", "0000000000000001.-id"] {
            assert_eq!(sorted.parse::<Cursor>().unwrap().order(&[]), None, "{sorted}");
        }
    }
}
