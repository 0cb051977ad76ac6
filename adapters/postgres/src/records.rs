//! The record port of every resource, and the SQL that all tables share.

use async_trait::async_trait;
use domain::audit::Action;
use domain::record::{Patch as _, Record, RecordError, RecordResult, RecordStore, Visiting};
use domain::{Actor, Id, Kind, Order, Page, PageRequest, StoreError, Version};
use sqlx::AssertSqlSafe;

use crate::PostgresStore;
use crate::audit::{audited, with_event};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::gram_statistics::GramStatistics;
use crate::pool::BULK_TIMEOUT;
use crate::rows;
use crate::table::{Assignments, PgQuery, Sql, Table};

/// Number of rows of each read of a page after the first one.
const ROWS_OF_LATER_READS: i64 = 1_000;

#[async_trait]
impl<R: Table> RecordStore<R> for PostgresStore {
    async fn insert(&self, new: R::New, by: &Actor) -> RecordResult<R> {
        let inserted = insert::<R>(new, "", by, &mut self.pool.write((R::Kind::NAME, None)).await?).await?;
        inserted.ok_or_else(|| Failure::from(sqlx::Error::RowNotFound).into())
    }

    async fn find(&self, id: Id<R::Kind>) -> Result<Option<Record<R>>, StoreError> {
        let found = self.pool.read().await?.fetch_optional(sqlx::query(R::SQL.find).bind(id.get())).await?;
        found.as_ref().map(rows::record).transpose()
    }

    async fn page(&self, filter: &R::Filter, request: PageRequest) -> Result<Page<Record<R>>, StoreError> {
        read_page(&mut self.pool.read_by(filter).await?, &self.gram_statistics, filter, request).await
    }

    async fn export<'v>(&self, filter: &R::Filter, visitor: Visiting<'v, R>) -> Result<(), StoreError> {
        let mut snapshot = self.pool.begin_export().await?;
        let mut request = PageRequest::LARGEST;
        loop {
            let Page { entries, next } =
                read_page(&mut snapshot, &self.gram_statistics, filter, request.clone()).await?;
            if visitor.visit(entries).await.is_break() || next.is_none() {
                return Ok(());
            }
            request.after = next;
            snapshot.continue_for(BULK_TIMEOUT);
        }
    }

    async fn update(&self, id: Id<R::Kind>, expected: Option<Version>, patch: R::Patch, by: &Actor) -> RecordResult<R> {
        R::write_update(self, id, expected, &patch, by).await
    }

    async fn delete(&self, id: Id<R::Kind>, expected: Option<Version>, by: &Actor) -> RecordResult<R, ()> {
        R::write_delete(self, id, expected, by).await
    }
}

/// Reads the records of a page. If not every row matches, which the database cannot check, more rows are read until the page is full.
async fn read_page<R: Table>(
    connection: &mut Connection<'_>,
    statistics: &GramStatistics,
    filter: &R::Filter,
    request: PageRequest,
) -> Result<Page<Record<R>>, StoreError> {
    if let Some(search) = R::search(filter).filter(|_| request.order == Order::BY_ID)
        && let Some(found) = search.page::<R>(filter, &request, statistics, connection).await?
    {
        return Ok(Page::from_rows(found, request.size));
    }
    let (mut next, mut rows) = (request.clone(), request.rows());
    let mut found = Vec::new();
    loop {
        let read = connection.fetch_all(page::<R>(filter, &next, rows)).await?;
        let read = read.iter().map(|row| Ok((rows::record(row)?, rows::sort_value(row, request.order)?)));
        let read = read.collect::<Result<Vec<(Record<R>, _)>, StoreError>>()?;
        let continued = read.last().map(|last| request.continued(last));
        let is_last = i64::try_from(read.len()).is_ok_and(|length| length < rows);
        found.extend(read.into_iter().filter(|(record, _)| record.fields.matches(filter)));
        match continued {
            Some(continued) if !is_last && found.len() <= usize::from(request.size.get()) => next = continued,
            _ => return Ok(Page::from_sorted_rows(found, &request)),
        }
        rows = ROWS_OF_LATER_READS;
    }
}

/// Reads rows of a list. Each combination of conditions is a separate statement, so that a cached plan can use the matching index.
fn page<R: Table>(filter: &R::Filter, request: &PageRequest, rows: i64) -> PgQuery {
    let mut conditions = R::conditions(filter);
    let Sql { table, columns, .. } = R::SQL;
    let (comparison, direction) = if request.order.descending { ("<", " DESC") } else { (">", "") };
    let key = request.order.key.map(|key| R::sort_expression(key.name));
    let (sort_value, order) = match key {
        Some(key) => (format!(", {key} AS sort_value"), format!("{key}{direction}, ")),
        None => Default::default(),
    };
    let position = match (key, request.after.as_ref().and_then(|after| after.value.clone())) {
        (Some(key), Some(value)) => format!("({key}, id) {comparison} ({}, $1)", conditions.add_sort_value(value)),
        _ => format!("id {comparison} $1"),
    };
    let page = format!(
        "SELECT {columns}{sort_value} FROM {table} WHERE {position}{} ORDER BY {order}id{direction} LIMIT $2",
        conditions.sql
    );
    conditions.bind(sqlx::query(AssertSqlSafe(page)).bind(request.position()).bind(rows))
}

