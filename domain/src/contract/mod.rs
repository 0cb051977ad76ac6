//! The contract suites: one list of cases a port, which every implementation must pass.
//!
//! A runner crosses every list with every adapter, each case on an empty store of its own, so that no adapter forgets
//! one. A case panics where the contract is broken.

#![expect(clippy::unwrap_used, reason = "a case is a test: it panics where the contract is broken")]

mod audit;
mod bearers;
mod login_attempts;
mod sessions;
mod students;
mod users;

use std::pin::Pin;
use std::sync::Arc;

use time::OffsetDateTime;
use time::macros::datetime;

pub use audit::AUDIT_LOG;
pub use bearers::BEARERS;
pub use login_attempts::LOGIN_ATTEMPTS;
pub use sessions::SESSION_STORE;
pub use students::STUDENT_STORE;
pub use users::USER_STORE;

use crate::audit::AuditLog;
use crate::session::{Bearers, BearersSource, SessionStore};
use crate::student::StudentStore;
use crate::user::{NewUser, PasswordHash, Role, User, UserStore};
use crate::{Actor, Who};

/// One store behind all of its ports: sessions are of users, and the audit tells of everything.
pub trait Stores: StudentStore + UserStore + SessionStore + Bearers + BearersSource + AuditLog {}

impl<S: StudentStore + UserStore + SessionStore + Bearers + BearersSource + AuditLog> Stores for S {}

/// The run of one case.
pub type CaseRun = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One thing that every implementation of a port must do.
pub struct Case<P: ?Sized> {
    /// The rule it proves.
    pub name: &'static str,
    /// Runs it on an empty store.
    pub run: fn(Arc<P>) -> CaseRun,
}

/// Makes the list of cases of one port out of async functions.
macro_rules! cases {
    ($port:ty: $($name:ident),* $(,)?) => {
        &[$($crate::contract::Case::<$port> {
            name: stringify!($name),
            run: |store| Box::pin($name(store)),
        }),*]
    };
}
use cases;

/// When the cases begin.
const T0: OffsetDateTime = datetime!(2026-11-23 12:00:00.123456 UTC);

/// Somebody who writes at `at`.
const fn at(at: OffsetDateTime) -> Actor {
    Actor::here(Who::Operator, at)
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(text.to_owned())
}

fn new_user(name: &str, role: Role) -> NewUser {
    NewUser { username: name.parse().unwrap(), password: hash("one"), role, password_change_due: false }
}

async fn add_user<S: UserStore + ?Sized>(store: &S, name: &str, role: Role) -> User {
    store.insert(new_user(name, role), &at(T0)).await.unwrap()
}
