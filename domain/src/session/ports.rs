//! What the domain needs of whoever keeps the sessions, and of whoever digests refresh tokens.

use async_trait::async_trait;
use thiserror::Error;
use time::{Duration, OffsetDateTime};

use super::{NewSession, RefreshToken, RefreshTokenDigest, Session, SessionLifetimes};
use crate::{Actor, Page, PageRequest, SessionId, StoreError, UserId};

/// Keeps the open sessions. Every method is atomic, and leaves its event in the audit in the same transaction. An id is
/// never used twice. A session that has ended is gone, and its refresh tokens with it.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Keeps a new session that is opened at `by.at`, from `by.origin.client`, and forgets the user's failed logins.
    ///
    /// MUST fail with [`OpenSessionError::Outdated`], and write nothing, unless the user exists, is active, and still
    /// has the password that was verified: what changed while the password was hashed counts.
    async fn open(&self, new: NewSession, by: &Actor) -> Result<Session, OpenSessionError>;

    /// Uses a refresh token up, and puts its successor in its place: the session is refreshed at `by.at`, and can be
    /// refreshed until [`SessionLifetimes::expiry`] of it.
    ///
    /// A token that was used before, less than `rotation.grace` ago by `by.at`, changes nothing and answers the session
    /// as it is: a lost answer is no theft. Of any number of calls at once with the same token exactly one refreshes.
    ///
    /// The event of a refresh names the session's user as its actor, whoever `by.who` is.
    ///
    /// MUST fail, and write nothing, with [`RotationError::Unknown`] where no open session has ever had the token, or
    /// the session has expired. MUST fail with [`RotationError::Replayed`], and end the session, where the token was
    /// used `rotation.grace` ago or longer.
    async fn rotate(&self, rotation: &Rotation, by: &Actor) -> Result<Session, RotationError>;

    /// The sessions of a user that have not expired at `now`, in order of id, behind `after` where it is given; `next`
    /// is set exactly when more follow.
    async fn page(&self, of: UserId, now: OffsetDateTime, request: PageRequest) -> Result<Page<Session>, StoreError>;

    /// Ends a session of a user; `false` where the user has no such session.
    async fn end(&self, id: SessionId, of: UserId, by: &Actor) -> Result<bool, StoreError>;

    /// Ends all sessions of a user, and answers how many they were.
    async fn end_all(&self, of: UserId, by: &Actor) -> Result<u64, StoreError>;

    /// Forgets the sessions that expired before a time, all of them with one
    /// [`Action::SESSIONS_EXPIRED`](crate::audit::Action) that counts them, and answers how many they were.
    async fn forget_expired(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError>;

    /// The key that successors of refresh tokens are derived with: `candidate` where there is none yet. MUST be the same
    /// for every node and for ever.
    async fn derivation_key(&self, candidate: [u8; 32]) -> Result<[u8; 32], StoreError>;
}

/// One refresh token in the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    pub presented: RefreshTokenDigest,
    pub successor: RefreshTokenDigest,
    pub lifetimes: SessionLifetimes,
    /// How long a used token still gets the answer that may have been lost.
    pub grace: Duration,
}

/// Why no session was opened.
#[derive(Debug, Error)]
pub enum OpenSessionError {
    #[error("the user was removed or disabled, or the password changed, while it was being verified")]
    Outdated,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a refresh token was not taken.
#[derive(Debug, Error)]
pub enum RotationError {
    #[error("no open session has had this refresh token")]
    Unknown,
    #[error("the refresh token was used before: its session is ended")]
    Replayed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Digests refresh tokens, and derives one from the other.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait RefreshTokens: Send + Sync {
    /// The SHA-256 digest of a token.
    fn digest(&self, token: &RefreshToken) -> RefreshTokenDigest;

    /// The one successor that a token has: an HMAC-SHA256 of it under a key that only the service knows.
    fn successor(&self, token: &RefreshToken) -> RefreshToken;
}
