//! Decoding of rows into the domain's types, with every rule checked.

use domain::record::Record;
use domain::user::Attempts;
use domain::{Order, SortKeyKind, SortValue, StoreError, Text, Version};
use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row, Type};
use time::OffsetDateTime;

use crate::failure::{Damaged, Failure};
use crate::instant::Instant;
use crate::table::Table;

/// Reads the columns of one row from left to right.
pub(crate) struct Columns<'r> {
    row: &'r PgRow,
    table: &'static str,
    id: i64,
    next: usize,
}

impl<'r> Columns<'r> {
    /// The first column is the id.
    pub fn new(row: &'r PgRow, table: &'static str) -> Result<Self, StoreError> {
        Ok(Self { row, table, id: row.try_get(0).map_err(Failure::from)?, next: 1 })
    }

    /// The next column, parsed by the domain.
    pub fn next<V: Decode<'r, Postgres> + Type<Postgres>, T, E>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(V) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        let value = self.row.try_get(self.next).map_err(|_| self.damaged(column))?;
        self.next += 1;
        parse(value).map_err(|_| self.damaged(column))
    }

    /// The next column, parsed as a text type of the domain.
    pub fn text<T: Text>(&mut self, column: &'static str) -> Result<T, StoreError> {
        self.next(column, |text: &str| T::stored(text))
    }

    pub fn text_if_any<T: Text>(&mut self, column: &'static str) -> Result<Option<T>, StoreError> {
        self.next(column, |text: Option<&str>| text.map(T::stored).transpose())
    }

    pub fn time(&mut self, column: &'static str) -> Result<OffsetDateTime, StoreError> {
        self.next(column, |at: Instant| Ok::<_, ()>(at.0))
    }

    pub fn time_if_any(&mut self, column: &'static str) -> Result<Option<OffsetDateTime>, StoreError> {
        self.next(column, |at: Option<Instant>| Ok::<_, ()>(at.map(|at| at.0)))
    }

    pub fn attempts(&mut self) -> Result<Attempts, StoreError> {
        let failures = self.next("failed_logins", u32::try_from as fn(i32) -> _)?;
        Ok(Attempts::new(failures, self.time_if_any("next_login_at")?))
    }

    /// The id, the first column.
    pub fn id<I: TryFrom<i64>>(&self) -> Result<I, StoreError> {
        self.id.try_into().map_err(|_| self.damaged("id"))
    }

    pub fn version(&mut self) -> Result<Version, StoreError> {
        self.next("version", |number| Version::new(number).ok_or(()))
    }

    /// The columns of a record that was joined with LEFT JOIN.
    pub fn joined_record<R: Table>(&mut self) -> Result<Option<Record<R>>, StoreError> {
        let id: Option<i64> = self.next("id", Ok::<_, ()>)?;
        let Some(id) = id else { return Ok(None) };
        self.id = id;
        self.record().map(Some)
    }

    /// The columns of [`Sql::columns`](crate::table::Sql::columns).
    pub fn record<R: Table>(&mut self) -> Result<Record<R>, StoreError> {
        Ok(Record {
            id: self.id()?,
            fields: R::read(self)?,
            version: self.version()?,
            created_at: self.time("created_at")?,
            updated_at: self.time("updated_at")?,
        })
    }

    fn damaged(&self, column: &'static str) -> StoreError {
        StoreError::failed(Damaged { table: self.table, id: self.id, column })
    }
}

/// The record in a row of [`Sql::columns`](crate::table::Sql::columns).
pub(crate) fn record<R: Table>(row: &PgRow) -> Result<Record<R>, StoreError> {
    Columns::new(row, R::SQL.table)?.record()
}

/// The column `sort_value` of a list in this order; `None` if it is in order of id.
pub(crate) fn sort_value(row: &PgRow, order: Order) -> Result<Option<SortValue>, StoreError> {
    let Some(key) = order.key else { return Ok(None) };
    let value = match key.kind {
        SortKeyKind::Number => row.try_get("sort_value").map(SortValue::Number),
        SortKeyKind::Text => row.try_get("sort_value").map(SortValue::Text),
    };
    Ok(Some(value.map_err(Failure::from)?))
}
