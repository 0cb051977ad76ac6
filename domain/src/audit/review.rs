//! The use cases of the audit.

use std::sync::Arc;

use time::Duration;

use super::{AuditLog, Event, EventFilter};
use crate::access::{AuditRead, AuditWrite, Permission as _};
use crate::{Clock, Page, PageRequest, StoreError};

/// Reads the audit, and lets old events go.
#[derive(Clone)]
pub struct Review {
    pub log: Arc<dyn AuditLog>,
    pub clock: Arc<dyn Clock>,
}

impl Review {
    /// A piece of the events that fit, in the order in which they were kept.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn page(
        &self,
        _by: &AuditRead,
        filter: &EventFilter,
        request: PageRequest,
    ) -> Result<Page<Event>, StoreError> {
        self.log.page(filter, request).await
    }

    /// Removes the events that are older than `age`; answers how many. What is older than time is counted removes
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn prune_older_than(&self, by: &AuditWrite, age: Duration) -> Result<u64, StoreError> {
        let by = by.at(self.clock.now());
        match by.at.checked_sub(age) {
            Some(before) => self.log.prune(before, &by).await,
            None => Ok(0),
        }
    }
}
