//! The feed of changes of students, which triggers write.
//!
//! A change is visible once no transaction with a lower number runs: below the horizon. So no change becomes visible before one that
//! a follower has read, whatever the order of the commits. Any transaction of the cluster that runs long delays the feed.

use async_trait::async_trait;
use domain::student::{Change, ChangeFeed, ChangePosition, ChangeToken, Changes, ChangesError, FeedState, Student};
use domain::{PageSize, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};
use time::OffsetDateTime;

use crate::PostgresStore;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::instant::Instant;
use crate::rows::Columns;
use crate::table::Table as _;

/// The lowest number of a running transaction. A SQL expression.
const HORIZON: &str = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint";
/// The kind of a deletion for [`Pool::write`](crate::pool::Pool::write).
const KIND: &str = "student change";

/// A row of the feed with its position.
fn change(row: &PgRow) -> Result<(Change, ChangePosition), StoreError> {
    let mut columns = Columns::new(row, "student_changes")?;
    let (student_id, version, at) = (columns.id()?, columns.version()?, columns.time("changed_at")?);
    let mut number = |column| columns.next(column, Ok::<i64, ()>);
    let position = ChangePosition { transaction: number("transaction")?, number: number("number")? };
    let student = columns.joined_record()?;
    Ok((Change { student_id, version, at, student }, position))
}

async fn changes_after(
    after: ChangePosition,
    limit: i64,
    connection: &mut Connection<'_>,
) -> Result<Vec<(Change, ChangePosition)>, StoreError> {
    let sql = format!(
        "SELECT student_id, student_version, changed_at, transaction, number, {} FROM \
         (SELECT * FROM student_changes WHERE (transaction, number) > ($1, $2) AND transaction < {HORIZON} \
         ORDER BY transaction, number LIMIT $3) AS changes \
         LEFT JOIN students ON id = student_id ORDER BY transaction, number",
        Student::SQL.columns
    );
    let read = sqlx::query(AssertSqlSafe(sql)).bind(after.transaction).bind(after.number).bind(limit);
    connection.fetch_all(read).await?.iter().map(change).collect()
}

/// The state of the feed, and the time of the earliest hidden change. Numbers of transactions that do not exist yet are those of another
/// server: of a restored dump.
async fn state(connection: &mut Connection<'_>) -> Result<(FeedState, Option<OffsetDateTime>), Failure> {
    let sql = format!(
        "SELECT number_of_feed, coalesce(deleted_transaction, 0), coalesce(deleted_number, 0), \
         coalesce(last.transaction, 0), coalesce(last.number, 0), \
         (SELECT min(changed_at) FROM student_changes WHERE transaction >= {HORIZON} \
         AND transaction < pg_snapshot_xmax(pg_current_snapshot())::text::bigint) \
         FROM student_feed_number() AS number_of_feed LEFT JOIN student_feed ON feed = number_of_feed \
         LEFT JOIN LATERAL (SELECT transaction, number FROM student_changes WHERE transaction < {HORIZON} \
         ORDER BY transaction DESC, number DESC LIMIT 1) AS last ON true"
    );
    let row = connection.fetch_one(sqlx::query(AssertSqlSafe(sql))).await?;
    let position = |first| {
        Ok::<_, sqlx::Error>(ChangePosition { transaction: row.try_get(first)?, number: row.try_get(first + 1)? })
    };
    let state = FeedState { feed: row.try_get(0)?, deleted: position(1)?, last: position(3)? };
    Ok((state, row.try_get::<Option<Instant>, _>(5)?.map(|at| at.0)))
}

#[async_trait]
impl ChangeFeed for PostgresStore {
    /// The state is read last: then it contains each deletion that the changes lack.
    async fn changes(&self, after: ChangeToken, size: PageSize) -> Result<Changes, ChangesError> {
        let mut connection = self.pool.read().await.map_err(StoreError::from)?;
        let found = changes_after(after.position, i64::from(size.get()) + 1, &mut connection).await?;
        let (state, oldest_hidden) = state(&mut connection).await.map_err(StoreError::from)?;
        state.check(after)?;
        Ok(Changes::from_rows(found, after, size, oldest_hidden))
    }

    async fn latest(&self) -> Result<ChangeToken, StoreError> {
        Ok(state(&mut self.pool.read().await?).await?.0.latest())
    }

    async fn delete_before(&self, before: OffsetDateTime, limit: u32) -> Result<u64, StoreError> {
        let sql = format!(
            "WITH first AS (SELECT transaction, number, bool_and(changed_at < $1) OVER (ORDER BY transaction, number) AS is_old \
             FROM (SELECT * FROM student_changes WHERE transaction < {HORIZON} ORDER BY transaction, number LIMIT $2) AS first), \
             deleted AS (DELETE FROM student_changes USING first WHERE is_old \
             AND (student_changes.transaction, student_changes.number) = (first.transaction, first.number) \
             RETURNING student_changes.transaction, student_changes.number), \
             last AS (SELECT transaction, number FROM deleted ORDER BY transaction DESC, number DESC LIMIT 1), \
             marked AS (UPDATE student_feed SET feed = student_feed_number(), deleted_transaction = last.transaction, \
             deleted_number = last.number FROM last) \
             SELECT count(*) FROM deleted"
        );
        let mut transaction = self.pool.begin_bulk(KIND).await?;
        // One node deletes at a time, so that the mark never moves back.
        transaction.execute(sqlx::query("SELECT FROM student_feed FOR UPDATE")).await?;
        let delete = sqlx::query(AssertSqlSafe(sql)).bind(before).bind(i64::from(limit));
        let deleted: i64 = transaction.fetch_one(delete).await?.try_get(0).map_err(Failure::from)?;
        transaction.commit().await?;
        Ok(deleted.unsigned_abs())
    }
}
