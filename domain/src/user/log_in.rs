//! The use case of logging in: a name and a password against a token.

use std::sync::Arc;

use thiserror::Error;

use super::{Credentials, HashError, Password, PasswordHasher, Status, User, UserStore, Username, Verdict};
use crate::token::{Claims, SignError, SignedToken, TokenId, TokenLifetime, Tokens};
use crate::{Clock, Random, RandomError, StoreError};

/// Logs users in.
#[derive(Clone)]
pub struct LogIn {
    pub users: Arc<dyn UserStore>,
    pub passwords: Arc<dyn PasswordHasher>,
    pub tokens: Arc<dyn Tokens>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub lifetime: TokenLifetime,
}

/// A login that went well.
#[derive(Debug)]
pub struct LoggedIn {
    pub user: User,
    pub token: SignedToken,
    pub lifetime: TokenLifetime,
    /// Why a hash with weaker parameters than today's was not replaced; the next login tries again.
    pub outdated_hash_kept: Option<LogInError>,
}

/// Why nobody was logged in.
#[derive(Debug, Error)]
pub enum LogInError {
    /// The name is nobody's, the password is wrong, or the account is disabled: alike on purpose.
    #[error("the credentials are not valid")]
    InvalidCredentials,
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sign(#[from] SignError),
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl LogIn {
    /// Judges a name and a password, and signs a token for their user.
    ///
    /// Takes the same time whether the name exists or not (ASVS 6.3.8). A right password that is stored with
    /// weaker parameters than today's is hashed again on the way (ASVS 11.4.2).
    ///
    /// # Errors
    /// [`LogInError`]
    pub async fn log_in(&self, username: &str, password: &str) -> Result<LoggedIn, LogInError> {
        let password = Password::parse(password).map_err(|_| LogInError::InvalidCredentials)?;
        let known = match username.parse::<Username>() {
            Ok(username) => self.users.find_credentials(&username).await?,
            Err(_) => None,
        };
        let stored = known.as_ref().map(|known| known.password.clone());
        let verdict = self.passwords.verify(password.clone(), stored).await?;
        let known = known
            .filter(|known| verdict != Verdict::Wrong && known.user.status == Status::Active)
            .ok_or(LogInError::InvalidCredentials)?;

        // A store that cannot write now, or a full queue, is no reason to refuse a right password.
        let outdated_hash_kept = match verdict {
            Verdict::RightButOutdated => self.upgrade(&known, password).await.err(),
            Verdict::Right | Verdict::Wrong => None,
        };
        let claims = Claims::new(known.user.id, TokenId::random(&*self.random)?, self.clock.now(), self.lifetime);
        let token = self.tokens.sign(&claims)?;
        Ok(LoggedIn { user: known.user, token, lifetime: self.lifetime, outdated_hash_kept })
    }

    async fn upgrade(&self, known: &Credentials, password: Password) -> Result<(), LogInError> {
        let fresh = self.passwords.hash(password).await?;
        Ok(self.users.upgrade_hash(known.user.id, &known.password, &fresh).await?)
    }
}

#[cfg(test)]
mod tests {
    use mockall::predicate::{always, eq, function};
    use time::macros::datetime;
    use time::{Duration, OffsetDateTime};

    use super::*;
    use crate::token::MockTokens;
    use crate::user::{MockPasswordHasher, MockUserStore, PasswordHash, Role, UserId};
    use crate::{MockClock, MockRandom, Version};

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    struct Mocks {
        users: MockUserStore,
        passwords: MockPasswordHasher,
        tokens: MockTokens,
    }

    impl Mocks {
        /// A store that knows `asha` (id 7) or nobody, and a hasher with a fixed verdict.
        fn new(status: Option<Status>, verdict: Verdict) -> Self {
            let mut users = MockUserStore::new();
            users.expect_find_credentials().returning(move |name| Ok(status.map(|status| credentials(name, status))));
            let mut passwords = MockPasswordHasher::new();
            passwords
                .expect_verify()
                .with(
                    function(|p: &Password| p.expose() == "s3cret"),
                    eq(status.map(|_| PasswordHash::new("old".into()))),
                )
                .times(1)
                .returning(move |_, _| Ok(verdict));
            Self { users, passwords, tokens: MockTokens::new() }
        }

        async fn log_in(self, username: &str) -> Result<LoggedIn, LogInError> {
            let mut clock = MockClock::new();
            clock.expect_now().returning(|| NOW);
            let mut random = MockRandom::new();
            random.expect_fill().returning(|bytes| {
                bytes.fill(0xab);
                Ok(())
            });
            let log_in = LogIn {
                users: Arc::new(self.users),
                passwords: Arc::new(self.passwords),
                tokens: Arc::new(self.tokens),
                clock: Arc::new(clock),
                random: Arc::new(random),
                lifetime: TokenLifetime::new(Duration::minutes(15)).unwrap(),
            };
            log_in.log_in(username, "s3cret").await
        }
    }

    fn credentials(name: &Username, status: Status) -> Credentials {
        let user = User {
            id: UserId::try_from(7).unwrap(),
            username: name.clone(),
            role: Role::Viewer,
            status,
            version: Version::FIRST,
            created_at: NOW,
            updated_at: NOW,
        };
        Credentials { user, password: PasswordHash::new("old".into()) }
    }

    #[tokio::test]
    async fn the_right_pair_gets_a_token_for_its_user() {
        let mut mocks = Mocks::new(Some(Status::Active), Verdict::Right);
        mocks.tokens.expect_sign().times(1).returning(|claims| {
            assert_eq!(claims.user_id.get(), 7);
            assert_eq!(claims.issued_at, NOW);
            assert_eq!(claims.expires_at, NOW + Duration::minutes(15));
            assert_eq!(claims.token_id.as_str(), "ab".repeat(16));
            Ok(SignedToken::new("signed".into()))
        });
        let logged_in = mocks.log_in("asha").await.unwrap();
        assert_eq!(logged_in.token.expose(), "signed");
    }

    #[tokio::test]
    async fn an_unknown_name_is_hashed_against_nothing_and_refused() {
        let refused = Mocks::new(None, Verdict::Wrong).log_in("nobody").await;
        assert!(matches!(refused, Err(LogInError::InvalidCredentials)));
    }

    #[tokio::test]
    async fn a_name_that_cannot_exist_is_hashed_too() {
        let refused = Mocks::new(None, Verdict::Wrong).log_in("white space").await;
        assert!(matches!(refused, Err(LogInError::InvalidCredentials)));
    }

    #[tokio::test]
    async fn a_wrong_password_is_refused() {
        let refused = Mocks::new(Some(Status::Active), Verdict::Wrong).log_in("asha").await;
        assert!(matches!(refused, Err(LogInError::InvalidCredentials)));
    }

    #[tokio::test]
    async fn a_disabled_user_is_refused_like_a_wrong_password() {
        let refused = Mocks::new(Some(Status::Disabled), Verdict::Right).log_in("asha").await;
        assert!(matches!(refused, Err(LogInError::InvalidCredentials)));
    }

    #[tokio::test]
    async fn an_outdated_hash_is_replaced_at_login() {
        let mut mocks = Mocks::new(Some(Status::Active), Verdict::RightButOutdated);
        mocks.passwords.expect_hash().times(1).returning(|_| Ok(PasswordHash::new("new".into())));
        mocks
            .users
            .expect_upgrade_hash()
            .with(always(), eq(PasswordHash::new("old".into())), eq(PasswordHash::new("new".into())))
            .times(1)
            .returning(|_, _, _| Ok(()));
        mocks.tokens.expect_sign().returning(|_| Ok(SignedToken::new("signed".into())));
        assert!(mocks.log_in("asha").await.unwrap().outdated_hash_kept.is_none());
    }

    #[tokio::test]
    async fn an_outdated_hash_that_cannot_be_replaced_now_still_logs_in() {
        let mut mocks = Mocks::new(Some(Status::Active), Verdict::RightButOutdated);
        mocks.passwords.expect_hash().times(1).returning(|_| Err(HashError::Busy));
        mocks.tokens.expect_sign().returning(|_| Ok(SignedToken::new("signed".into())));
        assert!(mocks.log_in("asha").await.unwrap().outdated_hash_kept.is_some());
    }
}
