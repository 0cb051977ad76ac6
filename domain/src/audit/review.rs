//! Use cases of the audit log.

use std::sync::Arc;

use time::Duration;

use super::{AuditLog, Event, EventFilter};
use crate::access::{AuditRead, AuditWrite, Permission as _};
use crate::{Clock, Page, PageRequest, StoreError};

/// Reads and prunes the audit log.
#[derive(Clone)]
pub struct Review {
    pub log: Arc<dyn AuditLog>,
    pub clock: Arc<dyn Clock>,
}

impl Review {
    /// Returns a page of the events that match `filter`, in order of id.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn page(
        &self,
        _by: &AuditRead,
        filter: &EventFilter,
        request: PageRequest,
    ) -> Result<Page<Event>, StoreError> {
        self.log.page(filter, request).await
    }

    /// Deletes the events older than `age` and returns their number. If `age` exceeds the range of dates, no event is deleted.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn prune_older_than(&self, by: &AuditWrite, age: Duration) -> Result<u64, StoreError> {
        let by = by.at(self.clock.now());
        match by.at.checked_sub(age) {
            Some(before) => self.log.prune(before, &by).await,
            None => Ok(0),
        }
    }
}
