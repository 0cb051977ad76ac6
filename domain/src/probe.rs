//! Readiness probe port.

use async_trait::async_trait;

use crate::StoreError;

/// Readiness probe of a store.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Probe: Send + Sync {
    /// MUST fail while look-ups or writes fail: the store does not respond, or rejects every write. MUST succeed while the store
    /// is only busy, or rows or tables are locked.
    async fn ready(&self) -> Result<(), StoreError>;
}
