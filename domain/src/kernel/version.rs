//! Versions of records.

/// Version of a record: 1 at creation, incremented by each update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(i64);

impl Version {
    pub const FIRST: Self = Self(1);

    /// The version with this number; `None` below 1.
    #[must_use]
    pub const fn new(number: i64) -> Option<Self> {
        if number >= 1 { Some(Self(number)) } else { None }
    }

    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}
