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
/// detail of an event states what was merged. No actor, target or client network exhausts the limits for others: half of each limit
/// is for the first event of each, and of the other half, each has at most a sixteenth of the places that are left.
pub struct DeniedAccessLog {
    log: Arc<dyn AuditLog>,
    pending: Mutex<Pending>,
}

/// The events until the next flush, and the number of their kinds.
#[derive(Default)]
struct Pending {
    events: HashMap<DeniedKind, NewEvent>,
    totals: HashMap<Precision, usize>,
    of_owners: HashMap<(Precision, Owner), usize>,
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
            && !precision.admits(self.total(precision), self.of_owner(precision, kind.owner()))
        {
            kind = kind.coarser();
        }
        self.add_to(kind, event);
    }

    /// Adds a request to the event of its kind, which is within the limits.
    fn add_to(&mut self, kind: DeniedKind, event: NewEvent) {
        if let Some(precision) = kind.precision()
            && !self.events.contains_key(&kind)
        {
            *self.totals.entry(precision).or_default() += 1;
            *self.of_owners.entry((precision, kind.owner())).or_default() += 1;
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

    fn total(&self, precision: Precision) -> usize {
        self.totals.get(&precision).copied().unwrap_or_default()
    }

    fn of_owner(&self, precision: Precision, owner: Owner) -> usize {
        self.of_owners.get(&(precision, owner)).copied().unwrap_or_default()
    }

    /// Adds events from before those that are pending. They keep their kinds, because they were within the limits together.
    fn put_back(&mut self, events: Vec<(DeniedKind, NewEvent)>) {
        let later = mem::take(self);
        for (kind, event) in events {
            self.add_to(kind, event);
        }
        for (kind, event) in later.events {
            self.add(kind, event);
        }
    }
}

#[cfg(test)]
mod tests;
