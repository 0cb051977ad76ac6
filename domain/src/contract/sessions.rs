//! What every [`SessionStore`] must do.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::join_all;
use time::{Duration, OffsetDateTime};

use super::{Case, Stores, T0, add_user, at, cases, hash};
use crate::audit::{Action, AuditLog, EventFilter};
use crate::session::{
    NewSession, OpenSessionError, RefreshTokenDigest, Rotation, RotationError, Session, SessionId, SessionLifetimes,
    SessionStore, UserAgent,
};
use crate::token::TokenLifetime;
use crate::user::{Attempts, Role, SetPassword, Status, User, UserChange, UserChangeError, UserId, UserStore};
use crate::{Actor, Origin, PageSize};

type Store = Arc<dyn Stores>;

/// The cases.
pub const SESSION_STORE: &[Case<dyn Stores>] = cases![dyn Stores:
    an_opened_session_is_found_as_answered,
    a_session_is_opened_only_with_the_password_that_was_verified,
    an_opened_session_forgets_failed_logins,
    req_12_a_refresh_token_is_used_once,
    req_12_a_lost_answer_is_given_again_within_the_grace,
    req_12_a_replay_after_the_grace_ends_the_session,
    req_12_of_many_concurrent_refreshes_one_happens,
    an_unknown_refresh_token_changes_nothing,
    a_session_that_rested_too_long_is_not_refreshed,
    a_session_is_over_at_its_end_however_often_it_is_refreshed,
    a_session_is_ended_for_its_user_alone,
    a_users_sessions_end_together,
    req_18_what_ends_the_users_sessions_and_what_does_not,
    a_session_that_is_spared_goes_on,
    a_change_that_is_asked_for_in_a_session_needs_it_open,
    pages_walk_a_users_sessions_once_in_order,
    expired_sessions_are_forgotten,
    an_id_is_never_used_twice,
    every_node_derives_with_the_same_key,
];

const GRACE: Duration = Duration::seconds(10);
const IDLE: Duration = Duration::days(7);
const ABSOLUTE: Duration = Duration::days(30);

fn lifetimes() -> SessionLifetimes {
    SessionLifetimes::new(Some(IDLE), Some(ABSOLUTE), TokenLifetime::new(Duration::HOUR).unwrap()).unwrap()
}

fn digest(of: u8) -> RefreshTokenDigest {
    RefreshTokenDigest::new([of; 32])
}

fn new(user: &User, token: u8) -> NewSession {
    NewSession {
        user_id: user.id,
        verified: hash("one"),
        refresh_token: digest(token),
        lifetimes: lifetimes(),
        user_agent: None,
    }
}

async fn open(store: &Store, user: &User, token: u8) -> Session {
    SessionStore::open(&**store, new(user, token), &at(T0)).await.unwrap()
}

/// Shows token `from`, whose successor is the next number, at a time.
async fn rotate(store: &Store, from: u8, now: OffsetDateTime) -> Result<Session, RotationError> {
    let rotation =
        Rotation { presented: digest(from), successor: digest(from + 1), lifetimes: lifetimes(), grace: GRACE };
    store.rotate(&rotation, &at(now)).await
}

/// The ids of a user's sessions that are open at a time.
async fn open_at(store: &Store, of: UserId, now: OffsetDateTime) -> Vec<SessionId> {
    let page = SessionStore::page(&**store, of, now, None, PageSize::LARGEST).await.unwrap();
    page.entries.into_iter().map(|session| session.id).collect()
}

/// How many events of an action there are.
async fn events(store: &Store, action: Action) -> usize {
    let filter = EventFilter { action: Some(action), ..EventFilter::default() };
    AuditLog::page(&**store, &filter, None, PageSize::LARGEST).await.unwrap().entries.len()
}

