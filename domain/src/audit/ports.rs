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

    /// Deletes the events before a time and returns their number. Appends one [`Action::AUDIT_PRUNED`](super::Action) event
    /// of `by` with the number, unless it is 0.
    async fn prune(&self, before: OffsetDateTime, by: &Actor) -> Result<u64, StoreError>;
}
