//! Use cases that list and end sessions.

use std::sync::Arc;

use thiserror::Error;

use super::{Session, SessionLookup, SessionStore};
use crate::access::{LogOut, OwnSessionsRead, OwnSessionsWrite, Permission as _, SessionsRead, SessionsWrite};
use crate::audit::{Action, DeniedAccessLog, NewEvent};
use crate::record::RecordStore;
use crate::user::User;
use crate::{Actor, ActorId, Clock, Page, PageRequest, SessionId, StoreError, Target, UserId};

/// Lists and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    pub sessions: Arc<dyn SessionStore>,
    pub session_lookup: Arc<dyn SessionLookup>,
    pub users: Arc<dyn RecordStore<User>>,
    pub denied_access: Arc<DeniedAccessLog>,
    pub clock: Arc<dyn Clock>,
}

/// Reason why sessions were not listed or ended.
#[derive(Debug, Error)]
pub enum SessionError {
    #[error("the user has no open session with this id")]
    Unknown,
    #[error("the user does not exist")]
    UnknownUser,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions {
    /// Ends the caller's session (ASVS 7.4.1).
    ///
    /// # Errors
    /// [`StoreError`] if the store fails. The session may then still be open.
    pub async fn log_out(&self, by: &LogOut) -> Result<(), StoreError> {
        // `false` means that the session has already ended.
        self.sessions.end(by.session_id(), by.user_id(), &by.at(self.clock.now())).await?;
        Ok(())
    }

    /// Returns a page of the caller's open sessions, in order of id.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn list_own(&self, by: &OwnSessionsRead, request: PageRequest) -> Result<Page<Session>, StoreError> {
        self.sessions.page(by.user_id(), self.clock.now(), request).await
    }

    /// Ends one of the caller's sessions, possibly the current one (ASVS 7.5.2). Records an attempt to end another user's.
    ///
    /// # Errors
    /// [`SessionError::Unknown`] if the caller has no open session `id`, or a failure of the store.
    pub async fn end_own(&self, by: &OwnSessionsWrite, id: SessionId) -> Result<(), SessionError> {
        let actor = by.at(self.clock.now());
        if self.sessions.end(id, by.user_id(), &actor).await? {
            return Ok(());
        }
        // The response does not depend on this look-up, which is made for the audit log only.
        let owner = self.session_lookup.active_user(id).await.ok().flatten();
        if owner.is_some_and(|owner| owner.id != by.user_id()) {
            let detail = Some("session of another user".to_owned());
            self.denied_access.record(NewEvent::denied(&actor, Action::ACCESS_DENIED, Some(Target::of(id)), detail));
        }
        Err(SessionError::Unknown)
    }

    /// Returns a page of a user's open sessions, in order of id.
    ///
    /// # Errors
    /// [`SessionError::UnknownUser`] if the user does not exist, or a failure of the store.
    pub async fn list_of_user(
        &self,
        _by: &SessionsRead,
        user: UserId,
        request: PageRequest,
    ) -> Result<Page<Session>, SessionError> {
        self.require_user(user).await?;
        Ok(self.sessions.page(user, self.clock.now(), request).await?)
    }

    /// Ends all sessions of a user and returns their number.
    ///
    /// # Errors
    /// [`SessionError::UnknownUser`] if the user does not exist, or a failure of the store.
    pub async fn end_all(&self, by: &SessionsWrite, user: UserId) -> Result<u64, SessionError> {
        self.require_user(user).await?;
        Ok(self.sessions.end_all(user, &by.at(self.clock.now())).await?)
    }

    /// Deletes expired sessions, with the service as the actor, and returns their number.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn delete_expired(&self) -> Result<u64, StoreError> {
        let by = Actor::here(ActorId::Service, self.clock.now());
        self.sessions.delete_expired(by.at, &by).await
    }

    async fn require_user(&self, user: UserId) -> Result<(), SessionError> {
        self.users.find(user).await?.map(drop).ok_or(SessionError::UnknownUser)
    }
}
