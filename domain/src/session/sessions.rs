//! The use cases of seeing and ending sessions: one's own as whoever bears one, anybody's as an [`Admin`].

use std::sync::Arc;

use thiserror::Error;

use super::{Session, SessionId, SessionStore};
use crate::token::Authenticated;
use crate::user::{Admin, UserId, UserStore};
use crate::{Actor, Clock, Cursor, Page, PageSize, StoreError, Who};

/// Shows and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    pub sessions: Arc<dyn SessionStore>,
    pub users: Arc<dyn UserStore>,
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
    /// Ends the bearer's own session (ASVS 7.4.1).
    ///
    /// # Errors
    /// [`StoreError`] when the store fails: then the session may still be open.
    pub async fn log_out(&self, bearer: &Authenticated) -> Result<(), StoreError> {
        let by = bearer.principal.at(self.clock.now());
        // Somebody else may have ended it meanwhile: it has ended either way.
        self.sessions.end(bearer.claims.session_id, bearer.user.id, &by).await?;
        Ok(())
    }

    /// A piece of the bearer's own open sessions, in order of id.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn own(
        &self,
        bearer: &Authenticated,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<Session>, StoreError> {
        self.sessions.page(bearer.user.id, self.clock.now(), after, size).await
    }

    /// Ends one of the bearer's own sessions, the one in use included (ASVS 7.5.2).
    ///
    /// # Errors
    /// [`SessionError::Unknown`] where the bearer has no such session, or a failure of the store.
    pub async fn end_own(&self, bearer: &Authenticated, id: SessionId) -> Result<(), SessionError> {
        let by = bearer.principal.at(self.clock.now());
        if self.sessions.end(id, bearer.user.id, &by).await? { Ok(()) } else { Err(SessionError::Unknown) }
    }

    /// A piece of a user's open sessions, in order of id.
    ///
    /// # Errors
    /// [`SessionError::UnknownUser`] where no such user exists, or a failure of the store.
    pub async fn of(
        &self,
        _by: &Admin,
        user: UserId,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<Session>, SessionError> {
        self.known(user).await?;
        Ok(self.sessions.page(user, self.clock.now(), after, size).await?)
    }

    /// Ends all of a user's sessions; answers how many they were.
    ///
    /// # Errors
    /// [`SessionError::UnknownUser`] where no such user exists, or a failure of the store.
    pub async fn end_all(&self, by: &Admin, user: UserId) -> Result<u64, SessionError> {
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
