//! Mapping of a resource to its table.

use domain::record::Resource;
use domain::{Actor, Id, Version};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::errors::Failure;
use crate::records::{self, Written};
use crate::rows::Columns;

/// A resource with a table. Every table also has the columns `id`, `version`, `created_at` and `updated_at`.
pub trait Table: Resource {
    /// Created by [`sql!`].
    const SQL: Sql;

    /// The columns of a new record.
    fn insert(new: Self::New) -> Assignments;

    /// The columns that a patch changes.
    fn update(patch: &Self::Patch) -> Assignments;

    /// Reads the columns that [`Table::SQL`] lists, in their order.
    fn read(columns: &mut Columns<'_>) -> Result<Self, Failure>;

    /// Maps a violated unique column to the domain's rule.
    fn conflict(column: &str) -> Option<Self::Conflict>;

    /// The conditions of a filter.
    fn conditions(filter: &Self::Filter) -> Conditions {
        let _ = filter;
        Conditions::default()
    }

    /// Statements of a search, each of which finds candidates in order of id after a position, and their parameters. Together they
    /// find every record that matches the filter. `None` if there is no index for the search.
    fn search(filter: &Self::Filter, position: i64) -> Option<[(String, Vec<Value>); 2]> {
        let _ = (filter, position);
        None
    }

    /// The SQL expression of a key of [`Filter::SORT_KEYS`](domain::Filter).
    fn sort_expression(key: &'static str) -> &'static str {
        key
    }

    /// Checks the conditions that the database cannot check on every row.
    fn matches(&self, filter: &Self::Filter) -> bool {
        let _ = filter;
        true
    }

    /// Updates a record with its events. Override for rules beyond the table's constraints.
    fn write_update(
        connection: &Connection,
        id: Id<Self::Kind>,
        expected: Option<Version>,
        patch: &Self::Patch,
        by: &Actor,
    ) -> Written<Self> {
        records::update(connection, id, expected, patch, by)
    }

    /// Deletes a record with its event. Override for rules beyond the table's constraints.
    fn write_delete(
        connection: &Connection,
        id: Id<Self::Kind>,
        expected: Option<Version>,
        by: &Actor,
    ) -> Written<Self, ()> {
        records::delete::<Self>(connection, id, expected, by)
    }
}

/// Names and static SQL of a table.
pub struct Sql {
    pub table: &'static str,
    /// Columns that reads select: the id, the resource's own columns, the version and the times.
    pub columns: &'static str,
    pub find: &'static str,
}

/// Builds the [`Sql`] of a table from its name and its own columns.
macro_rules! sql {
    ($table:literal, $columns:expr) => {
        $crate::table::Sql {
            table: $table,
            columns: concat!("id, ", $columns, ", version, created_at, updated_at"),
            find: concat!("SELECT id, ", $columns, ", version, created_at, updated_at FROM ", $table, " WHERE id = ?1"),
        }
    };
}
pub(crate) use sql;

/// Columns with their new values.
#[derive(Default)]
pub struct Assignments(pub Vec<(&'static str, Value)>);

impl Assignments {
    /// Sets a column, unless the value is `None`.
    #[must_use]
    pub fn set(mut self, column: &'static str, value: Option<impl Into<Value>>) -> Self {
        self.0.extend(value.map(|value| (column, value.into())));
        self
    }
}

/// Conditions on a row, joined by AND.
#[derive(Default)]
pub struct Conditions {
    /// SQL that starts with AND, or empty.
    pub sql: String,
    pub values: Vec<Value>,
}

impl Conditions {
    /// The column equals the value.
    #[must_use]
    pub fn equals(mut self, column: &str, value: Option<impl Into<Value>>) -> Self {
        self.and(value, |parameter| format!("{column} = {parameter}"));
        self
    }

    /// The column equals one of two texts.
    #[must_use]
    pub fn one_of(mut self, column: &str, texts: Option<[String; 2]>) -> Self {
        if let Some(texts) = texts {
            self.values.extend(texts.map(Value::Text));
            self.sql += " AND ";
            self.sql += column;
            self.sql += " IN (?, ?)";
        }
        self
    }

    fn and(&mut self, value: Option<impl Into<Value>>, condition: impl FnOnce(&str) -> String) {
        if let Some(value) = value {
            self.values.push(value.into());
            self.sql += " AND ";
            self.sql += &condition("?");
        }
    }
}
