//! Preconditions of writes.

use crate::Version;

/// Versions of a record that a write may replace.
pub enum Precondition {
    /// Any version.
    Any,
    /// Only this version.
    Version(Version),
    /// Versions for which the function returns `true`. Requires a read before the write.
    When(Box<dyn Fn(Version) -> bool + Send + Sync>),
}
