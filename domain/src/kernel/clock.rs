//! Clock port.

use time::OffsetDateTime;

/// Source of the current time.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// Returns the current time. MUST be UTC in whole microseconds, the precision of every store.
    fn now(&self) -> OffsetDateTime;
}
