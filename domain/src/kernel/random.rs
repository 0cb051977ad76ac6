//! The port to randomness.

use thiserror::Error;

/// The source of randomness gave none.
#[derive(Debug, Error)]
#[error("no randomness is available: {0}")]
pub struct RandomError(pub String);

/// Source of cryptographically secure random bytes.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Random: Send + Sync {
    /// Fills `bytes`. MUST be fit for keys and passwords: a cryptographically secure source.
    ///
    /// # Errors
    /// [`RandomError`] when the source fails; what `bytes` then hold must not be used.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}
