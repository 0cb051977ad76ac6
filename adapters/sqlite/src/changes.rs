//! The feed of changes of students, which triggers write.

use async_trait::async_trait;
use domain::student::{Change, ChangeFeed, ChangePosition, ChangeToken, Changes, ChangesError, FeedState, Student};
use domain::{PageSize, Reach, StoreError};
use rusqlite::{Connection, Row};
use time::OffsetDateTime;

use crate::SqliteStore;
use crate::errors::Failure;
use crate::rows::{self, Columns, micros};
use crate::table::Table;
use crate::writer::TxError;

const STATE: &str = "SELECT feed, deleted, coalesce((SELECT max(number) FROM student_changes), 0) FROM student_feed";
const FIRST: &str = "SELECT number, changed_at FROM student_changes ORDER BY number LIMIT ?1";
const DELETE: &str = "DELETE FROM student_changes WHERE number <= ?1";
const MARK_DELETED: &str = "UPDATE student_feed SET deleted = max(deleted, ?1)";
const RENEW: &str = "UPDATE student_feed SET feed = random()";

fn changes_after(connection: &Connection, after: i64, limit: i64) -> Result<Vec<(Change, ChangePosition)>, Failure> {
    let sql = format!(
        "SELECT student_id, student_version, changed_at, number, {} FROM \
         (SELECT * FROM student_changes WHERE number > ?1 ORDER BY number LIMIT ?2) \
         LEFT JOIN students ON id = student_id ORDER BY number",
        Student::SQL.columns
    );
    rows::all(connection, &sql, (after, limit), change)
}

fn change(row: &Row<'_>) -> Result<(Change, ChangePosition), Failure> {
    let mut columns = Columns::new(row)?;
    let (student_id, version, at) = (columns.id()?, columns.version()?, columns.time("changed_at")?);
    let number = columns.next("number", Ok::<_, &str>)?;
    let student = columns.joined_record()?;
    Ok((Change { student_id, version, at, student }, position(number)))
}

const fn position(number: i64) -> ChangePosition {
    ChangePosition { transaction: 0, number }
}

/// Makes the feed of a restored store another one.
pub fn renew(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute(RENEW, []).map(drop)
}

impl SqliteStore {
    /// The state of the feed. A copied file is another feed, also if it was not restored by the program.
    fn feed_state(&self) -> impl FnOnce(&Connection) -> Result<FeedState, Failure> + use<> {
        let file = self.file.number();
        move |connection| {
            let state = |row: &Row<'_>| {
                Ok(FeedState {
                    feed: row.get::<_, i64>(0)? ^ file,
                    deleted: position(row.get(1)?),
                    last: position(row.get(2)?),
                })
            };
            Ok(connection.prepare_cached(STATE)?.query_row([], state)?)
        }
    }
}

#[async_trait]
impl ChangeFeed for SqliteStore {
    async fn changes(&self, after: ChangeToken, size: PageSize) -> Result<Changes, ChangesError> {
        self.file.check().map_err(StoreError::unavailable)?;
        let state = self.feed_state();
        let read = move |connection: &Connection| {
            let _snapshot = connection.unchecked_transaction().map_err(Failure::from)?;
            let limit = i64::from(size.get()) + 1;
            Ok((state(connection)?, changes_after(connection, after.position.number, limit)?))
        };
        let (state, found) = self.read(Reach::Page, read).await?;
        state.check(after)?;
        Ok(Changes::from_rows(found, after, size, None))
    }

    async fn latest(&self) -> Result<ChangeToken, StoreError> {
        self.file.check().map_err(StoreError::unavailable)?;
        Ok(self.points.with(self.feed_state())?.latest())
    }

    async fn delete_before(&self, before: OffsetDateTime, limit: u32) -> Result<u64, StoreError> {
        let before = micros(before);
        let delete = move |connection: &Connection| {
            let first = rows::all(connection, FIRST, [limit], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
            let last: Option<(i64, _)> = first.into_iter().take_while(|(_, at)| *at < before).last();
            let Some((last, _)) = last else { return Ok::<_, TxError<StoreError>>(0) };
            connection.prepare_cached(MARK_DELETED)?.execute([last])?;
            Ok(connection.prepare_cached(DELETE)?.execute([last])? as u64)
        };
        self.writer.write(delete).await
    }
}
