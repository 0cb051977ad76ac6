//! The record port of every resource, and the SQL that all tables share.

use async_trait::async_trait;
use domain::audit::{Action, NewEvent};
use domain::record::{Patch as _, Record, RecordError, RecordResult, RecordStore, Visiting};
use domain::{Actor, Filter as _, Id, Order, Page, PageRequest, SortValue, SortedEntry, StoreError, Target, Version};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tokio::task;

use crate::SqliteStore;
use crate::audit::append;
use crate::errors::Failure;
use crate::open;
use crate::readers::CancelOnDrop;
use crate::rows::{self, micros};
use crate::table::{Assignments, Conditions, Sql, Table};
use crate::writer::TxError;

#[async_trait]
impl<R: Table> RecordStore<R> for SqliteStore {
    async fn insert(&self, new: R::New, by: &Actor) -> RecordResult<R> {
        let by = by.clone();
        self.writer.write(move |connection| insert(connection, new, &by)).await
    }

    async fn find(&self, id: Id<R::Kind>) -> Result<Option<Record<R>>, StoreError> {
        Ok(self.points.with(|connection| rows::first(connection, R::SQL.find, [id.get()], rows::record))?)
    }

    async fn page(&self, filter: &R::Filter, request: PageRequest) -> Result<Page<Record<R>>, StoreError> {
        let (filter, reach) = (filter.clone(), filter.reach());
        self.read(reach, move |connection| Ok(read_page(connection, &filter, &request)?)).await
    }

    async fn export<'v>(&self, filter: &R::Filter, visitor: Visiting<'v, R>) -> Result<(), StoreError> {
        let _place = self.exports.try_acquire().map_err(|_| StoreError::unavailable("too many exports are running"))?;
        let (file, cancel) = (self.file.clone(), CancelOnDrop::default());
        let install = cancel.handler();
        let open = move || {
            file.check().map_err(StoreError::unavailable)?;
            let connection = open::snapshot(file.path()).map_err(StoreError::unavailable)?;
            install(&connection)?;
            Ok::<_, StoreError>(connection)
        };
        let mut connection = task::spawn_blocking(open).await.map_err(StoreError::unavailable)??;
        let mut request = PageRequest::LARGEST;
        loop {
            let (filter, next) = (filter.clone(), request.clone());
            let read = move || (read_page::<R>(&connection, &filter, &next), connection);
            let (page, returned) = task::spawn_blocking(read).await.map_err(StoreError::failed)?;
            connection = returned;
            let Page { entries, next } = page?;
            if visitor.visit(entries).await.is_break() || next.is_none() {
                return Ok(());
            }
            request.after = next;
        }
    }

    async fn update(&self, id: Id<R::Kind>, expected: Option<Version>, patch: R::Patch, by: &Actor) -> RecordResult<R> {
        let by = by.clone();
        self.writer.write(move |connection| R::write_update(connection, id, expected, &patch, &by)).await
    }

    async fn delete(&self, id: Id<R::Kind>, expected: Option<Version>, by: &Actor) -> RecordResult<R, ()> {
        let by = by.clone();
        self.writer.write(move |connection| R::write_delete(connection, id, expected, &by)).await
    }
}

/// Reads the records of a page.
fn read_page<R: Table>(
    connection: &Connection,
    filter: &R::Filter,
    request: &PageRequest,
) -> Result<Page<Record<R>>, Failure> {
    let rows = usize::from(request.size.get()) + 1;
    let matches = |record: &Record<R>| record.fields.matches(filter);
    Ok(Page::from_sorted_rows(merged(connection, statements::<R>(filter, request), rows, matches)?, request))
}

/// The statements that together find the rows of a page, with their parameters.
fn statements<R: Table>(filter: &R::Filter, request: &PageRequest) -> Vec<(String, Vec<Value>)> {
    let search = (request.order == Order::BY_ID).then(|| R::search(filter, request.position())).flatten();
    search.map_or_else(|| vec![page::<R>(filter, request)], Vec::from)
}

/// The first records that match and that any of the statements finds, up to a limit. Several statements find rows in order of id.
fn merged<R: Table>(
    connection: &Connection,
    statements: Vec<(String, Vec<Value>)>,
    limit: usize,
    matches: impl Fn(&Record<R>) -> bool + Copy,
) -> Result<Vec<SortedEntry<Record<R>>>, Failure> {
    if let [(sql, values)] = &*statements {
        return rows::page(connection, sql, params_from_iter(values), limit, matches);
    }
    // All statements read the same state. An export has a transaction.
    let _state = connection.is_autocommit().then(|| connection.unchecked_transaction()).transpose()?;
    let mut found = Vec::new();
    for (sql, values) in statements {
        found.extend(rows::page(connection, &sql, params_from_iter(values), limit, matches)?);
    }
    found.sort_by_key(|(record, _)| record.id.get());
    found.dedup_by_key(|(record, _)| record.id.get());
    Ok(found)
}

