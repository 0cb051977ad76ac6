//! What can go wrong in `SQLite`, and what that means to the domain.

use domain::StoreError;
use rusqlite::{Error as SqliteError, ErrorCode, ffi};
use thiserror::Error;

/// Why a statement gave no answer.
#[derive(Debug, Error)]
pub enum Failure {
    #[error(transparent)]
    Sqlite(#[from] SqliteError),
    #[error(transparent)]
    Damaged(#[from] Damaged),
    #[error("the write panicked")]
    Panicked,
}

/// A row holds what no program could have stored. Names the place and the rule, never the value.
#[derive(Debug, Error)]
#[error("damaged data: {column} of row {id}: {rule}")]
pub struct Damaged {
    pub column: &'static str,
    pub id: i64,
    pub rule: String,
}

impl Failure {
    /// Whether the statement was refused for the sake of a unique index. Each table has exactly one beside
    /// its id, whose violation has a code of its own.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Sqlite(SqliteError::SqliteFailure(error, _))
            if error.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE)
    }

    /// Whether the same statement may succeed later.
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
