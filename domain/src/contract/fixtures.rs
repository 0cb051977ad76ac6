//! Fixtures shared by the cases: actors, users, sessions, and single ports of a store.

use std::sync::Arc;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::Stores;
use crate::access::Role;
use crate::audit::{Action, AuditLog, EventFilter, NewEvent};
use crate::record::{Record, RecordStore};
use crate::session::{
    NewSession, RefreshTokenDigest, Rotation, RotationError, Session, SessionLifetimes, SessionLimit, SessionStore,
};
use crate::student::Student;
use crate::token::TokenLifetime;
use crate::user::{NewUser, PasswordHash, User, UserFilter};
use crate::{Actor, ActorId, Origin, PageRequest, SessionId, UserId};

/// A store with all of its ports.
pub(super) type Store = Arc<dyn Stores>;

/// Start time of the cases.
pub(super) const T0: OffsetDateTime = datetime!(2026-11-23 12:00:00.123456 UTC);

/// Time for which a used refresh token gets the same response again.
pub(super) const GRACE: Duration = Duration::seconds(10);
pub(super) const IDLE: Duration = Duration::days(7);
pub(super) const ABSOLUTE: Duration = Duration::days(30);

/// The operator at this time.
pub(super) const fn at(at: OffsetDateTime) -> Actor {
    Actor::here(ActorId::Operator, at)
}

/// User 7 at this time, in a request from a known address.
pub(super) fn requester(at: OffsetDateTime) -> Actor {
    let origin = Origin { request_id: Some("r-1".into()), client: "2001:db8::7".parse().ok() };
    Actor { id: ActorId::User(UserId::try_from(7).unwrap()), at, origin }
}

pub(super) fn students(store: &Store) -> &dyn RecordStore<Student> {
    &**store
}

pub(super) fn users(store: &Store) -> &dyn RecordStore<User> {
    &**store
}

pub(super) fn sessions(store: &Store) -> &dyn SessionStore {
    &**store
}

pub(super) fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text.to_owned())
}

/// An active user with the password hash `one`.
pub(super) fn new_user(name: &str, role: Role) -> NewUser {
    NewUser { username: name.parse().unwrap(), password: hash("one"), role, one_time_until: None }
}

pub(super) async fn add_user(store: &Store, name: &str, role: Role) -> Record<User> {
    users(store).insert(new_user(name, role), &at(T0)).await.unwrap()
}

pub(super) async fn count_users(store: &Store) -> usize {
    users(store).page(&UserFilter::default(), PageRequest::LARGEST).await.unwrap().entries.len()
}

pub(super) async fn stored_hash(store: &Store, name: &str) -> PasswordHash {
    store.find_credentials(&name.parse().unwrap()).await.unwrap().unwrap().password
}

pub(super) fn digest(of: u8) -> RefreshTokenDigest {
    RefreshTokenDigest::new([of; 32])
}

/// A session with the refresh token of this number.
pub(super) fn new_session(user_id: UserId, token: u8) -> NewSession {
    NewSession {
        user_id,
        verified: hash("one"),
        refresh_token: digest(token),
        lifetimes: lifetimes(),
        limit: SessionLimit::default(),
        user_agent: None,
    }
}

pub(super) async fn open(store: &Store, user: &Record<User>, token: u8) -> Session {
    sessions(store).open(new_session(user.id, token), &at(T0)).await.unwrap()
}

/// The ids of the sessions of a user that are open at `now`.
pub(super) async fn open_at(store: &Store, of: UserId, now: OffsetDateTime) -> Vec<SessionId> {
    let page = sessions(store).page(of, now, PageRequest::LARGEST).await.unwrap();
    page.entries.into_iter().map(|session| session.id).collect()
}

/// Replaces the refresh token of this number with the refresh token of the next number.
pub(super) fn rotation(from: u8) -> Rotation {
    Rotation { presented: digest(from), successor: digest(from + 1), lifetimes: lifetimes(), grace: GRACE }
}

/// Presents the refresh token of this number at `now`.
pub(super) async fn rotate(store: &Store, from: u8, now: OffsetDateTime) -> Result<Session, RotationError> {
    store.rotate(&rotation(from), &at(now)).await
}

fn lifetimes() -> SessionLifetimes {
    SessionLifetimes::new(Some(IDLE), Some(ABSOLUTE), TokenLifetime::new(Duration::HOUR).unwrap()).unwrap()
}

/// The events that match the filter, without their ids: at most [`PageRequest::LARGEST`].
pub(super) async fn events(log: &dyn AuditLog, filter: &EventFilter) -> Vec<NewEvent> {
    let page = log.page(filter, PageRequest::LARGEST).await.unwrap();
    page.entries.into_iter().map(|event| event.what).collect()
}

/// Number of events with this action.
pub(super) async fn count_events(store: &Store, action: Action) -> usize {
    let filter = EventFilter { action: Some(action), ..EventFilter::default() };
    events(&**store, &filter).await.len()
}
