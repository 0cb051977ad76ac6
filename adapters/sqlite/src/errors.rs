//! `SQLite` errors, and their mapping to the domain's errors.

use domain::StoreError;
use rusqlite::{Error as SqliteError, ErrorCode, ffi};
use thiserror::Error;

/// Error of a statement.
#[derive(Debug, Error)]
pub enum Failure {
    #[error(transparent)]
    Sqlite(#[from] SqliteError),
    #[error(transparent)]
    Damaged(#[from] Damaged),
    #[error("the write panicked")]
    Panicked,
}

/// A row violates a rule of the domain. Contains the column and the rule, never the value.
#[derive(Debug, Error)]
#[error("damaged data: {column} of row {id}: {rule}")]
pub struct Damaged {
    pub column: &'static str,
    pub id: i64,
    pub rule: String,
}

impl Failure {
    /// The column of the violated unique index, without its table.
    pub fn violated_column(&self) -> Option<&str> {
        let Self::Sqlite(SqliteError::SqliteFailure(error, Some(message))) = self else { return None };
        let is_unique = error.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE;
        // Only the message contains the column, as in `UNIQUE constraint failed: students.roll_no`.
        message.rsplit_once('.').map(|(_, column)| column).filter(|_| is_unique)
    }

    /// Returns `true` if the same statement may succeed later.
    fn is_temporary(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(
                ErrorCode::DiskFull
                    | ErrorCode::SystemIoFailure
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::CannotOpen
                    | ErrorCode::ReadOnly
            )
        )
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        if failure.is_temporary() { Self::unavailable(failure) } else { Self::failed(failure) }
    }
}
