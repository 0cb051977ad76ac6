//! Ports of the use case as mocks.

use std::future::pending;

use async_trait::async_trait;
use mockall::predicate::{always, eq, function};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;

use super::super::*;
use crate::access::Role;
use crate::audit::MockAuditLog;
use crate::login::{AttemptInProgress, MockLoginInProgress, MockLoginThrottle, Withdrawals};
use crate::session::{MockRefreshTokens, MockSessionStore, RefreshTokenDigest};
use crate::token::{MockTokens, SignedToken, TokenLifetime};
use crate::user::{MockCredentialStore, MockPasswordHasher, MockUsernameDigests, UsernameDigest};
use crate::{MockClock, MockRandom, SessionId, UserId, Version};

pub const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
pub const FULL: Budget = Budget { quota: 300, window: Duration::minutes(5), left: 300, next_in: Duration::ZERO };

/// The account of an unknown username.
pub const UNKNOWN: Account = Account::Unknown(UsernameDigest::new([0xef; 32]));

/// An attempt while this number of others is in progress.
pub struct Others {
    others: usize,
    counted: u32,
}

impl Others {
    pub fn in_progress(others: usize) -> Box<dyn AttemptInProgress> {
        Box::new(Self { others, counted: 0 })
    }
}

#[async_trait]
impl AttemptInProgress for Others {
    async fn admitting(&mut self) {}

    fn admitted(&mut self, counted: u32) {
        self.counted = counted;
    }

    async fn throttled(&mut self) -> bool {
        self.others.checked_sub(1).inspect(|left| self.others = *left).is_some()
    }

    async fn withdrawing(&mut self) -> u32 {
        self.counted
    }
}

/// A hasher that does not return from a verification, and notifies that it began.
#[derive(Default)]
pub struct Silent(pub Notify);

#[async_trait]
impl PasswordHasher for Silent {
    async fn hash(&self, _: Password, _: Share) -> Result<PasswordHash, HashError> {
        pending().await
    }

    async fn verify(&self, _: Password, _: Option<PasswordHash>, _: Share) -> Result<Verdict, HashError> {
        self.0.notify_one();
        pending().await
    }
}

/// Ports of the use case. An unexpected call fails the test.
pub struct Mocks {
    pub credentials: MockCredentialStore,
    pub sessions: MockSessionStore,
    pub passwords: MockPasswordHasher,
    pub throttle: MockLoginThrottle,
    pub audit: MockAuditLog,
    pub tokens: MockTokens,
    pub usernames: MockUsernameDigests,
    pub throttling: LoginThrottling,
    /// Whether the login remains counted for its address; `None` expects no login of the address.
    pub remains_counted: Option<bool>,
}

impl Mocks {
    /// A store that contains this user only, or none.
    pub fn store(known: Option<Credentials>) -> Self {
        let mut credentials = MockCredentialStore::new();
        credentials.expect_find_credentials().returning(move |_| Ok(known.clone()));
        let mut usernames = MockUsernameDigests::new();
        usernames.expect_digest().return_const(UsernameDigest::new([0xef; 32]));
        Self {
            credentials,
            sessions: MockSessionStore::new(),
            passwords: MockPasswordHasher::new(),
            throttle: MockLoginThrottle::new(),
            audit: MockAuditLog::new(),
            tokens: MockTokens::new(),
            usernames,
            throttling: LoginThrottling::Limited,
            remains_counted: None,
        }
    }

    /// Expects that the attempt is admitted, counted once and hashed once.
    pub fn admitting(known: Option<Credentials>, verdict: Verdict) -> Self {
        let stored = known.as_ref().map(|known| known.password.clone());
        let counted = known.as_ref().map_or(0, |known| known.attempts.failures()) + 1;
        let account = known.as_ref().map_or(UNKNOWN, |known| Account::User(known.user.id));
        let mut mocks = Self::beginning(known);
        let admit = mocks.credentials.expect_admit_login().with(eq(account), always()).times(1);
        admit.returning(move |_, _| Ok(Ok(counted)));
        mocks
            .passwords
            .expect_verify()
            .with(function(|password: &Password| password.expose() == "s3cret"), eq(stored), always())
            .times(1)
            .returning(move |_, _, _| Ok(verdict));
        mocks
    }

    /// Expects that session 3 is opened and a token is signed.
    pub fn opening(mut self, verified: &'static str) -> Self {
        self.sessions.expect_open().times(1).returning(move |new, by| {
            assert_eq!((new.user_id.get(), by.id, by.at), (7, ActorId::User(new.user_id), NOW));
            assert_eq!(new.verified, PasswordHash::new(verified.into()));
            assert_eq!(new.refresh_token, RefreshTokenDigest::new([0xcd; 32]));
            Ok(session(new.user_id))
        });
        self = self.given_back();
        self.tokens.expect_sign().times(1).returning(|claims| {
            assert_eq!((claims.user_id.get(), claims.session_id.get()), (7, 3));
            assert_eq!((claims.issued_at, claims.expires_at), (NOW, NOW + Duration::minutes(15)));
            assert_eq!(claims.token_id.as_str(), "ab".repeat(16));
            Ok(SignedToken::new("signed".into()))
        });
        self
    }

