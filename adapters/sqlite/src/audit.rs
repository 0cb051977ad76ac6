//! The audit log: events in the transaction of the change, and the audit port.

use async_trait::async_trait;
use domain::audit::{Action, AuditLog, Event, EventFilter, NewEvent};
use domain::{Actor, Filter as _, Page, PageRequest, StoreError, Target};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use time::OffsetDateTime;

use crate::SqliteStore;
use crate::errors::Failure;
use crate::rows::{self, event_columns, micros};
use crate::writer::TxError;

const INSERT: &str = "INSERT INTO audit_events (at, actor, action, target, detail, count, request_id, client) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const PRUNE: &str =
    "DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE at < ?1 ORDER BY at LIMIT ?2)";
/// Deletes the blocks of deleted events.
const PRUNE_BLOCKS: &str =
    "DELETE FROM audit_blocks WHERE latest < ?1 AND block < (SELECT min(id) / 1024 FROM audit_events)";

/// The next ranges of consecutive blocks, as ids, with events in a time range.
const BLOCKS: &str = "SELECT min(block) * 1024, max(block) * 1024 + 1023 FROM \
     (SELECT block, block - row_number() OVER (ORDER BY block) AS range FROM audit_blocks \
     WHERE block >= ?1 / 1024 AND latest >= ?2 AND earliest < ?3) GROUP BY range ORDER BY range LIMIT ?4";
/// Number of ranges that are read at once. Usually there is one.
const RANGES: u8 = 16;

/// Reads the events in a range of ids. The conditions of the literal use the index; the others are checked row by row.
macro_rules! page {
    ($index:literal, $conditions:literal) => {
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM audit_events ",
            $index,
            " WHERE id > ?1 AND id <= ?2 ",
            $conditions,
            " AND at >= ?4 AND at < ?5 ORDER BY id LIMIT ?3"
        )
    };
}

/// The statement for a filter. Its parameters from ?6 on are the values of [`key`].
const fn page(filter: &EventFilter, starts_with_target: bool) -> &'static str {
    match (&filter.actor, &filter.action, &filter.target) {
        (None, None, None) => page!("NOT INDEXED", ""),
        (Some(_), None, None) => page!("INDEXED BY audit_events_actor", "AND actor = ?6"),
        (None, Some(_), None) => page!("INDEXED BY audit_events_action", "AND action = ?6"),
        (None, None, Some(_)) => page!("INDEXED BY audit_events_target", "AND target = ?6"),
        (Some(_), Some(_), None) => page!("INDEXED BY audit_events_actor_action", "AND actor = ?6 AND action = ?7"),
        (Some(_), None, Some(_)) if starts_with_target => {
            page!("INDEXED BY audit_events_target", "AND actor = ?6 AND target = ?7")
        }
        (None, Some(_), Some(_)) if starts_with_target => {
            page!("INDEXED BY audit_events_target", "AND action = ?6 AND target = ?7")
        }
        (Some(_), Some(_), Some(_)) if starts_with_target => {
            page!("INDEXED BY audit_events_target", "AND actor = ?6 AND action = ?7 AND target = ?8")
        }
        (Some(_), None, Some(_)) => page!("INDEXED BY audit_events_actor", "AND actor = ?6 AND target = ?7"),
        (None, Some(_), Some(_)) => page!("INDEXED BY audit_events_action", "AND action = ?6 AND target = ?7"),
        (Some(_), Some(_), Some(_)) => {
            page!("INDEXED BY audit_events_actor_action", "AND actor = ?6 AND action = ?7 AND target = ?8")
        }
    }
}

/// Counts the events of a target after a position, up to a limit.
const COUNT_BY_TARGET: &str = "SELECT count(*) FROM (SELECT 1 FROM audit_events INDEXED BY audit_events_target \
     WHERE target = ?3 AND id > ?1 LIMIT ?2)";
const COUNT_BY_ACTOR: &str = "SELECT count(*) FROM (SELECT 1 FROM audit_events INDEXED BY audit_events_actor \
     WHERE actor = ?3 AND id > ?1 LIMIT ?2)";
const COUNT_BY_ACTION: &str = "SELECT count(*) FROM (SELECT 1 FROM audit_events INDEXED BY audit_events_action \
     WHERE action = ?3 AND id > ?1 LIMIT ?2)";
const COUNT_BY_ACTOR_AND_ACTION: &str = "SELECT count(*) FROM (SELECT 1 FROM audit_events \
     INDEXED BY audit_events_actor_action WHERE actor = ?3 AND action = ?4 AND id > ?1 LIMIT ?2)";
/// A target with fewer events is not compared with the other conditions.
const FEW: i64 = 1_000;
/// Maximum number of counted events.
const COUNTED: i64 = 50_000;

