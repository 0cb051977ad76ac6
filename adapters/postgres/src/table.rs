//! Mapping of a resource to its table.

use domain::record::{RecordResult, Resource};
use domain::{Actor, Id, SortValue, StoreError, Version};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{Encode, Postgres, Type};

use crate::PostgresStore;
use crate::records;
use crate::rows::Columns;
use crate::search::Search;

pub(crate) type PgQuery = Query<'static, Postgres, PgArguments>;

/// A resource with a table. Every table also has the columns `id`, `version`, `created_at` and `updated_at`.
pub(crate) trait Table: Resource {
    /// Created by [`sql!`].
    const SQL: Sql;

    /// The columns of a new record.
    fn insert(new: Self::New) -> Assignments;

    /// The columns that a patch changes.
    fn update(patch: &Self::Patch) -> Assignments;

    /// Reads the columns that [`Table::SQL`] lists, in their order.
    fn read(columns: &mut Columns<'_>) -> Result<Self, StoreError>;

    /// Maps a violated constraint to the domain's rule.
    fn conflict(constraint: &str) -> Option<Self::Conflict>;

    /// The conditions of a filter.
    fn conditions(filter: &Self::Filter) -> Conditions {
        let _ = filter;
        Conditions::default()
    }

    /// The search by an index of grams. `None` if the filter is none, or if other conditions find fewer records.
    fn search(filter: &Self::Filter) -> Option<Search> {
        let _ = filter;
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
        store: &PostgresStore,
        id: Id<Self::Kind>,
        expected: Option<Version>,
        patch: &Self::Patch,
        by: &Actor,
    ) -> impl Future<Output = RecordResult<Self>> + Send {
        records::update(store, id, expected, patch, by)
    }

    /// Deletes a record with its event. Override for rules beyond the table's constraints.
    fn write_delete(
        store: &PostgresStore,
        id: Id<Self::Kind>,
        expected: Option<Version>,
        by: &Actor,
    ) -> impl Future<Output = RecordResult<Self, ()>> + Send {
        records::delete(store, id, expected, by)
    }
}

/// Names and static SQL of a table.
pub(crate) struct Sql {
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
            find: concat!("SELECT id, ", $columns, ", version, created_at, updated_at FROM ", $table, " WHERE id = $1"),
        }
    };
}
pub(crate) use sql;

/// A value that can be bound to a query.
pub(crate) trait Bound: for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + 'static {}

impl<T: for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + 'static> Bound for T {}

/// Binds one value to a query.
type Bind = Box<dyn FnOnce(PgQuery) -> PgQuery + Send>;

fn bind(value: impl Bound) -> Bind {
    Box::new(|query| query.bind(value))
}

/// Columns with their new values.
#[derive(Default)]
pub(crate) struct Assignments {
    pub columns: Vec<&'static str>,
    values: Vec<Bind>,
}

impl Assignments {
    /// Sets a column, unless the value is `None`.
    pub fn set(mut self, column: &'static str, value: Option<impl Bound>) -> Self {
        if let Some(value) = value {
            self.columns.push(column);
            self.values.push(bind(value));
        }
        self
    }

    /// Binds the values in the order of the columns.
    pub fn bind(self, query: PgQuery) -> PgQuery {
        self.values.into_iter().fold(query, |query, bind| bind(query))
    }
}

/// Conditions on a row, joined by AND.
#[derive(Default)]
pub(crate) struct Conditions {
    /// SQL that starts with AND, or empty.
    pub sql: String,
    values: Vec<Bind>,
}

impl Conditions {
    /// Number of the first parameter. The parameters before it are the position and size of the page.
    const FIRST: usize = 3;

    /// The column equals the value.
    pub fn equals(mut self, column: &str, value: Option<impl Bound>) -> Self {
        self.and(value, |parameter| format!("{column} = {parameter}"));
        self
    }

    /// The column equals one of two texts.
    pub fn one_of(mut self, column: &str, texts: Option<[String; 2]>) -> Self {
        self.and(texts.map(Vec::from), |parameter| format!("{column} = ANY({parameter})"));
        self
    }

    /// The column contains the text, or is null.
    pub fn contains_or_null(mut self, column: &str, text: Option<String>) -> Self {
        self.and(text, |parameter| format!("({column} IS NULL OR position({parameter} IN {column}) > 0)"));
        self
    }

    fn and(&mut self, value: Option<impl Bound>, condition: impl FnOnce(&str) -> String) {
        if let Some(value) = value {
            let parameter = self.add(bind(value));
            self.sql += " AND ";
            self.sql += &condition(&parameter);
        }
    }

    /// Adds a parameter for the sort value of a cursor, and returns its name.
    pub fn add_sort_value(&mut self, value: SortValue) -> String {
        self.add(match value {
            SortValue::Number(number) => bind(number),
            SortValue::Text(text) => bind(text),
        })
    }

    fn add(&mut self, value: Bind) -> String {
        self.values.push(value);
        format!("${}", Self::FIRST + self.values.len() - 1)
    }

    /// Binds the values in the order of their parameters.
    pub fn bind(self, query: PgQuery) -> PgQuery {
        self.values.into_iter().fold(query, |query, bind| bind(query))
    }
}
