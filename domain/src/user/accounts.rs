//! Use cases of user accounts in addition to the use cases of all records.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::SecretString;
use thiserror::Error;

use time::{Duration, OffsetDateTime};

use super::{
    CredentialStore, HashError, NewPassword, NewUser, NewUsername, Password, PasswordHasher, PasswordPolicy,
    SetPassword, Share, User, UserConflict, UserFilter, UserUpdate, Username, Verdict, key,
};
use crate::access::{Permission as _, Role, UsersRead, UsersWrite};
use crate::audit::{Action, DeniedAccessLog, NewEvent};
use crate::kernel::hex;
use crate::record::{Precondition, Record, RecordError, RecordResult, RecordStore, Records};
use crate::{Actor, ActorId, Clock, PageRequest, Random, RandomError, StoreError, Target, Text as _, UserId};

/// Manages user accounts.
#[derive(Clone)]
pub struct Accounts {
    pub users: Arc<dyn RecordStore<User>>,
    pub credentials: Arc<dyn CredentialStore>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub denied_access: Arc<DeniedAccessLog>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// Rules for new passwords.
    pub policy: PasswordPolicy,
}

/// Administrator to be created at the first start with an empty store, with the only copy of its password.
#[derive(Debug)]
pub struct FirstAdministrator {
    pub new: NewUser,
    pub password: SecretString,
    pub expires_at: OffsetDateTime,
}

/// User with a new one-time password, which the user has to change. Contains the only copy of it.
#[derive(Debug)]
pub struct OneTimePassword {
    pub user: Record<User>,
    pub password: SecretString,
    pub expires_at: OffsetDateTime,
}

/// Reason why an account was not created or changed.
#[derive(Debug, Error)]
pub enum AccountError {
    #[error(transparent)]
    Record(#[from] RecordError<User>),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self::Record(error.into())
    }
}

impl Accounts {
    /// Lifetime of a one-time password.
    pub const ONE_TIME: Duration = Duration::DAY;

    /// The use cases that accounts share with every record.
    #[must_use]
    pub fn records(&self) -> Records<User> {
        Records::new(self.users.clone(), self.clock.clone())
    }

    /// Creates an active user.
    ///
    /// # Errors
    /// [`UsernameTaken`](super::UserConflict::UsernameTaken), or a failure of the hasher or the store.
    pub async fn create(
        &self,
        by: &UsersWrite,
        username: NewUsername,
        password: NewPassword,
        role: Role,
    ) -> Result<Record<User>, AccountError> {
        // The unique key of the store does not match an equal name that release 1.0 stored decomposed.
        if let Some(decomposed) = username.decomposed()
            && self.credentials.find_credentials(&decomposed).await?.is_some()
        {
            return Err(RecordError::Rejected(UserConflict::UsernameTaken).into());
        }
        let actor = by.at(self.clock.now());
        let password = self.passwords.hash(password.into(), Share::of(&actor.origin, actor.id)).await?;
        let new = NewUser { username, password, role, one_time_until: None };
        Ok(self.records().create(by, new).await?)
    }

    /// Returns the user with this username.
    ///
    /// # Errors
    /// [`RecordError::NotFound`], or a failure of the store.
    pub async fn get_by_name(&self, _by: &UsersRead, username: &Username) -> RecordResult<User> {
        let known = self.credentials.find_credentials(username).await?;
        known.map(|known| known.user).ok_or(RecordError::NotFound)
    }

