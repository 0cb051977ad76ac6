//! What a failure of the driver means to the domain.

use domain::StoreError;
use thiserror::Error;

/// What the server said: without the detail, which can quote a whole row.
#[derive(Debug, Error)]
#[error("PostgreSQL answered {code}: {message}")]
struct Answer {
    code: String,
    message: String,
}

/// A row breaks a rule that the domain's types hold.
#[derive(Debug, Error)]
#[error("the row {id} of {table} is damaged in {column}")]
pub(crate) struct Damaged {
    pub table: &'static str,
    pub id: i64,
    pub column: &'static str,
}

/// Tells a store that is away, full or busy from one that failed.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            let away = is_away(&code);
            let answer = Answer { code, message: error.message().to_owned() };
            if away { StoreError::unavailable(answer) } else { StoreError::failed(answer) }
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => StoreError::unavailable(error),
        _ => StoreError::failed(error),
    }
}

/// Whether an SQLSTATE says that the same call may succeed later (Postgres, appendix A).
fn is_away(code: &str) -> bool {
    match code {
        // Read-only (a standby, or a disk that is nearly full), idle in transaction, serialization,
        // deadlock, lock not available.
        "25006" | "25P03" | "40001" | DEADLOCK | "55P03" => true,
        // Connections; authorization and unknown database (an operator is at work); resources; intervention.
        _ => ["08", "28", "3D", "53", "57"].iter().any(|class| code.starts_with(class)),
    }
}

const DEADLOCK: &str = "40P01";

pub(crate) fn is_deadlock(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some(DEADLOCK))
}

/// The name of the constraint that `error` is a violation of.
pub(crate) fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.constraint()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_unavailable_and_what_stays_is_failed() {
        for away in ["08006", "25006", "28P01", "3D000", "40001", "40P01", "53100", "53300", "57014", "57P01"] {
            assert!(is_away(away), "{away}");
        }
        for failed in ["", "0A000", "22003", "23505", "23514", "42P01", "42703", "XX001"] {
            assert!(!is_away(failed), "{failed}");
        }
        assert!(matches!(store_error(sqlx::Error::PoolTimedOut), StoreError::Unavailable(_)));
        assert!(matches!(store_error(sqlx::Error::RowNotFound), StoreError::Failed(_)));
    }
}
