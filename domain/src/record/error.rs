//! Why something was not done to a record.

use thiserror::Error;

use super::Resource;
use crate::record::Record;
use crate::{Kind, StoreError};

/// What an operation on a record results in.
pub type RecordResult<R, T = Record<R>> = Result<T, RecordError<R>>;

/// Why something was not done to a record of this kind.
#[derive(Debug, Error)]
pub enum RecordError<R: Resource> {
    #[error("no such {} exists", R::Kind::NAME)]
    NotFound,
    #[error("the {} was changed since it was read", R::Kind::NAME)]
    Stale,
    /// A rule about other records is broken.
    #[error("{0}")]
    Rejected(#[source] R::Conflict),
    #[error(transparent)]
    Store(#[from] StoreError),
}
