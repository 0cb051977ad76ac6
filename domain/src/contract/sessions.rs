//! Contract of [`SessionStore`](crate::session::SessionStore): sessions.

use std::collections::HashSet;
use std::net::IpAddr;

use time::Duration;

use super::fixtures::{
    ABSOLUTE, IDLE, Store, T0, add_user, at, count_events, events, hash, new_session, open, open_at, rotate, sessions,
    users,
};
use super::{Case, Stores, cases};
use crate::access::Role;
use crate::audit::{Action, EventFilter};
use crate::record::RecordError;
use crate::session::{NewSession, OpenSessionError, RotationError, SessionLimit, UserAgent};
use crate::user::{Account, Attempts, SetPassword, Status, UserConflict, UserUpdate};
use crate::{Actor, Origin, PageRequest, PageSize, Target};

/// The cases.
pub const SESSION_STORE: &[Case<dyn Stores>] = cases![dyn Stores:
    opened_session_is_found_as_returned,
    session_with_outdated_password_is_not_opened,
    opened_session_clears_failed_logins,
    session_is_ended_only_for_its_own_user,
    all_sessions_of_a_user_end_together,
    session_beyond_the_limit_ends_the_one_refreshed_longest_ago,
    password_disabling_and_deletion_end_the_sessions,
    kept_session_stays_open,
    change_is_rejected_unless_its_kept_session_is_open,
    pages_contain_each_session_of_a_user_once_in_id_order,
    expired_sessions_are_removed,
    id_of_ended_session_is_not_reused,
];

async fn opened_session_is_found_as_returned(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    for (token, client) in [(1, "192.0.2.7"), (2, "2001:db8::1")] {
        let client: Option<IpAddr> = client.parse().ok();
        let by = Actor { origin: Origin { request_id: None, client }, ..at(T0) };
        let new = NewSession { user_agent: UserAgent::of("curl/8.5 Ünï"), ..new_session(asha.id, token) };
        let opened = sessions(&store).open(new, &by).await.unwrap();
        assert_eq!((opened.user_id, opened.opened_at, opened.refreshed_at), (asha.id, T0, T0));
        assert_eq!((opened.expires_at, opened.ends_at), (T0 + IDLE, T0 + ABSOLUTE));
        assert_eq!((opened.client, opened.user_agent.as_ref().map(UserAgent::as_str)), (client, Some("curl/8.5 Ünï")));
        let found = sessions(&store).page(asha.id, T0, PageRequest::LARGEST).await.unwrap().entries;
        assert_eq!(found.last(), Some(&opened));
    }
}

async fn session_with_outdated_password_is_not_opened(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let meera = add_user(&store, "meera", Role::Viewer).await;
    let ravi = add_user(&store, "ravi", Role::Viewer).await;
    users(&store).update(asha.id, None, UserUpdate::password(hash("two")), &at(T0)).await.unwrap();
    users(&store).update(meera.id, None, UserUpdate::status(Status::Disabled), &at(T0)).await.unwrap();
    users(&store).delete(ravi.id, None, &at(T0)).await.unwrap();
    for user in [&asha, &meera, &ravi] {
        let rejected = sessions(&store).open(new_session(user.id, 1), &at(T0)).await;
        assert!(matches!(rejected, Err(OpenSessionError::Outdated)), "{rejected:?}");
        assert_eq!(open_at(&store, user.id, T0).await, []);
    }
    assert_eq!(count_events(&store, Action::SESSION_OPENED).await, 0);
}

async fn opened_session_clears_failed_logins(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    for _ in 0..4 {
        store.admit_login(Account::User(asha.id), &at(T0)).await.unwrap().unwrap();
    }
    open(&store, &asha, 1).await;
    let known = store.find_credentials(&asha.username).await.unwrap().unwrap();
    assert_eq!((known.attempts, known.user), (Attempts::default(), asha));
}

