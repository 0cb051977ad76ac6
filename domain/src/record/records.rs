//! Use cases that all resources share.

use std::sync::Arc;

use derive_where::derive_where;

use super::{Precondition, Record, RecordError, RecordResult, RecordStore, Resource, Visitor};
use crate::access::Permission as _;
use crate::{Clock, Id, Page, PageRequest, StoreError, Version};

/// Lists, reads and writes the records of one resource.
#[derive_where(Clone)]
pub struct Records<R: Resource> {
    store: Arc<dyn RecordStore<R>>,
    clock: Arc<dyn Clock>,
}

impl<R: Resource> Records<R> {
    pub fn new(store: Arc<dyn RecordStore<R>>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Returns a page of the records that match `filter`, in order of id.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn list(
        &self,
        _by: &R::Read,
        filter: &R::Filter,
        request: PageRequest,
    ) -> Result<Page<Record<R>>, StoreError> {
        self.store.page(filter, request).await
    }

    /// Passes all records that match `filter` to `visitor`: those that exist at one moment, in order of id.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails, possibly after a part of the records.
    pub async fn export(
        &self,
        _by: &R::Read,
        filter: &R::Filter,
        visitor: &mut dyn Visitor<R>,
    ) -> Result<(), StoreError> {
        self.store.export(filter, visitor).await
    }

    /// Returns the matching record with the lowest id, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn first(&self, by: &R::Read, filter: &R::Filter) -> Result<Option<Record<R>>, StoreError> {
        let page = self.list(by, filter, PageRequest::ONE).await?;
        Ok(page.entries.into_iter().next())
    }

    /// # Errors
    /// [`RecordError::NotFound`], or a failure of the store.
    pub async fn get(&self, _by: &R::Read, id: Id<R::Kind>) -> RecordResult<R> {
        self.store.find(id).await?.ok_or(RecordError::NotFound)
    }

    /// # Errors
    /// [`RecordError`]
    pub async fn create(&self, by: &R::Write, new: R::New) -> RecordResult<R> {
        self.store.insert(new, &by.at(self.clock.now())).await
    }

    /// Updates the fields that `patch` sets.
    ///
    /// # Errors
    /// [`RecordError`]
    pub async fn update(
        &self,
        by: &R::Write,
        id: Id<R::Kind>,
        precondition: &Precondition,
        patch: R::Patch,
    ) -> RecordResult<R> {
        let expected = self.required_version(id, precondition).await?;
        self.store.update(id, expected, patch, &by.at(self.clock.now())).await
    }

    /// Replaces every field of a record.
    ///
    /// # Errors
    /// [`RecordError`]
    pub async fn replace(
        &self,
        by: &R::Write,
        id: Id<R::Kind>,
        precondition: &Precondition,
        fields: R,
    ) -> RecordResult<R>
    where
        R::Patch: From<R>,
    {
        self.update(by, id, precondition, fields.into()).await
    }

    /// # Errors
    /// [`RecordError`]
    pub async fn delete(&self, by: &R::Write, id: Id<R::Kind>, precondition: &Precondition) -> RecordResult<R, ()> {
        let expected = self.required_version(id, precondition).await?;
        self.store.delete(id, expected, &by.at(self.clock.now())).await
    }

    /// Required version of the stored record; `None` for any version.
    async fn required_version(
        &self,
        id: Id<R::Kind>,
        precondition: &Precondition,
    ) -> Result<Option<Version>, RecordError<R>> {
        match precondition {
            Precondition::Any => Ok(None),
            Precondition::Version(version) => Ok(Some(*version)),
            Precondition::When(holds) => {
                let stored = self.store.find(id).await?.ok_or(RecordError::NotFound)?.version;
                if holds(stored) { Ok(Some(stored)) } else { Err(RecordError::Stale) }
            }
        }
    }
}