async fn an_opened_session_is_found_as_answered(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    for (token, client) in [(1, "192.0.2.7"), (2, "2001:db8::1")] {
        let client: Option<IpAddr> = client.parse().ok();
        let by = Actor { origin: Origin { request_id: None, client }, ..at(T0) };
        let new = NewSession { user_agent: UserAgent::of("curl/8.5 Ünï"), ..new(&asha, token) };
        let opened = SessionStore::open(&*store, new, &by).await.unwrap();
        assert_eq!((opened.user_id, opened.opened_at, opened.refreshed_at), (asha.id, T0, T0));
        assert_eq!((opened.expires_at, opened.ends_at), (T0 + IDLE, T0 + ABSOLUTE));
        assert_eq!((opened.client, opened.user_agent.as_ref().map(UserAgent::as_str)), (client, Some("curl/8.5 Ünï")));
        let found = SessionStore::page(&*store, asha.id, T0, None, PageSize::LARGEST).await.unwrap().entries;
        assert_eq!(found.last(), Some(&opened));
    }
}

async fn a_session_is_opened_only_with_the_password_that_was_verified(store: Store) {
    let [asha, meera, ravi] = ["asha", "meera", "ravi"].map(|name| (name, Role::Viewer));
    let asha = add_user(&*store, asha.0, asha.1).await;
    let meera = add_user(&*store, meera.0, meera.1).await;
    let ravi = add_user(&*store, ravi.0, ravi.1).await;
    store.change(asha.id, None, UserChange::password(hash("two")), &at(T0)).await.unwrap();
    store.change(meera.id, None, UserChange::status(Status::Disabled), &at(T0)).await.unwrap();
    UserStore::remove(&*store, ravi.id, None, &at(T0)).await.unwrap();
    for user in [&asha, &meera, &ravi] {
        let refused = SessionStore::open(&*store, new(user, 1), &at(T0)).await;
        assert!(matches!(refused, Err(OpenSessionError::Outdated)), "{refused:?}");
        assert_eq!(open_at(&store, user.id, T0).await, []);
    }
    assert_eq!(events(&store, Action::SessionOpened).await, 0);
}

async fn an_opened_session_forgets_failed_logins(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    for _ in 0..4 {
        store.admit_login(asha.id, &at(T0)).await.unwrap();
    }
    open(&store, &asha, 1).await;
    let known = store.find_credentials(&asha.username).await.unwrap().unwrap();
    assert_eq!((known.attempts, known.user), (Attempts::default(), asha));
}

async fn req_12_a_refresh_token_is_used_once(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let day = T0 + Duration::DAY;
    let refreshed = rotate(&store, 1, day).await.unwrap();
    assert_eq!(refreshed, Session { refreshed_at: day, expires_at: day + IDLE, ..opened });
    let refreshed = rotate(&store, 2, day + Duration::DAY).await.unwrap();
    assert_eq!(refreshed.refreshed_at, day + Duration::DAY);
    assert_eq!(events(&store, Action::SessionRefreshed).await, 2);
}

async fn req_12_a_lost_answer_is_given_again_within_the_grace(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    open(&store, &asha, 1).await;
    let refreshed = rotate(&store, 1, T0 + Duration::MINUTE).await.unwrap();
    let again = rotate(&store, 1, T0 + Duration::MINUTE + GRACE - Duration::MICROSECOND).await.unwrap();
    assert_eq!(again, refreshed);
    assert_eq!(events(&store, Action::SessionRefreshed).await, 1);
    rotate(&store, 2, T0 + Duration::HOUR).await.unwrap();
}

async fn req_12_a_replay_after_the_grace_ends_the_session(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let other = open(&store, &asha, 100).await;
    rotate(&store, 1, T0).await.unwrap();
    let replayed = rotate(&store, 1, T0 + GRACE).await;
    assert!(matches!(replayed, Err(RotationError::Replayed)), "{replayed:?}");
    assert_eq!(open_at(&store, asha.id, T0).await, [other.id]);
    for token in [1, 2] {
        let refused = rotate(&store, token, T0 + GRACE).await;
        assert!(matches!(refused, Err(RotationError::Unknown)), "{refused:?}");
    }
    assert!(store.bearer(opened.id).await.unwrap().is_none());
    assert_eq!(events(&store, Action::SessionReplayed).await, 1);
}

