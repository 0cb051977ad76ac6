//! Ports for sessions and refresh tokens.

use async_trait::async_trait;
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::{NewSession, RefreshToken, RefreshTokenDigest, Session, SessionLifetimes};
use crate::{Actor, Page, PageRequest, SessionId, StoreError, UserId};

/// Session repository port. Every method is atomic and writes its audit event in the same transaction. `by` is the actor, time
/// and origin of the event. Ids are never reused. A session that ends is deleted together with its refresh tokens.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Opens a session at `by.at` from the client address `by.origin.client`, and clears the user's failed logins. If the user
    /// then has more than [`NewSession::limit`] sessions, MUST end the others that were refreshed longest ago, with one
    /// [`Action::SESSION_ENDED`](crate::audit::Action::SESSION_ENDED) event on the user that contains their number.
    ///
    /// # Errors
    /// [`OpenSessionError::Outdated`], without a write, unless the user exists, is active, and still has the password hash
    /// [`NewSession::verified`]; or a failure of the store.
    async fn open(&self, new: NewSession, by: &Actor) -> Result<Session, OpenSessionError>;

    /// Replaces a refresh token by its successor. The session is refreshed at `by.at` and expires at
    /// [`SessionLifetimes::expiry`]. The actor of the event is the session's user instead of `by.id`.
    ///
    /// If the token was used, and the call [is a retry](Rotation::is_retry), returns the session without a write. Of concurrent
    /// calls with the same token, exactly one MUST refresh.
    ///
    /// # Errors
    /// - [`RotationError::Unknown`], without a write, if no open session has had the token, or if the session or the one-time
    ///   password of its user has expired.
    /// - [`RotationError::Replayed`] if the token was used, and the call is no retry. MUST end the session.
    /// - [`RotationError::Store`] if the store fails.
    async fn rotate(&self, rotation: &Rotation, by: &Actor) -> Result<Session, RotationError>;

    /// Returns a page of the sessions of user `of` that have not expired at `now`, in order of id.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn page(&self, of: UserId, now: OffsetDateTime, request: PageRequest) -> Result<Page<Session>, StoreError>;

    /// Ends session `id` of user `of`. Returns `false` if the session has ended or belongs to another user.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn end(&self, id: SessionId, of: UserId, by: &Actor) -> Result<bool, StoreError>;

    /// Ends all sessions of user `of` and returns their number.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn end_all(&self, of: UserId, by: &Actor) -> Result<u64, StoreError>;

    /// Deletes the sessions that expired before a time and returns their number, which its
    /// [`Action::SESSIONS_EXPIRED`](crate::audit::Action::SESSIONS_EXPIRED) event contains.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn delete_expired(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError>;

    /// Returns the key that derives successors of refresh tokens. Stores `candidate` if there is no key. MUST return the same
    /// key for every call on every node.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn derivation_key(&self, candidate: [u8; 32]) -> Result<[u8; 32], StoreError>;
}

/// Replacement of a refresh token by its successor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    pub presented: RefreshTokenDigest,
    pub successor: RefreshTokenDigest,
    pub lifetimes: SessionLifetimes,
    /// Period after its use in which a token returns the same successor again.
    pub grace: Duration,
}

impl Rotation {
    /// Returns `true` if a call at `at` with a token that was used at `used_at` returns the same successor again, because the first
    /// response may have been lost. `at` may be earlier: the clocks of nodes differ, and a clock may be set back.
    pub fn is_retry(&self, at: OffsetDateTime, used_at: OffsetDateTime, is_successor_used: bool) -> bool {
        (at - used_at).abs() < self.grace && !is_successor_used
    }
}

/// Reason why no session was opened.
#[derive(Debug, Error)]
pub enum OpenSessionError {
    #[error("the user was deleted or disabled, or the password was changed, during the login")]
    Outdated,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reason why a refresh token was rejected.
#[derive(Debug, Error)]
pub enum RotationError {
    #[error("no open session has had this refresh token")]
    Unknown,
    #[error("the refresh token was used before; its session is ended")]
    Replayed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refresh token cryptography port.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait RefreshTokens: Send + Sync {
    /// Returns the SHA-256 digest of a token.
    fn digest(&self, token: &RefreshToken) -> RefreshTokenDigest;

    /// Returns the successor of a token: its HMAC-SHA256 with the key [`SessionStore::derivation_key`].
    fn successor(&self, token: &RefreshToken) -> RefreshToken;
}
