//! Feed of the changes of students.

mod follow;
mod token;

use async_trait::async_trait;
use thiserror::Error;
use time::OffsetDateTime;

use super::{Student, StudentId};
use crate::record::Record;
use crate::{PageSize, StoreError, Version};

pub use follow::{ChangeRetention, ChangeRetentionError, FollowChanges, FollowedChanges};
pub use token::{ChangePosition, ChangeToken, ChangeTokenError};

/// A change of a student.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub student_id: StudentId,
    /// The version that the change created; of a deletion, one more than the last version.
    pub version: Version,
    /// `updated_at` of that version; of a deletion, the time of the store.
    pub at: OffsetDateTime,
    /// The student as it is now; `None` once it is deleted.
    pub student: Option<Record<Student>>,
}

/// A part of the feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    pub entries: Vec<Change>,
    /// Token of the position after the entries.
    pub next: ChangeToken,
    pub has_more: bool,
    /// Time of the earliest change that is committed but hidden, because a transaction that began before it still runs.
    pub oldest_hidden: Option<OffsetDateTime>,
}

impl Changes {
    /// Creates a part of the feed from the rows that a store found after a token, one more than `size` if there are as many.
    #[must_use]
    pub fn from_rows(
        mut found: Vec<(Change, ChangePosition)>,
        after: ChangeToken,
        size: PageSize,
        oldest_hidden: Option<OffsetDateTime>,
    ) -> Self {
        let size = usize::from(size.get());
        let has_more = found.len() > size;
        found.truncate(size);
        let position = found.last().map_or(after.position, |(_, position)| *position);
        let entries = found.into_iter().map(|(change, _)| change).collect();
        Self { entries, next: ChangeToken { position, ..after }, has_more, oldest_hidden }
    }
}

/// State of the feed of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedState {
    /// Identifies the feed. A restored store has another one.
    pub feed: i64,
    /// The last change that was deleted because of its age.
    pub deleted: ChangePosition,
    /// The last change that is visible.
    pub last: ChangePosition,
}

impl FeedState {
    /// Token of the position after every visible change.
    #[must_use]
    pub fn latest(&self) -> ChangeToken {
        ChangeToken { feed: self.feed, position: self.last.max(self.deleted) }
    }

    /// Checks that the feed contains every change after the token.
    ///
    /// # Errors
    /// [`ChangesError`]
    pub fn check(&self, after: ChangeToken) -> Result<(), ChangesError> {
        if after.feed != self.feed {
            Err(ChangesError::OtherFeed)
        } else if after.position > self.latest().position {
            Err(ChangesError::FromTheFuture)
        } else if after.position < self.deleted {
            Err(ChangesError::Expired)
        } else {
            Ok(())
        }
    }
}

/// Reason why the changes after a token cannot be read. For all but a failure of the store, the follower has to read the list again.
#[derive(Debug, Error)]
pub enum ChangesError {
    #[error("the token is one of another feed")]
    OtherFeed,
    #[error("the token is after the last change")]
    FromTheFuture,
    #[error("changes after the token have been deleted")]
    Expired,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The feed of changes: one entry for each write of a student by any program, with its id and version alone. Entries are in an order
/// in which none appears before one that was visible earlier: every committed change is found once by a follower that continues
/// from `next`. That need not be the order of the commits.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ChangeFeed: Send + Sync {
    /// Returns the first changes after the token.
    ///
    /// # Errors
    /// [`ChangesError`]
    async fn changes(&self, after: ChangeToken, size: PageSize) -> Result<Changes, ChangesError>;

    /// Returns the token of the position after every visible change. A list that is read later contains them.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn latest(&self) -> Result<ChangeToken, StoreError>;

    /// Deletes the first changes, up to the first one of `before` or later, at most `limit`. Returns their number.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn delete_before(&self, before: OffsetDateTime, limit: u32) -> Result<u64, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_outside_of_the_feed_are_rejected() {
        let position = |number| ChangePosition { transaction: 7, number };
        let state = FeedState { feed: 1, deleted: position(2), last: position(5) };
        let check = |feed, number| state.check(ChangeToken { feed, position: position(number) });
        assert!(check(1, 2).is_ok() && check(1, 5).is_ok());
        assert!(matches!(check(1, 1), Err(ChangesError::Expired)));
        assert!(matches!(check(1, 6), Err(ChangesError::FromTheFuture)));
        assert!(matches!(check(2, 3), Err(ChangesError::OtherFeed)));
        let emptied = FeedState { last: ChangePosition::START, ..state };
        assert_eq!(emptied.latest().position, position(2), "all changes have been deleted");
    }
}
