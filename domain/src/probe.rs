//! Readiness probe port.

use async_trait::async_trait;

use crate::StoreError;

/// Readiness probe of a store.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Probe: Send + Sync {
    /// MUST query the store, and fail if a lookup would fail now.
    async fn ready(&self) -> Result<(), StoreError>;
}
