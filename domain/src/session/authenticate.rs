//! Use case that authenticates a bearer token.

use std::sync::Arc;

use thiserror::Error;

use super::SessionLookup;
use crate::access::Principal;
use crate::audit::{Action, DeniedAccessLog, NewEvent};
use crate::record::Record;
use crate::token::{Claims, TokenError, Tokens};
use crate::user::User;
use crate::{Actor, ActorId, Clock, Origin, StoreError, Target};

/// Authenticates a bearer token.
#[derive(Clone)]
pub struct Authenticate {
    pub tokens: Arc<dyn Tokens>,
    pub session_lookup: Arc<dyn SessionLookup>,
    pub denied_access: Arc<DeniedAccessLog>,
    pub clock: Arc<dyn Clock>,
}

/// An authenticated caller.
#[derive(Debug, Clone)]
pub struct Authenticated {
    pub principal: Principal,
    pub user: Arc<Record<User>>,
    pub claims: Claims,
}

/// Reason why a bearer token was rejected.
#[derive(Debug, Error)]
pub enum AuthenticationError {
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Ended by a logout, an administrator, or a change of the user.
    #[error("the token's session has ended")]
    SessionEnded,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Authenticate {
    /// Verifies the token and checks that its session is open. Records rejected tokens, except expired ones.
    ///
    /// # Errors
    /// [`AuthenticationError`]
    pub async fn active_user(&self, token: &str, origin: Origin) -> Result<Authenticated, AuthenticationError> {
        let now = self.clock.now();
        let denied = |target, error: AuthenticationError, origin| {
            let by = Actor { id: ActorId::Anonymous, at: now, origin };
            self.denied_access.record(NewEvent::denied(&by, Action::TOKEN_DENIED, target, Some(error.to_string())));
            error
        };
        let claims = match self.tokens.verify(token, now) {
            Ok(claims) => claims,
            Err(error) if error.is_expiry() => return Err(error.into()),
            Err(error) => return Err(denied(None, error.into(), origin)),
        };
        let user = self.session_lookup.active_user(claims.session_id).await?;
        let Some(user) = user.filter(|user| user.id == claims.user_id) else {
            return Err(denied(Some(Target::of(claims.session_id)), AuthenticationError::SessionEnded, origin));
        };
        let principal = Principal::user(user.id, user.role, user.password_change_due, claims.session_id, origin);
        Ok(Authenticated { principal, user, claims })
    }
}

#[cfg(test)]
mod tests;
