//! Technical failures of stores.

use std::error::Error;

use thiserror::Error;

type Source = Box<dyn Error + Send + Sync>;

/// Technical failure of a store. Callers distinguish only whether a retry can succeed; the source is for the log.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The store is unreachable, full or busy, and a later retry may succeed. A write did not happen, unless the connection was
    /// lost during the commit: then the outcome is unknown.
    #[error("the store is unavailable")]
    Unavailable(#[source] Source),
    /// Unexpected result of the store: a defect of this program, or corrupted data.
    #[error("the store failed")]
    Failed(#[source] Source),
}

impl StoreError {
    /// The store is unreachable, full or busy.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }

    /// The store returned an unexpected result.
    pub fn failed(source: impl Into<Source>) -> Self {
        Self::Failed(source.into())
    }
}
