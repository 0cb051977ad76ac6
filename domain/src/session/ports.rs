//! Session repository port, and the port that digests and derives refresh tokens.

use async_trait::async_trait;
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::{NewSession, RefreshToken, RefreshTokenDigest, Session, SessionLifetimes};
use crate::{Actor, Page, PageRequest, SessionId, StoreError, UserId};

/// Repository of open sessions. Every method is atomic and appends its audit event in the same transaction. Ids are never
/// reused. A session that ends is deleted together with its refresh tokens.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Opens a session at `by.at` from `by.origin.client`, and clears the user's failed logins.
    ///
    /// MUST fail with [`OpenSessionError::Outdated`], and write nothing, unless the user exists, is active, and still
    /// has the password that was verified.
    async fn open(&self, new: NewSession, by: &Actor) -> Result<Session, OpenSessionError>;

    /// Replaces a refresh token by its successor: the session is refreshed at `by.at`, and can be refreshed until
    /// [`SessionLifetimes::expiry`].
    ///
    /// A token that was used less than `rotation.grace` before `by.at` changes nothing and returns the session: its first
    /// response may have been lost. Of concurrent calls with the same token exactly one refreshes.
    ///
    /// The actor of the event is the session's user, not `by.id`.
    ///
    /// MUST fail with [`RotationError::Unknown`], and write nothing, if no open session has had the token, or the session has
    /// expired. MUST fail with [`RotationError::Replayed`], and end the session, if the token was used `rotation.grace` ago or
    /// earlier.
    async fn rotate(&self, rotation: &Rotation, by: &Actor) -> Result<Session, RotationError>;

    /// Returns a page of the user's sessions that have not expired at `now`, in order of id.
    async fn page(&self, of: UserId, now: OffsetDateTime, request: PageRequest) -> Result<Page<Session>, StoreError>;

    /// Ends a session of a user; `false` if the user has no such session.
    async fn end(&self, id: SessionId, of: UserId, by: &Actor) -> Result<bool, StoreError>;

    /// Ends all sessions of a user and returns their number.
    async fn end_all(&self, of: UserId, by: &Actor) -> Result<u64, StoreError>;

    /// Deletes the sessions that expired before a time, with one [`Action::SESSIONS_EXPIRED`](crate::audit::Action) that counts
    /// them, and returns their number.
    async fn delete_expired(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError>;

    /// Returns the key that derives successors of refresh tokens, and stores `candidate` as the key if there is none. MUST be the
    /// same on every node, permanently.
    async fn derivation_key(&self, candidate: [u8; 32]) -> Result<[u8; 32], StoreError>;
}

/// Replacement of a refresh token by its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    pub presented: RefreshTokenDigest,
    pub successor: RefreshTokenDigest,
    pub lifetimes: SessionLifetimes,
    /// Period in which a used token gets the same response again.
    pub grace: Duration,
}

/// Reason why no session was opened.
#[derive(Debug, Error)]
pub enum OpenSessionError {
    #[error("the user was deleted or disabled, or the password changed, while it was being verified")]
    Outdated,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reason why a refresh token was rejected.
#[derive(Debug, Error)]
pub enum RotationError {
    #[error("no open session has had this refresh token")]
    Unknown,
    #[error("the refresh token was used before: its session is ended")]
    Replayed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Digests refresh tokens and derives their successors.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait RefreshTokens: Send + Sync {
    /// The SHA-256 digest of a token.
    fn digest(&self, token: &RefreshToken) -> RefreshTokenDigest;

    /// The successor of a token: its HMAC-SHA256 under a key of the service.
    fn successor(&self, token: &RefreshToken) -> RefreshToken;
}
