//! Sessions, and sessions to be opened.

use std::net::IpAddr;

use time::OffsetDateTime;

use super::{RefreshTokenDigest, SessionLifetimes, SessionLimit, UserAgent};
use crate::user::PasswordHash;
use crate::{Listed, SessionId, SessionKind, UserId};

/// An open session. A session that has ended is deleted; the audit log records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub opened_at: OffsetDateTime,
    /// Time of the last refresh; equal to `opened_at` before the first.
    pub refreshed_at: OffsetDateTime,
    /// Time at which the session expires unless it is refreshed before.
    pub expires_at: OffsetDateTime,
    /// Absolute end. Refreshes do not extend it.
    pub ends_at: OffsetDateTime,
    /// Client address of the login.
    pub client: Option<IpAddr>,
    /// `User-Agent` of the login.
    pub user_agent: Option<UserAgent>,
}

impl Listed for Session {
    type Kind = SessionKind;

    fn id(&self) -> SessionId {
        self.id
    }
}

/// Session to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    pub user_id: UserId,
    /// The hash that the password was verified against.
    pub verified: PasswordHash,
    pub refresh_token: RefreshTokenDigest,
    pub lifetimes: SessionLifetimes,
    pub limit: SessionLimit,
    pub user_agent: Option<UserAgent>,
}
