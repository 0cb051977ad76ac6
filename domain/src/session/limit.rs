//! Maximum number of open sessions of a user.

use thiserror::Error;

/// Maximum number of open sessions of a user. If a login exceeds it, the session that was refreshed longest ago ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimit(u32);

/// The number is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be {} to {} sessions", SessionLimit::MIN, SessionLimit::MAX)]
pub struct SessionLimitError;

impl SessionLimit {
    pub const MIN: u32 = 1;
    pub const MAX: u32 = 10_000;

    /// # Errors
    /// [`SessionLimitError`] outside of [`Self::MIN`] to [`Self::MAX`].
    pub const fn new(sessions: u32) -> Result<Self, SessionLimitError> {
        if sessions < Self::MIN || sessions > Self::MAX { Err(SessionLimitError) } else { Ok(Self(sessions)) }
    }

    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for SessionLimit {
    /// More than one person has devices and programs.
    fn default() -> Self {
        Self(100)
    }
}
