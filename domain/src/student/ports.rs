//! Port that maintains the search forms of names.

use async_trait::async_trait;

use crate::StoreError;

/// Maintenance of the stored search forms of students' names. A store keeps [`StudentName::search_form`](super::StudentName)
/// next to each name. Nodes of release 1.0 write names without it; a search checks the names of these students themselves, which
/// is slower but finds the same students.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SearchForms: Send + Sync {
    /// Computes missing search forms, of at most `BATCH` students, in one short transaction. Returns the number
    /// of students. Other nodes can write meanwhile: the search form of a changed name MUST NOT be stored.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn fill_missing(&self) -> Result<u64, StoreError>;
}

impl dyn SearchForms + '_ {
    /// Maximum number of students of one call.
    pub const BATCH: u32 = 500;

    /// Computes all missing search forms.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    pub async fn fill_all(&self) -> Result<u64, StoreError> {
        let mut total = 0;
        loop {
            match self.fill_missing().await? {
                0 => return Ok(total),
                filled => total += filled,
            }
        }
    }
}
