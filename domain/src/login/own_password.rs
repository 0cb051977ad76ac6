//! Use case that changes the caller's own password.

use std::sync::Arc;

use thiserror::Error;

use super::LoginThrottling;
use crate::access::{OwnPasswordWrite, Permission as _};
use crate::audit::{Action, DeniedAccessLog, NewEvent};
use crate::record::{RecordError, RecordStore};
use crate::user::{
    CredentialStore, GivenPassword, HashError, NewPassword, Password, PasswordHasher, PasswordPolicy, SetPassword,
    Share, Throttled, User, UserUpdate, Username, Verdict,
};
use crate::{Actor, Clock, StoreError, Target};

/// Changes the caller's own password.
#[derive(Clone)]
pub struct OwnPassword {
    pub users: Arc<dyn RecordStore<User>>,
    pub credentials: Arc<dyn CredentialStore>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub denied_access: Arc<DeniedAccessLog>,
    pub clock: Arc<dyn Clock>,
    /// Rules for new passwords.
    pub policy: PasswordPolicy,
    pub throttling: LoginThrottling,
}

/// Reason why a password was not changed.
#[derive(Debug, Error)]
pub enum OwnPasswordError {
    #[error("must be the current password")]
    WrongPassword,
    #[error("must differ from the current password")]
    Unchanged,
    /// Wrong passwords count like failed logins.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The session ended, or the user was deleted, after authentication.
    #[error("the session has ended")]
    SessionEnded,
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OwnPassword {
    /// Replaces the caller's password and ends the caller's other sessions (ASVS 7.4.3). `username` is the caller's own.
    ///
    /// A wrong current password counts as a failed login and records the same event: a stolen token does not allow unlimited
    /// attempts.
    ///
    /// # Errors
    /// [`OwnPasswordError`]
    pub async fn change(
        &self,
        by: &OwnPasswordWrite,
        username: &Username,
        current: GivenPassword,
        new: NewPassword,
    ) -> Result<(), OwnPasswordError> {
        let actor = by.at(self.clock.now());
        let outcome = self.change_as(by, username, current, new.into(), &actor).await;
        if let Err(OwnPasswordError::WrongPassword | OwnPasswordError::Throttled(_)) = outcome {
            let event = NewEvent::once(&actor, Action::LOGIN_DENIED, Target::of(by.user_id()));
            self.denied_access.record(event);
        }
        outcome
    }

    async fn change_as(
        &self,
        caller: &OwnPasswordWrite,
        username: &Username,
        current: GivenPassword,
        new: Password,
        by: &Actor,
    ) -> Result<(), OwnPasswordError> {
        let known = self.credentials.find_credentials(username).await?;
        let id = caller.user_id();
        let known = known.filter(|known| known.user.id == id).ok_or(OwnPasswordError::SessionEnded)?;
        if self.throttling != LoginThrottling::Unlimited {
            known.attempts.check(by.at)?;
            self.credentials.admit_login(id, by).await??;
        }
        let share = Share::of(&by.origin, username.folded());
        let is_expired = known.password_expires_at.is_some_and(|expiry| expiry <= by.at);
        match current.verify(&*self.passwords, Some(known.password), share).await {
            Ok(Verdict::Correct | Verdict::CorrectButOutdated) if !is_expired => {}
            Ok(_) => return Err(OwnPasswordError::WrongPassword),
            Err(error) => {
                self.credentials.withdraw_login(id).await?;
                return Err(error.into());
            }
        }
        let changed = if current.preferred().expose() == new.expose() {
            Err(OwnPasswordError::Unchanged)
        } else {
            self.passwords.hash(new, share).await.map_err(OwnPasswordError::from)
        };
        let hash = match changed {
            Ok(hash) => hash,
            Err(error) => {
                // The current password was correct, so the attempt does not count.
                self.credentials.withdraw_login(id).await?;
                return Err(error);
            }
        };
        let password = SetPassword { hash, one_time_until: None, kept_session: Some(caller.session_id()) };
        let change = UserUpdate { password: Some(password), ..UserUpdate::default() };
        match self.users.update(id, None, change, by).await {
            Ok(_) => Ok(()),
            Err(RecordError::Store(error)) => Err(error.into()),
            Err(_) => Err(OwnPasswordError::SessionEnded),
        }
    }
}
