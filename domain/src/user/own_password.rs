//! The use case of changing one's own password.

use std::sync::Arc;

use thiserror::Error;
use time::Duration;

use super::{
    Admission, Guessing, HashError, NewPassword, Password, PasswordHasher, PasswordPolicy, SetPassword, UserChange,
    UserChangeError, UserStore, Verdict,
};
use crate::token::Authenticated;
use crate::{Clock, StoreError};

/// Changes the password of whoever asks.
#[derive(Clone)]
pub struct OwnPassword {
    pub users: Arc<dyn UserStore>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub clock: Arc<dyn Clock>,
    /// What is asked of new passwords.
    pub policy: PasswordPolicy,
    pub guessing: Guessing,
}

/// Why a password was not changed.
#[derive(Debug, Error)]
pub enum OwnPasswordError {
    #[error("is not the current password")]
    WrongPassword,
    #[error("must differ from the current password")]
    Unchanged,
    /// Too many wrong passwords: they count like failed logins.
    #[error("the next try may be made in {retry_in}")]
    Early { retry_in: Duration },
    #[error("the account is locked")]
    Locked,
    /// The user was removed meanwhile.
    #[error("no such user exists")]
    Unknown,
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OwnPassword {
    /// Puts `new` in place of `current`, and ends the bearer's other sessions (ASVS 7.4.3). A wrong current password
    /// counts like a failed login, so that nobody guesses it with a token that was found.
    ///
    /// # Errors
    /// [`OwnPasswordError`]
    pub async fn change(
        &self,
        bearer: &Authenticated,
        current: Password,
        new: NewPassword,
    ) -> Result<(), OwnPasswordError> {
        let new = Password::from(new);
        let by = bearer.principal.at(self.clock.now());
        let known = self.users.find_credentials(&bearer.user.username).await?.ok_or(OwnPasswordError::Unknown)?;
        let id = known.user.id;
        let admission = match known.attempts.admission(by.at) {
            _ if self.guessing == Guessing::Unlimited => Admission::Admitted,
            Admission::Admitted => self.users.admit_login(id, &by).await?,
            refused => refused,
        };
        match admission {
            Admission::Admitted => {}
            Admission::Early(retry_in) => return Err(OwnPasswordError::Early { retry_in }),
            Admission::Locked => return Err(OwnPasswordError::Locked),
        }
        match self.passwords.verify(current.clone(), Some(known.password)).await {
            Ok(Verdict::Right | Verdict::RightButOutdated) => {}
            Ok(Verdict::Wrong) => return Err(OwnPasswordError::WrongPassword),
            Err(error) => {
                self.users.withdraw_login(id).await?;
                return Err(error.into());
            }
        }
        let changed = if current.expose() == new.expose() {
            Err(OwnPasswordError::Unchanged)
        } else {
            self.passwords.hash(new).await.map_err(OwnPasswordError::from)
        };
        let hash = match changed {
            Ok(hash) => hash,
            Err(error) => {
                // The current password was right: nothing has failed.
                self.users.withdraw_login(id).await?;
                return Err(error);
            }
        };
        let password = SetPassword { hash, one_time_until: None, spared: Some(bearer.claims.session_id) };
        let change = UserChange { password: Some(password), ..UserChange::default() };
        match self.users.change(id, None, change, &by).await {
            Ok(_) => Ok(()),
            Err(UserChangeError::Store(error)) => Err(error.into()),
            Err(_) => Err(OwnPasswordError::Unknown),
        }
    }
}
