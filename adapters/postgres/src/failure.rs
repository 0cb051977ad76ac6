//! Errors of the driver, and their mapping to the domain's errors.

use std::borrow::Cow;

use domain::StoreError;
use domain::record::{RecordError, Resource};
use domain::session::{OpenSessionError, RotationError};
use thiserror::Error;

use crate::availability::Away;

/// SQLSTATE of a write in a read-only session.
const READ_ONLY: &str = "25006";

/// Error of a statement.
#[derive(Debug)]
pub(crate) enum Failure {
    Driver(sqlx::Error),
    Store(StoreError),
}

/// An error response of the server, without the detail, which can contain a whole row.
#[derive(Debug, Error)]
#[error("PostgreSQL returned error {code}: {message}")]
struct ServerError {
    code: String,
    message: String,
}

/// A row violates a rule of the domain.
#[derive(Debug, Error)]
#[error("damaged data: {column} of row {id} in {table}")]
pub(crate) struct Damaged {
    pub table: &'static str,
    pub id: i64,
    pub column: &'static str,
}

impl Failure {
    pub fn timed_out() -> Self {
        StoreError::unavailable("the database server did not respond in time").into()
    }

    pub fn outage() -> Self {
        StoreError::unavailable("the connection to the database server was lost").into()
    }

    /// The name of the violated constraint.
    pub fn violated_constraint(&self) -> Option<&str> {
        let Self::Driver(error) = self else { return None };
        error.as_database_error()?.constraint()
    }

    /// Returns `false` after an error of the connection, during a shutdown, and if the session rejects writes.
    pub fn leaves_connection_usable(&self) -> bool {
        matches!(self, Self::Store(_)) || self.code().is_some_and(|code| !ends_session(&code))
    }

    /// Returns `true` if the session is read-only.
    pub fn is_rejected_write(&self) -> bool {
        self.code().is_some_and(|code| code == READ_ONLY)
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        let Self::Driver(error) = self else { return None };
        error.as_database_error()?.code()
    }
}

/// Returns `true` for a read-only session, an idle transaction, and errors of the connection (08) and of the operator, except
/// that a statement was cancelled.
fn ends_session(code: &str) -> bool {
    matches!(code, READ_ONLY | "25P03") || code.starts_with("08") || (code.starts_with("57") && code != "57014")
}

/// Returns `true` if the same call may succeed later, by SQLSTATE (PostgreSQL documentation, appendix A).
fn is_temporary(code: &str) -> bool {
    match code {
        // Read-only (a standby, or a disk that is nearly full), idle in transaction, serialization,
        // deadlock, lock not available.
        READ_ONLY | "25P03" | "40001" | "40P01" | "55P03" => true,
        // Connection (08), authorization (28), unknown database (3D), resources (53), operator intervention (57).
        _ => ["08", "28", "3D", "53", "57"].iter().any(|class| code.starts_with(class)),
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Away> for Failure {
    fn from(away: Away) -> Self {
        StoreError::unavailable(away).into()
    }
}

/// Maps a temporary error (unreachable, full or busy) to `Unavailable`, and any other to `Failed`.
impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            Failure::Driver(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default().into_owned();
                let temporary = is_temporary(&code);
                let error = ServerError { code, message: error.message().to_owned() };
                if temporary { Self::unavailable(error) } else { Self::failed(error) }
            }
            Failure::Driver(
                error @ (sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::WorkerCrashed),
            ) => Self::unavailable(error),
            Failure::Driver(error) => Self::failed(error),
        }
    }
}

impl<R: Resource> From<Failure> for RecordError<R> {
    fn from(failure: Failure) -> Self {
        StoreError::from(failure).into()
    }
}

impl From<Failure> for OpenSessionError {
    fn from(failure: Failure) -> Self {
        StoreError::from(failure).into()
    }
}

impl From<Failure> for RotationError {
    fn from(failure: Failure) -> Self {
        StoreError::from(failure).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_errors_are_unavailable_and_others_are_failed() {
        for temporary in ["08006", "25006", "28P01", "3D000", "40001", "40P01", "53100", "53300", "57014", "57P01"] {
            assert!(is_temporary(temporary), "{temporary}");
        }
        for failed in ["", "0A000", "22003", "23505", "23514", "42P01", "42703", "XX001"] {
            assert!(!is_temporary(failed), "{failed}");
        }
        let error = |error| StoreError::from(Failure::Driver(error));
        assert!(matches!(error(sqlx::Error::WorkerCrashed), StoreError::Unavailable(_)));
        assert!(matches!(error(sqlx::Error::RowNotFound), StoreError::Failed(_)));
    }

    #[test]
    fn connection_is_closed_after_errors_of_its_session() {
        for ends in ["08006", "25006", "25P03", "57P01", "57P02", "57P03", "57P05"] {
            assert!(ends_session(ends), "{ends}");
        }
        for continues in ["23505", "40001", "40P01", "53100", "55P03", "57014"] {
            assert!(!ends_session(continues), "{continues}");
        }
        assert!(!Failure::Driver(sqlx::Error::WorkerCrashed).leaves_connection_usable());
    }
}
