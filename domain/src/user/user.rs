//! A user, and what is kept with one.

use time::OffsetDateTime;

use super::{PasswordHash, Role, Username};
use crate::Version;

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

/// One change to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserChange {
    Password(PasswordHash),
    Role(Role),
    Status(Status),
}
