//! The use cases of listing and ending sessions: one's own, and those of any user.

use std::sync::Arc;

use thiserror::Error;

use super::{Session, SessionStore};
use crate::access::{LogOut, OwnSessionsRead, OwnSessionsWrite, Permission as _, SessionsRead, SessionsWrite};
use crate::record::RecordStore;
use crate::user::User;
use crate::{Actor, Clock, Page, PageRequest, SessionId, StoreError, UserId, Who};

/// Shows and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    pub sessions: Arc<dyn SessionStore>,
    pub users: Arc<dyn RecordStore<User>>,
    pub clock: Arc<dyn Clock>,
}

/// Why sessions were not shown or ended.
#[derive(Debug, Error)]
pub enum SessionError {
    #[error("the user has no such open session")]
    Unknown,
    #[error("no such user exists")]
    UnknownUser,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions {
    /// Ends the session in use (ASVS 7.4.1).
    ///
    /// # Errors
    /// [`StoreError`] if the store fails: then the session may still be open.
    pub async fn log_out(&self, by: &LogOut) -> Result<(), StoreError> {
        // It may have been ended meanwhile: it has ended either way.
        self.sessions.end(by.session_id(), by.user_id(), &by.at(self.clock.now())).await?;
        Ok(())
    }

    /// A page of the caller's own open sessions, in order of id.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn list_own(&self, by: &OwnSessionsRead, request: PageRequest) -> Result<Page<Session>, StoreError> {
        self.sessions.page(by.user_id(), self.clock.now(), request).await
    }

    /// Ends one of the caller's own sessions, possibly the one in use (ASVS 7.5.2).
    ///
    /// # Errors
    /// [`SessionError::Unknown`] if the caller has no such session, or a failure of the store.
    pub async fn end_own(&self, by: &OwnSessionsWrite, id: SessionId) -> Result<(), SessionError> {
        let actor = by.at(self.clock.now());
        if self.sessions.end(id, by.user_id(), &actor).await? { Ok(()) } else { Err(SessionError::Unknown) }
    }

    /// A page of a user's open sessions, in order of id.
    ///
    /// # Errors
    /// [`SessionError::UnknownUser`] if there is no such user, or a failure of the store.
    pub async fn list_of_user(
        &self,
        _by: &SessionsRead,
        user: UserId,
        request: PageRequest,
    ) -> Result<Page<Session>, SessionError> {
        self.known(user).await?;
        Ok(self.sessions.page(user, self.clock.now(), request).await?)
    }

    /// Ends all of a user's sessions; answers how many they were.
    ///
    /// # Errors
    /// [`SessionError::UnknownUser`] where no such user exists, or a failure of the store.
    pub async fn end_all(&self, by: &SessionsWrite, user: UserId) -> Result<u64, SessionError> {
        self.known(user).await?;
        Ok(self.sessions.end_all(user, &by.at(self.clock.now())).await?)
    }

    /// Forgets the sessions that have expired, on behalf of the service itself; answers how many they were.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn forget_expired(&self) -> Result<u64, StoreError> {
        let by = Actor::here(Who::Service, self.clock.now());
        self.sessions.forget_expired(by.at, &by).await
    }

    async fn known(&self, user: UserId) -> Result<(), SessionError> {
        self.users.find(user).await?.map(drop).ok_or(SessionError::UnknownUser)
    }
}
