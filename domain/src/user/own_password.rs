//! The use case of changing one's own password.

use std::sync::Arc;

use thiserror::Error;
use time::Duration;

use super::{
    Admission, Guessing, HashError, NewPassword, Password, PasswordHasher, PasswordPolicy, SetPassword, UserChange,
    UserChangeError, UserStore, Verdict,
};
use crate::audit::{Action, NewEvent, Refusals, Target};
use crate::token::Authenticated;
use crate::{Actor, Clock, StoreError};

/// Changes the password of whoever asks.
#[derive(Clone)]
pub struct OwnPassword {
    pub users: Arc<dyn UserStore>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub refusals: Arc<Refusals>,
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
    /// The session was ended, or the user removed, since the token was judged.
    #[error("the session has ended")]
    SessionEnded,
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OwnPassword {
    /// Puts `new` in place of `current`, and ends the bearer's other sessions (ASVS 7.4.3). A wrong current password
    /// counts like a failed login, and leaves the same event, so that nobody guesses it with a token that was found.
    ///
    /// # Errors
    /// [`OwnPasswordError`]
    pub async fn change(
        &self,
        bearer: &Authenticated,
        current: Password,
        new: NewPassword,
    ) -> Result<(), OwnPasswordError> {
        let by = bearer.principal.at(self.clock.now());
        let outcome = self.change_by(bearer, current, new.into(), &by).await;
        if let Err(OwnPasswordError::WrongPassword | OwnPasswordError::Early { .. } | OwnPasswordError::Locked) =
            outcome
        {
            let target = Some(Target::User(bearer.user.id));
            self.refusals.note(NewEvent { by, action: Action::LoginRefused, target, detail: None, count: 1 });
        }
        outcome
    }

    async fn change_by(
        &self,
        bearer: &Authenticated,
        current: Password,
        new: Password,
        by: &Actor,
    ) -> Result<(), OwnPasswordError> {
        let known = self.users.find_credentials(&bearer.user.username).await?.ok_or(OwnPasswordError::SessionEnded)?;
        let id = known.user.id;
        let admission = match known.attempts.admission(by.at) {
            _ if self.guessing == Guessing::Unlimited => Admission::Admitted(0),
            Admission::Admitted(_) => self.users.admit_login(id, by).await?,
            refused => refused,
        };
        match admission {
            Admission::Admitted(_) => {}
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
        match self.users.change(id, None, change, by).await {
            Ok(_) => Ok(()),
            Err(UserChangeError::Store(error)) => Err(error.into()),
            Err(_) => Err(OwnPasswordError::SessionEnded),
        }
    }
}
