//! Rows in both directions: times as integers, and the domain's types out of columns, every rule checked.

use std::fmt::Display;

use domain::Version;
use domain::student::{Age, Email, RollNumber, Student, StudentFields, StudentName};
use domain::user::{Credentials, PasswordHash, User};
use rusqlite::types::FromSql;
use rusqlite::{Connection, Params, Row};
use time::OffsetDateTime;

use crate::errors::{Damaged, Failure};

/// The first row of a statement that gives at most one.
pub fn first<T>(
    connection: &Connection,
    sql: &'static str,
    params: impl Params,
    parse: impl FnOnce(&Row<'_>) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(parse).transpose()
}

/// Every row of a statement.
pub fn all<T>(
    connection: &Connection,
    sql: &'static str,
    params: impl Params,
    parse: impl Fn(&Row<'_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(parse(row)?);
    }
    Ok(found)
}

/// Whether a statement gives a row.
pub fn exists(connection: &Connection, sql: &'static str, params: impl Params) -> Result<bool, Failure> {
    Ok(connection.prepare_cached(sql)?.exists(params)?)
}

/// Microseconds since the epoch.
pub fn micros(at: OffsetDateTime) -> i64 {
    at.unix_timestamp() * 1_000_000 + i64::from(at.microsecond())
}

/// Reads the columns of one row from left to right.
struct Columns<'r> {
    row: &'r Row<'r>,
    id: i64,
    next: usize,
}

impl<'r> Columns<'r> {
    /// The first column is the id.
    fn new(row: &'r Row<'r>) -> Result<Self, Failure> {
        Ok(Self { row, id: row.get(0)?, next: 1 })
    }

    /// The next column, parsed by the domain.
    fn next<V: FromSql, T, E: Display>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(V) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let value = self.row.get(self.next).map_err(|error| self.damaged(column, &error))?;
        self.next += 1;
        parse(value).map_err(|error| self.damaged(column, &error))
    }

    fn time(&mut self, column: &'static str) -> Result<OffsetDateTime, Failure> {
        self.next(column, |micros: i64| OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000))
    }

    fn version(&mut self) -> Result<Version, Failure> {
        self.next("version", |number| Version::new(number).ok_or("must be at least 1"))
    }

    fn damaged(&self, column: &'static str, rule: &dyn Display) -> Failure {
        Damaged { column, id: self.id, rule: rule.to_string() }.into()
    }
}

/// The columns that [`student`] reads.
macro_rules! student_columns {
    () => {
        "id, name, email, roll_no, age, version, created_at, updated_at"
    };
}
pub(crate) use student_columns;

/// The columns that [`user`] and [`credentials`] read; the hash is the last, and [`user`] leaves it alone.
macro_rules! user_columns {
    () => {
        "id, username, role, status, version, created_at, updated_at"
    };
}
pub(crate) use user_columns;

pub fn student(row: &Row<'_>) -> Result<Student, Failure> {
    let mut columns = Columns::new(row)?;
    Ok(Student {
        id: columns.id.try_into().map_err(|error| columns.damaged("id", &error))?,
        fields: StudentFields {
            name: columns.next("name", |name: String| StudentName::parse(name))?,
            email: columns.next("email", |email: String| Email::parse(email))?,
            roll_no: columns.next("roll_no", RollNumber::parse)?,
            age: columns.next("age", |age: Option<i64>| age.map(Age::parse).transpose())?,
        },
        version: columns.version()?,
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
    })
}

pub fn user(row: &Row<'_>) -> Result<User, Failure> {
    read_user(&mut Columns::new(row)?)
}

pub fn credentials(row: &Row<'_>) -> Result<Credentials, Failure> {
    let mut columns = Columns::new(row)?;
    Ok(Credentials {
        user: read_user(&mut columns)?,
        password: columns.next("password_hash", |phc| Ok::<_, Failure>(PasswordHash::new(phc)))?,
    })
}

fn read_user(columns: &mut Columns<'_>) -> Result<User, Failure> {
    Ok(User {
        id: columns.id.try_into().map_err(|error| columns.damaged("id", &error))?,
        username: columns.next("username", |name: String| name.parse())?,
        role: columns.next("role", |role: String| role.parse())?,
        status: columns.next("status", |status: String| status.parse())?,
        version: columns.version()?,
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
    })
}
