//! The denied-access log: repeated denied requests become one audit event with a count.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Action, AuditLog, NewEvent};
use crate::{StoreError, Target, Who};

/// Aggregates denied requests until the next [`DeniedAccessLog::flush`]. Those with the same actor, action, target and client
/// become one event, with the time and request of the first, and a count.
pub struct DeniedAccessLog {
    log: Arc<dyn AuditLog>,
    gathered: Mutex<HashMap<Kind, NewEvent>>,
}

#[derive(PartialEq, Eq, Hash)]
struct Kind {
    who: Who,
    action: Action,
    target: Option<Target>,
    client: Option<IpAddr>,
}

impl DeniedAccessLog {
    /// Maximum number of distinct kinds between two flushes. Further ones are counted by action only.
    const MOST_KINDS: usize = 4_096;

    pub fn new(log: Arc<dyn AuditLog>) -> Self {
        Self { log, gathered: Mutex::default() }
    }

    /// Adds a denied request, in memory until the next flush.
    pub fn note(&self, event: NewEvent) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        Self::add(&mut gathered, event);
    }

    fn add(gathered: &mut HashMap<Kind, NewEvent>, mut event: NewEvent) {
        let mut kind = Kind {
            who: event.by.who,
            action: event.action.clone(),
            target: event.target.clone(),
            client: event.by.origin.client,
        };
        if gathered.len() >= Self::MOST_KINDS && !gathered.contains_key(&kind) {
            kind = Kind { who: Who::Anonymous, action: event.action.clone(), target: None, client: None };
            (event.by.who, event.by.origin.client, event.target) = (Who::Anonymous, None, None);
        }
        gathered.entry(kind).and_modify(|known| known.count = known.count.saturating_add(event.count)).or_insert(event);
    }

    /// Appends the events to the audit log. If that fails, they are kept for the next flush.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let gathered = mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner));
        if gathered.is_empty() {
            return Ok(());
        }
        let mut events: Vec<_> = gathered.into_values().collect();
        events.sort_by_key(|event| event.by.at);
        let appended = self.log.append(events.clone()).await;
        if appended.is_err() {
            let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            for event in events {
                Self::add(&mut gathered, event);
            }
        }
        appended
    }
}
