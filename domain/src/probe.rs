//! The port that tells whether a store answers.

use async_trait::async_trait;

use crate::StoreError;

/// Tells whether the store can be asked.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Probe: Send + Sync {
    /// MUST ask the store itself, and fail where a look-up would fail now.
    async fn ready(&self) -> Result<(), StoreError>;
}
