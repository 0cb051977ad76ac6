//! Tests of the login.

mod mocks;

use std::future::{pending, poll_fn};
use std::task::Poll;

use mockall::predicate::{always, eq, function};
use time::Duration;

use self::mocks::{FULL, Mocks, NOW, Others, Silent, UNKNOWN, asha, asha_after};
use super::*;
use crate::MockClock;
use crate::user::{MockCredentialStore, MockUsernameDigests, UsernameDigest};

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
    mocks.throttle.expect_begin_login().times(1).returning(move |_| Err(empty));
    mocks.throttle.expect_budget().return_const(empty);
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
    let cancelled = |remains_counted| {
        let mut mocks = Mocks::store(Some(asha(Status::Active)));
        mocks.throttle.expect_budget().return_const(FULL);
        mocks.remains_counted = remains_counted;
        mocks.use_case(None)
    };
    let attempt = |log_in: LogIn, mut polls: u32| async move {
        let cancelled = poll_fn(|_| match polls.checked_sub(1) {
            Some(left) => {
                polls = left;
                Poll::Pending
            }
            None => Poll::Ready(()),
        });
        log_in.log_in("asha", "s3cret", None, Origin::default(), cancelled).await.outcome
    };
    assert!(attempt(cancelled(None), 0).await.is_err(), "before the login began");
    assert!(attempt(cancelled(Some(false)), 1).await.is_err(), "before the attempt began");
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
    mocks.throttle.expect_begin_attempt().times(1).returning(|_| Some(Others::in_progress(1)));
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
