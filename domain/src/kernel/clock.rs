//! The port to the time of day.

use time::OffsetDateTime;

/// Clock port.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time now. MUST be UTC in whole microseconds, so that what is answered after a write equals what
    /// a later read answers.
    fn now(&self) -> OffsetDateTime;
}
