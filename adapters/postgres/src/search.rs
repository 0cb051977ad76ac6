//! Search for names by an index of their grams.
//!
//! The index has no order, and the planner reads the whole table in order of id if it expects many matches. So a search decides by the
//! statistics of the grams: it reads windows of the next rows in order of id, which suffices for frequent names, or the index, which
//! finds few.

use domain::record::Record;
use domain::{PageRequest, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::gram_statistics::GramStatistics;
use crate::rows;
use crate::table::{PgQuery, Sql, Table};

/// Maximum number of rows without a search form that are checked one by one.
const UNINDEXED: usize = 1_000;

/// A search for names that contain a part.
pub(crate) struct Search {
    /// The search form of the part.
    pub part: String,
    /// Grams of every name that contains the part, at least one.
    pub grams: Vec<String>,
}

impl Search {
    /// The first records that match, at least as many as the request needs unless there are fewer. `None` if too many rows are not in
    /// the index.
    pub async fn page<R: Table>(
        &self,
        filter: &R::Filter,
        request: &PageRequest,
        statistics: &GramStatistics,
        connection: &mut Connection<'_>,
    ) -> Result<Option<Vec<Record<R>>>, StoreError> {
        let mut estimate = statistics.estimate::<R>(&self.grams, connection).await?;
        let (mut position, mut found, mut is_last) = (request.position(), Vec::new(), false);
        let mut window = estimate.window(usize::from(request.size.get()) + 1);
        while let Some(size) = window {
            let rows = connection.fetch_all(self.window::<R>(position, size, request.rows())).await?;
            let before = found.len();
            found.extend(matching::<R>(&rows, filter)?);
            if found.len() > usize::from(request.size.get()) {
                return Ok(Some(found));
            }
            // Rows that are not in the index do not match, and the window has more.
            if rows.len() > usize::from(request.size.get()) {
                break;
            }
            if is_last {
                return Ok(Some(found));
            }
            if connection.fetch_optional(has_more::<R>(position, size)).await?.is_none() {
                // Read again, because rows of the window may have been deleted since.
                is_last = true;
                found.truncate(before);
                continue;
            }
            estimate.correct(found.len() - before, size);
            window = estimate.window(usize::from(request.size.get()) + 1 - found.len());
            position = found.last().map_or(position, |last| last.id.get());
        }
        let rows = connection.fetch_all(self.index::<R>(request)).await?;
        let mut unindexed = 0;
        for row in &rows {
            unindexed += usize::from(row.try_get::<bool, _>("is_unindexed").map_err(Failure::from)?);
        }
        if unindexed < UNINDEXED { Ok(Some(matching(&rows, filter)?)) } else { Ok(None) }
    }

    /// Finds matches in the next rows in order of id.
    fn window<R: Table>(&self, position: i64, window: u32, rows: i64) -> PgQuery {
        let Sql { table, columns, .. } = R::SQL;
        // The window is a constant, by which the planner chooses the index of ids.
        let sql = format!(
            "SELECT {columns} FROM (SELECT {columns}, name_search FROM {table} WHERE id > $1 ORDER BY id LIMIT {window}) AS next \
             WHERE name_search IS NULL OR position($3 IN name_search) > 0 ORDER BY id LIMIT $2"
        );
        sqlx::query(AssertSqlSafe(sql)).bind(position).bind(rows).bind(self.part.clone())
    }

    /// Finds matches by the index, and the rows that are not in it. One statement, so that both read the same state. No index has
    /// `id + 0`: one of ids would find half of the table.
    fn index<R: Table>(&self, request: &PageRequest) -> PgQuery {
        let Sql { table, columns, .. } = R::SQL;
        let sql = format!(
            "SELECT * FROM ((SELECT {columns}, false AS is_unindexed FROM {table} WHERE id + 0 > $1 AND name_search IS NOT NULL \
             AND name_grams(name_search) @> $4 AND position($3 IN name_search) > 0 ORDER BY id + 0 LIMIT $2) \
             UNION ALL (SELECT {columns}, true FROM {table} WHERE id > $1 AND name_search IS NULL ORDER BY id LIMIT {UNINDEXED})) \
             AS found ORDER BY id"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(request.position()).bind(request.rows());
        query.bind(self.part.clone()).bind(self.grams.clone())
    }
}

/// The records that match.
fn matching<R: Table>(rows: &[PgRow], filter: &R::Filter) -> Result<Vec<Record<R>>, StoreError> {
    let records = rows.iter().map(rows::record).collect::<Result<Vec<Record<R>>, _>>()?;
    Ok(records.into_iter().filter(|record| record.fields.matches(filter)).collect())
}

/// Returns a row if there are rows after a window.
fn has_more<R: Table>(position: i64, window: u32) -> PgQuery {
    let sql = format!("SELECT id FROM {} WHERE id > $1 ORDER BY id OFFSET {window} LIMIT 1", R::SQL.table);
    sqlx::query(AssertSqlSafe(sql)).bind(position)
}