/// The statement that reads the rows of a page, and its parameters.
fn page<R: Table>(filter: &R::Filter, request: &PageRequest) -> (String, Vec<Value>) {
    let Conditions { sql: conditions, values } = R::conditions(filter);
    let Sql { table, columns, .. } = R::SQL;
    let (comparison, direction) = if request.order.descending { ("<", " DESC") } else { (">", "") };
    let key = request.order.key.map(|key| R::sort_expression(key.name));
    let (sort_value, order) = match key {
        Some(key) => (format!(", {key} AS sort_value"), format!("{key}{direction}, ")),
        None => Default::default(),
    };
    let value = request.after.as_ref().and_then(|after| after.value.clone()).map(|value| match value {
        SortValue::Number(number) => Value::Integer(number),
        SortValue::Text(text) => Value::Text(text),
    });
    let position = Value::Integer(request.position());
    let (after, position) = match (key, value) {
        // SQLite searches an index of an expression only with the first condition.
        (Some(key), Some(value)) => {
            let after = format!("{key} {comparison}= ? AND ({key}, id) {comparison} (?, ?)");
            (after, vec![value.clone(), value, position])
        }
        (Some(_), None) => ("true".to_owned(), vec![]),
        (None, _) => (format!("id {comparison} ?"), vec![position]),
    };
    let sql =
        format!("SELECT {columns}{sort_value} FROM {table} WHERE {after}{conditions} ORDER BY {order}id{direction}");
    (sql, [position, values].concat())
}

/// Result of a write of a record.
pub type Written<R, T = Record<R>> = Result<T, TxError<RecordError<R>>>;

/// Inserts a record with its event.
pub fn insert<R: Table>(connection: &Connection, new: R::New, by: &Actor) -> Written<R> {
    let (columns, mut values): (Vec<_>, Vec<_>) = R::insert(new).0.into_iter().unzip();
    let at = micros(by.at);
    values.extend([at.into(), at.into()]);
    let sql = format!(
        "INSERT INTO {} ({}, version, created_at, updated_at) VALUES ({}1, ?, ?) RETURNING {}",
        R::SQL.table,
        columns.join(", "),
        "?, ".repeat(columns.len()),
        R::SQL.columns
    );
    let inserted = rows::first(connection, &sql, params_from_iter(values), rows::record).map_err(rejected)?;
    let record: Record<R> = inserted.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    append(connection, &NewEvent::once(by, Action::created::<R::Kind>(), Target::of(record.id)))?;
    Ok(record)
}

/// Updates a record with its event.
pub fn update<R: Table>(
    connection: &Connection,
    id: Id<R::Kind>,
    expected: Option<Version>,
    patch: &R::Patch,
    by: &Actor,
) -> Written<R> {
    let record = update_row::<R>(connection, id, expected, R::update(patch), by)?;
    let updated = NewEvent::once(by, Action::updated::<R::Kind>(), Target::of(id));
    append(connection, &updated.with_detail(patch.detail()))?;
    Ok(record)
}

/// Updates a row without an event. An UPDATE that matches no row violates no constraint, so `NotFound` and `Stale` take
/// precedence over constraints.
pub fn update_row<R: Table>(
    connection: &Connection,
    id: Id<R::Kind>,
    expected: Option<Version>,
    Assignments(set): Assignments,
    by: &Actor,
) -> Written<R> {
    let (columns, mut values): (Vec<_>, Vec<_>) = set.into_iter().unzip();
    let set: Vec<_> = columns.iter().map(|column| format!("{column} = ?")).collect();
    let set = [set, vec!["version = version + 1, updated_at = ?".to_owned()]].concat().join(", ");
    let sql = format!(
        "UPDATE {} SET {set} WHERE id = ? AND version = coalesce(?, version) \
         RETURNING {}",
        R::SQL.table,
        R::SQL.columns
    );
    values.extend([micros(by.at).into(), id.get().into(), expected.map(Version::get).into()]);
    let updated = rows::first(connection, &sql, params_from_iter(values), rows::record).map_err(rejected)?;
    updated.map_or_else(|| Err(unmatched::<R>(connection, id)), Ok)
}

