//! Record repository port.

use std::ops::ControlFlow;

use async_trait::async_trait;

use super::{Record, RecordResult, Resource};
use crate::{Actor, Id, Page, PageRequest, StoreError, Version};

/// Receives the records of an export.
#[async_trait]
pub trait Visitor<R: Resource>: Send {
    async fn visit(&mut self, records: Vec<Record<R>>) -> ControlFlow<()>;
}

/// A borrowed [`Visitor`].
pub type Visiting<'v, R> = &'v mut (dyn Visitor<R> + 'v);

/// Repository of the records of one resource. Every method is atomic. Each write appends its audit event in the same
/// transaction: `KIND.created`, `KIND.updated` with [`Patch::detail`](super::Patch::detail), or `KIND.deleted`. Ids are never
/// reused, not even after deletion.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait RecordStore<R: Resource>: Send + Sync {
    /// Stores a new record at version 1, created and updated at `by.at`.
    ///
    /// MUST fail with [`RecordError::Rejected`](super::RecordError::Rejected), and write nothing, if the record violates a
    /// constraint.
    async fn insert(&self, new: R::New, by: &Actor) -> RecordResult<R>;

    /// Returns the record with this id, if it exists.
    async fn find(&self, id: Id<R::Kind>) -> Result<Option<Record<R>>, StoreError>;

    /// Returns the records that match `filter` in order of id, after the cursor if there is one; `next` is set exactly if
    /// more records follow.
    async fn page(&self, filter: &R::Filter, request: PageRequest) -> Result<Page<Record<R>>, StoreError>;

    /// Passes all records that match `filter` to `visitor`, in order of id and in batches, the last of which may be empty: those
    /// that exist at one moment, whatever is written meanwhile. Stops if the visitor breaks.
    async fn export<'v>(&self, filter: &R::Filter, visitor: Visiting<'v, R>) -> Result<(), StoreError>;

    /// Sets the fields of `patch`, increments the version, and sets `updated_at` to `by.at`, even if no value changes.
    ///
    /// MUST fail, and write nothing, with [`RecordError::NotFound`](super::RecordError::NotFound) if the record does not exist,
    /// else with [`RecordError::Stale`](super::RecordError::Stale) unless `expected` is `None` or the stored version, else with
    /// [`RecordError::Rejected`](super::RecordError::Rejected) if the update violates a constraint.
    async fn update(&self, id: Id<R::Kind>, expected: Option<Version>, patch: R::Patch, by: &Actor) -> RecordResult<R>;

    /// Deletes a record permanently.
    ///
    /// MUST fail, and delete nothing, as [`RecordStore::update`] does.
    async fn delete(&self, id: Id<R::Kind>, expected: Option<Version>, by: &Actor) -> RecordResult<R, ()>;
}
