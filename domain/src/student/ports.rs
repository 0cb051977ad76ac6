//! Port that maintains the index of names.

use async_trait::async_trait;

use crate::StoreError;

/// Maintenance of the index of names, which finds substrings of [`StudentName::search_form`](super::StudentName). Names that a node of
/// the previous release wrote are not in the index at first; a search checks these names themselves, which is slower but finds
/// the same students.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait NameIndex: Send + Sync {
    /// Takes one short step: indexes at most `BATCH` students that are not in the index, and returns their number or less; if there are
    /// none, makes searches faster, and returns 0. Returns `None` if nothing is left to do. Other nodes can write meanwhile: the former
    /// name of a student MUST NOT be stored.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn index_missing(&self) -> Result<Option<u64>, StoreError>;

    /// Returns the number of students that are not in the index, or an upper bound.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails.
    async fn missing(&self) -> Result<u64, StoreError>;
}

impl dyn NameIndex + '_ {
    /// Maximum number of students of one call.
    pub const BATCH: u32 = 500;

    /// Maximum number of steps of one call of `index_all` that only make searches faster, because writes go on meanwhile.
    const IMPROVEMENTS: u32 = 100;

    /// Indexes all names that are missing. If they are more than a batch, calls `report` with the percentage when it changes.
    ///
    /// # Errors
    /// [`StoreError`] if the store fails. What was indexed before remains.
    pub async fn index_all(&self, mut report: impl FnMut(u64) + Send) -> Result<(), StoreError> {
        let (mut total, mut reported, mut improvements) = (0, 0, 0);
        let mut missing = None;
        while improvements < Self::IMPROVEMENTS
            && let Some(indexed) = self.index_missing().await?
        {
            total += indexed;
            improvements += u32::from(indexed == 0);
            let missing = match missing {
                Some(missing) => missing,
                // Only the progress depends on it.
                None => *missing.insert(self.missing().await.unwrap_or(0) + indexed),
            };
            let percentage = if indexed == 0 { 100 } else { total.saturating_mul(100) / missing.max(total) };
            if percentage > reported && missing > u64::from(Self::BATCH) {
                reported = percentage;
                report(percentage);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn store(steps: impl IntoIterator<Item = Option<u64>> + Send, missing: u64) -> MockNameIndex {
        let mut store = MockNameIndex::new();
        let mut sequence = mockall::Sequence::new();
        for step in steps {
            store.expect_index_missing().once().in_sequence(&mut sequence).return_once(move || Ok(step));
        }
        store.expect_missing().returning(move || Ok(missing));
        store
    }

    fn reported(store: &dyn NameIndex) -> Vec<u64> {
        let mut reported = Vec::new();
        store.index_all(|percentage| reported.push(percentage)).now_or_never().unwrap().unwrap();
        reported
    }

    #[test]
    fn progress_is_that_of_the_names_that_were_missing_at_first() {
        assert_eq!(reported(&store([Some(500), Some(499), Some(2), Some(0), None], 499)), [50, 100]);
        assert!(reported(&store([Some(7), None], 0)).is_empty(), "a few names of another node");
        assert!(reported(&store([None], 0)).is_empty());
    }

    #[test]
    fn faster_searches_do_not_prolong_indexing_forever() {
        let steps = [Some(0); <dyn NameIndex>::IMPROVEMENTS as usize];
        assert!(reported(&store(steps, 0)).is_empty());
    }
}
