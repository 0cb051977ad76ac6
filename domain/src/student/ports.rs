//! What the domain needs of whoever keeps the students.

use async_trait::async_trait;
use thiserror::Error;

use super::{Student, StudentFields, StudentFilter, StudentId, StudentPatch};
use crate::{Actor, Cursor, Page, PageSize, StoreError, Version};

/// Keeps the students. Every method is atomic. An id is never used twice, not even after its student is
/// removed.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait StudentStore: Send + Sync {
    /// Keeps a new student at version 1, made and updated at `by.at`.
    ///
    /// MUST fail with [`InsertError::RollNumberTaken`] when another student holds the number; nothing is
    /// written then.
    async fn insert(&self, new: StudentFields, by: &Actor) -> Result<Student, InsertError>;

    /// `None` where no such student exists.
    async fn find(&self, id: StudentId) -> Result<Option<Student>, StoreError>;

    /// The students that fit `filter`, in order of id, behind `after` where it is given; `next` is set
    /// exactly when more follow.
    async fn page(
        &self,
        filter: &StudentFilter,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<Student>, StoreError>;

    /// Changes the fields that `patch` sets, adds one to the version, and stamps `by.at`, also where every
    /// field already had its value.
    ///
    /// MUST fail, and write nothing, with [`ReplaceError::Unknown`] where no such student exists, else with
    /// [`ReplaceError::Stale`] unless `seen` is `None` or the version stored now, else with
    /// [`ReplaceError::RollNumberTaken`] when another student holds the number.
    async fn amend(
        &self,
        id: StudentId,
        seen: Option<Version>,
        patch: StudentPatch,
        by: &Actor,
    ) -> Result<Student, ReplaceError>;

    /// Replaces every field: [`StudentStore::amend`] with all of them set.
    async fn replace(
        &self,
        id: StudentId,
        seen: Option<Version>,
        next: StudentFields,
        by: &Actor,
    ) -> Result<Student, ReplaceError> {
        self.amend(id, seen, next.into(), by).await
    }

    /// Removes a student for good.
    ///
    /// MUST fail, and remove nothing, with [`RemoveError::Unknown`] where no such student exists, else with
    /// [`RemoveError::Stale`] unless `seen` is `None` or the version stored now.
    async fn remove(&self, id: StudentId, seen: Option<Version>, by: &Actor) -> Result<(), RemoveError>;
}

/// Why a student was not added.
#[derive(Debug, Error)]
pub enum InsertError {
    #[error("another student holds this roll number")]
    RollNumberTaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a student was not changed.
#[derive(Debug, Error)]
pub enum ReplaceError {
    #[error("no such student exists")]
    Unknown,
    #[error("the student was changed since it was read")]
    Stale,
    #[error("another student holds this roll number")]
    RollNumberTaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a student was not removed.
#[derive(Debug, Error)]
pub enum RemoveError {
    #[error("no such student exists")]
    Unknown,
    #[error("the student was changed since it was read")]
    Stale,
    #[error(transparent)]
    Store(#[from] StoreError),
}
