//! Contract of [`SessionStore`](crate::session::SessionStore): refresh tokens.

use futures_util::future::join_all;
use time::Duration;

use super::fixtures::{GRACE, IDLE, Store, T0, add_user, at, count_events, hash, open, open_at, rotate, users};
use super::{Case, Stores, cases};
use crate::access::Role;
use crate::audit::Action;
use crate::session::{RotationError, Session};
use crate::user::{SetPassword, UserUpdate};

/// The cases.
pub const REFRESHES: &[Case<dyn Stores>] = cases![dyn Stores:
    refresh_token_is_used_once,
    retry_within_the_grace_period_returns_the_same_session,
    replay_after_the_grace_period_ends_the_session,
    clock_set_back_does_not_extend_the_grace_period,
    concurrent_refreshes_rotate_token_once,
    token_is_replayed_once_its_successor_was_used,
    unknown_refresh_token_changes_nothing,
    refresh_after_idle_expiry_is_rejected,
    refresh_after_expiry_of_one_time_password_is_rejected,
    refreshed_session_ends_at_its_absolute_end,
    derivation_key_is_the_same_for_all_nodes,
];

/// REQ 12.
async fn refresh_token_is_used_once(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let day = T0 + Duration::DAY;
    let refreshed = rotate(&store, 1, day).await.unwrap();
    assert_eq!(refreshed, Session { refreshed_at: day, expires_at: day + IDLE, ..opened });
    let refreshed = rotate(&store, 2, day + Duration::DAY).await.unwrap();
    assert_eq!(refreshed.refreshed_at, day + Duration::DAY);
    assert_eq!(count_events(&store, Action::SESSION_REFRESHED).await, 2);
}

/// REQ 12.
async fn retry_within_the_grace_period_returns_the_same_session(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    open(&store, &asha, 1).await;
    let refreshed = rotate(&store, 1, T0 + Duration::MINUTE).await.unwrap();
    let again = rotate(&store, 1, T0 + Duration::MINUTE + GRACE - Duration::MICROSECOND).await.unwrap();
    assert_eq!(again, refreshed);
    assert_eq!(count_events(&store, Action::SESSION_REFRESHED).await, 1);
    rotate(&store, 2, T0 + Duration::HOUR).await.unwrap();
}

/// REQ 12.
async fn replay_after_the_grace_period_ends_the_session(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let other = open(&store, &asha, 100).await;
    rotate(&store, 1, T0).await.unwrap();
    let replayed = rotate(&store, 1, T0 + GRACE).await;
    assert!(matches!(replayed, Err(RotationError::Replayed)), "{replayed:?}");
    assert_eq!(open_at(&store, asha.id, T0).await, [other.id]);
    for token in [1, 2] {
        let rejected = rotate(&store, token, T0 + GRACE).await;
        assert!(matches!(rejected, Err(RotationError::Unknown)), "{rejected:?}");
    }
    assert!(store.active_user(opened.id).await.unwrap().is_none());
    assert_eq!(count_events(&store, Action::SESSION_REPLAYED).await, 1);
}

/// REQ 12.
async fn clock_set_back_does_not_extend_the_grace_period(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let used_at = T0 + Duration::HOUR;
    let refreshed = rotate(&store, 1, used_at).await.unwrap();
    let again = rotate(&store, 1, used_at - GRACE + Duration::MICROSECOND).await.unwrap();
    assert_eq!(again, refreshed);
    let replayed = rotate(&store, 1, used_at - GRACE).await;
    assert!(matches!(replayed, Err(RotationError::Replayed)), "{replayed:?}");
    assert!(store.active_user(opened.id).await.unwrap().is_none());
}

/// REQ 12.
async fn concurrent_refreshes_rotate_token_once(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    open(&store, &asha, 1).await;
    let refreshed = join_all((0..32).map(|_| rotate(&store, 1, T0 + Duration::MINUTE))).await;
    let first = refreshed[0].as_ref().unwrap();
    assert!(refreshed.iter().all(|refreshed| refreshed.as_ref().unwrap() == first));
    assert_eq!(count_events(&store, Action::SESSION_REFRESHED).await, 1);
    rotate(&store, 2, T0 + Duration::HOUR).await.unwrap();
}

/// REQ 12.
async fn token_is_replayed_once_its_successor_was_used(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    rotate(&store, 1, T0).await.unwrap();
    rotate(&store, 1, T0 + Duration::SECOND).await.unwrap();
    rotate(&store, 2, T0 + Duration::seconds(2)).await.unwrap();
    let rejected = rotate(&store, 1, T0 + Duration::seconds(3)).await;
    assert!(matches!(rejected, Err(RotationError::Replayed)), "{rejected:?}");
    assert!(store.active_user(opened.id).await.unwrap().is_none());
}

async fn unknown_refresh_token_changes_nothing(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let rejected = rotate(&store, 2, T0).await;
    assert!(matches!(rejected, Err(RotationError::Unknown)), "{rejected:?}");
    assert_eq!(open_at(&store, asha.id, T0).await, [opened.id]);
}

async fn refresh_after_idle_expiry_is_rejected(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let last = opened.expires_at - Duration::MICROSECOND;
    assert_eq!(open_at(&store, asha.id, last).await, [opened.id]);
    assert_eq!(open_at(&store, asha.id, opened.expires_at).await, []);
    let rejected = rotate(&store, 1, opened.expires_at).await;
    assert!(matches!(rejected, Err(RotationError::Unknown)), "{rejected:?}");
    rotate(&store, 1, last).await.unwrap();
}

async fn refresh_after_expiry_of_one_time_password_is_rejected(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let expiry = T0 + Duration::HOUR;
    let password = SetPassword { hash: hash("two"), one_time_until: Some(expiry), kept_session: Some(opened.id) };
    let update = UserUpdate { password: Some(password), ..UserUpdate::default() };
    users(&store).update(asha.id, None, update, &at(T0)).await.unwrap();
    rotate(&store, 1, expiry - Duration::MICROSECOND).await.unwrap();
    let rejected = rotate(&store, 2, expiry).await;
    assert!(matches!(rejected, Err(RotationError::Unknown)), "{rejected:?}");
    // A password that does not expire makes the same refresh token valid.
    let password = SetPassword { hash: hash("three"), one_time_until: None, kept_session: Some(opened.id) };
    let update = UserUpdate { password: Some(password), ..UserUpdate::default() };
    users(&store).update(asha.id, None, update, &at(expiry)).await.unwrap();
    rotate(&store, 2, expiry).await.unwrap();
}

async fn refreshed_session_ends_at_its_absolute_end(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    for (token, day) in [(1, 6), (2, 12), (3, 18), (4, 24), (5, 29)] {
        let now = T0 + Duration::days(day);
        let refreshed = rotate(&store, token, now).await.unwrap();
        assert_eq!((refreshed.expires_at, refreshed.ends_at), ((now + IDLE).min(opened.ends_at), opened.ends_at));
    }
    let rejected = rotate(&store, 6, opened.ends_at).await;
    assert!(matches!(rejected, Err(RotationError::Unknown)), "{rejected:?}");
}

async fn derivation_key_is_the_same_for_all_nodes(store: Store) {
    let keys = join_all((1..=8).map(|candidate| store.derivation_key([candidate; 32]))).await;
    let first = *keys[0].as_ref().unwrap();
    assert!((1..=8).any(|candidate| first == [candidate; 32]));
    assert!(keys.iter().all(|key| *key.as_ref().unwrap() == first));
    assert_eq!(store.derivation_key([9; 32]).await.unwrap(), first);
}
