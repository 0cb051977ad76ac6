//! The denied-access log: repeated denied requests become one audit event with a count.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Action, AuditLog, NewEvent};
use crate::{ActorId, StoreError, Target};

/// Aggregates denied requests until the next [`DeniedAccessLog::flush`]. Those with the same actor, action, target and client
/// become one event, with the time and request of the first, and a count.
pub struct DeniedAccessLog {
    log: Arc<dyn AuditLog>,
    pending: Mutex<HashMap<Kind, NewEvent>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Kind {
    id: ActorId,
    action: Action,
    target: Option<Target>,
    client: Option<IpAddr>,
}

impl DeniedAccessLog {
    /// Maximum number of distinct kinds between two flushes. Further ones are counted by action only.
    const MAX_KINDS: usize = 4_096;

    pub fn new(log: Arc<dyn AuditLog>) -> Self {
        Self { log, pending: Mutex::default() }
    }

    /// Adds a denied request, in memory until the next flush.
    pub fn record(&self, event: NewEvent) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        Self::add(&mut pending, event);
    }

    fn add(pending: &mut HashMap<Kind, NewEvent>, mut event: NewEvent) {
        let mut kind = Kind {
            id: event.by.id,
            action: event.action.clone(),
            target: event.target.clone(),
            client: event.by.origin.client,
        };
        if pending.len() >= Self::MAX_KINDS && !pending.contains_key(&kind) {
            kind = Kind { id: ActorId::Anonymous, action: event.action.clone(), target: None, client: None };
            (event.by.id, event.by.origin.client, event.target) = (ActorId::Anonymous, None, None);
        }
        pending.entry(kind).and_modify(|known| known.count = known.count.saturating_add(event.count)).or_insert(event);
    }

    /// Appends the events to the audit log. If that fails, they are kept for the next flush.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let pending = mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        if pending.is_empty() {
            return Ok(());
        }
        let mut events: Vec<_> = pending.into_values().collect();
        events.sort_by_key(|event| event.by.at);
        let appended = self.log.append(events.clone()).await;
        if appended.is_err() {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            for event in events {
                Self::add(&mut pending, event);
            }
        }
        appended
    }
}
