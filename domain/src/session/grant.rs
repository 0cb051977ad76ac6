//! Token grants of a session: an access token and a refresh token.

use std::sync::Arc;

use thiserror::Error;
use time::OffsetDateTime;

use super::{RefreshToken, Session};
use crate::token::{Claims, SignError, SignedToken, TokenId, TokenLifetime, Tokens};
use crate::{Random, RandomError};

/// Issues access tokens for sessions.
#[derive(Clone)]
pub struct Grants {
    pub tokens: Arc<dyn Tokens>,
    pub random: Arc<dyn Random>,
    pub lifetime: TokenLifetime,
}

/// An access token and a refresh token, with their lifetimes.
#[derive(Debug)]
pub struct Grant {
    pub token: SignedToken,
    /// Seconds.
    pub expires_in: i64,
    pub refresh_token: RefreshToken,
    /// Seconds. Shorter if the session is ended earlier.
    pub refresh_expires_in: i64,
}

/// Reason why no token was issued.
#[derive(Debug, Error)]
pub enum GrantError {
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Grants {
    /// Signs an access token that expires with the session at the latest.
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
