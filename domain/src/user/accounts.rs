//! The use cases of keeping the accounts: all need an [`Admin`].

use std::sync::Arc;

use secrecy::SecretString;
use thiserror::Error;

use time::{Duration, OffsetDateTime};

use super::{
    Admin, HashError, InsertUserError, NewPassword, NewUser, Password, PasswordHasher, PasswordPolicy, Role,
    SetPassword, User, UserChange, UserChangeError, UserId, UserStore, Username,
};
use crate::{Actor, Clock, Cursor, Page, PageSize, Random, RandomError, StoreError, Version, Who, hex};

/// Keeps the accounts.
#[derive(Clone)]
pub struct Accounts {
    pub users: Arc<dyn UserStore>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    /// What is asked of new passwords.
    pub policy: PasswordPolicy,
}

/// The account that the first start on an empty store makes, with the only copy of its password.
#[derive(Debug)]
pub struct FirstAdministrator {
    pub user: User,
    pub password: SecretString,
}

/// A password that its user has to change before anything else, with the only copy of it.
#[derive(Debug)]
pub struct OneTimePassword {
    pub user: User,
    pub password: SecretString,
    pub expires_at: OffsetDateTime,
}

/// Why an account was not kept as asked.
#[derive(Debug, Error)]
pub enum AccountError {
    #[error("another user has this name")]
    UsernameTaken,
    #[error("no such user exists")]
    Unknown,
    #[error("the user was changed since it was read")]
    Stale,
    #[error("this is the last active administrator; make another one first")]
    LastAdministrator,
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<InsertUserError> for AccountError {
    fn from(error: InsertUserError) -> Self {
        match error {
            InsertUserError::UsernameTaken => Self::UsernameTaken,
            InsertUserError::Store(error) => Self::Store(error),
        }
    }
}

impl From<UserChangeError> for AccountError {
    fn from(error: UserChangeError) -> Self {
        match error {
            UserChangeError::Unknown => Self::Unknown,
            // Nothing here is asked for in a session that has to be open still.
            UserChangeError::Stale | UserChangeError::SessionEnded => Self::Stale,
            UserChangeError::LastAdministrator => Self::LastAdministrator,
            UserChangeError::Store(error) => Self::Store(error),
        }
    }
}

impl Accounts {
    /// How long a one-time password is good for.
    pub const ONE_TIME: Duration = Duration::DAY;

    /// Makes an active user.
    ///
    /// # Errors
    /// [`AccountError::UsernameTaken`], or a failure of the hasher or the store.
    pub async fn add(
        &self,
        by: &Admin,
        username: Username,
        password: NewPassword,
        role: Role,
    ) -> Result<User, AccountError> {
        let password = self.passwords.hash(password.into()).await?;
        let new = NewUser { username, password, role, password_change_due: false };
        Ok(self.users.insert(new, &by.at(self.clock.now())).await?)
    }

    /// A piece of the list of users, in order of id.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn page(&self, _by: &Admin, after: Option<Cursor>, size: PageSize) -> Result<Page<User>, StoreError> {
        self.users.page(after, size).await
    }

    /// # Errors
    /// [`AccountError::Unknown`] where no such user exists, or a failure of the store.
    pub async fn find(&self, _by: &Admin, id: UserId) -> Result<User, AccountError> {
        self.users.find(id).await?.ok_or(AccountError::Unknown)
    }

    /// The user with this name.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] where there is none.
    pub async fn named(&self, _by: &Admin, username: &Username) -> Result<User, AccountError> {
        let known = self.users.find_credentials(username).await?;
        known.map(|known| known.user).ok_or(AccountError::Unknown)
    }

    /// Sets a password anew, and ends the user's sessions.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], or a failure of the hasher or the store.
    pub async fn set_password(&self, by: &Admin, id: UserId, password: NewPassword) -> Result<User, AccountError> {
        let hash = self.passwords.hash(password.into()).await?;
        self.change(by, id, None, UserChange::password(hash)).await
    }