/// Updates a record with its event, in one statement.
pub(crate) async fn update<R: Table>(
    store: &PostgresStore,
    id: Id<R::Kind>,
    expected: Option<Version>,
    patch: &R::Patch,
    by: &Actor,
) -> RecordResult<R> {
    let set = R::update(patch);
    let update = with_event::<R::Kind>(&update_statement::<R>(&set, 7), R::SQL.columns);
    let update = audited(update, by, &Action::updated::<R::Kind>(), patch.detail());
    let update = set.bind(update.bind(id.get()).bind(expected.map(Version::get)).bind(by.at));
    let mut connection = store.pool.write((R::Kind::NAME, Some(id.get()))).await?;
    let updated = connection.fetch_optional(update).await.map_err(rejected)?;
    drop(connection);
    match updated {
        Some(row) => Ok(rows::record(&row)?),
        None => Err(unmatched(store, id, expected).await),
    }
}

/// Deletes a record with its event, in one statement.
pub(crate) async fn delete<R: Table>(
    store: &PostgresStore,
    id: Id<R::Kind>,
    expected: Option<Version>,
    by: &Actor,
) -> RecordResult<R, ()> {
    let delete = format!("DELETE FROM {} WHERE id = $7 AND version = COALESCE($8, version) RETURNING id", R::SQL.table);
    let delete = audited(with_event::<R::Kind>(&delete, "id"), by, &Action::deleted::<R::Kind>(), None);
    let delete = delete.bind(id.get()).bind(expected.map(Version::get));
    let deleted = store.pool.write((R::Kind::NAME, Some(id.get()))).await?.execute(delete).await?;
    match deleted {
        0 => Err(unmatched(store, id, expected).await),
        _ => Ok(()),
    }
}

/// Inserts a record with its event, if `condition` (SQL) holds.
pub(crate) async fn insert<R: Table>(
    new: R::New,
    condition: &str,
    by: &Actor,
    connection: &mut Connection<'_>,
) -> RecordResult<R, Option<Record<R>>> {
    let new = R::insert(new);
    let values: Vec<_> = (7..).take(new.columns.len()).map(|parameter| format!("${parameter}")).collect();
    let insert = format!(
        "INSERT INTO {} ({}, version, created_at, updated_at) SELECT {}, 1, $1, $1 {condition} RETURNING {}",
        R::SQL.table,
        new.columns.join(", "),
        values.join(", "),
        R::SQL.columns
    );
    let insert = with_event::<R::Kind>(&insert, R::SQL.columns);
    let insert = new.bind(audited(insert, by, &Action::created::<R::Kind>(), None));
    let row = connection.fetch_optional(insert).await.map_err(rejected)?;
    Ok(row.as_ref().map(rows::record).transpose()?)
}

/// The statement that updates a row. Its parameters start at `$first`: id, version, time, then the assigned values.
pub(crate) fn update_statement<R: Table>(set: &Assignments, first: usize) -> String {
    let columns = (first + 3..).zip(&set.columns);
    let set = columns.map(|(parameter, column)| format!("{column} = ${parameter}"));
    let set = set.chain([format!("version = version + 1, updated_at = ${}", first + 2)]).collect::<Vec<_>>().join(", ");
    format!(
        "UPDATE {} SET {set} WHERE id = ${first} AND version = COALESCE(${}, version) RETURNING {}",
        R::SQL.table,
        first + 1,
        R::SQL.columns
    )
}

/// The error of a statement that matched no row of this id. Ids and versions are never reused, so a later read suffices.
pub(crate) async fn unmatched<R: Table>(
    store: &PostgresStore,
    id: Id<R::Kind>,
    expected: Option<Version>,
) -> RecordError<R> {
    match (expected, RecordStore::<R>::find(store, id).await) {
        (_, Err(error)) => error.into(),
        (Some(_), Ok(Some(_))) => RecordError::Stale,
        (_, Ok(_)) => RecordError::NotFound,
    }
}

/// Maps a violated constraint to the domain's rule.
pub(crate) fn rejected<R: Table>(failure: Failure) -> RecordError<R> {
    match failure.violated_constraint().and_then(R::conflict) {
        Some(conflict) => RecordError::Rejected(conflict),
        None => failure.into(),
    }
}