    /// Expects that an attempt begins, without others in progress, and is counted for the address.
    pub fn beginning(known: Option<Credentials>) -> Self {
        let mut mocks = Self::store(known);
        mocks.throttle.expect_budget().return_const(FULL);
        mocks.remains_counted = Some(true);
        mocks.throttle.expect_begin_attempt().times(1).returning(|_| Some(Others::in_progress(0)));
        mocks
    }

    /// Expects that the attempt does not count for the address.
    pub fn given_back(mut self) -> Self {
        self.remains_counted = Some(false);
        self
    }

    /// Expects one audit event with this target.
    pub fn rejected(mut self, target: Option<i64>) -> Self {
        let target = target.map(|id| Target::of(UserId::try_from(id).unwrap()));
        self.audit.expect_append().times(1).returning(move |events| {
            let events: Vec<_> =
                events.into_iter().map(|event| (event.action, event.by.id, event.target, event.count)).collect();
            assert_eq!(events, [(Action::LOGIN_DENIED, ActorId::Anonymous, target.clone(), 1)]);
            Ok(())
        });
        self
    }

    pub async fn log_in(self, username: &str) -> LogInAttempt {
        self.log_in_with(username, "s3cret").await
    }

    pub async fn log_in_with(self, username: &str, password: &str) -> LogInAttempt {
        let log_in = self.use_case(None);
        let attempt = log_in.log_in(username, password, None, Origin::default(), pending()).await;
        log_in.denied_access.flush().await.unwrap();
        attempt
    }

    /// The use case, with another hasher if any.
    pub fn use_case(mut self, hasher: Option<Arc<dyn PasswordHasher>>) -> LogIn {
        if let Some(remains_counted) = self.remains_counted {
            let mut login = MockLoginInProgress::new();
            login.expect_failed().times(usize::from(remains_counted)).return_const(());
            self.throttle.expect_begin_login().times(1).return_once(|_| Ok(Some(Box::new(login))));
        }
        let mut clock = MockClock::new();
        clock.expect_now().returning(|| NOW);
        let mut random = MockRandom::new();
        random.expect_fill().returning(|bytes| {
            bytes.fill(0xab);
            Ok(())
        });
        let mut refresh_tokens = MockRefreshTokens::new();
        refresh_tokens.expect_digest().returning(|token| {
            assert_eq!(token.bits(), &[0xab; 32]);
            RefreshTokenDigest::new([0xcd; 32])
        });
        let lifetime = TokenLifetime::new(Duration::minutes(15)).unwrap();
        let credentials = Arc::new(self.credentials);
        LogIn {
            attempts: CountedAttempts {
                credentials: credentials.clone(),
                withdrawals: Arc::new(Withdrawals::new(credentials)),
                throttle: Arc::new(self.throttle),
                throttling: self.throttling,
                clock: Arc::new(clock),
            },
            sessions: Arc::new(self.sessions),
            passwords: hasher.unwrap_or(Arc::new(self.passwords)),
            usernames: Arc::new(self.usernames),
            denied_access: Arc::new(DeniedAccessLog::new(Arc::new(self.audit))),
            refresh_tokens: Arc::new(refresh_tokens),
            grants: Grants { tokens: Arc::new(self.tokens), random: Arc::new(random), lifetime },
            lifetimes: SessionLifetimes::new(None, None, lifetime).unwrap(),
            session_limit: SessionLimit::default(),
        }
    }
}

pub fn session(user_id: UserId) -> Session {
    Session {
        id: SessionId::try_from(3).unwrap(),
        user_id,
        opened_at: NOW,
        refreshed_at: NOW,
        expires_at: NOW + Duration::days(7),
        ends_at: NOW + Duration::days(30),
        client: None,
        user_agent: None,
    }
}

pub fn asha(status: Status) -> Credentials {
    let user = Record {
        id: UserId::try_from(7).unwrap(),
        fields: User { username: "asha".parse().unwrap(), role: Role::Viewer, status, password_change_due: false },
        version: Version::FIRST,
        created_at: NOW,
        updated_at: NOW,
    };
    let password = PasswordHash::new("old".into());
    Credentials { user, password, password_expires_at: None, attempts: Attempts::default() }
}

/// Credentials of user `asha` after this many failed logins, the last of them at [`NOW`].
pub fn asha_after(failures: u32) -> Credentials {
    let attempts = (0..failures).fold(Attempts::default(), |attempts, _| attempts.with_failure(NOW));
    Credentials { attempts, ..asha(Status::Active) }
}
