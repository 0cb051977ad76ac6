//! Errors of operations on records.

use thiserror::Error;

use super::Resource;
use crate::record::Record;
use crate::{Kind, StoreError};

/// Result of an operation on a record.
pub type RecordResult<R, T = Record<R>> = Result<T, RecordError<R>>;

/// Reason why an operation on a record failed.
#[derive(Debug, Error)]
pub enum RecordError<R: Resource> {
    #[error("no {} has this id", R::Kind::NAME)]
    NotFound,
    #[error("the {} was changed since it was read", R::Kind::NAME)]
    Stale,
    /// The write violates a constraint.
    #[error("{0}")]
    Rejected(#[source] R::Conflict),
    #[error(transparent)]
    Store(#[from] StoreError),
}
