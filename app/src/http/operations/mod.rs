//! Operations: each parses the request, runs one use case and returns a response.

mod audit;
mod changes;
mod document;
mod health;
mod key_set;
mod legacy;
mod log_in;
mod me;
mod own_password;
mod sessions;
mod students; // resource
mod token;
mod users; // resource

pub use changes::{ChangesDocument, LatestDocument};
pub use students::StudentDocument;

use std::sync::Arc;

use poem::web::Data;
use poem_openapi::Tags;

use super::UseCases;

/// Nests types or values in pairs, because poem-openapi implements its trait only for tuples of limited length.
macro_rules! nested {
    ($last:path) => { $last };
    ($first:path, $($rest:path),+) => { ($first, nested!($($rest),+)) };
}

/// Declares [`Api`] and its value.
macro_rules! apis {
    ($($api:path),+ $(,)?) => {
        /// All operations, for the routes and the API document.
        pub type Api = nested!($($api),+);

        /// The value of [`Api`].
        pub const API: Api = nested!($($api),+);
    };
}

// The document lists operations and tags in this order.
apis! {
    log_in::LogInApi,
    sessions::RefreshApi,
    me::MeApi,
    sessions::OwnSessionsApi,
    own_password::OwnPasswordApi,
    sessions::LogOutApi,
    students::StudentsApi, // resource
    changes::ChangesApi,
    users::UsersApi, // resource
    users::UserSessionsApi,
    audit::AuditApi,
    health::HealthApi,
    document::DocumentApi,
    key_set::KeySetApi,
    legacy::LegacyApi,
}

/// The use cases, provided to operations by the gate.
type UseCasesData<'a> = Data<&'a Arc<UseCases>>;

/// Groups of operations in the API document.
#[derive(Tags)]
enum Tag {
    /// Login, logout, and your own account, sessions and password.
    Sessions,
    /// Student records.
    Students, // resource
    /// User accounts and their sessions, for administrators.
    Users, // resource
    /// The audit log, for administrators.
    Audit,
    /// Health, the API document and the public keys.
    Service,
    /// The deprecated operations of the articles, for legacy clients.
    #[oai(rename = "Legacy API")]
    Legacy,
}
