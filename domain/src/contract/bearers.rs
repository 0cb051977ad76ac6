//! What every [`Bearers`](crate::session::Bearers) and its [`BearersSource`](crate::session::BearersSource) must do.

use std::mem;
use std::sync::{Arc, Mutex};

use time::Duration;

use super::{Case, Stores, T0, add_user, at, cases, hash};
use crate::session::{
    BearersListener, NewSession, RefreshTokenDigest, Session, SessionId, SessionLifetimes, SessionStore,
};
use crate::token::TokenLifetime;
use crate::user::{Role, Status, User, UserChange, UserId, UserStore};

type Store = Arc<dyn Stores>;

/// The cases.
pub const BEARERS: &[Case<dyn Stores>] = cases![dyn Stores:
    the_bearer_is_the_user_as_stored_now,
    nobody_bears_a_session_that_is_not_open,
    nobody_who_is_disabled_bears_a_session,
    what_changes_a_bearer_is_told_before_its_answer,
];

async fn open(store: &Store, user: &User, token: u8) -> Session {
    let new = NewSession {
        user_id: user.id,
        verified: hash("one"),
        refresh_token: RefreshTokenDigest::new([token; 32]),
        lifetimes: SessionLifetimes::new(None, None, TokenLifetime::new(Duration::HOUR).unwrap()).unwrap(),
        user_agent: None,
    };
    SessionStore::open(&**store, new, &at(T0)).await.unwrap()
}

async fn the_bearer_is_the_user_as_stored_now(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let session = open(&store, &asha, 1).await;
    assert_eq!(store.bearer(session.id).await.unwrap().as_deref(), Some(&asha));
    let changed = store.change(asha.id, None, UserChange::role(Role::Registrar), &at(T0)).await.unwrap();
    assert_eq!(store.bearer(session.id).await.unwrap().as_deref(), Some(&changed));
}

async fn nobody_bears_a_session_that_is_not_open(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    assert_eq!(store.bearer(SessionId::try_from(1).unwrap()).await.unwrap(), None);
    let session = open(&store, &asha, 1).await;
    store.end(session.id, asha.id, &at(T0)).await.unwrap();
    assert_eq!(store.bearer(session.id).await.unwrap(), None);
}

async fn nobody_who_is_disabled_bears_a_session(store: Store) {
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let session = open(&store, &asha, 1).await;
    store.change(asha.id, None, UserChange::status(Status::Disabled), &at(T0)).await.unwrap();
    assert_eq!(store.bearer(session.id).await.unwrap(), None);
}

/// Keeps what it hears.
#[derive(Default)]
struct Ear(Mutex<Heard>);

#[derive(Default)]
struct Heard {
    users: Vec<UserId>,
    sessions: Vec<SessionId>,
    anything: bool,
}

impl Ear {
    /// What was heard since this was asked before.
    fn heard(&self) -> Heard {
        mem::take(&mut *self.0.lock().unwrap())
    }
}

impl BearersListener for Ear {
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

async fn what_changes_a_bearer_is_told_before_its_answer(store: Store) {
    let ear = Arc::new(Ear::default());
    store.tell(ear.clone());
    let asha = add_user(&*store, "asha", Role::Viewer).await;
    let meera = add_user(&*store, "meera", Role::Viewer).await;
    let [ended, expired] = [open(&store, &asha, 1).await, open(&store, &asha, 2).await];

    // Whoever judges a bearer asks first whether everything is heard.
    let heard = || {
        store.is_heard().unwrap();
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
    store.change(asha.id, None, UserChange::role(Role::Registrar), &at(T0)).await.unwrap();
    user(asha.id);
    store.end(ended.id, asha.id, &at(T0)).await.unwrap();
    session(ended.id);
    store.forget_expired(expired.ends_at + Duration::DAY, &at(T0)).await.unwrap();
    session(expired.id);
    for (token, change) in (3..).zip([UserChange::password(hash("one")), UserChange::status(Status::Disabled)]) {
        let opened = open(&store, &meera, token).await;
        heard();
        store.change(meera.id, None, change, &at(T0)).await.unwrap();
        session(opened.id);
    }
    let opened = open(&store, &asha, 5).await;
    heard();
    store.end_all(asha.id, &at(T0)).await.unwrap();
    session(opened.id);
    UserStore::remove(&*store, asha.id, None, &at(T0)).await.unwrap();
    user(asha.id);
    store.unlock(meera.id, &at(T0)).await.unwrap();
    user(meera.id);
}
