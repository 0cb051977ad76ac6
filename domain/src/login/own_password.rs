//! Use case that changes the caller's own password.

use std::sync::Arc;

use thiserror::Error;

use super::counted::{AttemptError, CountedAttempts};
use crate::access::{OwnPasswordWrite, Permission as _};
use crate::audit::{Action, DeniedAccessLog, NewEvent};
use crate::record::{RecordError, RecordStore};
use crate::user::{
    Account, GivenPassword, HashError, NewPassword, Password, PasswordHasher, PasswordPolicy, SetPassword, Share,
    Throttled, User, UserUpdate, Username, Verdict,
};
use crate::{Actor, StoreError, Target};

/// Changes the caller's own password.
#[derive(Clone)]
pub struct OwnPassword {
    pub users: Arc<dyn RecordStore<User>>,
    pub attempts: CountedAttempts,
    pub passwords: Arc<dyn PasswordHasher>,
    pub denied_access: Arc<DeniedAccessLog>,
    /// Rules for new passwords.
    pub policy: PasswordPolicy,
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

impl AttemptError for OwnPasswordError {
    fn is_failure(&self) -> bool {
        matches!(self, Self::WrongPassword)
    }
}

impl OwnPassword {
    /// Replaces the caller's password and ends the caller's other sessions (ASVS 7.4.3). `username` is the caller's own.
    ///
    /// A wrong current password counts as a failed login and records the same event: a stolen token does not allow unlimited
    /// attempts.
    ///
    /// When `cancelled` completes, the attempt ends and is withdrawn, as at a login.
    ///
    /// # Errors
    /// [`OwnPasswordError`]
    pub async fn change(
        &self,
        caller: &OwnPasswordWrite,
        username: &Username,
        current: GivenPassword,
        new: NewPassword,
        cancelled: impl Future<Output = ()> + Send,
    ) -> Result<(), OwnPasswordError> {
        let by = caller.at(self.attempts.clock.now());
        let account = Account::User(caller.user_id());
        let change = self.verify_and_change(caller, username, current, new.into(), &by);
        let outcome = self.attempts.attempt(account, &by, cancelled, change).await.outcome;
        if let Err(OwnPasswordError::WrongPassword | OwnPasswordError::Throttled(_)) = outcome {
            let event = NewEvent::once(&by, Action::LOGIN_DENIED, Target::of(caller.user_id()));
            self.denied_access.record(event);
        }
        outcome
    }

    async fn verify_and_change(
        &self,
        caller: &OwnPasswordWrite,
        username: &Username,
        current: GivenPassword,
        new: Password,
        by: &Actor,
    ) -> Result<(), OwnPasswordError> {
        let id = caller.user_id();
        let known = self.attempts.credentials.find_credentials(username).await?;
        let known = known.filter(|known| known.user.id == id).ok_or(OwnPasswordError::SessionEnded)?;
        let share = Share::of(&by.origin, Account::User(id));
        let is_expired = known.password_expires_at.is_some_and(|expiry| expiry <= by.at);
        let verdict = current.verify(&*self.passwords, Some(known.password), share).await?;
        if verdict == Verdict::Incorrect || is_expired {
            return Err(OwnPasswordError::WrongPassword);
        }
        if current.preferred().expose() == new.expose() {
            return Err(OwnPasswordError::Unchanged);
        }
        let hash = self.passwords.hash(new, share).await?;
        let password = SetPassword { hash, one_time_until: None, kept_session: Some(caller.session_id()) };
        let change = UserUpdate { password: Some(password), ..UserUpdate::default() };
        match self.users.update(id, None, change, by).await {
            Ok(_) => Ok(()),
            Err(RecordError::Store(error)) => Err(error.into()),
            Err(_) => Err(OwnPasswordError::SessionEnded),
        }
    }
}
