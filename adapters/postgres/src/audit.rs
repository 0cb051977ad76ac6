//! The audit log: events in the transaction of the change, and the audit port.

use async_trait::async_trait;
use domain::audit::{Action, AuditLog, Event, EventFilter, NewEvent};
use domain::{Actor, Kind, MAX_ID, Origin, Page, PageRequest, StoreError, Target};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Row};
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
const PRUNE: &str =
    "DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE at < $1 ORDER BY at LIMIT $2)";
/// Deletes the blocks of deleted events.
const PRUNE_BLOCKS: &str =
    "DELETE FROM audit_blocks WHERE latest < $1 AND block < (SELECT min(id) / 1024 FROM audit_events)";

/// Merges the rows of the processes, except those of the block that is being written. If a transaction that began before adds an
/// event to a merged block, its process has a row again.
const MERGE_BLOCKS: &str = "WITH merged AS (DELETE FROM audit_blocks \
     WHERE writer <> 0 AND block < (SELECT max(block) FROM audit_blocks) RETURNING block, earliest, latest) \
     INSERT INTO audit_blocks AS b (block, writer, earliest, latest) \
     SELECT block, 0, min(earliest), max(latest) FROM merged GROUP BY block \
     ON CONFLICT (block, writer) DO UPDATE \
     SET earliest = least(b.earliest, excluded.earliest), latest = greatest(b.latest, excluded.latest)";

/// The next ranges of consecutive blocks, as ids, with events in a time range.
const BLOCKS: &str = "SELECT min(block) * 1024, max(block) * 1024 + 1023 FROM \
     (SELECT block, block - row_number() OVER (ORDER BY block) AS range FROM \
     (SELECT DISTINCT block FROM audit_blocks WHERE block >= $1 / 1024 \
     AND ($2::timestamptz IS NULL OR latest >= $2) AND ($3::timestamptz IS NULL OR earliest < $3)) AS blocks) AS ranges \
     GROUP BY range ORDER BY range LIMIT $4";
/// Number of ranges that are read at once. Usually there is one.
const RANGES: u8 = 16;

/// The statement that reads the events in a range of ids, in order of id. The first condition is one that the primary key has no order
/// for, and those on the time use no index: otherwise the server selects these if it expects many matches, although it has to read
/// the whole table where events are not distributed evenly.
fn page(key: &[(&str, String)]) -> String {
    let conditions = key.iter().enumerate().map(|(index, (column, _))| match index {
        0 => format!(" AND {column} = ANY(ARRAY[$6::text])"),
        index => format!(" AND {column} = ${}", index + 6),
    });
    let order = key.first().map(|(column, _)| format!("{column}, ")).unwrap_or_default();
    format!(
        "SELECT id, at, actor, action, target, detail, count, request_id, host(client) AS client FROM audit_events \
         WHERE id > $1 AND id <= $2{} AND (at >= $4) IS NOT FALSE AND (at < $5) IS NOT FALSE ORDER BY {order}id LIMIT $3",
        conditions.collect::<String>()
    )
}

/// The columns with their values.
fn key(filter: &EventFilter) -> Vec<(&'static str, String)> {
    let actor = filter.actor.map(|actor| ("actor", actor.to_string()));
    let target = filter.target.as_ref().map(|target| ("target", target.to_string()));
    let action = filter.action.as_ref().map(|action| ("action", action.as_str().to_owned()));
    [actor, target, action].into_iter().flatten().collect()
}

/// A page of events that is being read.
struct Reading<'f> {
    filter: &'f EventFilter,
    limit: usize,
    found: Vec<Event>,
}

impl Reading<'_> {
    fn is_full(&self) -> bool {
        self.found.len() >= self.limit
    }

    /// Reads the events after `position` up to `last`.
    async fn read(&mut self, position: i64, last: i64, connection: &mut Connection<'_>) -> Result<(), StoreError> {
        let key = key(self.filter);
        let page = sqlx::query(AssertSqlSafe(page(&key)))
            .bind(position)
            .bind(last)
            .bind(i64::try_from(self.limit - self.found.len()).unwrap_or(i64::MAX))
            .bind(self.filter.since)
            .bind(self.filter.before);
        let page = key.into_iter().fold(page, |page, (_, value)| page.bind(value));
        for row in connection.fetch_all(page).await? {
            self.found.push(event(&row)?);
        }
        Ok(())
    }
}

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

/// Reads the columns of [`page`].
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
        let mut connection = self.pool.read_by(filter).await?;
        let limit = usize::from(request.size.get()) + 1;
        let mut reading = Reading { filter, limit, found: Vec::new() };
        let mut position = request.position();
        if filter.since.is_none() && filter.before.is_none() {
            reading.read(position, MAX_ID, &mut connection).await?;
            return Ok(Page::from_rows(reading.found, request.size));
        }
        loop {
            let blocks = sqlx::query(BLOCKS).bind(position + 1).bind(filter.since).bind(filter.before);
            let ranges = connection.fetch_all(blocks.bind(i64::from(RANGES))).await?;
            for range in &ranges {
                let [first, last]: [i64; 2] =
                    [range.try_get(0).map_err(Failure::from)?, range.try_get(1).map_err(Failure::from)?];
                reading.read(position.max(first - 1), last, &mut connection).await?;
                position = last;
                if reading.is_full() {
                    return Ok(Page::from_rows(reading.found, request.size));
                }
            }
            if ranges.len() < usize::from(RANGES) {
                return Ok(Page::from_rows(reading.found, request.size));
            }
        }
    }

    async fn prune(&self, before: OffsetDateTime, limit: u32, by: &Actor) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin_bulk(KIND).await?;
        // The next statement sees what another deletion committed while this one waited.
        transaction.execute(sqlx::query("SELECT FROM audit_pruned FOR UPDATE")).await?;
        let removed = transaction.execute(sqlx::query(PRUNE).bind(before).bind(i64::from(limit))).await?;
        let add = sqlx::query("UPDATE audit_pruned SET deleted = deleted + $1, changed_at = $2 RETURNING deleted");
        let added = transaction.fetch_one(add.bind(i64::try_from(removed).unwrap_or(i64::MAX)).bind(by.at)).await?;
        let deleted: i64 = added.try_get(0).map_err(Failure::from)?;
        if removed < u64::from(limit) && deleted > 0 {
            let deleted = deleted.unsigned_abs();
            append_count(by, Action::AUDIT_PRUNED, None, deleted, &mut transaction).await?;
            transaction.execute(sqlx::query("UPDATE audit_pruned SET deleted = 0")).await?;
            transaction.execute(sqlx::query(PRUNE_BLOCKS).bind(before)).await?;
        }
        transaction.commit().await?;
        Ok(removed)
    }

    async fn maintain(&self, last_prune_before: OffsetDateTime, by: &Actor) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin_bulk(KIND).await?;
        transaction.execute(sqlx::query(MERGE_BLOCKS)).await?;
        let interrupted = "SELECT deleted FROM audit_pruned WHERE deleted > 0 AND changed_at < $1 FOR UPDATE";
        let interrupted = transaction.fetch_optional(sqlx::query(interrupted).bind(last_prune_before)).await?;
        if let Some(interrupted) = interrupted {
            let deleted: i64 = interrupted.try_get(0).map_err(Failure::from)?;
            append_count(by, Action::AUDIT_PRUNED, None, deleted.unsigned_abs(), &mut transaction).await?;
            transaction.execute(sqlx::query("UPDATE audit_pruned SET deleted = 0")).await?;
        }
        Ok(transaction.commit().await?)
    }
}
