//! What a write requires of the version that it replaces.

use crate::Version;

/// The versions of a record that a write may replace.
pub enum Precondition {
    /// Whichever is stored.
    Any,
    /// This version alone.
    Version(Version),
    /// Those for which the function returns `true`. Costs a look-up before the write.
    When(Box<dyn Fn(Version) -> bool + Send + Sync>),
}
