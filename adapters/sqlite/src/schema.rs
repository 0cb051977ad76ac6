//! Schema versions and migrations.
//!
//! A change expands the schema first and contracts it in a later release. A program accepts a newer schema than its own,
//! unless the table `compatibility` requires a newer program.

use include_dir::{Dir, include_dir};
use rusqlite::{Connection, TransactionBehavior};

use crate::open::OpenErrorKind;

/// File `n` migrates version `n - 1` to `n`: `0001_initial.sql` and so on. A released file never changes.
static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/migrations");

/// `application_id` of a Rollbook database: `Roll` in ASCII.
const APPLICATION_ID: i32 = 0x526f_6c6c;

/// Fails if the file contains another program's tables.
pub fn reject_foreign(connection: &Connection) -> Result<(), OpenErrorKind> {
    let ours = connection.query_row(
        "SELECT application_id = ?1 OR NOT EXISTS (SELECT 1 FROM sqlite_schema) FROM pragma_application_id",
        [APPLICATION_ID],
        |row| row.get(0),
    )?;
    if ours { Ok(()) } else { Err(OpenErrorKind::Foreign) }
}

/// Migrates the schema, and returns its version. Of several concurrent processes, one migrates and the others wait.
pub fn migrate(connection: &mut Connection) -> Result<u32, OpenErrorKind> {
    let known = u32::try_from(MIGRATIONS.files().count()).unwrap_or(u32::MAX);
    if version(connection)? < known {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let from = version(&transaction)?;
        for step in MIGRATIONS.files().skip(from as usize) {
            transaction.execute_batch(step.contents_utf8().unwrap_or_default())?;
        }
        if from < known {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", known)?;
        }
        transaction.commit()?;
    }
    let needed = connection.query_row("SELECT least_version FROM compatibility", [], |row| row.get(0))?;
    if needed > known {
        return Err(OpenErrorKind::ProgramTooOld { needed, known });
    }
    Ok(version(connection)?)
}

pub fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_consecutively_from_one() {
        for (index, file) in MIGRATIONS.files().enumerate() {
            let name = file.path().to_str().unwrap();
            assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name}");
            assert!(file.contents_utf8().is_some(), "{name}");
        }
    }
}
