//! Encoding of times, and decoding of rows into the domain's types, with every rule checked.

use std::fmt::Display;

use domain::audit::{Event, NewEvent};
use domain::record::Record;
use domain::session::{Session, UserAgent};
use domain::user::{Attempts, Credentials, PasswordHash};
use domain::{Actor, Origin, SortValue, SortedEntry, Text, Version};
use rusqlite::types::{FromSql, Value};
use rusqlite::{Connection, Params, Row};
use time::OffsetDateTime;
use time::error::ComponentRange;

use crate::errors::{Damaged, Failure};
use crate::table::Table;

/// The row of a statement that returns at most one.
pub fn first<T>(
    connection: &Connection,
    sql: &str,
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
    sql: &str,
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

/// The first records that match, up to a limit, with the values of the column `sort_value` if there is one.
pub fn page<R: Table>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    limit: usize,
    matches: impl Fn(&Record<R>) -> bool,
) -> Result<Vec<SortedEntry<Record<R>>>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let is_sorted = statement.column_names().last() == Some(&"sort_value");
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let record = record(row)?;
        if matches(&record) {
            let value = is_sorted.then(|| row.get("sort_value")).transpose()?.and_then(|value| match value {
                Value::Integer(number) => Some(SortValue::Number(number)),
                Value::Text(text) => Some(SortValue::Text(text)),
                _ => None,
            });
            found.push((record, value));
        }
    }
    Ok(found)
}

/// Returns `true` if a statement returns a row.
pub fn exists(connection: &Connection, sql: &str, params: impl Params) -> Result<bool, Failure> {
    Ok(connection.prepare_cached(sql)?.exists(params)?)
}

/// Microseconds since the epoch.
pub fn micros(at: OffsetDateTime) -> i64 {
    at.unix_timestamp() * 1_000_000 + i64::from(at.microsecond())
}

fn time_of(micros: i64) -> Result<OffsetDateTime, ComponentRange> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
}

/// Reads the columns of one row from left to right.
pub struct Columns<'r> {
    row: &'r Row<'r>,
    id: i64,
    next: usize,
}

impl<'r> Columns<'r> {
    /// The first column is the id.
    pub fn new(row: &'r Row<'r>) -> Result<Self, Failure> {
        Ok(Self { row, id: row.get(0)?, next: 1 })
    }

    /// The id, the first column.
    pub fn id<I: TryFrom<i64, Error: Display>>(&self) -> Result<I, Failure> {
        self.id.try_into().map_err(|error| self.damaged("id", &error))
    }

    /// The next column, parsed by the domain.
    pub fn next<V: FromSql, T, E: Display>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(V) -> Result<T, E>,
    ) -> Result<T, Failure> {
        let value = self.row.get(self.next).map_err(|error| self.damaged(column, &error))?;
        self.next += 1;
        parse(value).map_err(|error| self.damaged(column, &error))
    }

    /// The next column, parsed as a text type of the domain.
    pub fn text<T: Text>(&mut self, column: &'static str) -> Result<T, Failure> {
        let text = self.row.get_ref(self.next)?.as_str().map_err(|error| self.damaged(column, &error))?;
        self.next += 1;
        T::stored(text).map_err(|error| self.damaged(column, &error))
    }

    pub fn text_if_any<T: Text>(&mut self, column: &'static str) -> Result<Option<T>, Failure> {
        self.next(column, |text: Option<String>| text.as_deref().map(T::stored).transpose())
    }

    pub fn time(&mut self, column: &'static str) -> Result<OffsetDateTime, Failure> {
        self.next(column, time_of)
    }

    fn time_if_any(&mut self, column: &'static str) -> Result<Option<OffsetDateTime>, Failure> {
        self.next(column, |micros: Option<i64>| micros.map(time_of).transpose())
    }

    fn attempts(&mut self) -> Result<Attempts, Failure> {
        let failures = self.next("failed_logins", u32::try_from as fn(i64) -> _)?;
        Ok(Attempts::new(failures, self.time_if_any("next_login_at")?))
    }

    pub fn version(&mut self) -> Result<Version, Failure> {
        self.next("version", |number| Version::new(number).ok_or("must be at least 1"))
    }

    fn record<R: Table>(&mut self) -> Result<Record<R>, Failure> {
        Ok(Record {
            id: self.id()?,
            fields: R::read(self)?,
            version: self.version()?,
            created_at: self.time("created_at")?,
            updated_at: self.time("updated_at")?,
        })
    }

    /// The columns of a record that was joined with LEFT JOIN.
    pub fn joined_record<R: Table>(&mut self) -> Result<Option<Record<R>>, Failure> {
        let id: Option<i64> = self.next("id", Ok::<_, &str>)?;
        let Some(id) = id else { return Ok(None) };
        self.id = id;
        self.record().map(Some)
    }

    fn damaged(&self, column: &'static str, rule: &dyn Display) -> Failure {
        Damaged { column, id: self.id, rule: rule.to_string() }.into()
    }
}

