//! The audit: events in the transaction of the change, and the port that reads them.

use async_trait::async_trait;
use domain::audit::{Action, AuditLog, Event, EventFilter, NewEvent, Target};
use domain::{Actor, Cursor, Origin, Page, PageSize, StoreError};
use sqlx::postgres::{PgArguments, PgExecutor, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{FromRow, Postgres};
use time::OffsetDateTime;

use crate::PostgresStore;
use crate::failure::{Damaged, store_error};
use crate::instant::Instant;

/// A change and its event in one statement: `$change` returns the rows that it changed, with their `id`, and its own
/// parameters begin with $7. The first six are bound by [`audited`].
macro_rules! with_event {
    ($change:expr, $kind:literal, $columns:expr) => {
        concat!(
            "WITH changed AS (",
            $change,
            "), event AS (INSERT INTO audit_events (at, actor, action, detail, request_id, client, target, count) ",
            "SELECT $1, $2, $3, $4, $5, $6::text::inet, '",
            $kind,
            ":' || id, 1 FROM changed) SELECT ",
            $columns,
            " FROM changed"
        )
    };
}
pub(crate) use with_event;

const INSERT: &str = "INSERT INTO audit_events (at, actor, action, detail, request_id, client, target, count) \
     VALUES ($1, $2, $3, $4, $5, $6::text::inet, $7, $8)";
const PRUNE: &str = "DELETE FROM audit_events WHERE at < $1";
const PAGE: &str = "SELECT id, at, actor, action, target, detail, count, request_id, host(client) AS client \
     FROM audit_events WHERE id > $1 AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR action = $4) \
     AND ($5::text IS NULL OR target = $5) AND ($6::timestamptz IS NULL OR at >= $6) \
     AND ($7::timestamptz IS NULL OR at < $7) ORDER BY id LIMIT $2";

/// A statement made with [`with_event!`], with the event's parameters bound.
pub(crate) fn audited<'q>(
    statement: &'static str,
    by: &Actor,
    action: Action,
    detail: Option<String>,
) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(statement)
        .bind(by.at)
        .bind(by.who.to_string())
        .bind(action.as_str())
        .bind(detail)
        .bind(by.origin.request_id.as_deref().map(str::to_owned))
        .bind(by.origin.client.map(|client| client.to_string()))
}

/// As [`audited`], for a statement that answers rows.
pub(crate) fn audited_as<'q, R: for<'r> FromRow<'r, PgRow>>(
    statement: &'static str,
    by: &Actor,
    action: Action,
    detail: Option<String>,
) -> QueryAs<'q, Postgres, R, PgArguments> {
    sqlx::query_as(statement)
        .bind(by.at)
        .bind(by.who.to_string())
        .bind(action.as_str())
        .bind(detail)
        .bind(by.origin.request_id.as_deref().map(str::to_owned))
        .bind(by.origin.client.map(|client| client.to_string()))
}

/// Keeps an event.
pub(crate) async fn append(event: &NewEvent, at: impl PgExecutor<'_>) -> Result<(), StoreError> {
    let insert = audited(INSERT, &event.by, event.action, event.detail.clone());
    let insert = insert.bind(event.target.as_ref().map(Target::to_string)).bind(i64::from(event.count));
    insert.execute(at).await.map_err(store_error)?;
    Ok(())
}

/// Keeps one event for many of a kind; none for none.
pub(crate) async fn append_count(
    by: &Actor,
    action: Action,
    target: Option<Target>,
    count: u64,
    at: impl PgExecutor<'_>,
) -> Result<(), StoreError> {
    if count == 0 {
        return Ok(());
    }
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    append(&NewEvent { by: by.clone(), action, target, detail: None, count }, at).await
}

#[derive(FromRow)]
struct EventRow {
    id: i64,
    at: Instant,
    actor: String,
    action: String,
    target: Option<String>,
    detail: Option<String>,
    count: i64,
    request_id: Option<String>,
    client: Option<String>,
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let damaged = |column| StoreError::failed(Damaged { table: "audit_events", id: row.id, column });
        let client = row.client.map(|client| client.parse()).transpose();
        let origin =
            Origin { request_id: row.request_id.map(Into::into), client: client.map_err(|_| damaged("client"))? };
        let target = row.target.map(|target| target.parse()).transpose();
        let what = NewEvent {
            by: Actor { who: row.actor.parse().map_err(|_| damaged("actor"))?, at: row.at.0, origin },
            action: row.action.parse().map_err(|_| damaged("action"))?,
            target: target.map_err(|_| damaged("target"))?,
            detail: row.detail,
            count: u32::try_from(row.count).map_err(|_| damaged("count"))?,
        };
        Ok(Self { id: row.id.try_into().map_err(|_| damaged("id"))?, what })
    }
}

#[async_trait]
impl AuditLog for PostgresStore {
    async fn append(&self, events: Vec<NewEvent>) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        for event in &events {
            append(event, &mut *transaction).await?;
        }
        transaction.commit().await.map_err(store_error)
    }

    async fn page(
        &self,
        filter: &EventFilter,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<Event>, StoreError> {
        let page = sqlx::query_as(PAGE)
            .bind(after.map_or(0, Cursor::position))
            .bind(i64::from(size.get()) + 1)
            .bind(filter.actor.map(|who| who.to_string()))
            .bind(filter.action.map(Action::as_str))
            .bind(filter.target.as_ref().map(Target::to_string))
            .bind(filter.since)
            .bind(filter.until)
            // The plan has to know which filters there are, or no index serves them.
            .persistent(false);
        let read = async { page.fetch_all(&self.pool).await.map_err(store_error) };
        let rows: Vec<EventRow> = self.searches.run(read).await?;
        let found = rows.into_iter().map(Event::try_from).collect::<Result<_, _>>()?;
        Ok(Page::from_one_more(found, size))
    }

    async fn prune(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(store_error)?;
        let removed = sqlx::query(PRUNE).bind(before).execute(&mut *transaction).await.map_err(store_error)?;
        let removed = removed.rows_affected();
        append_count(by, Action::AuditPruned, None, removed, &mut *transaction).await?;
        transaction.commit().await.map_err(store_error)?;
        Ok(removed)
    }
}
