//! The record port of every resource, and the SQL that all tables share.

use async_trait::async_trait;
use domain::audit::Action;
use domain::record::{Patch as _, Record, RecordError, RecordResult, RecordStore};
use domain::{Actor, Id, Kind, Page, PageRequest, StoreError, Version};
use sqlx::AssertSqlSafe;

use crate::PostgresStore;
use crate::audit::{audited, with_event};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::rows;
use crate::table::{Assignments, Sql, Table};

#[async_trait]
impl<R: Table> RecordStore<R> for PostgresStore {
    async fn insert(&self, new: R::New, by: &Actor) -> RecordResult<R> {
        let inserted = insert::<R>(new, "", by, &mut self.pool.write(None).await?).await?;
        inserted.ok_or_else(|| Failure::from(sqlx::Error::RowNotFound).into())
    }

    async fn find(&self, id: Id<R::Kind>) -> Result<Option<Record<R>>, StoreError> {
        let found = self.pool.read().await?.fetch_optional(sqlx::query(R::SQL.find).bind(id.get())).await?;
        found.as_ref().map(rows::record).transpose()
    }

    /// Runs as a search, unless an index finds the only row. Each combination of conditions is a separate statement, so that
    /// a cached plan can use the matching index.
    async fn page(&self, filter: &R::Filter, request: PageRequest) -> Result<Page<Record<R>>, StoreError> {
        let conditions = R::conditions(filter);
        let is_point = conditions.is_point;
        let Sql { table, columns, .. } = R::SQL;
        let page = format!("SELECT {columns} FROM {table} WHERE id > $1{} ORDER BY id LIMIT $2", conditions.sql);
        let page = sqlx::query(AssertSqlSafe(page)).bind(request.position()).bind(request.rows());
        let page = conditions.bind(page);
        let connection = if is_point { self.pool.read().await? } else { self.pool.search().await? };
        let found = { connection }.fetch_all(page).await?;
        Ok(Page::from_rows(found.iter().map(rows::record).collect::<Result<_, _>>()?, request))
    }

    async fn update(&self, id: Id<R::Kind>, expected: Option<Version>, patch: R::Patch, by: &Actor) -> RecordResult<R> {
        R::write_update(self, id, expected, &patch, by).await
    }

    async fn delete(&self, id: Id<R::Kind>, expected: Option<Version>, by: &Actor) -> RecordResult<R, ()> {
        R::write_delete(self, id, expected, by).await
    }
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
    let mut connection = store.pool.write(Some((R::Kind::NAME, id.get()))).await?;
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
    let deleted = store.pool.write(Some((R::Kind::NAME, id.get()))).await?.execute(delete).await?;
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
