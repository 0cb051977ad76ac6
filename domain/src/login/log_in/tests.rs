use std::future::{pending, ready};

use async_trait::async_trait;
use mockall::predicate::{always, eq, function};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;

use super::*;
use crate::access::Role;
use crate::audit::MockAuditLog;
use crate::login::{AttemptInProgress, MockLoginThrottle};
use crate::session::{MockRefreshTokens, MockSessionStore, RefreshTokenDigest};
use crate::token::{MockTokens, SignedToken, TokenLifetime};
use crate::user::{MockCredentialStore, MockPasswordHasher, MockUsernameDigests, UsernameDigest};
use crate::{MockClock, MockRandom, SessionId, UserId, Version};

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
const FULL: Budget = Budget { quota: 300, window: Duration::minutes(5), left: 300, next_in: Duration::ZERO };

/// The account of an unknown username.
const UNKNOWN: Account = Account::Unknown(UsernameDigest::new([0xef; 32]));

/// An attempt while this number of others is in progress.
struct Others(usize);

#[async_trait]
impl AttemptInProgress for Others {
    async fn admitting(&mut self) {}

    fn admitted(&mut self) {}

    async fn throttled(&mut self) -> bool {
        self.0.checked_sub(1).inspect(|left| self.0 = *left).is_some()
    }
}

/// A hasher that does not return from a verification, and notifies that it began.
#[derive(Default)]
struct Silent(Notify);

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
struct Mocks {
    credentials: MockCredentialStore,
    sessions: MockSessionStore,
    passwords: MockPasswordHasher,
    throttle: MockLoginThrottle,
    audit: MockAuditLog,
    tokens: MockTokens,
    usernames: MockUsernameDigests,
    throttling: LoginThrottling,
}

