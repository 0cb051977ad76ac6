//! The audit log: events in the transaction of the change, and the audit port.

use async_trait::async_trait;
use domain::audit::{Action, AuditLog, Event, EventFilter, NewEvent};
use domain::{Actor, Filter as _, Page, PageRequest, StoreError, Target};
use rusqlite::{Connection, params};
use time::OffsetDateTime;

use crate::SqliteStore;
use crate::errors::Failure;
use crate::rows::{self, event_columns, micros};
use crate::writer::TxError;

const INSERT: &str = "INSERT INTO audit_events (at, actor, action, target, detail, count, request_id, client) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const PRUNE: &str = "DELETE FROM audit_events WHERE at < ?1";

/// Reads a page. The first condition uses an index; the others are checked row by row.
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

/// Stores an event in the open transaction.
pub fn append(connection: &Connection, event: &NewEvent) -> Result<(), Failure> {
    let origin = &event.by.origin;
    let params = params![
        micros(event.by.at),
        event.by.id.to_string(),
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

/// Stores one event for `count` changes, or none if `count` is 0.
pub fn append_count(
    connection: &Connection,
    by: Actor,
    action: Action,
    target: Option<Target>,
    count: usize,
) -> Result<(), Failure> {
    if count == 0 {
        return Ok(());
    }
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    append(connection, &NewEvent { by, action, target, detail: None, count })
}

#[async_trait]
impl AuditLog for SqliteStore {
    async fn append(&self, events: Vec<NewEvent>) -> Result<(), StoreError> {
        let write = move |connection: &Connection| -> Result<(), TxError<StoreError>> {
            events.iter().try_for_each(|event| append(connection, event))?;
            Ok(())
        };
        self.writer.write(write).await
    }

    async fn page(&self, filter: &EventFilter, request: PageRequest) -> Result<Page<Event>, StoreError> {
        let EventFilter { actor, action, target, since, before } = filter;
        let sql = match (target, actor, action) {
            (Some(_), _, _) => PAGE_BY_TARGET,
            (None, Some(_), _) => PAGE_BY_ACTOR,
            (None, None, Some(_)) => PAGE_BY_ACTION,
            (None, None, None) => PAGE,
        };
        let (position, one_more) = (request.position(), request.rows());
        let (actor, target) = (actor.map(|actor| actor.to_string()), target.as_ref().map(Target::to_string));
        let action = action.as_ref().map(|action| action.as_str().to_owned());
        let (since, before) = (since.map(micros), before.map(micros));
        let found = self.read(filter.reach(), move |connection| {
            let params = params![position, one_more, actor, action, target, since, before];
            Ok(rows::all(connection, sql, params, rows::event)?)
        });
        Ok(Page::from_rows(found.await?, request))
    }

    async fn prune(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError> {
        let by = by.clone();
        let prune = move |connection: &Connection| -> Result<u64, TxError<StoreError>> {
            let removed = connection.prepare_cached(PRUNE)?.execute([micros(before)])?;
            append_count(connection, by, Action::AUDIT_PRUNED, None, removed)?;
            Ok(removed as u64)
        };
        self.writer.write(prune).await
    }
}
