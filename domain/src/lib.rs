//! Rollbook's domain: students, user accounts, sessions, tokens and the audit; their rules, ports and use cases.
//!
//! Pure by construction: no I/O, no runtime, no wire format. What the domain needs from outside are ports (the `ports`
//! module of each noun, [`RecordStore`](record::RecordStore), [`Clock`] and [`Random`]), which adapters implement.
//!
//! Modules depend on one another in one direction: `kernel`, `access`, `audit`, `record`, then `student` and `user`, `token`,
//! `session`, and `login` last.

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

/// Calls `$callback!` with the list of resources, each by the name of its records. What exists once for each resource
/// derives from it: its store, its use cases, its contract cases.
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
