//! What the bearer of a session is given: an access token, and the refresh token for the next one.

use std::sync::Arc;

use thiserror::Error;
use time::OffsetDateTime;

use super::{RefreshToken, Session};
use crate::token::{Claims, SignError, SignedToken, TokenId, TokenLifetime, Tokens};
use crate::{Random, RandomError};

/// Makes access tokens for sessions.
#[derive(Clone)]
pub struct Grants {
    pub tokens: Arc<dyn Tokens>,
    pub random: Arc<dyn Random>,
    pub lifetime: TokenLifetime,
}

/// An access token and a refresh token, and how long each is good for.
#[derive(Debug)]
pub struct Grant {
    pub token: SignedToken,
    /// Seconds.
    pub expires_in: i64,
    pub refresh_token: RefreshToken,
    /// Seconds, unless the session ends before.
    pub refresh_expires_in: i64,
}

/// Why no token was made.
#[derive(Debug, Error)]
pub enum GrantError {
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Grants {
    /// An access token for the bearer of `session`, which ends with the session at the latest.
    ///
    /// # Errors
    /// [`GrantError`]
    pub fn grant(
        &self,
        session: &Session,
        refresh_token: RefreshToken,
        now: OffsetDateTime,
    ) -> Result<Grant, GrantError> {
        let mut claims = Claims::new(session.user_id, session.id, TokenId::random(&*self.random)?, now, self.lifetime);
        claims.end_by(session.ends_at);
        let token = self.tokens.sign(&claims)?;
        Ok(Grant {
            token,
            expires_in: (claims.expires_at - claims.issued_at).whole_seconds(),
            refresh_token,
            refresh_expires_in: (session.expires_at - now).whole_seconds(),
        })
    }
}
