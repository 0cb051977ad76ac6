//! The denied-access log: repeated denied requests become one audit event with a count.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::denied_kind::{DeniedKind, Owner, Precision};
use super::{AuditLog, NewEvent};
use crate::StoreError;

/// Aggregates denied requests until the next [`DeniedAccessLog::flush`]. Those with the same actor, action, target, detail and client
/// become one event, with the time and request of the first, and a count.
///
/// The number of events is bounded. Beyond the limits, anonymous requests are merged by client network, then regardless of their
/// clients; those with a known target keep it as long as possible. Requests of an authenticated actor are merged by action. The
/// detail of an event states what was merged.
pub struct DeniedAccessLog {
    log: Arc<dyn AuditLog>,
    pending: Mutex<Pending>,
}

/// The events until the next flush, and the number of their kinds.
#[derive(Default)]
struct Pending {
    events: HashMap<DeniedKind, NewEvent>,
    kinds: HashMap<(Precision, Option<Owner>), usize>,
}

impl DeniedAccessLog {
    /// Maximum number of events that are appended at once, so that other writes do not wait for all of them.
    const BATCH: usize = 500;

    pub fn new(log: Arc<dyn AuditLog>) -> Self {
        Self { log, pending: Mutex::default() }
    }

    /// Adds a denied request, in memory until the next flush. Its detail MUST be one of few.
    pub fn record(&self, event: NewEvent) {
        self.pending().add(DeniedKind::of(&event), event);
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends the events to the audit log. Those that it does not accept are kept for the next flush.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let pending = mem::take(&mut *self.pending());
        let mut events: Vec<_> = pending.events.into_iter().collect();
        events.sort_by_key(|(_, event)| event.by.at);
        while !events.is_empty() {
            let batch = events.iter().take(Self::BATCH).map(|(_, event)| event.clone()).collect();
            if let Err(error) = self.log.append(batch).await {
                self.pending().put_back(events);
                return Err(error);
            }
            events.drain(..events.len().min(Self::BATCH));
        }
        Ok(())
    }
}

impl Pending {
    /// Adds a request to the event of its kind, or of the first coarser kind that exists or is within the limits.
    fn add(&mut self, mut kind: DeniedKind, event: NewEvent) {
        while let Some(precision) = kind.precision()
            && !self.events.contains_key(&kind)
            && !self.admit(precision, kind.owner())
        {
            kind = kind.coarser();
        }
        match self.events.entry(kind) {
            Entry::Occupied(mut known) => {
                let count = &mut known.get_mut().count;
                *count = count.saturating_add(event.count);
            }
            Entry::Vacant(place) => {
                let event = place.key().event(event);
                place.insert(event);
            }
        }
    }

    /// Counts a new kind, unless its limits are reached.
    fn admit(&mut self, precision: Precision, owner: Option<Owner>) -> bool {
        let count = |key: &_| self.kinds.get(key).copied().unwrap_or_default();
        let of_owner = owner.map(|owner| (precision, Some(owner)));
        let is_within = count(&(precision, None)) < precision.limit()
            && of_owner.as_ref().is_none_or(|key| count(key) < precision.limit_of_owner());
        if is_within {
            for key in [Some((precision, None)), of_owner].into_iter().flatten() {
                *self.kinds.entry(key).or_default() += 1;
            }
        }
        is_within
    }

    /// Adds events from before those that are pending.
    fn put_back(&mut self, events: Vec<(DeniedKind, NewEvent)>) {
        let later = mem::take(self);
        for (kind, event) in events.into_iter().chain(later.events) {
            self.add(kind, event);
        }
    }
}

#[cfg(test)]
mod tests;
