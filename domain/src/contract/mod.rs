//! Contract suites: a list of cases for each port, which every adapter must pass.
//!
//! The runner combines every list with every adapter and runs each case on a new empty store. A case panics if the
//! contract is violated.

#![expect(clippy::unwrap_used, reason = "a case is a test: it panics if the contract is violated")]

mod audit;
mod changes;
mod credentials;
mod events;
mod exports;
mod fixtures;
mod login_attempts;
mod name_search;
mod record_events;
mod records;
mod refreshes;
mod session_lookup;
mod sessions;
mod students;
mod users;

use std::pin::Pin;
use std::sync::Arc;

pub use audit::AUDIT_LOG;
pub use changes::CHANGE_FEED;
pub use credentials::CREDENTIAL_STORE;
pub use events::AUDIT_EVENTS;
pub use exports::EXPORTS;
pub use login_attempts::LOGIN_ATTEMPTS;
pub use name_search::NAME_SEARCH;
pub use records::record_contract;
pub use refreshes::REFRESHES;
pub use session_lookup::SESSION_LOOKUP;
pub use sessions::SESSION_STORE;
pub use students::STUDENTS;
pub use users::USERS;

use crate::audit::AuditLog;
use crate::record::{RecordStore, Resource};
use crate::session::{InvalidationFeed, SessionLookup, SessionStore};
use crate::student::{ChangeFeed, Student};
use crate::user::{CredentialStore, User};

/// Records of one resource with the audit log of their writes.
pub trait AuditedStore<R: Resource>: RecordStore<R> + AuditLog {}

impl<R: Resource, S: RecordStore<R> + AuditLog> AuditedStore<R> for S {}

/// A store with all of its ports, which share users, sessions and the audit log.
pub trait Stores:
    RecordStore<Student>
    + RecordStore<User>
    + CredentialStore
    + SessionStore
    + SessionLookup
    + InvalidationFeed
    + AuditLog
    + ChangeFeed
{
}

impl<S> Stores for S where
    S: RecordStore<Student>
        + RecordStore<User>
        + CredentialStore
        + SessionStore
        + SessionLookup
        + InvalidationFeed
        + AuditLog
        + ChangeFeed
{
}

/// Future that runs one case.
pub type CaseRun = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A test case that every implementation of a port must pass.
pub struct Case<P: ?Sized> {
    /// Name of the case: the tested rule.
    pub name: &'static str,
    /// Runs the case on an empty store.
    pub run: fn(Arc<P>) -> CaseRun,
}

// Derived implementations would add the bound to `P`.
impl<P: ?Sized> Clone for Case<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: ?Sized> Copy for Case<P> {}

/// Creates the list of cases of one port from async functions.
macro_rules! cases {
    ($port:ty: $($name:ident),* $(,)?) => {
        &[$($crate::contract::Case::<$port> {
            name: stringify!($name),
            run: |store| Box::pin($name(store)),
        }),*]
    };
}
use cases;
