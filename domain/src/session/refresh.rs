//! Use case that refreshes a session.

use std::sync::Arc;

use thiserror::Error;
use time::Duration;

use super::{
    Grant, GrantError, Grants, RefreshToken, RefreshTokens, Rotation, RotationError, Session, SessionLifetimes,
    SessionStore,
};
use crate::audit::{Action, DeniedAccessLog, NewEvent};
use crate::{Actor, ActorId, Clock, Origin, StoreError};

/// Refreshes sessions.
#[derive(Clone)]
pub struct Refresh {
    pub sessions: Arc<dyn SessionStore>,
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    pub grants: Grants,
    pub denied_access: Arc<DeniedAccessLog>,
    pub clock: Arc<dyn Clock>,
    pub lifetimes: SessionLifetimes,
}

/// Successful refresh.
#[derive(Debug)]
pub struct Refreshed {
    pub session: Session,
    pub grant: Grant,
}

/// Reason why a session was not refreshed.
#[derive(Debug, Error)]
pub enum RefreshError {
    /// Not a refresh token, or not one of an open session.
    #[error("the refresh token is not valid")]
    Invalid,
    /// The token was used before, and its grace period is over, or its successor was used. The session is ended.
    #[error("the refresh token was used before; its session is ended")]
    Replayed,
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RotationError> for RefreshError {
    fn from(error: RotationError) -> Self {
        match error {
            RotationError::Unknown => Self::Invalid,
            RotationError::Replayed => Self::Replayed,
            RotationError::Store(error) => Self::Store(error),
        }
    }
}

impl Refresh {
    /// Period in which a used token gets the same successor again, because the first response may have been lost.
    pub const GRACE: Duration = Duration::seconds(10);

    /// Replaces a refresh token by its successor and issues an access token (RFC 9700, section 4.14). Records an unknown token.
    ///
    /// # Errors
    /// [`RefreshError`]
    pub async fn refresh(&self, token: &RefreshToken, origin: Origin) -> Result<Refreshed, RefreshError> {
        let successor = self.refresh_tokens.successor(token);
        let rotation = Rotation {
            presented: self.refresh_tokens.digest(token),
            successor: self.refresh_tokens.digest(&successor),
            lifetimes: self.lifetimes,
            grace: Self::GRACE,
        };
        let by = Actor { id: ActorId::Anonymous, at: self.clock.now(), origin };
        let session = self.sessions.rotate(&rotation, &by).await.inspect_err(|error| {
            if let RotationError::Unknown = error {
                self.denied_access.record(NewEvent::denied(&by, Action::REFRESH_DENIED, None, None));
            }
        })?;
        let grant = self.grants.grant(&session, successor, by.at)?;
        Ok(Refreshed { session, grant })
    }
}
