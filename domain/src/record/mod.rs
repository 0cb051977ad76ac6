//! Records: entity, port and use cases that all resources share.

mod error;
mod fields;
mod precondition;
mod records;
#[cfg(feature = "contract")]
mod sample;
mod store;

use std::error::Error;
use std::fmt::Debug;
use std::ops::Deref;

use time::OffsetDateTime;

use crate::access::Permission;
use crate::{Filter, Id, Kind, Listed, Version};

pub use error::{RecordError, RecordResult};
pub(crate) use fields::fields;
pub use precondition::Precondition;
pub use records::Records;
#[cfg(feature = "contract")]
pub use sample::{Sample, Unique};
#[cfg(feature = "mocks")]
pub use store::MockRecordStore;
pub use store::{RecordStore, Visiting, Visitor};

/// Fields of one kind of record, with its associated types and permissions.
pub trait Resource: Debug + Clone + PartialEq + Send + Sync + 'static {
    type Kind: Kind;
    /// Input for a new record.
    type New: Clone + Send + Sync + 'static;
    type Patch: Patch;
    type Filter: Filter;
    /// Constraint that a write violates.
    type Conflict: Error + Send + Sync + 'static;
    /// Permission to read the records.
    type Read: Permission;
    /// Permission to write the records.
    type Write: Permission;
}

/// Partial update of a record.
pub trait Patch: Debug + Clone + Send + Sync + 'static {
    /// Detail of the audit event, such as names of changed fields; `None` if there is none. MUST NOT contain user input.
    fn detail(&self) -> Option<String>;
}

/// A stored resource. Dereferences to its fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<R: Resource> {
    pub id: Id<R::Kind>,
    pub fields: R,
    /// Incremented by each write, from 1.
    pub version: Version,
    /// UTC, whole microseconds.
    pub created_at: OffsetDateTime,
    /// Time of the last write; equal to `created_at` before the first change.
    pub updated_at: OffsetDateTime,
}

impl<R: Resource> Deref for Record<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.fields
    }
}

impl<R: Resource> Listed for Record<R> {
    type Kind = R::Kind;

    fn id(&self) -> Id<R::Kind> {
        self.id
    }
}
