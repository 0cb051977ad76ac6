//! Ports to the credentials of users and to password hashing. The accounts themselves are records:
//! [`RecordStore<User>`](crate::record::RecordStore).

use async_trait::async_trait;
use thiserror::Error;

use super::{Admission, Credentials, NewUser, Password, PasswordHash, User, Username};
use crate::record::{Record, RecordResult};
use crate::{Actor, StoreError, UserId};

/// Stores what logins are judged by. Every method is atomic, and leaves its event in the audit in the same transaction.
///
/// Beside the rules of every [`RecordStore`](crate::record::RecordStore), that of users keeps these:
/// - It MUST reject a change or a deletion that leaves no active administrator with
///   [`LastAdministrator`](super::UserConflict::LastAdministrator), after the version is found to be the expected one.
/// - A new password clears the failed logins. If [`UserUpdate::ends_sessions`](super::UserUpdate::ends_sessions), and with a
///   deletion, the user's sessions end in the same transaction, except
///   [`UserUpdate::kept_session`](super::UserUpdate::kept_session), with one [`Action::SESSION_ENDED`](crate::audit::Action) event on
///   the user that counts them. It MUST reject the change with
///   [`SessionEnded`](super::UserConflict::SessionEnded) if `kept_session` is not open.
/// - An update leaves [`UserUpdate::events`](super::UserUpdate::events).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// Stores a new user if there is none yet; otherwise writes nothing and returns `None`. Of any number of concurrent
    /// calls, from any number of nodes, exactly one MUST succeed on an empty store.
    async fn insert_first(&self, new: NewUser, by: &Actor) -> Result<Option<Record<User>>, StoreError>;

    /// Returns the user whose folded name is that of `username`, with the password's hash.
    async fn find_credentials(&self, username: &Username) -> Result<Option<Credentials>, StoreError>;

    /// Replaces the hash `from` by `to`; changes nothing unless the stored hash is `from`, so that a password that was
    /// changed meanwhile stays.
    async fn upgrade_hash(
        &self,
        id: UserId,
        from: &PasswordHash,
        to: &PasswordHash,
        by: &Actor,
    ) -> Result<(), StoreError>;

    /// Admits a login at `by.at`, or not, by [`Attempts::admission`](super::Attempts::admission), and counts one that is
    /// admitted. However many are made at once, on whichever nodes, no more are admitted than one after the other would
    /// be. The one that locks the account leaves an [`Action::USER_LOCKED`](crate::audit::Action); the others leave no
    /// event: an admitted login opens a session, and the others are in the denied-access log. A user who does not exist is
    /// admitted.
    async fn admit_login(&self, id: UserId, by: &Actor) -> Result<Admission, StoreError>;

    /// Takes as long as [`CredentialStore::admit_login`] and changes nothing visible: for unknown usernames, so that the
    /// time does not distinguish them.
    async fn admit_dummy_login(&self) -> Result<(), StoreError>;

    /// Withdraws an admitted login that was never tried: [`Attempts::without_last`](super::Attempts::without_last).
    async fn withdraw_login(&self, id: UserId) -> Result<(), StoreError>;

    /// Clears a user's failed logins, and increments the version as an update does; leaves an
    /// [`Action::USER_UNLOCKED`](crate::audit::Action).
    ///
    /// MUST fail, and write nothing, with [`RecordError::NotFound`] if there is no such user.
    async fn unlock(&self, id: UserId, by: &Actor) -> RecordResult<User>;
}

/// Hashes passwords outside the threads that serve requests: hashing is slow by design.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// The hash of a password under a fresh salt.
    ///
    /// MUST fail with [`HashError::Busy`] immediately if the queue is full.
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError>;

    /// Compares `password` with a stored hash. Without one the result is [`Verdict::Incorrect`], and MUST take the same time, so that
    /// the time does not reveal which usernames exist.
    ///
    /// MUST fail with [`HashError::Busy`] immediately if the queue is full.
    async fn verify(&self, password: Password, stored: Option<PasswordHash>) -> Result<Verdict, HashError>;
}

/// Result of a password verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Correct,
    /// Correct, but hashed with weaker parameters than new passwords are.
    RightButOutdated,
    Incorrect,
}

/// Reason why a password was not hashed.
#[derive(Debug, Error)]
pub enum HashError {
    /// The queue is full; retry after a second.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The hash could not be computed or parsed: a defect, or damaged data.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}
