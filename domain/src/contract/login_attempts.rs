//! What every [`UserStore`] must do with failed logins.

use std::sync::Arc;

use futures_util::future::join_all;
use time::{Duration, OffsetDateTime};

use super::{Case, T0, add_user, at, cases, hash};
use crate::Version;
use crate::user::{Admission, Attempts, Role, UserChange, UserChangeError, UserId, UserStore};

type Store = Arc<dyn UserStore>;

/// The cases.
pub const LOGIN_ATTEMPTS: &[Case<dyn UserStore>] = cases![dyn UserStore:
    req_16_no_more_logins_are_admitted_at_once_than_one_after_the_other,
    req_16_the_hundredth_failed_login_locks_until_it_is_unlocked,
    a_withdrawn_login_was_never_counted,
    another_password_forgets_failed_logins,
    a_user_who_does_not_exist_is_neither_counted_nor_unlocked,
];

async fn attempts(store: &Store, name: &str) -> Attempts {
    store.find_credentials(&name.parse().unwrap()).await.unwrap().unwrap().attempts
}

/// One failed login after the other, each as soon as it is admitted; the time of the next.
async fn fail(store: &Store, id: UserId, times: u32) -> OffsetDateTime {
    let mut now = T0;
    for failures in 1..=times {
        assert_eq!(store.admit_login(id, &at(now)).await.unwrap(), Admission::Admitted(failures));
        now += Attempts::LONGEST_WAIT;
    }
    now
}

async fn req_16_no_more_logins_are_admitted_at_once_than_one_after_the_other(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let by = at(T0);
    let admissions = join_all((0..64).map(|_| store.admit_login(asha.id, &by))).await;
    let (mut counts, mut early) = (Vec::new(), Vec::new());
    for admission in admissions.into_iter().map(Result::unwrap) {
        match admission {
            Admission::Admitted(failures) => counts.push(failures),
            refused => early.push(refused),
        }
    }
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3, 4, 5], "each is told a count of its own");
    assert!(early.iter().all(|early| *early == Admission::Early(Duration::SECOND)), "{early:?}");
    assert_eq!(attempts(&store, "asha").await, Attempts::new(5, Some(T0 + Duration::SECOND)));
    let next = store.admit_login(asha.id, &at(T0 + Duration::SECOND)).await.unwrap();
    assert_eq!(next, Admission::Admitted(6));
    let after = store.admit_login(asha.id, &at(T0 + Duration::SECOND)).await.unwrap();
    assert_eq!(after, Admission::Early(Duration::seconds(2)));
}

async fn req_16_the_hundredth_failed_login_locks_until_it_is_unlocked(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let now = fail(&store, asha.id, Attempts::MOST - 1).await;
    // Of no matter how many at once, one is the hundredth.
    let by = at(now);
    let last = join_all((0..32).map(|_| store.admit_login(asha.id, &by))).await;
    let (last, refused): (Vec<_>, Vec<_>) =
        last.into_iter().map(Result::unwrap).partition(|admission| matches!(admission, Admission::Admitted(_)));
    assert_eq!(last, [Admission::Admitted(Attempts::MOST)]);
    assert!(refused.iter().all(|refused| *refused == Admission::Locked), "{refused:?}");
    let later = at(now + Duration::days(365));
    assert_eq!(store.admit_login(asha.id, &later).await.unwrap(), Admission::Locked);
    let unlocked = store.unlock(asha.id, &later).await.unwrap();
    assert_eq!((unlocked.version, unlocked.updated_at), (Version::new(2).unwrap(), later.at));
    assert_eq!(attempts(&store, "asha").await, Attempts::default());
    assert_eq!(store.admit_login(asha.id, &later).await.unwrap(), Admission::Admitted(1));
}

async fn a_withdrawn_login_was_never_counted(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let now = fail(&store, asha.id, 5).await;
    store.withdraw_login(asha.id).await.unwrap();
    assert_eq!(attempts(&store, "asha").await.failures(), 4);
    assert_eq!(store.admit_login(asha.id, &at(now)).await.unwrap(), Admission::Admitted(5));
    assert_eq!(store.find(asha.id).await.unwrap(), Some(asha), "counting is no change");
}

async fn another_password_forgets_failed_logins(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    fail(&store, asha.id, 7).await;
    store.change(asha.id, None, UserChange::role(Role::Registrar), &at(T0)).await.unwrap();
    assert_eq!(attempts(&store, "asha").await.failures(), 7);
    store.change(asha.id, None, UserChange::password(hash("two")), &at(T0)).await.unwrap();
    assert_eq!(attempts(&store, "asha").await, Attempts::default());
}

async fn a_user_who_does_not_exist_is_neither_counted_nor_unlocked(store: Store) {
    let nobody = UserId::try_from(7).unwrap();
    for _ in 0..7 {
        assert_eq!(store.admit_login(nobody, &at(T0)).await.unwrap(), Admission::Admitted(1));
        store.pretend_to_admit_login().await.unwrap();
    }
    store.withdraw_login(nobody).await.unwrap();
    let unlocked = store.unlock(nobody, &at(T0)).await;
    assert!(matches!(unlocked, Err(UserChangeError::Unknown)), "{unlocked:?}");
}
