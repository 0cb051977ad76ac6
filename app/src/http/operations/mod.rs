//! The operations: each parses, runs one use case, and answers.

mod answers;
mod audit;
mod caller;
mod document;
mod grant;
mod health;
mod key_set;
mod log_in;
mod me;
mod own_password;
mod sessions;
mod student;
mod students;
mod users;

use std::sync::Arc;

use poem::web::Data;
use poem_openapi::Tags;

use super::Services;

/// Every operation, for the routes and for the document.
pub type Api = (
    log_in::LogInApi,
    sessions::SessionsApi,
    me::MeApi,
    own_password::OwnPasswordApi,
    students::StudentsApi,
    users::UsersApi,
    users::UserSessionsApi,
    audit::AuditApi,
    student::StudentApi,
    health::HealthApi,
    document::DocumentApi,
    key_set::KeySetApi,
);

/// The one value of [`Api`].
pub const API: Api = (
    log_in::LogInApi,
    sessions::SessionsApi,
    me::MeApi,
    own_password::OwnPasswordApi,
    students::StudentsApi,
    users::UsersApi,
    users::UserSessionsApi,
    audit::AuditApi,
    student::StudentApi,
    health::HealthApi,
    document::DocumentApi,
    key_set::KeySetApi,
);

/// The use cases, as the gate hands them to an operation.
type Use<'a> = Data<&'a Arc<Services>>;

/// How the document groups the operations.
#[derive(Tags)]
enum Tag {
    /// Log in and out, and see who you are.
    Sessions,
    /// The roll of students.
    Students,
    /// Who may log in, and what each may do: for administrators.
    Users,
    /// Who did what, to whom, when and from where: for administrators.
    Audit,
    /// Whether the service lives, and what it offers.
    Service,
    /// The articles' own operations on students, for clients of old.
    Articles,
}
