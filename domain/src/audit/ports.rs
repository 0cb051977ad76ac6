//! What the domain needs of whoever keeps the audit.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::{Event, EventFilter, NewEvent};
use crate::{Actor, Page, PageRequest, StoreError};

/// Keeps the audit. Changes of students, users and sessions leave their events through the stores of those, in the
/// transaction of the change; what has no such change is appended here. No event is ever changed.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Keeps events, all or none.
    async fn append(&self, events: Vec<NewEvent>) -> Result<(), StoreError>;

    /// The events that fit `filter`, in order of id, behind `after` where it is given; `next` is set exactly when
    /// more follow.
    async fn page(&self, filter: &EventFilter, request: PageRequest) -> Result<Page<Event>, StoreError>;

    /// Removes the events before a time, keeps one [`Action::AUDIT_PRUNED`](super::Action) of `by` that counts
    /// them, and answers how many they were; where there are none, nothing is kept either.
    async fn prune(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError>;
}
