//! Random source port.

use thiserror::Error;

/// Failure of the random source.
#[derive(Debug, Error)]
#[error("the random source failed: {0}")]
pub struct RandomError(pub String);

/// Source of cryptographically secure random bytes.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Random: Send + Sync {
    /// Fills `bytes`. MUST be suitable for keys and passwords.
    ///
    /// # Errors
    /// [`RandomError`] if the source fails. The content of `bytes` must then not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}