/// Returns `true` if no more events have the target than the actor and the action, so that the fewest are read.
fn starts_with_target(connection: &Connection, filter: &EventFilter, position: i64) -> Result<bool, Failure> {
    let mut key = key(filter);
    let (Some(_), Some(target)) = (&filter.target, key.pop()) else { return Ok(true) };
    let count_others = match (&filter.actor, &filter.action) {
        (None, None) => return Ok(true),
        (Some(_), None) => COUNT_BY_ACTOR,
        (None, Some(_)) => COUNT_BY_ACTION,
        (Some(_), Some(_)) => COUNT_BY_ACTOR_AND_ACTION,
    };
    let count = |sql: &str, limit: i64, key: &[String]| -> Result<i64, Failure> {
        let params = [position, limit].map(Value::from).into_iter().chain(key.iter().cloned().map(Value::from));
        Ok(connection.prepare_cached(sql)?.query_row(params_from_iter(params), |row| row.get(0))?)
    };
    let target = [target];
    if count(COUNT_BY_TARGET, FEW, &target)? < FEW {
        return Ok(true);
    }
    Ok(count(COUNT_BY_TARGET, COUNTED, &target)? <= count(count_others, COUNTED, &key)?)
}

/// Actor, action and target, as far as the filter has them.
fn key(filter: &EventFilter) -> Vec<String> {
    let actor = filter.actor.map(|actor| actor.to_string());
    let action = filter.action.as_ref().map(|action| action.as_str().to_owned());
    [actor, action, filter.target.as_ref().map(Target::to_string)].into_iter().flatten().collect()
}

/// Reads up to `limit` events after `position`, in order of id.
fn read(connection: &Connection, filter: &EventFilter, position: i64, limit: i64) -> Result<Vec<Event>, Failure> {
    let (sql, key) = (page(filter, starts_with_target(connection, filter, position)?), key(filter));
    let [since, before] = [(filter.since, i64::MIN), (filter.before, i64::MAX)];
    let times = [since, before].map(|(time, unlimited)| time.map_or(unlimited, micros));
    let read = |found: &mut Vec<Event>, position: i64, last: i64| -> Result<(), Failure> {
        let limit = limit - i64::try_from(found.len()).unwrap_or(i64::MAX);
        let params = [position, last, limit, times[0], times[1]].map(Value::from).into_iter();
        let params = params_from_iter(params.chain(key.iter().cloned().map(Value::from)));
        found.extend(rows::all(connection, sql, params, rows::event)?);
        Ok(())
    };
    let mut found = Vec::new();
    if filter.since.is_none() && filter.before.is_none() {
        read(&mut found, position, i64::MAX)?;
        return Ok(found);
    }
    let mut position = position;
    loop {
        let params = params![position + 1, times[0], times[1], RANGES];
        let ranges =
            rows::all(connection, BLOCKS, params, |row| Ok::<(i64, i64), Failure>((row.get(0)?, row.get(1)?)))?;
        for (first, last) in &ranges {
            read(&mut found, position.max(first - 1), *last)?;
            position = *last;
            if i64::try_from(found.len()).is_ok_and(|count| count >= limit) {
                return Ok(found);
            }
        }
        if ranges.len() < usize::from(RANGES) {
            return Ok(found);
        }
    }
}

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
        let (reach, filter) = (filter.reach(), filter.clone());
        let (position, rows, size) = (request.position(), request.rows(), request.size);
        let found = self.read(reach, move |connection| Ok(read(connection, &filter, position, rows)?));
        Ok(Page::from_rows(found.await?, size))
    }

    async fn prune(&self, before: OffsetDateTime, limit: u32, by: &Actor) -> Result<u64, StoreError> {
        let by = by.clone();
        let prune = move |connection: &Connection| -> Result<u64, TxError<StoreError>> {
            let removed = connection.prepare_cached(PRUNE)?.execute((micros(before), limit))?;
            let add = "UPDATE audit_pruned SET deleted = deleted + ?1, changed_at = ?2 RETURNING deleted";
            let added = (i64::try_from(removed).unwrap_or(i64::MAX), micros(by.at));
            let deleted: i64 = connection.prepare_cached(add)?.query_row(added, |row| row.get(0))?;
            if removed < limit as usize && deleted > 0 {
                append_count(
                    connection,
                    by,
                    Action::AUDIT_PRUNED,
                    None,
                    usize::try_from(deleted).unwrap_or(usize::MAX),
                )?;
                connection.prepare_cached("UPDATE audit_pruned SET deleted = 0")?.execute([])?;
                connection.prepare_cached(PRUNE_BLOCKS)?.execute([micros(before)])?;
            }
            Ok(removed as u64)
        };
        self.writer.write(prune).await
    }

    async fn maintain(&self, last_prune_before: OffsetDateTime, by: &Actor) -> Result<(), StoreError> {
        let by = by.clone();
        let record = move |connection: &Connection| -> Result<(), TxError<StoreError>> {
            let interrupted = "SELECT deleted FROM audit_pruned WHERE deleted > 0 AND changed_at < ?1";
            let deleted =
                connection.prepare_cached(interrupted)?.query_row([micros(last_prune_before)], |row| row.get(0));
            if let Some(deleted) = deleted.optional()? {
                let deleted: i64 = deleted;
                let deleted = usize::try_from(deleted).unwrap_or(usize::MAX);
                append_count(connection, by.clone(), Action::AUDIT_PRUNED, None, deleted)?;
                connection.prepare_cached("UPDATE audit_pruned SET deleted = 0")?.execute([])?;
            }
            Ok(())
        };
        self.writer.write(record).await
    }
}

#[cfg(test)]
mod tests;
