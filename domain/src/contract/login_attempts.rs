//! Contract of [`CredentialStore`](crate::user::CredentialStore): failed logins.

use futures_util::future::join_all;
use time::{Duration, OffsetDateTime};

use super::fixtures::{Store, T0, add_user, at, hash, users};
use super::{Case, Stores, cases};
use crate::access::Role;
use crate::record::RecordError;
use crate::user::{Account, Attempts, Throttled, UserUpdate, UsernameDigest};
use crate::{UserId, Version};

/// The cases.
pub const LOGIN_ATTEMPTS: &[Case<dyn Stores>] = cases![dyn Stores:
    concurrent_logins_are_counted_like_sequential_ones,
    hundredth_failed_login_locks_the_account_until_unlocked,
    withdrawn_login_is_not_counted,
    clock_set_back_does_not_extend_the_delay,
    new_password_clears_failed_logins,
    deleted_user_is_neither_counted_nor_unlocked,
    unknown_accounts_are_counted_like_users,
    concurrent_logins_of_unknown_accounts_are_counted,
    unknown_accounts_are_kept_beside_others,
];

async fn attempts(store: &Store, name: &str) -> Attempts {
    store.find_credentials(&name.parse().unwrap()).await.unwrap().unwrap().attempts
}

/// Records `times` failed logins; returns a time at which the next attempt is admitted.
async fn fail(store: &Store, id: UserId, times: u32) -> OffsetDateTime {
    let mut now = T0;
    for failures in 1..=times {
        assert_eq!(store.admit_login(Account::User(id), &at(now)).await.unwrap(), Ok(failures));
        now += Attempts::MAX_DELAY;
    }
    now
}

/// REQ 16.
async fn concurrent_logins_are_counted_like_sequential_ones(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let by = at(T0);
    let admissions = join_all((0..64).map(|_| store.admit_login(Account::User(asha.id), &by))).await;
    let (mut counts, mut early) = (Vec::new(), Vec::new());
    for admission in admissions.into_iter().map(Result::unwrap) {
        match admission {
            Ok(failures) => counts.push(failures),
            throttled => early.push(throttled),
        }
    }
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3, 4, 5], "each admitted login has a different count");
    assert!(
        early.iter().all(|early| *early == Err(Throttled::RetryAfter { retry_after: Duration::SECOND })),
        "{early:?}"
    );
    assert_eq!(attempts(&store, "asha").await, Attempts::new(5, Some(T0 + Duration::SECOND)));
    let next = store.admit_login(Account::User(asha.id), &at(T0 + Duration::SECOND)).await.unwrap();
    assert_eq!(next, Ok(6));
    let after = store.admit_login(Account::User(asha.id), &at(T0 + Duration::SECOND)).await.unwrap();
    assert_eq!(after, Err(Throttled::RetryAfter { retry_after: Duration::seconds(2) }));
}

/// REQ 16.
async fn hundredth_failed_login_locks_the_account_until_unlocked(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let now = fail(&store, asha.id, Attempts::LOCKING_FAILURES - 1).await;
    // Exactly one of the concurrent logins is the hundredth.
    let by = at(now);
    let last = join_all((0..32).map(|_| store.admit_login(Account::User(asha.id), &by))).await;
    let (last, throttled): (Vec<_>, Vec<_>) = last.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!(last, [Ok(Attempts::LOCKING_FAILURES)]);
    assert!(throttled.iter().all(|result| *result == Err(Throttled::Locked)), "{throttled:?}");
    let later = at(now + Duration::days(365));
    assert_eq!(store.admit_login(Account::User(asha.id), &later).await.unwrap(), Err(Throttled::Locked));
    let unlocked = store.unlock(asha.id, &later).await.unwrap();
    assert_eq!((unlocked.version, unlocked.updated_at), (Version::new(2).unwrap(), later.at));
    assert_eq!(attempts(&store, "asha").await, Attempts::default());
    assert_eq!(store.admit_login(Account::User(asha.id), &later).await.unwrap(), Ok(1));
}

async fn withdrawn_login_is_not_counted(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let now = fail(&store, asha.id, 5).await;
    store.withdraw_login(Account::User(asha.id), 5).await.unwrap();
    assert_eq!(attempts(&store, "asha").await.failures(), 4);
    assert_eq!(store.admit_login(Account::User(asha.id), &at(now)).await.unwrap(), Ok(5));
    assert_eq!(users(&store).find(asha.id).await.unwrap(), Some(asha), "counting does not change the record");
}

