//! The use cases of keeping the roll: reading needs a [`Reader`], writing a [`Registrar`].

use std::sync::Arc;

use thiserror::Error;

use super::{
    InsertError, RemoveError, ReplaceError, Student, StudentFields, StudentFilter, StudentId, StudentPatch,
    StudentStore,
};
use crate::user::{Reader, Registrar};
use crate::{Clock, Cursor, Page, PageSize, StoreError, Version};

/// Why a student was not found.
#[derive(Debug, Error)]
pub enum FindError {
    #[error("no such student exists")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The roll of students.
#[derive(Clone)]
pub struct Roll {
    students: Arc<dyn StudentStore>,
    clock: Arc<dyn Clock>,
}

impl Roll {
    pub fn new(students: Arc<dyn StudentStore>, clock: Arc<dyn Clock>) -> Self {
        Self { students, clock }
    }

    /// A piece of the roll, in order of id.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn page(
        &self,
        _by: &Reader,
        filter: &StudentFilter,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<Student>, StoreError> {
        self.students.page(filter, after, size).await
    }

    /// The first student by id that fits, if any does.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub async fn first(&self, by: &Reader, filter: &StudentFilter) -> Result<Option<Student>, StoreError> {
        let page = self.page(by, filter, None, PageSize::ONE).await?;
        Ok(page.entries.into_iter().next())
    }

    /// # Errors
    /// [`FindError::Unknown`] where no such student exists.
    pub async fn find(&self, _by: &Reader, id: StudentId) -> Result<Student, FindError> {
        self.students.find(id).await?.ok_or(FindError::Unknown)
    }

    /// Puts a new student on the roll.
    ///
    /// # Errors
    /// [`InsertError`]
    pub async fn enrol(&self, by: &Registrar, new: StudentFields) -> Result<Student, InsertError> {
        self.students.insert(new, &by.at(self.clock.now())).await
    }

    /// Replaces all of a student's fields.
    ///
    /// # Errors
    /// [`ReplaceError`]
    pub async fn replace(
        &self,
        by: &Registrar,
        id: StudentId,
        seen: Option<Version>,
        next: StudentFields,
    ) -> Result<Student, ReplaceError> {
        self.students.replace(id, seen, next, &by.at(self.clock.now())).await
    }

    /// Changes some of a student's fields.
    ///
    /// # Errors
    /// [`ReplaceError`]
    pub async fn amend(
        &self,
        by: &Registrar,
        id: StudentId,
        seen: Option<Version>,
        patch: StudentPatch,
    ) -> Result<Student, ReplaceError> {
        self.students.amend(id, seen, patch, &by.at(self.clock.now())).await
    }

    /// Takes a student off the roll.
    ///
    /// # Errors
    /// [`RemoveError`]
    pub async fn remove(&self, by: &Registrar, id: StudentId, seen: Option<Version>) -> Result<(), RemoveError> {
        self.students.remove(id, seen, &by.at(self.clock.now())).await
    }
}
