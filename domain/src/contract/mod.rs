//! The contract suites: one list of cases for each port, which every implementation must pass.
//!
//! A runner crosses every list with every adapter, each case on an empty store of its own, so that no adapter misses a
//! case. A case panics where the contract is broken.

#![expect(clippy::unwrap_used, reason = "a case is a test: it panics where the contract is broken")]

mod audit;
mod credentials;
mod events;
mod fixtures;
mod login_attempts;
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
pub use credentials::CREDENTIAL_STORE;
pub use events::AUDIT_EVENTS;
pub use login_attempts::LOGIN_ATTEMPTS;
pub use records::record_contract;
pub use refreshes::REFRESHES;
pub use session_lookup::SESSION_LOOKUP;
pub use sessions::SESSION_STORE;
pub use students::STUDENTS;
pub use users::USERS;

use crate::audit::AuditLog;
use crate::record::{RecordStore, Resource};
use crate::session::{InvalidationFeed, SessionLookup, SessionStore};
use crate::student::Student;
use crate::user::{CredentialStore, User};

/// The records of one resource together with the audit of their writes.
pub trait AuditedStore<R: Resource>: RecordStore<R> + AuditLog {}

impl<R: Resource, S: RecordStore<R> + AuditLog> AuditedStore<R> for S {}

/// One store behind all of its ports: sessions belong to users, and the audit has the writes of all ports.
pub trait Stores:
    RecordStore<Student> + RecordStore<User> + CredentialStore + SessionStore + SessionLookup + InvalidationFeed + AuditLog
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
{
}

/// The run of one case.
pub type CaseRun = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One thing that every implementation of a port must do.
pub struct Case<P: ?Sized> {
    /// The rule that the case proves.
    pub name: &'static str,
    /// Runs the case on an empty store.
    pub run: fn(Arc<P>) -> CaseRun,
}

// Derived implementations would require the same of the port.
impl<P: ?Sized> Clone for Case<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: ?Sized> Copy for Case<P> {}

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