impl Mocks {
    /// A store that contains this user only, or none.
    fn store(known: Option<Credentials>) -> Self {
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
        }
    }

    /// Expects that the attempt is admitted, counted once and hashed once.
    fn admitting(known: Option<Credentials>, verdict: Verdict) -> Self {
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
    fn opening(mut self, verified: &'static str) -> Self {
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
    fn beginning(known: Option<Credentials>) -> Self {
        let mut mocks = Self::store(known);
        mocks.throttle.expect_budget().return_const(FULL);
        mocks.throttle.expect_take().times(1).returning(|_| Ok(FULL));
        mocks.throttle.expect_begin().times(1).returning(|_| Some(Box::new(Others(0))));
        mocks
    }

    /// Expects that the attempt does not count for the address.
    fn given_back(mut self) -> Self {
        self.throttle.expect_give_back().times(1).return_const(());
        self
    }

    /// Expects one audit event with this target.
    fn rejected(mut self, target: Option<i64>) -> Self {
        let target = target.map(|id| Target::of(UserId::try_from(id).unwrap()));
        self.audit.expect_append().times(1).returning(move |events| {
            let events: Vec<_> =
                events.into_iter().map(|event| (event.action, event.by.id, event.target, event.count)).collect();
            assert_eq!(events, [(Action::LOGIN_DENIED, ActorId::Anonymous, target.clone(), 1)]);
            Ok(())
        });
        self
    }

    async fn log_in(self, username: &str) -> LogInAttempt {
        self.log_in_with(username, "s3cret").await
    }

    async fn log_in_with(self, username: &str, password: &str) -> LogInAttempt {
        let log_in = self.use_case(None);
        let attempt = log_in.log_in(username, password, None, Origin::default(), pending()).await;
        log_in.denied_access.flush().await.unwrap();
        attempt
    }

    /// The use case, with another hasher if any.
    fn use_case(self, hasher: Option<Arc<dyn PasswordHasher>>) -> LogIn {
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
        LogIn {
            attempts: CountedAttempts {
                credentials: Arc::new(self.credentials),
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

fn session(user_id: UserId) -> Session {
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

fn asha(status: Status) -> Credentials {
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
fn asha_after(failures: u32) -> Credentials {
    let attempts = (0..failures).fold(Attempts::default(), |attempts, _| attempts.with_failure(NOW));
    Credentials { attempts, ..asha(Status::Active) }
}

#[tokio::test]
async fn correct_password_opens_session_with_both_tokens() {
    let attempt = Mocks::admitting(Some(asha(Status::Active)), Verdict::Correct).opening("old").log_in("asha").await;
    let grant = attempt.outcome.unwrap().grant;
    assert_eq!((grant.token.expose(), grant.expires_in), ("signed", 15 * 60));
    assert_eq!((grant.refresh_token.expose(), grant.refresh_expires_in), ("ab".repeat(32), 7 * 24 * 3600));
    assert_eq!(attempt.limits.account.unwrap().left, Attempts::FREE_FAILURES);
}

/// REQ 15.
#[tokio::test]
async fn unknown_username_is_hashed_and_rejected() {
    let attempt = Mocks::admitting(None, Verdict::Incorrect).rejected(None).log_in("unknown").await;
    assert!(matches!(attempt.outcome, Err(LogInError::InvalidCredentials)));
}

/// REQ 15.
#[tokio::test]
async fn malformed_username_is_hashed_and_rejected() {
    let attempt = Mocks::admitting(None, Verdict::Incorrect).rejected(None).log_in("white space").await;
    assert!(matches!(attempt.outcome, Err(LogInError::InvalidCredentials)));
}

/// REQ 16.
#[tokio::test]
async fn wrong_password_is_rejected_and_counted() {
    let mocks = Mocks::admitting(Some(asha_after(4)), Verdict::Incorrect).rejected(Some(7));
    let attempt = mocks.log_in("asha").await;
    assert!(matches!(attempt.outcome, Err(LogInError::InvalidCredentials)));
    let account = attempt.limits.account.unwrap();
    assert_eq!((account.left, account.next_in), (0, Duration::SECOND));
}

/// REQ 15.
#[tokio::test]
async fn remaining_attempts_derive_from_own_count() {
    for known in [Some(asha(Status::Active)), None] {
        let target = known.as_ref().map(|known| known.user.id.get());
        let mut mocks = Mocks::beginning(known).rejected(target);
        // Three concurrent attempts were admitted after the lookup.
        mocks.credentials.expect_admit_login().returning(|_, _| Ok(Ok(4)));
        mocks.passwords.expect_verify().times(1).returning(|_, _, _| Ok(Verdict::Incorrect));
        assert_eq!(mocks.log_in("asha").await.limits.account.unwrap().left, 1);
    }
}

/// REQ 15.
#[tokio::test]
async fn unknown_username_is_folded_like_valid_one() {
    for (typed, folded) in
        [("MoSes", "moses"), ("mo\u{17f}es", "moses"), ("Stra\u{df}e", "strasse"), ("A\u{30a}sa", "\u{e5}sa")]
    {
        let mut mocks = Mocks::beginning(None).rejected(None);
        mocks.usernames = MockUsernameDigests::new();
        mocks.usernames.expect_digest().with(eq(folded)).times(1).return_const(UsernameDigest::new([0xef; 32]));
        mocks.credentials.expect_admit_login().with(eq(UNKNOWN), always()).returning(|_, _| Ok(Ok(1)));
        mocks.passwords.expect_verify().times(1).returning(|_, _, _| Ok(Verdict::Incorrect));
        assert!(mocks.log_in(typed).await.outcome.is_err(), "{typed}");
    }
}

#[tokio::test]
async fn disabled_user_is_rejected_like_wrong_password() {
    let mocks = Mocks::admitting(Some(asha(Status::Disabled)), Verdict::Correct).rejected(Some(7));
    assert!(matches!(mocks.log_in("asha").await.outcome, Err(LogInError::InvalidCredentials)));
}

#[tokio::test]
async fn one_time_password_is_accepted_until_it_expires() {
    let until = |expiry| Some(Credentials { password_expires_at: Some(expiry), ..asha(Status::Active) });
    let mocks = Mocks::admitting(until(NOW + Duration::MICROSECOND), Verdict::Correct).opening("old");
    assert!(mocks.log_in("asha").await.outcome.is_ok());
    let mocks = Mocks::admitting(until(NOW), Verdict::Correct).rejected(Some(7));
    assert!(matches!(mocks.log_in("asha").await.outcome, Err(LogInError::InvalidCredentials)));
}

/// REQ 16.
#[tokio::test]
async fn early_attempt_is_neither_hashed_nor_counted() {
    let mut mocks = Mocks::beginning(Some(asha_after(6))).given_back().rejected(Some(7));
    let throttled = Throttled::RetryAfter { retry_after: Duration::seconds(2) };
    mocks.credentials.expect_admit_login().times(1).returning(move |_, _| Ok(Err(throttled)));
    let attempt = mocks.log_in("asha").await;
    assert!(
        matches!(attempt.outcome, Err(LogInError::Throttled(Throttled::RetryAfter { retry_after })) if retry_after == Duration::seconds(2))
    );
    assert_eq!(attempt.limits.account.unwrap().next_in, Duration::seconds(2));
}

/// REQ 16.
#[tokio::test]
async fn attempt_on_locked_account_is_neither_hashed_nor_counted() {
    let mut mocks = Mocks::beginning(Some(asha_after(Attempts::LOCKING_FAILURES))).given_back().rejected(Some(7));
    mocks.credentials.expect_admit_login().times(1).returning(|_, _| Ok(Err(Throttled::Locked)));
    assert!(matches!(mocks.log_in("asha").await.outcome, Err(LogInError::Throttled(Throttled::Locked))));
}

/// REQ 16.
#[tokio::test]
async fn address_without_budget_is_rejected_without_a_lookup() {
    let mut mocks = Mocks::store(None).rejected(None);
    mocks.credentials = MockCredentialStore::new();
    let empty = Budget { left: 0, next_in: Duration::seconds(9), ..FULL };
    mocks.throttle.expect_take().times(1).returning(move |_| Err(empty));
    let attempt = mocks.log_in("asha").await;
    assert!(
        matches!(attempt.outcome, Err(LogInError::Throttled(Throttled::RetryAfter { retry_after })) if retry_after == Duration::seconds(9))
    );
    assert_eq!(attempt.limits, LogInLimits { account: None, address: empty });
}

#[tokio::test]
async fn unlimited_throttling_neither_counts_nor_delays() {
    let mut mocks = Mocks::store(Some(asha_after(Attempts::LOCKING_FAILURES))).rejected(Some(7));
    mocks.throttling = LoginThrottling::Unlimited;
    mocks.throttle.expect_budget().return_const(FULL);
    mocks.passwords.expect_verify().times(1).returning(|_, _, _| Ok(Verdict::Incorrect));
    let attempt = mocks.log_in("asha").await;
    assert!(matches!(attempt.outcome, Err(LogInError::InvalidCredentials)));
    let account = attempt.limits.account.unwrap();
    assert_eq!((account.left, account.next_in), (Attempts::FREE_FAILURES, Duration::ZERO));
}

/// REQ 16.
#[tokio::test]
async fn attempt_without_a_verdict_is_withdrawn() {
    let failing = |withdrawn: Result<(), StoreError>| {
        let mut mocks = Mocks::beginning(Some(asha(Status::Active))).given_back();
        mocks.credentials.expect_admit_login().times(1).returning(|_, _| Ok(Ok(1)));
        let mut withdrawn = Some(withdrawn);
        mocks
            .credentials
            .expect_withdraw_login()
            .with(always(), eq(1))
            .times(1)
            .returning(move |_, _| withdrawn.take().unwrap());
        mocks
    };
    let mut busy = failing(Ok(()));
    busy.passwords.expect_verify().times(1).returning(|_, _, _| Err(HashError::Busy));
    assert!(matches!(busy.log_in("asha").await.outcome, Err(LogInError::Hash(HashError::Busy))));

    let mut unavailable = failing(Err(StoreError::unavailable("away")));
    unavailable.passwords.expect_verify().times(1).returning(|_, _, _| Ok(Verdict::Correct));
    unavailable.sessions.expect_open().times(1).returning(|_, _| Err(StoreError::unavailable("away").into()));
    assert!(matches!(unavailable.log_in("asha").await.outcome, Err(LogInError::Store(StoreError::Unavailable(_)))));

    let mut cancelled = failing(Ok(()));
    cancelled.passwords.expect_verify().never();
    let silent = Arc::new(Silent::default());
    let cancelled = cancelled.use_case(Some(silent.clone()));
    let cancelled = cancelled.log_in("asha", "s3cret", None, Origin::default(), silent.0.notified());
    assert!(cancelled.await.outcome.is_err());
}

/// REQ 16.
#[tokio::test]
async fn cancelled_attempt_is_not_admitted() {
    let mut mocks = Mocks::store(Some(asha(Status::Active))).given_back();
    mocks.throttle.expect_budget().return_const(FULL);
    mocks.throttle.expect_take().times(1).returning(|_| Ok(FULL));
    let cancelled = mocks.use_case(None);
    assert!(cancelled.log_in("asha", "s3cret", None, Origin::default(), ready(())).await.outcome.is_err());
}

/// REQ 16.
#[tokio::test]
async fn attempt_that_waited_is_admitted_at_the_current_time() {
    let mut mocks = Mocks::beginning(Some(asha(Status::Active))).rejected(Some(7));
    mocks.credentials.expect_admit_login().times(1).returning(|_, by| {
        assert_eq!(by.at, NOW + Duration::SECOND);
        Ok(Ok(1))
    });
    mocks.passwords.expect_verify().times(1).returning(|_, _, _| Ok(Verdict::Incorrect));
    let mut log_in = mocks.use_case(None);
    let mut clock = MockClock::new();
    let mut times = vec![NOW + Duration::SECOND, NOW];
    clock.expect_now().times(2).returning(move || times.pop().unwrap());
    log_in.attempts.clock = Arc::new(clock);
    assert!(log_in.log_in("asha", "s3cret", None, Origin::default(), pending()).await.outcome.is_err());
    log_in.denied_access.flush().await.unwrap();
}

/// Admitted attempts count as failures until they end.
/// REQ 16.
#[tokio::test]
async fn throttled_attempt_is_admitted_after_another_has_ended() {
    let mut mocks = Mocks::store(Some(asha(Status::Active))).opening("old");
    mocks.throttle.expect_budget().return_const(FULL);
    mocks.throttle.expect_take().returning(|_| Ok(FULL));
    mocks.throttle.expect_begin().times(1).returning(|_| Some(Box::new(Others(1))));
    let mut admissions = vec![Ok(1), Err(Throttled::RetryAfter { retry_after: Duration::SECOND })];
    mocks.credentials.expect_admit_login().times(2).returning(move |_, _| Ok(admissions.pop().unwrap()));
    mocks.passwords.expect_verify().times(1).returning(|_, _, _| Ok(Verdict::Correct));
    assert!(mocks.log_in("asha").await.outcome.is_ok());
}

#[tokio::test]
async fn change_during_hashing_rejects_login() {
    let mut mocks = Mocks::admitting(Some(asha(Status::Active)), Verdict::Correct).rejected(Some(7));
    mocks.sessions.expect_open().times(1).returning(|_, _| Err(OpenSessionError::Outdated));
    assert!(matches!(mocks.log_in("asha").await.outcome, Err(LogInError::InvalidCredentials)));
}

/// REQ 13.
#[tokio::test]
async fn outdated_hash_is_replaced_at_login() {
    let mut mocks = Mocks::admitting(Some(asha(Status::Active)), Verdict::CorrectButOutdated).opening("new");
    mocks.passwords.expect_hash().times(1).returning(|_, _| Ok(PasswordHash::new("new".into())));
    mocks
        .credentials
        .expect_upgrade_hash()
        .with(always(), eq(PasswordHash::new("old".into())), eq(PasswordHash::new("new".into())), always())
        .times(1)
        .returning(|_, _, _, _| Ok(()));
    assert!(mocks.log_in("asha").await.outcome.unwrap().outdated_hash_kept.is_none());
}

/// REQ 13.
#[tokio::test]
async fn hash_of_unprepared_password_is_replaced_at_login() {
    let mut mocks = Mocks::beginning(Some(asha(Status::Active))).opening("new");
    mocks.credentials.expect_admit_login().times(1).returning(|_, _| Ok(Ok(1)));
    mocks.passwords.expect_verify().times(2).returning(|password, _, _| {
        Ok(if password.expose() == "o\u{308}" { Verdict::Correct } else { Verdict::Incorrect })
    });
    mocks
        .passwords
        .expect_hash()
        .with(function(|password: &Password| password.expose() == "ö"), always())
        .times(1)
        .returning(|_, _| Ok(PasswordHash::new("new".into())));
    mocks.credentials.expect_upgrade_hash().times(1).returning(|_, _, _, _| Ok(()));
    assert!(mocks.log_in_with("asha", "o\u{308}").await.outcome.unwrap().outdated_hash_kept.is_none());
}

#[tokio::test]
async fn failed_hash_upgrade_does_not_reject_login() {
    let mut mocks = Mocks::admitting(Some(asha(Status::Active)), Verdict::CorrectButOutdated).opening("old");
    mocks.passwords.expect_hash().times(1).returning(|_, _| Err(HashError::Busy));
    assert!(mocks.log_in("asha").await.outcome.unwrap().outdated_hash_kept.is_some());
}
