//! Consistent copies of a database file.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use crate::OpenError;
use crate::open::{self, OpenErrorKind};
use crate::{changes, schema};

/// Pause before the copy is tried again while another process locks the database.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Number of records in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contents {
    pub schema_version: u32,
    pub students: i64,
    pub users: i64,
}

/// Copies the database at `from` into the empty file `to`. Servers may write to `from` meanwhile; the copy contains every
/// write that was acknowledged before the call. The copy is complete without a log file. Blocks.
///
/// # Errors
/// [`OpenError`] if `from` cannot be read or `to` cannot be written.
pub fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    let source = open::connect(from, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(|kind| OpenError::new(from, kind))?;
    schema::reject_foreign(&source).map_err(|kind| OpenError::new(from, kind))?;
    copy_into(&source, to).map_err(|kind| OpenError::new(to, kind))
}

fn copy_into(source: &Connection, to: &Path) -> Result<(), OpenErrorKind> {
    let mut target = open::connect(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // All pages in one step, and so in one read transaction.
    Backup::new(source, &mut target)?.run_to_completion(i32::MAX, RETRY_DELAY, None)?;
    target.pragma_update(None, "journal_mode", "delete")?;
    Ok(())
}

/// Prepares a restored database: migrates its schema, and makes its feed of changes another one, because followers of the former store
/// may know changes that it does not contain. Blocks.
///
/// # Errors
/// [`OpenError`] if the file cannot be opened or its schema is incompatible.
pub fn adopt(path: &Path) -> Result<(), OpenError> {
    let (connection, _) = open::writer(path)?;
    changes::renew(&connection).map_err(|error| OpenError::new(path, error))
}

/// Checks the integrity of a database file, and counts its records. Blocks.
///
/// # Errors
/// [`OpenError`] if the file is damaged, empty or not a database of Rollbook.
pub fn verify(path: &Path) -> Result<Contents, OpenError> {
    contents(path).map_err(|kind| OpenError::new(path, kind))
}

fn contents(path: &Path) -> Result<Contents, OpenErrorKind> {
    let connection = open::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    schema::reject_foreign(&connection)?;
    let result: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if result != "ok" {
        return Err(OpenErrorKind::Damaged(result));
    }
    let schema_version = schema::version(&connection)?;
    if schema_version == 0 {
        return Err(OpenErrorKind::Empty);
    }
    let count = |statement| connection.query_row(statement, [], |row| row.get(0));
    Ok(Contents {
        schema_version,
        students: count("SELECT count(*) FROM students")?,
        users: count("SELECT count(*) FROM users")?,
    })
}
