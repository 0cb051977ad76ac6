//! Audit log port.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::{Event, EventFilter, NewEvent};
use crate::{Actor, Page, PageRequest, StoreError};

/// Audit log. The stores of students, users and sessions append the events of a change in its transaction; other events are
/// appended here. Events never change.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Appends events, all or none.
    async fn append(&self, events: Vec<NewEvent>) -> Result<(), StoreError>;

    /// Returns a page of the events that match `filter`, in order of id.
    async fn page(&self, filter: &EventFilter, request: PageRequest) -> Result<Page<Event>, StoreError>;

    /// Deletes up to `limit` of the events before a time, the earliest first, and returns their number. If these are fewer than
    /// `limit`, appends one [`Action::AUDIT_PRUNED`](super::Action) event of `by` with the number of all deleted events that no event
    /// has recorded yet, unless it is 0. A deletion that was interrupted between its calls is thus recorded by the next one.
    async fn prune(&self, before: OffsetDateTime, limit: u32, by: &Actor) -> Result<u64, StoreError>;

    /// Reorganizes what filters read, where the store needs that. Appends one [`Action::AUDIT_PRUNED`](super::Action) event of `by`
    /// with the number of deleted events that no event has recorded, if the last call of [`AuditLog::prune`] that deleted them was
    /// before `last_prune_before`.
    async fn maintain(&self, last_prune_before: OffsetDateTime, by: &Actor) -> Result<(), StoreError>;
}
