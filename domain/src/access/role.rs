//! Roles of users.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Role of a user. Each role includes the permissions of the roles before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads records.
    Viewer,
    /// Reads and writes student records.
    Registrar,
    /// Also manages users and reads the audit log.
    Admin,
}

/// The text is not a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be viewer, registrar or admin")]
pub struct RoleError;

impl Role {
    /// Every role, in ascending order.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Registrar, Self::Admin];

    /// Name in stores and on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Registrar => "registrar",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