/// Deletes a record with its event.
pub fn delete<R: Table>(
    connection: &Connection,
    id: Id<R::Kind>,
    expected: Option<Version>,
    by: &Actor,
) -> Written<R, ()> {
    let sql = format!("DELETE FROM {} WHERE id = ?1 AND version = coalesce(?2, version)", R::SQL.table);
    if connection.prepare_cached(&sql)?.execute((id.get(), expected.map(Version::get)))? == 0 {
        return Err(unmatched::<R>(connection, id));
    }
    append(connection, &NewEvent::once(by, Action::deleted::<R::Kind>(), Target::of(id)))?;
    Ok(())
}

/// The error of a statement that matched no row of this id.
fn unmatched<R: Table>(connection: &Connection, id: Id<R::Kind>) -> TxError<RecordError<R>> {
    match rows::exists(connection, R::SQL.find, [id.get()]) {
        Ok(true) => TxError::Rejected(RecordError::Stale),
        Ok(false) => TxError::Rejected(RecordError::NotFound),
        Err(failure) => TxError::Failed(failure),
    }
}

/// Maps a violated unique index to the domain's rule.
fn rejected<R: Table>(failure: Failure) -> TxError<RecordError<R>> {
    match failure.violated_column().and_then(R::conflict) {
        Some(conflict) => TxError::Rejected(RecordError::Rejected(conflict)),
        None => TxError::Failed(failure),
    }
}

#[cfg(test)]
mod tests {
    use domain::student::{NamePart, Student, StudentFilter};
    use domain::user::{User, UserFilter};
    use domain::{Cursor, Filter};
    use tempfile::TempDir;

    use super::*;

    /// The plans of the statements of a page.
    fn plan<R: Table>(filter: &R::Filter, request: &PageRequest) -> String {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("rollbook.db");
        let _store = SqliteStore::open(&path).unwrap();
        let connection = Connection::open(&path).unwrap();
        let plan = |(sql, values): (String, Vec<Value>)| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
            steps.collect::<Result<Vec<_>, _>>().unwrap().join("; ")
        };
        statements::<R>(filter, request).into_iter().map(plan).collect::<Vec<_>>().join("; ")
    }

    /// The plans of the first and of the next page.
    fn plans<R: Table>(cursor: &str, filter: &R::Filter) -> [String; 2] {
        let after: Cursor = cursor.parse().unwrap();
        let order = after.order(R::Filter::SORT_KEYS).unwrap();
        let first = PageRequest { order, ..PageRequest::default() };
        let next = PageRequest { after: Some(after), ..first.clone() };
        [plan::<R>(filter, &first), plan::<R>(filter, &next)]
    }

    #[test]
    fn lists_in_each_order_read_only_their_page() {
        let value = |order: &Order| {
            order.key.map_or("", |key| if key.name == "roll_no" { ".n0000000000000007" } else { ".t61" })
        };
        let cursor = |order: &Order| match order.to_string().as_str() {
            "id" => "0000000000000007".to_owned(),
            name => format!("0000000000000007.{name}{}", value(order)),
        };
        let students = Order::all(StudentFilter::SORT_KEYS)
            .map(|order| plans::<Student>(&cursor(&order), &StudentFilter::default()));
        let users =
            Order::all(UserFilter::SORT_KEYS).map(|order| plans::<User>(&cursor(&order), &UserFilter::default()));
        for [first, next] in students.chain(users) {
            assert!(first.contains("USING") && !first.contains("TEMP B-TREE"), "{first}");
            assert!(next.starts_with("SEARCH") && !next.contains("TEMP B-TREE"), "{next}");
        }
    }

    #[test]
    fn filters_by_email_address_and_external_id_use_their_index() {
        let email = StudentFilter { email: "a@example.org".parse().ok(), ..StudentFilter::default() };
        let external_id = StudentFilter { external_id: "A12".parse().ok(), ..StudentFilter::default() };
        for (filter, index) in
            [(email, "students_email (<expr>=? AND rowid>?)"), (external_id, "students_external_id (external_id=?")]
        {
            for plan in plans::<Student>("0000000000000007", &filter) {
                assert!(plan.contains(index), "{plan}");
            }
        }
    }

    /// The rows of both statements are in order of id, so that each ends with the page.
    #[test]
    fn searches_by_name_sort_no_rows() {
        let filter = StudentFilter { name: NamePart::parse("asha").ok(), ..StudentFilter::default() };
        for plan in plans::<Student>("0000000000000007", &filter) {
            assert!(plan.contains("student_grams VIRTUAL TABLE INDEX") && plan.contains("students_to_index"), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            assert_eq!(plan.matches("SEARCH students USING INTEGER PRIMARY KEY").count(), 2, "{plan}");
        }
    }
}
