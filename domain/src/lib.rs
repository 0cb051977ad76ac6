//! Domain of Rollbook: rules, ports and use cases of students, user accounts, sessions, tokens and the audit log.
//!
//! The domain has no I/O, no runtime and no wire format. Adapters implement its ports: the `ports` modules,
//! [`RecordStore`](record::RecordStore), [`Clock`] and [`Random`].
//!
//! A module depends only on modules before it: `kernel`, `access`, `audit`, `record`, then `student` and `user`, `token`,
//! `session`, and `login`.

mod kernel;
mod probe;

pub mod access;
pub mod audit;
#[cfg(feature = "contract")]
pub mod contract;
pub mod login;
pub mod quota;
pub mod record;
pub mod session;
pub mod student; // resource
pub mod token;
pub mod user; // resource

/// Calls `$callback!` with the list of resources. Items that exist once for each resource derive from it: store, use cases and
/// contract cases.
#[macro_export]
macro_rules! resources {
    ($callback:ident $($tokens:tt)*) => {
        $callback! {
            $($tokens)*
            students: $crate::student::Student, // resource
            users: $crate::user::User, // resource
        }
    };
}

pub use kernel::*;
pub use probe::Probe;

#[cfg(feature = "mocks")]
pub use probe::MockProbe;
