//! Filters of lists.

use std::fmt::Debug;

use super::SortKey;

/// Filter of a list. The default matches all entries.
pub trait Filter: Debug + Clone + Default + Send + Sync + 'static {
    /// Fields by which the list can be sorted, in addition to the id.
    const SORT_KEYS: &'static [SortKey] = &[];

    fn reach(&self) -> Reach;
}

/// The part of a table that a filter reads. Stores do not let searches delay the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// At most one row, found by a unique index.
    Row,
    /// The rows of a page, found by an index.
    Page,
    /// Possibly every row.
    Search,
}

impl Filter for () {
    fn reach(&self) -> Reach {
        Reach::Page
    }
}
