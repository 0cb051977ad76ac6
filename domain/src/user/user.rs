//! A user, and what is kept with one.

use std::str::FromStr;

use thiserror::Error;
use time::OffsetDateTime;

use super::{PasswordHash, Role, Username};
use crate::{Record, Version};

crate::id::id! {
    /// Names one user, for ever: a number is never given to another one, or a removed user's token would
    /// become the next one's.
    UserId
}

/// Whether a user may log in and be logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Active,
    Disabled,
}

/// The text is no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be active or disabled")]
pub struct StatusError;

impl Status {
    /// The status' name, as stores, the wire and the command line spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }
}

impl FromStr for Status {
    type Err = StatusError;

    fn from_str(text: &str) -> Result<Self, StatusError> {
        [Self::Active, Self::Disabled].into_iter().find(|status| status.as_str() == text).ok_or(StatusError)
    }
}

/// A user as the store keeps it, without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub username: Username,
    pub role: Role,
    pub status: Status,
    pub version: Version,
    /// UTC, whole microseconds.
    pub created_at: OffsetDateTime,
    /// The time of the last change; equal to `created_at` before the first.
    pub updated_at: OffsetDateTime,
}

/// A user to be made; active from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    pub username: Username,
    pub password: PasswordHash,
    pub role: Role,
}

/// What a login is judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: User,
    pub password: PasswordHash,
}

/// A change to what is kept about a user: `None` leaves a thing as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    pub password: Option<PasswordHash>,
    pub role: Option<Role>,
    pub status: Option<Status>,
}

impl UserChange {
    /// Another password, and nothing else.
    #[must_use]
    pub fn password(hash: PasswordHash) -> Self {
        Self { password: Some(hash), ..Self::default() }
    }

    /// Another role, and nothing else.
    #[must_use]
    pub fn role(role: Role) -> Self {
        Self { role: Some(role), ..Self::default() }
    }

    /// Another status, and nothing else.
    #[must_use]
    pub fn status(status: Status) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    /// Whether a user who is changed so is no active administrator afterwards, whatever was before.
    #[must_use]
    pub fn ends_administration(&self) -> bool {
        self.role.is_some_and(|role| role != Role::Admin) || self.status == Some(Status::Disabled)
    }
}

impl Record for User {
    type Id = UserId;

    fn id(&self) -> UserId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }
}
