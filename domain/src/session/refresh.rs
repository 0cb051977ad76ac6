//! The use case of refreshing a session: a refresh token against new tokens.

use std::sync::Arc;

use thiserror::Error;
use time::Duration;

use super::{
    Grant, GrantError, Grants, RefreshToken, RefreshTokens, Rotation, RotationError, Session, SessionLifetimes,
    SessionStore,
};
use crate::{Actor, Clock, Origin, StoreError, Who};

/// Refreshes sessions.
#[derive(Clone)]
pub struct Refresh {
    pub sessions: Arc<dyn SessionStore>,
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    pub grants: Grants,
    pub clock: Arc<dyn Clock>,
    pub lifetimes: SessionLifetimes,
}

/// What a refresh answers.
#[derive(Debug)]
pub struct Refreshed {
    pub session: Session,
    pub grant: Grant,
}

/// Why a session was not refreshed.
#[derive(Debug, Error)]
pub enum RefreshError {
    /// The text is no refresh token, or that of no open session.
    #[error("the refresh token is not valid")]
    Invalid,
    /// The token was used before, longer ago than a lost answer explains: its session has ended.
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
    /// How long a used token still gets its one successor: a lost answer is no theft.
    pub const GRACE: Duration = Duration::seconds(10);

    /// Takes a refresh token in, and gives its successor and an access token out (RFC 9700, section 4.14).
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
        let by = Actor { who: Who::Anonymous, at: self.clock.now(), origin };
        let session = self.sessions.rotate(&rotation, &by).await?;
        let grant = self.grants.grant(&session, successor, by.at)?;
        Ok(Refreshed { session, grant })
    }
}