async fn session_is_ended_only_for_its_own_user(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let meera = add_user(&store, "meera", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    assert!(!store.end(opened.id, meera.id, &at(T0)).await.unwrap());
    assert!(store.active_user(opened.id).await.unwrap().is_some());
    assert!(store.end(opened.id, asha.id, &at(T0)).await.unwrap());
    assert!(store.active_user(opened.id).await.unwrap().is_none());
    assert!(!store.end(opened.id, asha.id, &at(T0)).await.unwrap());
    assert_eq!(count_events(&store, Action::SESSION_ENDED).await, 1);
    let rejected = rotate(&store, 1, T0).await;
    assert!(matches!(rejected, Err(RotationError::Unknown)), "{rejected:?}");
}

async fn all_sessions_of_a_user_end_together(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let meera = add_user(&store, "meera", Role::Viewer).await;
    for token in 1..=3 {
        open(&store, &asha, token).await;
    }
    let other = open(&store, &meera, 4).await;
    assert_eq!(store.end_all(asha.id, &at(T0)).await.unwrap(), 3);
    assert_eq!(open_at(&store, asha.id, T0).await, []);
    assert_eq!(open_at(&store, meera.id, T0).await, [other.id]);
    assert_eq!(store.end_all(asha.id, &at(T0)).await.unwrap(), 0);
    let filter = EventFilter { action: Some(Action::SESSION_ENDED), ..EventFilter::default() };
    let ended = events(&*store, &filter).await;
    assert_eq!(ended.iter().map(|event| event.count).collect::<Vec<_>>(), [3]);
}

/// REQ 18.
async fn session_beyond_the_limit_ends_the_one_refreshed_longest_ago(store: Store) {
    let (asha, ravi) = (add_user(&store, "asha", Role::Viewer).await, add_user(&store, "ravi", Role::Viewer).await);
    let other = open(&store, &ravi, 100).await;
    let open_limited = async |token: u8, now| {
        let new = NewSession { limit: SessionLimit::new(3).unwrap(), ..new_session(asha.id, token) };
        sessions(&store).open(new, &at(now)).await.unwrap().id
    };
    let ids = [open_limited(1, T0).await, open_limited(3, T0 + Duration::SECOND).await, open_limited(5, T0).await];
    rotate(&store, 1, T0 + Duration::MINUTE).await.unwrap();
    assert_eq!(count_events(&store, Action::SESSION_ENDED).await, 0);
    let fourth = open_limited(7, T0 + Duration::HOUR).await;
    assert_eq!(open_at(&store, asha.id, T0).await, [ids[0], ids[2], fourth]);
    // The order does not depend on the clock, which may be set back.
    let fifth = open_limited(9, T0 - Duration::HOUR).await;
    assert_eq!(open_at(&store, asha.id, T0).await, [ids[0], fourth, fifth]);
    let sixth = open_limited(11, T0 - Duration::HOUR).await;
    assert_eq!(open_at(&store, asha.id, T0).await, [fourth, fifth, sixth]);
    let filter = EventFilter { action: Some(Action::SESSION_ENDED), ..EventFilter::default() };
    let ended = events(&*store, &filter).await.into_iter().map(|event| (event.target, event.count));
    assert_eq!(ended.collect::<Vec<_>>(), vec![(Some(Target::of(asha.id)), 1); 3]);
    assert_eq!(open_at(&store, ravi.id, T0).await, [other.id]);
}

async fn password_disabling_and_deletion_end_the_sessions(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let opened = open(&store, &asha, 1).await;
    for change in [UserUpdate::role(Role::Registrar), UserUpdate::status(Status::Active)] {
        users(&store).update(asha.id, None, change, &at(T0)).await.unwrap();
        assert!(store.active_user(opened.id).await.unwrap().is_some());
    }
    let one_time = SetPassword { hash: hash("one"), one_time_until: Some(T0 + Duration::DAY), kept_session: None };
    let ending = [
        UserUpdate { password: Some(one_time), ..UserUpdate::default() },
        UserUpdate::password(hash("one")),
        UserUpdate::status(Status::Disabled),
    ];
    for (token, change) in (10..).zip(ending) {
        let opened = open(&store, &asha, token).await;
        users(&store).update(asha.id, None, change, &at(T0)).await.unwrap();
        assert_eq!(open_at(&store, asha.id, T0).await, []);
        assert!(store.active_user(opened.id).await.unwrap().is_none());
    }
    // Enabling the user again does not open the session again.
    users(&store).update(asha.id, None, UserUpdate::status(Status::Active), &at(T0)).await.unwrap();
    assert!(store.active_user(opened.id).await.unwrap().is_none());
    let opened = open(&store, &asha, 20).await;
    users(&store).delete(asha.id, None, &at(T0)).await.unwrap();
    assert!(store.active_user(opened.id).await.unwrap().is_none());
    let rejected = rotate(&store, 20, T0).await;
    assert!(matches!(rejected, Err(RotationError::Unknown)), "{rejected:?}");
}

async fn kept_session_stays_open(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let (kept_session, _) = (open(&store, &asha, 1).await, open(&store, &asha, 50).await);
    let password = SetPassword { hash: hash("two"), one_time_until: None, kept_session: Some(kept_session.id) };
    let change = UserUpdate { password: Some(password), ..UserUpdate::default() };
    users(&store).update(asha.id, None, change, &at(T0)).await.unwrap();
    assert_eq!(open_at(&store, asha.id, T0).await, [kept_session.id]);
    rotate(&store, 1, T0).await.unwrap();
}

async fn change_is_rejected_unless_its_kept_session_is_open(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let meera = add_user(&store, "meera", Role::Viewer).await;
    let [ended, foreign] = [open(&store, &asha, 1).await, open(&store, &meera, 50).await];
    users(&store).update(asha.id, None, UserUpdate::password(hash("reset")), &at(T0)).await.unwrap();
    let before = users(&store).find(asha.id).await.unwrap();
    for session in [ended.id, foreign.id] {
        let password = SetPassword { hash: hash("own"), one_time_until: None, kept_session: Some(session) };
        let change = UserUpdate { password: Some(password), ..UserUpdate::default() };
        let rejected = users(&store).update(asha.id, None, change, &at(T0)).await;
        assert!(matches!(rejected, Err(RecordError::Rejected(UserConflict::SessionEnded))), "{rejected:?}");
    }
    let known = store.find_credentials(&asha.username).await.unwrap().unwrap();
    assert_eq!((known.password, Some(known.user)), (hash("reset"), before));
}

async fn pages_contain_each_session_of_a_user_once_in_id_order(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let meera = add_user(&store, "meera", Role::Viewer).await;
    let mut opened = Vec::new();
    for token in 1..=5 {
        opened.push(open(&store, &asha, token).await.id);
        open(&store, &meera, 100 + token).await;
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = sessions(&store)
            .page(asha.id, T0, PageRequest { after, size: PageSize::parse(2).unwrap(), ..PageRequest::default() })
            .await
            .unwrap();
        listed.extend(page.entries.iter().map(|session| session.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, opened);
}

async fn expired_sessions_are_removed(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let [old, refreshed] = [open(&store, &asha, 1).await, open(&store, &asha, 50).await];
    rotate(&store, 50, T0 + Duration::DAY).await.unwrap();
    assert_eq!(store.delete_expired(old.expires_at, &at(T0)).await.unwrap(), 0);
    let after = old.expires_at + Duration::MICROSECOND;
    assert_eq!(store.delete_expired(after, &at(after)).await.unwrap(), 1);
    assert_eq!(open_at(&store, asha.id, T0).await, [refreshed.id]);
    assert!(store.active_user(old.id).await.unwrap().is_none());
    assert_eq!(count_events(&store, Action::SESSIONS_EXPIRED).await, 1);
}

async fn id_of_ended_session_is_not_reused(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let mut ids = HashSet::new();
    for token in 1..=3 {
        let opened = open(&store, &asha, token).await;
        assert!(ids.insert(opened.id));
        store.end(opened.id, asha.id, &at(T0)).await.unwrap();
    }
}