    /// Returns the users whose usernames are equal by the rules for new usernames, in groups: release 1.0 distinguished them. Each
    /// of them logs in with the exact spelling.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn username_collisions(&self, by: &UsersRead) -> Result<Vec<Vec<Record<User>>>, StoreError> {
        let mut groups = BTreeMap::<String, Vec<Record<User>>>::new();
        let mut request = PageRequest::LARGEST;
        loop {
            let page = self.records().list(by, &UserFilter::default(), request.clone()).await?;
            for user in page.entries {
                groups.entry(key(user.username.as_str())).or_default().push(user);
            }
            request.after = page.next;
            if request.after.is_none() {
                return Ok(groups.into_values().filter(|group| group.len() > 1).collect());
            }
        }
    }

    /// Updates a user. Records a change that would leave no active administrator.
    ///
    /// # Errors
    /// [`RecordError`]
    pub async fn update(
        &self,
        by: &UsersWrite,
        id: UserId,
        precondition: &Precondition,
        change: UserUpdate,
    ) -> RecordResult<User> {
        let updated = self.records().update(by, id, precondition, change).await;
        updated.inspect_err(|error| self.record_conflict(by, id, error))
    }

    /// Deletes a user. Records a deletion that would leave no active administrator.
    ///
    /// # Errors
    /// [`RecordError`]
    pub async fn delete(&self, by: &UsersWrite, id: UserId, precondition: &Precondition) -> RecordResult<User, ()> {
        let deleted = self.records().delete(by, id, precondition).await;
        deleted.inspect_err(|error| self.record_conflict(by, id, error))
    }

    fn record_conflict(&self, by: &UsersWrite, id: UserId, error: &RecordError<User>) {
        if let RecordError::Rejected(UserConflict::LastAdministrator) = error {
            let by = by.at(self.clock.now());
            let detail = Some("last active administrator".to_owned());
            self.denied_access.record(NewEvent::denied(&by, Action::CHANGE_DENIED, Some(Target::of(id)), detail));
        }
    }

    /// Sets a new password, and ends the user's sessions.
    ///
    /// # Errors
    /// [`RecordError::NotFound`], or a failure of the hasher or the store.
    pub async fn set_password(
        &self,
        by: &UsersWrite,
        id: UserId,
        password: NewPassword,
    ) -> Result<Record<User>, AccountError> {
        let actor = by.at(self.clock.now());
        let hash = self.passwords.hash(password.into(), Share::of(&actor.origin, actor.id)).await?;
        Ok(self.records().update(by, id, &Precondition::Any, UserUpdate::password(hash)).await?)
    }

    /// Sets a random password that expires after [`Accounts::ONE_TIME`], and that the user has to change after login.
    ///
    /// # Errors
    /// [`RecordError::NotFound`], or a failure of the hasher, the random source or the store.
    pub async fn reset_password(&self, by: &UsersWrite, id: UserId) -> Result<OneTimePassword, AccountError> {
        // Hashing is slow, so an unknown user is rejected before it.
        self.users.find(id).await?.ok_or(RecordError::NotFound)?;
        let (text, password) = self.random_password()?;
        let by = by.at(self.clock.now());
        let hash = self.passwords.hash(password, Share::of(&by.origin, by.id)).await?;
        let expires_at = by.at + Self::ONE_TIME;
        let password = SetPassword { hash, one_time_until: Some(expires_at), kept_session: None };
        let change = UserUpdate { password: Some(password), ..UserUpdate::default() };
        let user = self.users.update(id, None, change, &by).await?;
        Ok(OneTimePassword { user, password: text.into(), expires_at })
    }

    /// Clears a user's failed logins, and so unlocks the account.
    ///
    /// # Errors
    /// [`RecordError::NotFound`], or a failure of the store.
    pub async fn unlock(&self, by: &UsersWrite, id: UserId) -> RecordResult<User> {
        self.credentials.unlock(id, &by.at(self.clock.now())).await
    }

    /// Returns `true` if there are no users.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.users.page(&UserFilter::default(), PageRequest::ONE).await?.entries.is_empty())
    }

    /// Returns the administrator `admin` with a random password that expires after [`Accounts::ONE_TIME`] and has to be changed
    /// (ASVS 6.3.2: no default account), without creating it, so that the caller can store the password first.
    ///
    /// # Errors
    /// [`AccountError`] if the hasher or the random source fails.
    pub async fn first_administrator(&self) -> Result<FirstAdministrator, AccountError> {
        let (text, password) = self.random_password()?;
        let username = Self::first_username()?;
        let hash = self.passwords.hash(password, Share::LOCAL).await?;
        let expires_at = self.clock.now() + Self::ONE_TIME;
        let new = NewUser { username, password: hash, role: Role::Admin, one_time_until: Some(expires_at) };
        Ok(FirstAdministrator { new, password: text.into(), expires_at })
    }

    /// Creates the first administrator if there are no users. Returns `None` if there are users. Of nodes that start at the same
    /// time, exactly one creates its administrator.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn create_first(&self, first: &FirstAdministrator) -> Result<Option<Record<User>>, StoreError> {
        let by = Actor::here(ActorId::Service, self.clock.now());
        self.credentials.insert_first(first.new.clone(), &by).await
    }

    /// Returns `true` if the first administrator exists, and its password has not been changed.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn has_initial_password(&self) -> Result<bool, StoreError> {
        let first = self.credentials.find_credentials(Self::first_username()?.as_username()).await?;
        Ok(first.is_some_and(|first| first.user.password_change_due))
    }

    /// Returns `true` if this is the initial password of the first administrator.
    ///
    /// # Errors
    /// [`AccountError`] if the hasher or the store fails.
    pub async fn is_initial_password(&self, text: &str) -> Result<bool, AccountError> {
        let (Some(first), Ok(password)) =
            (self.credentials.find_credentials(Self::first_username()?.as_username()).await?, Password::parse(text))
        else {
            return Ok(false);
        };
        let verdict = self.passwords.verify(password, Some(first.password), Share::LOCAL).await?;
        Ok(first.user.password_change_due && verdict != Verdict::Incorrect)
    }

    fn first_username() -> Result<NewUsername, StoreError> {
        "admin".parse().map_err(StoreError::failed)
    }

    /// 128 random bits as 32 hexadecimal digits, in groups of four for legibility.
    fn random_password(&self) -> Result<(String, Password), AccountError> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes)?;
        let text = bytes.chunks(2).map(hex::encode).collect::<Vec<_>>().join("-");
        let password = Password::parse(&text).map_err(|error| HashError::Failed(error.to_string()))?;
        Ok((text, password))
    }
}

#[cfg(test)]
mod tests;
