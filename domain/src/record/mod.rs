//! Records: what all resources have in common, from the entity to the use cases.

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
use crate::{Id, Kind, Listed, Version};

pub use error::{RecordError, RecordResult};
pub(crate) use fields::fields;
pub use precondition::Precondition;
pub use records::Records;
#[cfg(feature = "contract")]
pub use sample::{Sample, Unique};
#[cfg(feature = "mocks")]
pub use store::MockRecordStore;
pub use store::RecordStore;

/// The fields of one kind of record, and what may be done with such records.
pub trait Resource: Debug + Clone + PartialEq + Send + Sync + 'static {
    type Kind: Kind;
    /// What a new record is made from.
    type New: Clone + Send + Sync + 'static;
    type Patch: Patch;
    /// Which records a list holds; the default is all.
    type Filter: Debug + Clone + Default + Send + Sync + 'static;
    /// A rule about other records that a write breaks.
    type Conflict: Error + Send + Sync + 'static;
    /// Permission to read such records.
    type Read: Permission;
    /// Permission to write such records.
    type Write: Permission;
}

/// A change to some fields of a record.
pub trait Patch: Debug + Clone + Send + Sync + 'static {
    /// What the audit says of the change: names of fields, never their contents. `None` where there is nothing to say.
    fn detail(&self) -> Option<String>;
}

/// A resource as stored. Reads like its fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Record<R: Resource> {
    pub id: Id<R::Kind>,
    pub fields: R,
    /// Counts the writes: 1 for a new record.
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