/// Reads the columns of [`Sql::columns`](crate::table::Sql::columns).
pub fn record<R: Table>(row: &Row<'_>) -> Result<Record<R>, Failure> {
    Columns::new(row)?.record()
}

/// Reads the columns of a user, then the password columns and those of [`attempts`].
pub fn credentials(row: &Row<'_>) -> Result<Credentials, Failure> {
    let mut columns = Columns::new(row)?;
    Ok(Credentials {
        user: columns.record()?,
        password: columns.next("password_hash", |phc| Ok::<_, Failure>(PasswordHash::new(phc)))?,
        password_expires_at: columns.time_if_any("password_expires_at")?,
        attempts: columns.attempts()?,
    })
}

/// The columns of [`attempts`], and the last ones of [`credentials`].
macro_rules! attempts_columns {
    () => {
        "failed_logins, next_login_at"
    };
}
pub(crate) use attempts_columns;

/// The first column is the user's id.
pub fn attempts(row: &Row<'_>) -> Result<Attempts, Failure> {
    Columns::new(row)?.attempts()
}

/// The columns that [`session`] reads.
macro_rules! session_columns {
    () => {
        "id, user_id, opened_at, refreshed_at, expires_at, ends_at, client, user_agent"
    };
}
pub(crate) use session_columns;

pub fn session(row: &Row<'_>) -> Result<Session, Failure> {
    let mut columns = Columns::new(row)?;
    Ok(Session {
        id: columns.id()?,
        user_id: columns.next("user_id", |id: i64| id.try_into())?,
        opened_at: columns.time("opened_at")?,
        refreshed_at: columns.time("refreshed_at")?,
        expires_at: columns.time("expires_at")?,
        ends_at: columns.time("ends_at")?,
        client: columns.next("client", |text: Option<String>| text.map(|text| text.parse()).transpose())?,
        user_agent: columns
            .next("user_agent", |name: Option<String>| Ok::<_, &str>(name.as_deref().and_then(UserAgent::of)))?,
    })
}

/// Reads the session of a refresh token, and when the token was used.
pub fn token(row: &Row<'_>) -> Result<(i64, Option<OffsetDateTime>), Failure> {
    let mut columns = Columns::new(row)?;
    Ok((columns.id, columns.time_if_any("used_at")?))
}

/// The columns that [`event`] reads.
macro_rules! event_columns {
    () => {
        "id, at, actor, action, target, detail, count, request_id, client"
    };
}
pub(crate) use event_columns;

pub fn event(row: &Row<'_>) -> Result<Event, Failure> {
    let mut columns = Columns::new(row)?;
    let id = columns.id()?;
    let at = columns.time("at")?;
    let actor = columns.next("actor", |actor: String| actor.parse())?;
    let what = NewEvent {
        action: columns.next("action", |action: String| action.parse())?,
        target: columns.next("target", |text: Option<String>| text.map(|text| text.parse()).transpose())?,
        detail: columns.next("detail", Ok::<Option<String>, &str>)?,
        count: columns.next("count", u32::try_from as fn(i64) -> _)?,
        by: Actor {
            id: actor,
            at,
            origin: Origin {
                request_id: columns.next("request_id", |id: Option<String>| Ok::<_, &str>(id.map(Into::into)))?,
                client: columns.next("client", |text: Option<String>| text.map(|text| text.parse()).transpose())?,
            },
        },
    };
    Ok(Event { id, what })
}
