//! Ports for user credentials and password hashing. User accounts are records:
//! [`RecordStore<User>`](crate::record::RecordStore).

use async_trait::async_trait;
use thiserror::Error;

use super::{Account, Admission, Credentials, NewUser, Password, PasswordHash, Share, User, Username, UsernameDigest};
use crate::record::{Record, RecordResult};
use crate::{Actor, StoreError, UserId};

/// User credential repository port. Every method is atomic and writes its audit events in the same transaction. `by` is the
/// actor, time and origin of these events.
///
/// An implementation MUST also apply these rules to its [`RecordStore<User>`](crate::record::RecordStore), in the transaction
/// of the write:
/// - After the version check, a deletion, demotion or disabling of an active administrator fails with
///   [`LastAdministrator`](super::UserConflict::LastAdministrator) if no other active administrator has a password whose change is
///   not due.
/// - An update with a `kept_session` that is not open fails with [`SessionEnded`](super::UserConflict::SessionEnded).
/// - A new password clears the failed logins.
/// - A deletion, and an update with [`UserUpdate::ends_sessions`](super::UserUpdate::ends_sessions), end the user's sessions
///   except [`UserUpdate::kept_session`](super::UserUpdate::kept_session), with one
///   [`Action::SESSION_ENDED`](crate::audit::Action::SESSION_ENDED) event on the user that contains their number.
/// - An update writes the events [`UserUpdate::events`](super::UserUpdate::events).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// Creates the first user. Returns `None`, and writes nothing, if there are users. Of concurrent calls on an empty store,
    /// on any number of nodes, exactly one MUST create its user.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn insert_first(&self, new: NewUser, by: &Actor) -> Result<Option<Record<User>>, StoreError>;

    /// Returns the user stored under one of [`Username::keys`], with the password hash; `None` if the user does not exist. If there
    /// are two, returns the one with the preferred key.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn find_credentials(&self, username: &Username) -> Result<Option<Credentials>, StoreError>;

    /// Replaces the password hash `from` of user `id` by `to`, a hash of the same password with current parameters, and writes
    /// the event [`UserUpdate::hash_upgraded`](super::UserUpdate::hash_upgraded). Writes nothing if the stored hash is not
    /// `from`, because the password was changed concurrently.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn upgrade_hash(
        &self,
        id: UserId,
        from: &PasswordHash,
        to: &PasswordHash,
        by: &Actor,
    ) -> Result<(), StoreError>;

    /// Admits a login attempt at `by.at`, or throttles it, by [`Attempts::admit`](super::Attempts::admit), and stores the attempts
    /// that it returns. The opening of a session clears the count of its user. The limit MUST also hold for concurrent attempts on
    /// any number of nodes. If a user does not exist, the attempt is admitted with the count 1.
    ///
    /// Unknown accounts MUST be counted in the same way, with the same duration. The
    /// [`Attempts::UNKNOWN_ACCOUNTS`](super::Attempts::UNKNOWN_ACCOUNTS) that were attempted last are kept, and few more.
    ///
    /// An attempt that locks the account of a user writes an [`Action::USER_LOCKED`](crate::audit::Action::USER_LOCKED) event.
    /// Others write no event: the session records a successful login, and the denied-access log a rejected one.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn admit_login(&self, account: Account, by: &Actor) -> Result<Admission, StoreError>;

    /// Withdraws the attempt that was admitted with the count `counted`, because its password was not verified, with
    /// [`Attempts::without`](super::Attempts::without).
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn withdraw_login(&self, account: Account, counted: u32) -> Result<(), StoreError>;

    /// Clears the failed logins of user `id`, increments the version as an update does, and writes an
    /// [`Action::USER_UNLOCKED`](crate::audit::Action::USER_UNLOCKED) event. Returns the updated record.
    ///
    /// # Errors
    /// [`RecordError::NotFound`](crate::record::RecordError::NotFound) if the user does not exist, or a failure of the store.
    async fn unlock(&self, id: UserId, by: &Actor) -> RecordResult<User>;
}

/// Password hashing port. Hashing is slow by design, so it MUST NOT run on the threads that serve requests, and the queue of
/// waiting calls MUST be bounded. The places MUST be shared fairly: a full queue rejects a call of the largest share instead of one
/// of a smaller share.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Returns the hash of a password with a new random salt.
    ///
    /// # Errors
    /// [`HashError::Busy`] if the queue is full; [`HashError::Failed`] if the hash cannot be computed.
    async fn hash(&self, password: Password, share: Share) -> Result<PasswordHash, HashError>;

    /// Compares a password with a stored hash. If `stored` is `None`, the result is [`Verdict::Incorrect`] and MUST take the
    /// same time, so that the response time does not reveal which usernames exist.
    ///
    /// # Errors
    /// [`HashError::Busy`] if the queue is full; [`HashError::Failed`] if the stored hash cannot be parsed.
    async fn verify(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
        share: Share,
    ) -> Result<Verdict, HashError>;
}

/// Result of a password verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Correct,
    /// Correct, but the hash has outdated parameters.
    CorrectButOutdated,
    Incorrect,
}

/// Reason why a password was not hashed or verified.
#[derive(Debug, Error)]
pub enum HashError {
    /// The queue is full. A retry after a second may succeed.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The hash could not be computed or parsed: a defect of this program, or corrupted data.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}

/// Port for the digests of unknown usernames.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait UsernameDigests: Send + Sync {
    /// Returns the HMAC-SHA256 of a folded username under a key that all nodes share.
    fn digest(&self, folded: &str) -> UsernameDigest;
}
