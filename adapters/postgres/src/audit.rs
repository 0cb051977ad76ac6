//! The audit log: events in the transaction of the change, and the audit port.

use async_trait::async_trait;
use domain::audit::{Action, AuditLog, Event, EventFilter, NewEvent};
use domain::{Actor, Kind, Origin, Page, PageRequest, StoreError, Target};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;

use crate::PostgresStore;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::rows::Columns;
use crate::table::PgQuery;

/// A change and its event in one statement. `change` returns the changed rows with their `id`, and its parameters start at
/// $7. [`audited`] binds the first six.
pub(crate) fn with_event<K: Kind>(change: &str, columns: &str) -> String {
    format!(
        "WITH changed AS ({change}), event AS (INSERT INTO audit_events (at, actor, action, detail, request_id, client, \
         target, count) SELECT $1, $2, $3, $4, $5, $6::text::inet, '{}:' || id, 1 FROM changed) \
         SELECT {columns} FROM changed",
        K::NAME
    )
}

const INSERT: &str = "INSERT INTO audit_events (at, actor, action, detail, request_id, client, target, count) \
     VALUES ($1, $2, $3, $4, $5, $6::text::inet, $7, $8)";
/// The kind of an event for [`Pool::write`](crate::pool::Pool::write).
const KIND: &str = "audit event";
const PRUNE: &str = "DELETE FROM audit_events WHERE at < $1";
const PAGE: &str = "SELECT id, at, actor, action, target, detail, count, request_id, host(client) AS client \
     FROM audit_events WHERE id > $1 AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR action = $4) \
     AND ($5::text IS NULL OR target = $5) AND ($6::timestamptz IS NULL OR at >= $6) \
     AND ($7::timestamptz IS NULL OR at < $7) ORDER BY id LIMIT $2";

/// Binds the first six parameters of a statement to those of the event.
pub(crate) fn audited(statement: String, by: &Actor, action: &Action, detail: Option<String>) -> PgQuery {
    sqlx::query(AssertSqlSafe(statement))
        .bind(by.at)
        .bind(by.id.to_string())
        .bind(action.as_str().to_owned())
        .bind(detail)
        .bind(by.origin.request_id.as_deref().map(str::to_owned))
        .bind(by.origin.client.map(|client| client.to_string()))
}

/// Stores an event.
pub(crate) async fn append(event: &NewEvent, connection: &mut Connection<'_>) -> Result<(), Failure> {
    let insert = audited(INSERT.to_owned(), &event.by, &event.action, event.detail.clone());
    let insert = insert.bind(event.target.as_ref().map(Target::to_string)).bind(i64::from(event.count));
    connection.execute(insert).await?;
    Ok(())
}

/// Stores one event for `count` changes, or none if `count` is 0.
pub(crate) async fn append_count(
    by: &Actor,
    action: Action,
    target: Option<Target>,
    count: u64,
    connection: &mut Connection<'_>,
) -> Result<(), Failure> {
    if count == 0 {
        return Ok(());
    }
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    append(&NewEvent { by: by.clone(), action, target, detail: None, count }, connection).await
}

/// Reads the columns of [`PAGE`].
fn event(row: &PgRow) -> Result<Event, StoreError> {
    let mut columns = Columns::new(row, "audit_events")?;
    let id = columns.id()?;
    let at = columns.time("at")?;
    let actor = columns.next("actor", |actor: String| actor.parse())?;
    let what = NewEvent {
        action: columns.next("action", |action: String| action.parse())?,
        target: columns.next("target", |text: Option<String>| text.map(|text| text.parse()).transpose())?,
        detail: columns.next("detail", Ok::<Option<String>, ()>)?,
        count: columns.next("count", u32::try_from as fn(i64) -> _)?,
        by: Actor {
            id: actor,
            at,
            origin: Origin {
                request_id: columns.next("request_id", |id: Option<String>| Ok::<_, ()>(id.map(Into::into)))?,
                client: columns.next("client", |text: Option<String>| text.map(|text| text.parse()).transpose())?,
            },
        },
    };
    Ok(Event { id, what })
}

#[async_trait]
impl AuditLog for PostgresStore {
    async fn append(&self, events: Vec<NewEvent>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin((KIND, None)).await?;
        for event in &events {
            append(event, &mut transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn page(&self, filter: &EventFilter, request: PageRequest) -> Result<Page<Event>, StoreError> {
        let page = sqlx::query(PAGE)
            .bind(request.position())
            .bind(request.rows())
            .bind(filter.actor.map(|actor| actor.to_string()))
            .bind(filter.action.as_ref().map(Action::as_str))
            .bind(filter.target.as_ref().map(Target::to_string))
            .bind(filter.since)
            .bind(filter.before)
            // A generic plan cannot use an index, because the filters vary by execution.
            .persistent(false);
        let rows = self.pool.read_by(filter).await?.fetch_all(page).await?;
        Ok(Page::from_rows(rows.iter().map(event).collect::<Result<_, _>>()?, request))
    }

    async fn prune(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin_bulk(KIND).await?;
        let removed = transaction.execute(sqlx::query(PRUNE).bind(before)).await?;
        append_count(by, Action::AUDIT_PRUNED, None, removed, &mut transaction).await?;
        transaction.commit().await?;
        Ok(removed)
    }
}