    /// Sets a random password that has to be changed at the next login, within [`Accounts::ONE_TIME`].
    ///
    /// # Errors
    /// [`AccountError::Unknown`], or a failure of the hasher, the randomness or the store.
    pub async fn reset_password(&self, by: &Admin, id: UserId) -> Result<OneTimePassword, AccountError> {
        // Before it is hashed, which takes its time.
        self.find(by, id).await?;
        let (text, password) = self.random_password()?;
        let hash = self.passwords.hash(password).await?;
        let by = by.at(self.clock.now());
        let expires_at = by.at + Self::ONE_TIME;
        let password = SetPassword { hash, one_time_until: Some(expires_at), spared: None };
        let change = UserChange { password: Some(password), ..UserChange::default() };
        let user = self.users.change(id, None, change, &by).await?;
        Ok(OneTimePassword { user, password: text.into(), expires_at })
    }

    /// Forgets a user's failed logins, also where they had locked the account.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], or a failure of the store.
    pub async fn unlock(&self, by: &Admin, id: UserId) -> Result<User, AccountError> {
        Ok(self.users.unlock(id, &by.at(self.clock.now())).await?)
    }

    /// Changes what a user may do, and whether the user may log in.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], [`AccountError::Stale`], [`AccountError::LastAdministrator`], or a failure of
    /// the store.
    pub async fn change(
        &self,
        by: &Admin,
        id: UserId,
        seen: Option<Version>,
        change: UserChange,
    ) -> Result<User, AccountError> {
        Ok(self.users.change(id, seen, change, &by.at(self.clock.now())).await?)
    }

    /// Removes a user for good.
    ///
    /// # Errors
    /// As [`Accounts::change`].
    pub async fn remove(&self, by: &Admin, id: UserId, seen: Option<Version>) -> Result<(), AccountError> {
        Ok(self.users.remove(id, seen, &by.at(self.clock.now())).await?)
    }

    /// Makes the user `admin` with a random password, to be changed before anything else, if there is no user at all
    /// (ASVS 6.3.2: no default account); `None` where there is one. Of several nodes that start at once exactly one makes it.
    ///
    /// # Errors
    /// [`AccountError`] when the hasher, the randomness or the store fails.
    pub async fn first_administrator(&self) -> Result<Option<FirstAdministrator>, AccountError> {
        if !self.users.page(None, PageSize::ONE).await?.entries.is_empty() {
            return Ok(None);
        }
        let (text, password) = self.random_password()?;
        let username = "admin".parse().map_err(|_| AccountError::Unknown)?;
        let password = self.passwords.hash(password).await?;
        let new = NewUser { username, password, role: Role::Admin, password_change_due: true };
        let by = Actor::here(Who::Service, self.clock.now());
        let made = self.users.insert_first(new, &by).await?;
        Ok(made.map(|user| FirstAdministrator { user, password: text.into() }))
    }

    /// 128 bits as 32 hexadecimal digits in groups of four, to be read and typed by a person.
    fn random_password(&self) -> Result<(String, Password), AccountError> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes)?;
        let text = bytes.chunks(2).map(hex::encode).collect::<Vec<_>>().join("-");
        let password = Password::parse(&text).map_err(|error| HashError::Failed(error.to_string()))?;
        Ok((text, password))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::{MockPasswordHasher, MockUserStore, Principal};
    use crate::{MockClock, MockRandom};

    #[tokio::test]
    async fn req_21_a_busy_hasher_makes_no_user() {
        let mut passwords = MockPasswordHasher::new();
        passwords.expect_hash().once().returning(|_| Err(HashError::Busy));
        let accounts = Accounts {
            // Nothing is expected of it: a call would panic.
            users: Arc::new(MockUserStore::new()),
            passwords: Arc::new(passwords),
            clock: Arc::new(MockClock::new()),
            random: Arc::new(MockRandom::new()),
            policy: PasswordPolicy::default(),
        };
        let by = Principal::operator().admin().unwrap();
        let asha: Username = "asha".parse().unwrap();
        let password = NewPassword::parse("a long enough pass phrase", &asha, PasswordPolicy::default()).ok().unwrap();
        let refused = accounts.add(&by, asha, password, Role::Viewer).await;
        assert!(matches!(refused, Err(AccountError::Hash(HashError::Busy))), "{refused:?}");
    }
}
