//! Use case that authenticates a bearer token.

use std::sync::Arc;

use thiserror::Error;

use super::SessionLookup;
use crate::access::Principal;
use crate::record::Record;
use crate::token::{Claims, TokenError, Tokens};
use crate::user::User;
use crate::{Clock, Origin, StoreError};

/// Authenticates a bearer token.
#[derive(Clone)]
pub struct Authenticate {
    pub tokens: Arc<dyn Tokens>,
    pub session_lookup: Arc<dyn SessionLookup>,
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
    /// Verifies the token and checks that its session is open.
    ///
    /// # Errors
    /// [`AuthenticationError`]
    pub async fn active_user(&self, token: &str, origin: Origin) -> Result<Authenticated, AuthenticationError> {
        let claims = self.tokens.verify(token, self.clock.now())?;
        let user = self.session_lookup.active_user(claims.session_id).await?;
        let user = user.filter(|user| user.id == claims.user_id).ok_or(AuthenticationError::SessionEnded)?;
        let principal = Principal::user(user.id, user.role, user.password_change_due, claims.session_id, origin);
        Ok(Authenticated { principal, user, claims })
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::access::{Role, StudentsWrite, UsersWrite};
    use crate::session::MockSessionLookup;
    use crate::token::{MockTokens, TokenId};
    use crate::user::Status;
    use crate::{MockClock, SessionId, UserId, Version};

    const USER: i64 = 7;

    /// Authenticates a valid token of user 7 and session 3, if that session belongs to `owner`.
    async fn authenticate_with_session_of(owner: Option<i64>) -> Result<Authenticated, AuthenticationError> {
        let now = datetime!(2026-11-23 12:00 UTC);
        let user_id = UserId::try_from(USER).unwrap();
        let session_id = SessionId::try_from(3).unwrap();
        let mut tokens = MockTokens::new();
        tokens.expect_verify().returning(move |token, at| {
            assert_eq!((token, at), ("valid", now));
            let token_id = TokenId::from_token("t".into());
            Ok(Claims { user_id, session_id, token_id, issued_at: now, expires_at: now })
        });
        let mut session_lookup = MockSessionLookup::new();
        session_lookup.expect_active_user().times(1).returning(move |requested| {
            assert_eq!(requested, session_id);
            let user = owner.map(|id| Record {
                id: UserId::try_from(id).unwrap(),
                fields: User {
                    username: "asha".parse().unwrap(),
                    role: Role::Registrar,
                    status: Status::Active,
                    password_change_due: false,
                },
                version: Version::FIRST,
                created_at: now,
                updated_at: now,
            });
            Ok(user.map(Arc::new))
        });
        let mut clock = MockClock::new();
        clock.expect_now().returning(move || now);
        let authenticate =
            Authenticate { tokens: Arc::new(tokens), session_lookup: Arc::new(session_lookup), clock: Arc::new(clock) };
        authenticate.active_user("valid", Origin::default()).await
    }

    #[tokio::test]
    async fn authenticated_user_has_currently_stored_role() {
        let caller = authenticate_with_session_of(Some(USER)).await.unwrap();
        assert!(caller.principal.grant::<StudentsWrite>().is_ok());
        assert!(caller.principal.grant::<UsersWrite>().is_err());
    }

    /// REQ 18.
    #[tokio::test]
    async fn token_of_ended_session_is_rejected() {
        assert!(matches!(authenticate_with_session_of(None).await, Err(AuthenticationError::SessionEnded)));
    }

    #[tokio::test]
    async fn token_with_session_of_other_user_is_rejected() {
        assert!(matches!(authenticate_with_session_of(Some(USER + 1)).await, Err(AuthenticationError::SessionEnded)));
    }

    #[tokio::test]
    async fn invalid_token_causes_no_session_lookup() {
        let mut tokens = MockTokens::new();
        tokens.expect_verify().returning(|_, _| Err(TokenError::Expired));
        let mut clock = MockClock::new();
        clock.expect_now().returning(|| datetime!(2026-11-23 12:00 UTC));
        let authenticate = Authenticate {
            tokens: Arc::new(tokens),
            session_lookup: Arc::new(MockSessionLookup::new()),
            clock: Arc::new(clock),
        };
        let outcome = authenticate.active_user("expired", Origin::default()).await;
        assert!(matches!(outcome, Err(AuthenticationError::Token(TokenError::Expired))));
    }
}