async fn req_12_of_many_concurrent_refreshes_one_happens(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    open(&store, &asha, 1).await;
    let refreshed = join_all((0..32).map(|_| rotate(&store, 1, T0 + Duration::MINUTE))).await;
    let first = refreshed[0].as_ref().unwrap();
    assert!(refreshed.iter().all(|refreshed| refreshed.as_ref().unwrap() == first));
    assert_eq!(events(&store, Action::SessionRefreshed).await, 1);
    rotate(&store, 2, T0 + Duration::HOUR).await.unwrap();
}

async fn an_unknown_refresh_token_changes_nothing(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let refused = rotate(&store, 2, T0).await;
    assert!(matches!(refused, Err(RotationError::Unknown)), "{refused:?}");
    assert_eq!(open_at(&store, asha.id, T0).await, [opened.id]);
}

async fn a_session_that_rested_too_long_is_not_refreshed(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let last = opened.expires_at - Duration::MICROSECOND;
    assert_eq!(open_at(&store, asha.id, last).await, [opened.id]);
    assert_eq!(open_at(&store, asha.id, opened.expires_at).await, []);
    let refused = rotate(&store, 1, opened.expires_at).await;
    assert!(matches!(refused, Err(RotationError::Unknown)), "{refused:?}");
    rotate(&store, 1, last).await.unwrap();
}

async fn a_session_is_over_at_its_end_however_often_it_is_refreshed(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    for (token, day) in [(1, 6), (2, 12), (3, 18), (4, 24), (5, 29)] {
        let now = T0 + Duration::days(day);
        let refreshed = rotate(&store, token, now).await.unwrap();
        assert_eq!((refreshed.expires_at, refreshed.ends_at), ((now + IDLE).min(opened.ends_at), opened.ends_at));
    }
    let refused = rotate(&store, 6, opened.ends_at).await;
    assert!(matches!(refused, Err(RotationError::Unknown)), "{refused:?}");
}

