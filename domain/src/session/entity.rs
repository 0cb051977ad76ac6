//! A session, and what is kept of one.

use std::net::IpAddr;

use time::OffsetDateTime;

use super::{RefreshTokenDigest, SessionLifetimes, UserAgent};
use crate::user::PasswordHash;
use crate::{Listed, SessionId, SessionKind, UserId};

/// An open session. A session that has ended is deleted; the audit log records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub opened_at: OffsetDateTime,
    /// The time of the last refresh; equal to `opened_at` before the first.
    pub refreshed_at: OffsetDateTime,
    /// From then on it can no longer be refreshed, unless it is before.
    pub expires_at: OffsetDateTime,
    /// From then on it is over, however often it is refreshed.
    pub ends_at: OffsetDateTime,
    /// The address that logged in.
    pub client: Option<IpAddr>,
    /// The program that logged in.
    pub user_agent: Option<UserAgent>,
}

impl Listed for Session {
    type Kind = SessionKind;

    fn id(&self) -> SessionId {
        self.id
    }
}

/// A session to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    pub user_id: UserId,
    /// The hash that the password was verified against.
    pub verified: PasswordHash,
    pub refresh_token: RefreshTokenDigest,
    pub lifetimes: SessionLifetimes,
    pub user_agent: Option<UserAgent>,
}
