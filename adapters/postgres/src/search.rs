//! Search for names by an index of their grams.
//!
//! The index has no order, and the planner reads the whole table in order of id if it expects many matches. So a search first reads
//! the next rows in order of id, which suffices for frequent names, and then uses the index, which finds few.

use domain::record::Record;
use domain::{Cursor, PageRequest, StoreError};
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
        let (mut next, mut found) = (request.clone(), Vec::new());
        loop {
            let rows = connection.fetch_all(self.window::<R>(&next)).await?;
            let before = found.len();
            for row in &rows {
                let record: Record<R> = rows::record(row)?;
                found.extend(Some(record).filter(|record| record.fields.matches(filter)));
            }
            if found.len() > usize::from(request.size.get()) {
                return Ok(Some(found));
            }
            // Where one window fills half of the page, the next ones cost less than the index, which finds many.
            match found.last() {
                Some(last) if (found.len() - before) * 2 > usize::from(request.size.get()) => {
                    next.after = Some(Cursor::after(last, None, request.order));
                }
                _ => break,
            }
        }
        let rows = connection.fetch_all(self.index::<R>(request)).await?;
        let (mut unindexed, mut found) = (0, Vec::new());
        for row in &rows {
            unindexed += usize::from(row.try_get::<bool, _>("is_unindexed").map_err(Failure::from)?);
            let record: Record<R> = rows::record(row)?;
            found.extend(Some(record).filter(|record| record.fields.matches(filter)));
        }
        Ok(Some(found).filter(|_| unindexed < UNINDEXED))
    }

    /// Finds matches in the next rows in order of id.
    fn window<R: Table>(&self, request: &PageRequest) -> PgQuery {
        let Sql { table, columns, .. } = R::SQL;
        // Constants, by which the planner chooses the index of ids.
        let window = if request.size.get() > 100 { 50_000 } else { 10_000 };
        let sql = format!(
            "SELECT {columns} FROM (SELECT {columns}, name_search FROM {table} WHERE id > $1 ORDER BY id LIMIT {window}) AS next \
             WHERE name_search IS NULL OR position($3 IN name_search) > 0 ORDER BY id LIMIT $2"
        );
        sqlx::query(AssertSqlSafe(sql)).bind(request.position()).bind(request.rows()).bind(self.part.clone())
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
