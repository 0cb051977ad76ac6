//! The one way in which a store fails for reasons that are not the domain's.

use std::error::Error;

use thiserror::Error;

type Source = Box<dyn Error + Send + Sync>;

/// A store could not do what it was asked. Opaque on purpose: callers learn whether to come back later,
/// and the log gets the source.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The store is away, full or busy: the same call may succeed later. A write did not happen, unless the store
    /// was lost during the commit: then the outcome is unknown.
    #[error("the store is unavailable")]
    Unavailable(#[source] Source),
    /// The store answered what it must never answer: a defect of ours, or damaged data.
    #[error("the store failed")]
    Failed(#[source] Source),
}

impl StoreError {
    /// The store is away, full or busy.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }

    /// The store holds or did what it never should.
    pub fn failed(source: impl Into<Source>) -> Self {
        Self::Failed(source.into())
    }
}
