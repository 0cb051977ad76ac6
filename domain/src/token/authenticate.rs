//! The use case of telling who bears a token.

use std::sync::Arc;

use thiserror::Error;

use super::{Claims, TokenError, Tokens};
use crate::user::{Principal, Status, User, UserStore};
use crate::{Clock, StoreError};

/// Tells who bears a token.
#[derive(Clone)]
pub struct Authenticate {
    pub tokens: Arc<dyn Tokens>,
    pub users: Arc<dyn UserStore>,
    pub clock: Arc<dyn Clock>,
}

/// Somebody with a good token.
#[derive(Debug, Clone)]
pub struct Authenticated {
    pub principal: Principal,
    pub user: User,
    pub claims: Claims,
}

/// Why the bearer of a token is not believed.
#[derive(Debug, Error)]
pub enum AuthenticationError {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("the token's user does not exist any more")]
    UnknownUser,
    #[error("the token's user is disabled")]
    DisabledUser,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Authenticate {
    /// Verifies the token, and that its user still exists and is active.
    ///
    /// # Errors
    /// [`AuthenticationError`]
    pub async fn bearer(&self, token: &str) -> Result<Authenticated, AuthenticationError> {
        let claims = self.tokens.verify(token, self.clock.now())?;
        let user = self.users.find(claims.user_id).await?.ok_or(AuthenticationError::UnknownUser)?;
        match user.status {
            Status::Active => Ok(Authenticated { principal: Principal::from(&user), user, claims }),
            Status::Disabled => Err(AuthenticationError::DisabledUser),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::token::{MockTokens, TokenId};
    use crate::user::{MockUserStore, Role, UserId};
    use crate::{MockClock, Version};

    async fn bearer_of(status: Option<Status>) -> Result<Authenticated, AuthenticationError> {
        let now = datetime!(2026-11-23 12:00 UTC);
        let id = UserId::try_from(7).unwrap();
        let mut tokens = MockTokens::new();
        tokens.expect_verify().returning(move |token, at| {
            assert_eq!((token, at), ("good", now));
            Ok(Claims { user_id: id, token_id: TokenId::from_token("t".into()), issued_at: now, expires_at: now })
        });
        let mut users = MockUserStore::new();
        users.expect_find().times(1).returning(move |found| {
            assert_eq!(found, id);
            Ok(status.map(|status| User {
                id,
                username: "asha".parse().unwrap(),
                role: Role::Registrar,
                status,
                version: Version::FIRST,
                created_at: now,
                updated_at: now,
            }))
        });
        let mut clock = MockClock::new();
        clock.expect_now().returning(move || now);
        let authenticate = Authenticate { tokens: Arc::new(tokens), users: Arc::new(users), clock: Arc::new(clock) };
        authenticate.bearer("good").await
    }

    #[tokio::test]
    async fn the_bearer_of_a_good_token_has_the_role_that_is_stored_now() {
        let bearer = bearer_of(Some(Status::Active)).await.unwrap();
        assert!(bearer.principal.registrar().is_ok());
        assert!(bearer.principal.admin().is_err());
    }

    #[tokio::test]
    async fn the_token_of_a_removed_user_is_refused() {
        assert!(matches!(bearer_of(None).await, Err(AuthenticationError::UnknownUser)));
    }

    #[tokio::test]
    async fn the_token_of_a_disabled_user_is_refused() {
        assert!(matches!(bearer_of(Some(Status::Disabled)).await, Err(AuthenticationError::DisabledUser)));
    }

    #[tokio::test]
    async fn a_refused_token_asks_no_store() {
        let mut tokens = MockTokens::new();
        tokens.expect_verify().returning(|_, _| Err(TokenError::Expired));
        let mut clock = MockClock::new();
        clock.expect_now().returning(|| datetime!(2026-11-23 12:00 UTC));
        let authenticate =
            Authenticate { tokens: Arc::new(tokens), users: Arc::new(MockUserStore::new()), clock: Arc::new(clock) };
        let refused = authenticate.bearer("expired").await;
        assert!(matches!(refused, Err(AuthenticationError::Token(TokenError::Expired))));
    }
}
