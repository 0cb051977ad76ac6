//! Use cases of the feed.

use std::sync::Arc;

use thiserror::Error;
use time::Duration;

use super::{ChangeFeed, ChangeToken, Changes, ChangesError};
use crate::access::StudentsRead;
use crate::{Clock, PageSize, StoreError};

/// Time for which changes are kept: 1 to 3,650 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeRetention(Duration);

/// The duration is not a retention time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be from 1 to 3650 days")]
pub struct ChangeRetentionError;

impl ChangeRetention {
    /// # Errors
    /// [`ChangeRetentionError`] outside 1 to 3,650 days.
    pub fn new(duration: Duration) -> Result<Self, ChangeRetentionError> {
        if duration < Duration::DAY || duration > Duration::days(3650) {
            return Err(ChangeRetentionError);
        }
        Ok(Self(duration))
    }

    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl Default for ChangeRetention {
    fn default() -> Self {
        Self(Duration::days(30))
    }
}

/// A part of the feed, and its lag.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowedChanges {
    pub changes: Changes,
    /// Age of the earliest change that is committed but hidden; zero if none is.
    pub lag: Duration,
}

/// Reads the feed of changes, and deletes old ones.
#[derive(Clone)]
pub struct FollowChanges {
    pub feed: Arc<dyn ChangeFeed>,
    pub clock: Arc<dyn Clock>,
    pub retention: ChangeRetention,
}

impl FollowChanges {
    /// Number of changes that are deleted in one transaction, during which other writes of the embedded store wait.
    const BATCH: u32 = 5_000;

    /// Returns the first changes after the token.
    ///
    /// # Errors
    /// [`ChangesError`]
    pub async fn after(
        &self,
        _by: &StudentsRead,
        after: ChangeToken,
        size: PageSize,
    ) -> Result<FollowedChanges, ChangesError> {
        let changes = self.feed.changes(after, size).await?;
        let lag = changes.oldest_hidden.map_or(Duration::ZERO, |at| self.clock.now() - at);
        Ok(FollowedChanges { changes, lag: lag.max(Duration::ZERO) })
    }

    /// Returns the token to start from: followed by the list of students and then by the feed, it makes a complete replica.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn latest(&self, _by: &StudentsRead) -> Result<ChangeToken, StoreError> {
        self.feed.latest().await
    }

    /// Deletes the changes that are older than the retention time, and returns their number.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails. The batches before remain deleted.
    pub async fn delete_old(&self) -> Result<u64, StoreError> {
        let before = self.clock.now() - self.retention.duration();
        let mut deleted = 0;
        loop {
            let batch = self.feed.delete_before(before, Self::BATCH).await?;
            deleted += batch;
            if batch < u64::from(Self::BATCH) {
                return Ok(deleted);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::MockClock;
    use crate::access::Principal;
    use crate::student::{ChangePosition, MockChangeFeed};

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH.saturating_add(Duration::days(90));
    const TOKEN: ChangeToken = ChangeToken { feed: 7, position: ChangePosition::START };

    fn follow(feed: MockChangeFeed) -> FollowChanges {
        let mut clock = MockClock::new();
        clock.expect_now().return_const(NOW);
        FollowChanges { feed: Arc::new(feed), clock: Arc::new(clock), retention: ChangeRetention::default() }
    }

    #[tokio::test]
    async fn lag_is_the_age_of_the_oldest_hidden_change() {
        let later = NOW + Duration::HOUR;
        for (oldest_hidden, lag) in [(None, 0), (Some(NOW - Duration::MINUTE), 60), (Some(later), 0)] {
            let mut feed = MockChangeFeed::new();
            feed.expect_changes()
                .returning(move |next, _| Ok(Changes { entries: Vec::new(), next, has_more: false, oldest_hidden }));
            let by = Principal::operator().grant().unwrap();
            let followed = follow(feed).after(&by, TOKEN, PageSize::ONE).await.unwrap();
            assert_eq!(followed.lag, Duration::seconds(lag));
        }
    }

    #[tokio::test]
    async fn old_changes_are_deleted_until_a_batch_is_not_full() {
        let mut feed = MockChangeFeed::new();
        let mut batches = vec![7, u64::from(FollowChanges::BATCH)];
        feed.expect_delete_before().times(2).returning(move |before, limit| {
            assert_eq!((before, limit), (NOW - Duration::days(30), FollowChanges::BATCH));
            Ok(batches.pop().unwrap())
        });
        assert_eq!(follow(feed).delete_old().await.unwrap(), 5_007);
    }

    #[test]
    fn change_retention_is_from_1_to_3650_days() {
        for days in [1, 3650] {
            assert!(ChangeRetention::new(Duration::days(days)).is_ok());
        }
        for wrong in [Duration::DAY - Duration::SECOND, Duration::days(3650) + Duration::SECOND] {
            assert_eq!(ChangeRetention::new(wrong), Err(ChangeRetentionError), "{wrong}");
        }
    }
}