async fn a_session_is_ended_for_its_user_alone(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let meera = add_user(&*store, "meera", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    assert!(!store.end(opened.id, meera.id, &at(T0)).await.unwrap());
    assert!(store.bearer(opened.id).await.unwrap().is_some());
    assert!(store.end(opened.id, asha.id, &at(T0)).await.unwrap());
    assert!(store.bearer(opened.id).await.unwrap().is_none());
    assert!(!store.end(opened.id, asha.id, &at(T0)).await.unwrap());
    assert_eq!(events(&store, Action::SessionEnded).await, 1);
    let refused = rotate(&store, 1, T0).await;
    assert!(matches!(refused, Err(RotationError::Unknown)), "{refused:?}");
}

async fn a_users_sessions_end_together(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let meera = add_user(&*store, "meera", Role::Viewer).await;
    for token in 1..=3 {
        open(&store, &asha, token).await;
    }
    let other = open(&store, &meera, 4).await;
    assert_eq!(store.end_all(asha.id, &at(T0)).await.unwrap(), 3);
    assert_eq!(open_at(&store, asha.id, T0).await, []);
    assert_eq!(open_at(&store, meera.id, T0).await, [other.id]);
    assert_eq!(store.end_all(asha.id, &at(T0)).await.unwrap(), 0);
    let filter = EventFilter { action: Some(Action::SessionEnded), ..EventFilter::default() };
    let told = AuditLog::page(&*store, &filter, None, PageSize::LARGEST).await.unwrap().entries;
    assert_eq!(told.iter().map(|event| event.what.count).collect::<Vec<_>>(), [3]);
}

async fn req_18_what_ends_the_users_sessions_and_what_does_not(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    let kept = [UserChange::role(Role::Registrar), UserChange::status(Status::Active)];
    for change in kept {
        store.change(asha.id, None, change, &at(T0)).await.unwrap();
        assert!(store.bearer(opened.id).await.unwrap().is_some());
    }
    let one_time = SetPassword { hash: hash("one"), one_time_until: Some(T0 + Duration::DAY), spared: None };
    let ending = [
        UserChange { password: Some(one_time), ..UserChange::default() },
        UserChange::password(hash("one")),
        UserChange::status(Status::Disabled),
    ];
    for (token, change) in (10..).zip(ending) {
        let opened = open(&store, &asha, token).await;
        store.change(asha.id, None, change, &at(T0)).await.unwrap();
        assert_eq!(open_at(&store, asha.id, T0).await, []);
        assert!(store.bearer(opened.id).await.unwrap().is_none());
    }
    // It does not come back to life with its user.
    store.change(asha.id, None, UserChange::status(Status::Active), &at(T0)).await.unwrap();
    assert!(store.bearer(opened.id).await.unwrap().is_none());
    let opened = open(&store, &asha, 20).await;
    UserStore::remove(&*store, asha.id, None, &at(T0)).await.unwrap();
    assert!(store.bearer(opened.id).await.unwrap().is_none());
    let refused = rotate(&store, 20, T0).await;
    assert!(matches!(refused, Err(RotationError::Unknown)), "{refused:?}");
}

async fn a_session_that_is_spared_goes_on(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let [spared, _] = [open(&store, &asha, 1).await, open(&store, &asha, 50).await];
    let password = SetPassword { hash: hash("two"), one_time_until: None, spared: Some(spared.id) };
    let change = UserChange { password: Some(password), ..UserChange::default() };
    store.change(asha.id, None, change, &at(T0)).await.unwrap();
    assert_eq!(open_at(&store, asha.id, T0).await, [spared.id]);
    rotate(&store, 1, T0).await.unwrap();
}

async fn a_change_that_is_asked_for_in_a_session_needs_it_open(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let meera = add_user(&*store, "meera", Role::Viewer).await;
    let [ended, strangers] = [open(&store, &asha, 1).await, open(&store, &meera, 50).await];
    store.change(asha.id, None, UserChange::password(hash("reset")), &at(T0)).await.unwrap();
    let before = UserStore::find(&*store, asha.id).await.unwrap();
    for session in [ended.id, strangers.id] {
        let password = SetPassword { hash: hash("own"), one_time_until: None, spared: Some(session) };
        let change = UserChange { password: Some(password), ..UserChange::default() };
        let refused = store.change(asha.id, None, change, &at(T0)).await;
        assert!(matches!(refused, Err(UserChangeError::SessionEnded)), "{refused:?}");
    }
    let known = store.find_credentials(&asha.username).await.unwrap().unwrap();
    assert_eq!((known.password, Some(known.user)), (hash("reset"), before));
}

async fn pages_walk_a_users_sessions_once_in_order(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let meera = add_user(&*store, "meera", Role::Viewer).await;
    let mut opened = Vec::new();
    for token in 1..=5 {
        opened.push(open(&store, &asha, token).await.id);
        open(&store, &meera, 100 + token).await;
    }
    let (mut walked, mut after) = (Vec::new(), None);
    loop {
        let page = SessionStore::page(&*store, asha.id, T0, after, PageSize::parse(2).unwrap()).await.unwrap();
        walked.extend(page.entries.iter().map(|session| session.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(walked, opened);
}

async fn expired_sessions_are_forgotten(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let [old, refreshed] = [open(&store, &asha, 1).await, open(&store, &asha, 50).await];
    rotate(&store, 50, T0 + Duration::DAY).await.unwrap();
    assert_eq!(store.forget_expired(old.expires_at, &at(T0)).await.unwrap(), 0);
    let after = old.expires_at + Duration::MICROSECOND;
    assert_eq!(store.forget_expired(after, &at(after)).await.unwrap(), 1);
    assert_eq!(open_at(&store, asha.id, T0).await, [refreshed.id]);
    assert!(store.bearer(old.id).await.unwrap().is_none());
    assert_eq!(events(&store, Action::SessionsExpired).await, 1);
}

async fn an_id_is_never_used_twice(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let mut ids = HashSet::new();
    for token in 1..=3 {
        let opened = open(&store, &asha, token).await;
        assert!(ids.insert(opened.id));
        store.end(opened.id, asha.id, &at(T0)).await.unwrap();
    }
}

async fn every_node_derives_with_the_same_key(store: Store) {
    let keys = join_all((1..=8).map(|candidate| store.derivation_key([candidate; 32]))).await;
    let first = *keys[0].as_ref().unwrap();
    assert!((1..=8).any(|candidate| first == [candidate; 32]));
    assert!(keys.iter().all(|key| *key.as_ref().unwrap() == first));
    assert_eq!(store.derivation_key([9; 32]).await.unwrap(), first);
}
