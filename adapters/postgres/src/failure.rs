//! Mapping of driver errors to the domain's errors.

use domain::StoreError;
use thiserror::Error;

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

/// Maps a temporary error (unreachable, full or busy) to `Unavailable`, and any other to `Failed`.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            let temporary = is_temporary(&code);
            let error = ServerError { code, message: error.message().to_owned() };
            if temporary { StoreError::unavailable(error) } else { StoreError::failed(error) }
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => StoreError::unavailable(error),
        _ => StoreError::failed(error),
    }
}

/// Returns `true` if the same call may succeed later, by SQLSTATE (PostgreSQL documentation, appendix A).
fn is_temporary(code: &str) -> bool {
    match code {
        // Read-only (a standby, or a disk that is nearly full), idle in transaction, serialization,
        // deadlock, lock not available.
        "25006" | "25P03" | "40001" | DEADLOCK | "55P03" => true,
        // Connection (08), authorization (28), unknown database (3D), resources (53), operator intervention (57).
        _ => ["08", "28", "3D", "53", "57"].iter().any(|class| code.starts_with(class)),
    }
}

const DEADLOCK: &str = "40P01";

pub(crate) fn is_deadlock(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(DEADLOCK))
}

/// The name of the violated constraint.
pub(crate) fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.constraint()
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
        assert!(matches!(store_error(sqlx::Error::PoolTimedOut), StoreError::Unavailable(_)));
        assert!(matches!(store_error(sqlx::Error::RowNotFound), StoreError::Failed(_)));
    }
}
