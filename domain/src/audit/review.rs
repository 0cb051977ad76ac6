//! Use cases of the audit log.

use std::sync::Arc;

use time::Duration;

use super::{AuditLog, Event, EventFilter};
use crate::access::{AuditRead, AuditWrite, Permission as _};
use crate::{Actor, ActorId, Clock, Page, PageRequest, StoreError};

/// Reads and prunes the audit log.
#[derive(Clone)]
pub struct Review {
    pub log: Arc<dyn AuditLog>,
    pub clock: Arc<dyn Clock>,
}

impl Review {
    /// Number of events that are deleted in one transaction, during which other writes wait.
    const BATCH: u32 = 5_000;
    /// Maximum time between two batches of a deletion that is in progress.
    const MAX_PAUSE: Duration = Duration::minutes(5);

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

    /// Deletes the events older than `age` in batches, and returns their number. If `age` exceeds the range of dates, no event is
    /// deleted. After each batch but the last, calls `after_batch` with the number of events deleted so far.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails. The batches before remain deleted.
    pub async fn prune_older_than(
        &self,
        by: &AuditWrite,
        age: Duration,
        mut after_batch: impl AsyncFnMut(u64),
    ) -> Result<u64, StoreError> {
        let Some(before) = self.clock.now().checked_sub(age) else { return Ok(0) };
        let mut deleted = 0;
        loop {
            let batch = self.log.prune(before, Self::BATCH, &by.at(self.clock.now())).await?;
            deleted += batch;
            if batch < u64::from(Self::BATCH) {
                return Ok(deleted);
            }
            after_batch(deleted).await;
        }
    }

    /// Maintains the audit log, once an hour. Records the number of events that a deletion deleted before it was interrupted: one
    /// without a batch for five minutes. Only operators delete events.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn maintain(&self) -> Result<(), StoreError> {
        let by = Actor::here(ActorId::Operator, self.clock.now());
        self.log.maintain(by.at - Self::MAX_PAUSE, &by).await
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::MockClock;
    use crate::access::Principal;
    use crate::audit::MockAuditLog;

    #[tokio::test]
    async fn pruning_continues_until_a_batch_is_not_full() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(9);
        let mut log = MockAuditLog::new();
        let mut batches = vec![7, u64::from(Review::BATCH), u64::from(Review::BATCH)];
        log.expect_prune().times(3).returning(move |before, limit, by| {
            assert_eq!((before, limit, by.at), (now - Duration::DAY, Review::BATCH, now));
            Ok(batches.pop().unwrap())
        });
        let mut clock = MockClock::new();
        clock.expect_now().return_const(now);
        let review = Review { log: Arc::new(log), clock: Arc::new(clock) };
        let by = Principal::operator().grant().unwrap();
        let mut progress = Vec::new();
        let deleted = review.prune_older_than(&by, Duration::DAY, async |deleted| progress.push(deleted)).await;
        assert_eq!((deleted.unwrap(), progress), (10_007, vec![5_000, 10_000]));
    }
}
