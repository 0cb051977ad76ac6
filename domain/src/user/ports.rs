//! What the domain needs of whoever keeps the users and hashes the passwords.

use async_trait::async_trait;
use thiserror::Error;

use super::{Admission, Credentials, NewUser, Password, PasswordHash, User, UserChange, UserId, Username};
use crate::{Actor, Cursor, Page, PageSize, StoreError, Version};

/// Keeps the users. Every method is atomic, and what it changes leaves its event in the audit in the same transaction. An
/// id is never used twice, not even after its user is removed.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Keeps a new, active user at version 1, made and updated at `by.at`.
    ///
    /// MUST fail with [`InsertUserError::UsernameTaken`] when the folded name is another user's; nothing is
    /// written then.
    async fn insert(&self, new: NewUser, by: &Actor) -> Result<User, InsertUserError>;

    /// Keeps a new user exactly when there is none yet; `None`, and nothing written, otherwise. Of any
    /// number of calls at once, from any number of nodes, exactly one MUST succeed on an empty store.
    async fn insert_first(&self, new: NewUser, by: &Actor) -> Result<Option<User>, StoreError>;

    /// `None` where no such user exists.
    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user whose folded name is that of `username`, with the password's hash.
    async fn find_credentials(&self, username: &Username) -> Result<Option<Credentials>, StoreError>;

    /// The users in order of id, behind `after` where it is given; `next` is set exactly when more follow.
    async fn page(&self, after: Option<Cursor>, size: PageSize) -> Result<Page<User>, StoreError>;

    /// Changes what `change` sets, adds one to the version, and stamps `by.at`, also where everything already
    /// was so. A password that is set takes the failed logins with it. Where [`UserChange::ends_sessions`], the user's
    /// sessions end in the same transaction, but the one that is [`UserChange::spared`]. Leaves [`UserChange::events`]
    /// in the audit, and where sessions end one [`SessionEnded`](crate::audit::Action::SessionEnded) on the user that
    /// counts them.
    ///
    /// MUST fail, and write nothing, with [`UserChangeError::Unknown`] where no such user exists, else with
    /// [`UserChangeError::Stale`] unless `seen` is `None` or the version stored now, else with
    /// [`UserChangeError::LastAdministrator`] when no active administrator would remain, else with
    /// [`UserChangeError::SessionEnded`] where the session that is to be spared is not open any more: whoever asked in it
    /// has been shut out meanwhile, by a password reset for one.
    async fn change(
        &self,
        id: UserId,
        seen: Option<Version>,
        change: UserChange,
        by: &Actor,
    ) -> Result<User, UserChangeError>;

    /// Puts `to` in place of `from`; changes nothing else, and nothing at all unless the stored hash is
    /// `from`: a password that was changed meanwhile stands.
    async fn upgrade_hash(
        &self,
        id: UserId,
        from: &PasswordHash,
        to: &PasswordHash,
        by: &Actor,
    ) -> Result<(), StoreError>;

    /// Admits a login at `by.at`, or not, by [`Attempts::admission`](super::Attempts::admission), and counts one that is
    /// admitted; of no matter how many at once, on whichever nodes, no more are admitted than were one after the other.
    /// The one that locks the account leaves a [`UserLocked`](crate::audit::Action::UserLocked); the others leave no
    /// event: who is let in opens a session, and who is not is refused. A user who does not exist is admitted.
    async fn admit_login(&self, id: UserId, by: &Actor) -> Result<Admission, StoreError>;

    /// Takes as long as [`UserStore::admit_login`] does, and changes nothing that anybody could see: for a name that is
    /// nobody's, so that time does not tell it from others.
    async fn pretend_to_admit_login(&self) -> Result<(), StoreError>;

    /// Takes an admitted login back that was never tried: [`Attempts::without_one`](super::Attempts::without_one).
    async fn withdraw_login(&self, id: UserId) -> Result<(), StoreError>;

    /// Forgets a user's failed logins, and adds one to the version as [`UserStore::change`] does; leaves a
    /// [`UserUnlocked`](crate::audit::Action::UserUnlocked).
    ///
    /// MUST fail, and write nothing, with [`UserChangeError::Unknown`] where no such user exists.
    async fn unlock(&self, id: UserId, by: &Actor) -> Result<User, UserChangeError>;

    /// Removes a user for good, and ends the user's sessions.
    ///
    /// MUST fail, and remove nothing, as [`UserStore::change`] does.
    async fn remove(&self, id: UserId, seen: Option<Version>, by: &Actor) -> Result<(), UserChangeError>;
}

/// Why a user was not added.
#[derive(Debug, Error)]
pub enum InsertUserError {
    #[error("another user has this name")]
    UsernameTaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a user was not changed or removed.
#[derive(Debug, Error)]
pub enum UserChangeError {
    #[error("no such user exists")]
    Unknown,
    #[error("the user was changed since it was read")]
    Stale,
    #[error("this is the last active administrator")]
    LastAdministrator,
    /// The session that was to go on has ended meanwhile.
    #[error("the session has ended")]
    SessionEnded,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Hashes passwords, slowly on purpose, and never on the threads that serve requests.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// The hash of a password under a fresh salt.
    ///
    /// MUST fail with [`HashError::Busy`] at once when too many wait already.
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError>;

    /// Whether `password` is the one that `stored` was made of. Without a stored hash the answer is
    /// [`Verdict::Wrong`], and MUST take the same time as with one, so that nobody learns which names exist.
    ///
    /// MUST fail with [`HashError::Busy`] at once when too many wait already.
    async fn verify(&self, password: Password, stored: Option<PasswordHash>) -> Result<Verdict, HashError>;
}

/// What a password turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// Right, but hashed with weaker parameters than new passwords are.
    RightButOutdated,
    Wrong,
}

/// Why a password was not hashed.
#[derive(Debug, Error)]
pub enum HashError {
    /// Too many wait already; come back in a second.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The hash could not be made or read: a defect, or damaged data.
    #[error("a password could not be hashed: {0}")]
    Failed(String),
}