/// REQ 16.
async fn clock_set_back_does_not_extend_the_delay(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let now = fail(&store, asha.id, 7).await - Attempts::MAX_DELAY;
    let earlier = now - Duration::HOUR;
    let delay = Duration::seconds(4);
    for _ in 0..2 {
        let throttled = store.admit_login(Account::User(asha.id), &at(earlier)).await.unwrap();
        assert_eq!(throttled, Err(Throttled::RetryAfter { retry_after: delay }));
    }
    assert_eq!(attempts(&store, "asha").await, Attempts::new(7, Some(earlier + delay)));
    assert_eq!(store.admit_login(Account::User(asha.id), &at(earlier + delay)).await.unwrap(), Ok(8));
}

async fn new_password_clears_failed_logins(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    fail(&store, asha.id, 7).await;
    users(&store).update(asha.id, None, UserUpdate::role(Role::Registrar), &at(T0)).await.unwrap();
    assert_eq!(attempts(&store, "asha").await.failures(), 7);
    users(&store).update(asha.id, None, UserUpdate::password(hash("two")), &at(T0)).await.unwrap();
    assert_eq!(attempts(&store, "asha").await, Attempts::default());
}

async fn deleted_user_is_neither_counted_nor_unlocked(store: Store) {
    let unknown = UserId::try_from(7).unwrap();
    for _ in 0..7 {
        assert_eq!(store.admit_login(Account::User(unknown), &at(T0)).await.unwrap(), Ok(1));
    }
    store.withdraw_login(Account::User(unknown), 1).await.unwrap();
    let unlocked = store.unlock(unknown, &at(T0)).await;
    assert!(matches!(unlocked, Err(RecordError::NotFound)), "{unlocked:?}");
}

fn unknown(number: u32) -> Account {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_le_bytes());
    Account::Unknown(UsernameDigest::new(digest))
}

/// REQ 16.
async fn unknown_accounts_are_counted_like_users(store: Store) {
    let asha = Account::User(add_user(&store, "asha", Role::Viewer).await.id);
    let mut now = T0;
    for failures in 0..=Attempts::LOCKING_FAILURES {
        for early in [Duration::MINUTE, -Duration::HOUR, Duration::ZERO, Duration::ZERO] {
            let admissions = [asha, unknown(1)].map(|account| {
                let (store, by) = (&store, at(now + early));
                async move { store.admit_login(account, &by).await.unwrap() }
            });
            let [known, unknown] = join_all(admissions).await.try_into().unwrap();
            assert_eq!(known, unknown, "{failures} {early}");
        }
        if failures % 10 == 7 {
            store.withdraw_login(asha, failures).await.unwrap();
            store.withdraw_login(unknown(1), failures).await.unwrap();
        }
        now += Duration::DAY;
    }
    assert_eq!(store.admit_login(unknown(1), &at(now)).await.unwrap(), Err(Throttled::Locked));
    assert_eq!(store.admit_login(unknown(2), &at(now)).await.unwrap(), Ok(1));
    store.withdraw_login(unknown(3), 1).await.unwrap();
    assert_eq!(store.admit_login(unknown(3), &at(now)).await.unwrap(), Ok(1));
}

/// REQ 16.
async fn concurrent_logins_of_unknown_accounts_are_counted(store: Store) {
    let by = at(T0);
    let admissions = join_all((0..64).map(|_| store.admit_login(unknown(1), &by))).await;
    let mut counts: Vec<_> = admissions.into_iter().filter_map(|admission| admission.unwrap().ok()).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3, 4, 5]);
}

/// The number of accounts that is kept takes minutes: see the test target `faults`.
/// REQ 16.
async fn unknown_accounts_are_kept_beside_others(store: Store) {
    let by = at(T0);
    for number in 0..2_500 {
        assert_eq!(store.admit_login(unknown(number), &by).await.unwrap(), Ok(1));
    }
    let next_day = at(T0 + Duration::DAY);
    for number in 0..2_500 {
        assert_eq!(store.admit_login(unknown(number), &next_day).await.unwrap(), Ok(2));
    }
}
