//! What every [`SessionLookup`](crate::session::Bearers) and its [`InvalidationFeed`](crate::session::BearersSource) must do.

use std::mem;
use std::sync::{Arc, Mutex};

use time::Duration;

use super::fixtures::{Store, T0, add_user, at, hash, open, users};
use super::{Case, Stores, cases};
use crate::access::Role;
use crate::session::InvalidationListener;
use crate::user::{Status, UserChange};
use crate::{SessionId, UserId};

/// The cases.
pub const SESSION_LOOKUP: &[Case<dyn Stores>] = cases![dyn Stores:
    bearer_is_the_user_as_stored,
    session_that_is_not_open_has_no_bearer,
    session_of_disabled_user_has_no_bearer,
    listener_hears_of_a_change_before_its_caller_returns,
];

async fn bearer_is_the_user_as_stored(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let session = open(&store, &asha, 1).await;
    assert_eq!(store.active_user(session.id).await.unwrap().as_deref(), Some(&asha));
    let changed = users(&store).update(asha.id, None, UserChange::role(Role::Registrar), &at(T0)).await.unwrap();
    assert_eq!(store.active_user(session.id).await.unwrap().as_deref(), Some(&changed));
}

async fn session_that_is_not_open_has_no_bearer(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    assert_eq!(store.active_user(SessionId::try_from(1).unwrap()).await.unwrap(), None);
    let session = open(&store, &asha, 1).await;
    store.end(session.id, asha.id, &at(T0)).await.unwrap();
    assert_eq!(store.active_user(session.id).await.unwrap(), None);
}

async fn session_of_disabled_user_has_no_bearer(store: Store) {
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let session = open(&store, &asha, 1).await;
    users(&store).update(asha.id, None, UserChange::status(Status::Disabled), &at(T0)).await.unwrap();
    assert_eq!(store.active_user(session.id).await.unwrap(), None);
}

/// Records what it hears.
#[derive(Default)]
struct Ear(Mutex<Heard>);

#[derive(Default)]
struct Heard {
    users: Vec<UserId>,
    sessions: Vec<SessionId>,
    anything: bool,
}

impl Ear {
    /// What was heard since the last call.
    fn heard(&self) -> Heard {
        mem::take(&mut *self.0.lock().unwrap())
    }
}

impl InvalidationListener for Ear {
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

async fn listener_hears_of_a_change_before_its_caller_returns(store: Store) {
    let ear = Arc::new(Ear::default());
    store.subscribe(ear.clone());
    let asha = add_user(&store, "asha", Role::Viewer).await;
    let meera = add_user(&store, "meera", Role::Viewer).await;
    let [ended, expired] = [open(&store, &asha, 1).await, open(&store, &asha, 2).await];

    // A cache of bearers checks before each use that everything is heard.
    let heard = || {
        store.is_current().unwrap();
        ear.heard()
    };
    let user = |id: UserId| {
        let heard = heard();
        assert!(heard.anything || heard.users.contains(&id), "user {id}");
    };
    let session = |id: SessionId| {
        let heard = heard();
        assert!(heard.anything || heard.sessions.contains(&id), "session {id}");
    };

    heard();
    users(&store).update(asha.id, None, UserChange::role(Role::Registrar), &at(T0)).await.unwrap();
    user(asha.id);
    store.end(ended.id, asha.id, &at(T0)).await.unwrap();
    session(ended.id);
    store.forget_expired(expired.ends_at + Duration::DAY, &at(T0)).await.unwrap();
    session(expired.id);
    for (token, change) in (3..).zip([UserChange::password(hash("one")), UserChange::status(Status::Disabled)]) {
        let opened = open(&store, &meera, token).await;
        heard();
        users(&store).update(meera.id, None, change, &at(T0)).await.unwrap();
        session(opened.id);
    }
    let opened = open(&store, &asha, 5).await;
    heard();
    store.end_all(asha.id, &at(T0)).await.unwrap();
    session(opened.id);
    users(&store).delete(asha.id, None, &at(T0)).await.unwrap();
    user(asha.id);
    store.unlock(meera.id, &at(T0)).await.unwrap();
    user(meera.id);
}
