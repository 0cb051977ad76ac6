//! Contract of [`SessionLookup`](crate::session::SessionLookup) and
//! [`InvalidationFeed`](crate::session::InvalidationFeed).

use std::mem;
use std::sync::{Arc, Mutex};

use time::Duration;

use super::fixtures::{Store, T0, add_user, at, hash, open, users};
use super::{Case, Stores, cases};
use crate::access::Role;
use crate::session::InvalidationListener;
use crate::user::{Status, UserUpdate};
use crate::{SessionId, UserId};

/// The cases.
pub const SESSION_LOOKUP: &[Case<dyn Stores>] = cases![dyn Stores:
    active_user_is_returned_as_stored,
    session_that_is_not_open_has_no_active_user,
    session_of_disabled_user_has_no_active_user,
    change_notifies_listener_before_it_returns,
];

async fn active_user_is_returned_as_stored(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let session = open(&store, &asha, 1).await;
    assert_eq!(store.active_user(session.id).await.unwrap().as_deref(), Some(&asha));
    let changed = users(&store).update(asha.id, None, UserUpdate::role(Role::Registrar), &at(T0)).await.unwrap();
    assert_eq!(store.active_user(session.id).await.unwrap().as_deref(), Some(&changed));
}

async fn session_that_is_not_open_has_no_active_user(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    assert_eq!(store.active_user(SessionId::try_from(1).unwrap()).await.unwrap(), None);
    let session = open(&store, &asha, 1).await;
    store.end(session.id, asha.id, &at(T0)).await.unwrap();
    assert_eq!(store.active_user(session.id).await.unwrap(), None);
}

async fn session_of_disabled_user_has_no_active_user(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let session = open(&store, &asha, 1).await;
    users(&store).update(asha.id, None, UserUpdate::status(Status::Disabled), &at(T0)).await.unwrap();
    assert_eq!(store.active_user(session.id).await.unwrap(), None);
}

/// Records the invalidations that it receives.
#[derive(Default)]
struct Recorder(Mutex<Invalidations>);

#[derive(Default)]
struct Invalidations {
    users: Vec<UserId>,
    sessions: Vec<SessionId>,
    anything: bool,
}

impl Recorder {
    /// The invalidations since the last call.
    fn drain(&self) -> Invalidations {
        mem::take(&mut *self.0.lock().unwrap())
    }
}

impl InvalidationListener for Recorder {
    fn user_changed(&self, id: UserId) {
        self.0.lock().unwrap().users.push(id);
    }

    fn session_ended(&self, id: SessionId) {
        self.0.lock().unwrap().sessions.push(id);
    }

    fn anything_changed(&self) {
        self.0.lock().unwrap().anything = true;
    }
}

async fn change_notifies_listener_before_it_returns(store: Store) {
    let recorder = Arc::new(Recorder::default());
    store.subscribe(recorder.clone());
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let meera = add_user(&store, "meera", Role::Viewer).await;
    let [ended, expired] = [open(&store, &asha, 1).await, open(&store, &asha, 2).await];

    // The session cache calls `is_current` before each use.
    let drain = || {
        store.is_current().unwrap();
        recorder.drain()
    };
    let user = |id: UserId| {
        let received = drain();
        assert!(received.anything || received.users.contains(&id), "user {id}");
    };
    let session = |id: SessionId| {
        let received = drain();
        assert!(received.anything || received.sessions.contains(&id), "session {id}");
    };

    drain();
    users(&store).update(asha.id, None, UserUpdate::role(Role::Registrar), &at(T0)).await.unwrap();
    user(asha.id);
    store.end(ended.id, asha.id, &at(T0)).await.unwrap();
    session(ended.id);
    store.delete_expired(expired.ends_at + Duration::DAY, &at(T0)).await.unwrap();
    session(expired.id);
    for (token, change) in (3..).zip([UserUpdate::password(hash("one")), UserUpdate::status(Status::Disabled)]) {
        let opened = open(&store, &meera, token).await;
        drain();
        users(&store).update(meera.id, None, change, &at(T0)).await.unwrap();
        session(opened.id);
    }
    let opened = open(&store, &asha, 5).await;
    drain();
    store.end_all(asha.id, &at(T0)).await.unwrap();
    session(opened.id);
    users(&store).delete(asha.id, None, &at(T0)).await.unwrap();
    user(asha.id);
    store.unlock(meera.id, &at(T0)).await.unwrap();
    user(meera.id);
}
