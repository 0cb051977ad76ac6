//! The versions of the schema, and the way from each to the next.
//!
//! A change expands first and contracts in a later release: a program accepts a schema newer than it knows,
//! unless the database says in `compatibility` that it has contracted beyond it.

use rusqlite::{Connection, TransactionBehavior};

use crate::open::Why;

/// Step `n` leads from version `n` to `n + 1`; a step is never changed once it was released.
const MIGRATIONS: [&str; 2] = [
    include_str!("../migrations/0001_users_and_students.sql"),
    include_str!("../migrations/0002_sessions_and_audit.sql"),
];

/// The newest version that this program knows.
#[expect(clippy::cast_possible_truncation, reason = "a handful of steps")]
const KNOWN: u32 = MIGRATIONS.len() as u32;

/// Marks a file as ours: `Roll` in ASCII.
const APPLICATION_ID: i32 = 0x526f_6c6c;

/// Fails where the file holds another program's tables.
pub fn refuse_foreign(connection: &Connection) -> Result<(), Why> {
    let ours = connection.query_row(
        "SELECT application_id = ?1 OR NOT EXISTS (SELECT 1 FROM sqlite_schema) FROM pragma_application_id",
        [APPLICATION_ID],
        |row| row.get(0),
    )?;
    if ours { Ok(()) } else { Err(Why::Foreign) }
}

/// Brings the schema up to date, and tells its version. Of several at once one migrates, and the others find
/// it done.
pub fn migrate(connection: &mut Connection) -> Result<u32, Why> {
    if version(connection)? < KNOWN {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let from = version(&transaction)?;
        for step in MIGRATIONS.iter().skip(from as usize) {
            transaction.execute_batch(step)?;
        }
        if from < KNOWN {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", KNOWN)?;
        }
        transaction.commit()?;
    }
    let needed = connection.query_row("SELECT least_version FROM compatibility", [], |row| row.get(0))?;
    if needed > KNOWN {
        return Err(Why::ProgramTooOld { needed, known: KNOWN });
    }
    Ok(version(connection)?)
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
