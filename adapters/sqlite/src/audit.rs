//! The audit: events in the transaction of the change, and the port that reads them.

use async_trait::async_trait;
use domain::audit::{Action, AuditLog, Event, EventFilter, NewEvent, Target};
use domain::{Actor, Cursor, Page, PageSize, StoreError};
use rusqlite::{Connection, params};
use time::OffsetDateTime;

use crate::SqliteStore;
use crate::errors::Failure;
use crate::rows::{self, event_columns, micros};
use crate::writer::Undone;

const INSERT: &str = "INSERT INTO audit_events (at, actor, action, target, detail, count, request_id, client) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const PRUNE: &str = "DELETE FROM audit_events WHERE at < ?1";

/// A page by the filter that stands first, which an index serves; the others are looked at row by row.
macro_rules! page {
    ($first:literal) => {
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM audit_events WHERE ",
            $first,
            " id > ?1 AND (?3 IS NULL OR actor = ?3) AND (?4 IS NULL OR action = ?4) ",
            "AND (?5 IS NULL OR target = ?5) AND (?6 IS NULL OR at >= ?6) AND (?7 IS NULL OR at < ?7) ",
            "ORDER BY id LIMIT ?2"
        )
    };
}

const PAGE: &str = page!("");
const PAGE_BY_ACTOR: &str = page!("actor = ?3 AND");
const PAGE_BY_ACTION: &str = page!("action = ?4 AND");
const PAGE_BY_TARGET: &str = page!("target = ?5 AND");

/// Keeps an event, in the transaction that is open.
pub fn append(connection: &Connection, event: &NewEvent) -> Result<(), Failure> {
    let origin = &event.by.origin;
    let params = params![
        micros(event.by.at),
        event.by.who.to_string(),
        event.action.as_str(),
        event.target.as_ref().map(Target::to_string),
        event.detail,
        event.count,
        origin.request_id.as_deref(),
        origin.client.map(|client| client.to_string()),
    ];
    connection.prepare_cached(INSERT)?.execute(params)?;
    Ok(())
}

#[async_trait]
impl AuditLog for SqliteStore {
    async fn append(&self, events: Vec<NewEvent>) -> Result<(), StoreError> {
        let write = move |connection: &Connection| -> Result<(), Undone<StoreError>> {
            events.iter().try_for_each(|event| append(connection, event))?;
            Ok(())
        };
        self.writer.write(write).await
    }

    async fn page(
        &self,
        filter: &EventFilter,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<Event>, StoreError> {
        let EventFilter { actor, action, target, since, until } = filter;
        let sql = match (target, actor, action) {
            (Some(_), _, _) => PAGE_BY_TARGET,
            (None, Some(_), _) => PAGE_BY_ACTOR,
            (None, None, Some(_)) => PAGE_BY_ACTION,
            (None, None, None) => PAGE,
        };
        let (position, one_more) = (after.map_or(0, Cursor::position), i64::from(size.get()) + 1);
        let (actor, target) = (actor.map(|who| who.to_string()), target.as_ref().map(Target::to_string));
        let (action, since, until) = (action.map(Action::as_str), since.map(micros), until.map(micros));
        let found = self.scans.run(move |connection| {
            let params = params![position, one_more, actor, action, target, since, until];
            Ok(rows::all(connection, sql, params, rows::event)?)
        });
        Ok(Page::from_one_more(found.await?, size))
    }

    async fn prune(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError> {
        let by = by.clone();
        let prune = move |connection: &Connection| -> Result<u64, Undone<StoreError>> {
            let removed = connection.prepare_cached(PRUNE)?.execute([micros(before)])?;
            if removed > 0 {
                let count = u32::try_from(removed).unwrap_or(u32::MAX);
                append(connection, &NewEvent { by, action: Action::AuditPruned, target: None, detail: None, count })?;
            }
            Ok(removed as u64)
        };
        self.writer.write(prune).await
    }
}
