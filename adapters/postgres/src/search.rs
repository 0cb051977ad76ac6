//! Search for names by an index of their grams.
//!
//! The index has no order, and the planner reads the whole table in order of id if it expects many matches. So a search first reads
//! windows of the next rows in order of id, which suffices for frequent names, and then uses the index, which finds few.

use domain::record::Record;
use domain::{PageRequest, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row as _};

use crate::connection::Connection;
use crate::failure::Failure;
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
        connection: &mut Connection<'_>,
    ) -> Result<Option<Vec<Record<R>>>, StoreError> {
        let window = if request.size.get() > 100 { 50_000 } else { 10_000 };
        let (mut position, mut found, mut is_last) = (request.position(), Vec::new(), false);
        loop {
            let rows = connection.fetch_all(self.window::<R>(position, window, request.rows())).await?;
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
            let rest = connection.fetch_one(rest::<R>(position, window)).await?;
            let matches = found.len() - before;
            let missing = usize::from(request.size.get()) + 1 - found.len();
            if !rest.try_get::<bool, _>(0).map_err(Failure::from)? {
                // Read again, because rows of the window may have been deleted since.
                (is_last, found) = (true, found.into_iter().take(before).collect());
            } else if is_frequent(matches, missing, window, rest.try_get(1).map_err(Failure::from)?)
                && let Some(last) = found.last()
            {
                position = last.id.get();
            } else {
                break;
            }
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

/// Whether there are rows after a window, and the approximate number of rows of the table.
fn rest<R: Table>(position: i64, window: u32) -> PgQuery {
    let table = R::SQL.table;
    let sql = format!(
        "SELECT EXISTS (SELECT FROM {table} WHERE id > $1 ORDER BY id OFFSET {window} LIMIT 1), \
         (SELECT reltuples FROM pg_class WHERE oid = '{table}'::regclass)"
    );
    sqlx::query(AssertSqlSafe(sql)).bind(position)
}

/// Whether the next windows cost less than the index: they read `missing * window / matches` rows, and the index as many as match in
/// the whole table, each of which takes three times as long.
fn is_frequent(matches: usize, missing: usize, window: u32, rows: f32) -> bool {
    let [matches, missing] = [matches, missing].map(|number| f64::from(u32::try_from(number).unwrap_or(u32::MAX)));
    let window = f64::from(window);
    missing * window * window <= 3.0 * matches * matches * f64::from(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_names_are_found_without_the_index() {
        assert!(is_frequent(25, 26, 10_000, 2e6) && !is_frequent(15, 36, 10_000, 2e6));
        assert!(is_frequent(15, 36, 10_000, 1e7) && !is_frequent(0, 51, 10_000, 1e9));
        assert!(!is_frequent(50, 1, 10_000, -1.0), "a table without statistics");
    }
}
