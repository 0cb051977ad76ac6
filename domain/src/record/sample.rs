//! Sample records for the generic contract cases.

use super::Resource;

/// Sample records of a resource for the generic cases, numbered from 1.
pub trait Sample: Resource<Patch: Default> {
    /// The unique field, if there is one.
    const UNIQUE: Option<Unique<Self>>;

    /// A new record. Samples with different numbers differ, and do not conflict.
    fn sample(n: u32) -> Self::New;

    /// The fields of the record that is created from `new`.
    fn fields_of(new: &Self::New) -> Self;

    /// A patch that is valid for every sample. It changes sample `n`, and the result of patch `n - 1`.
    fn patch(n: u32) -> Self::Patch;

    /// The fields after patch `n`.
    #[must_use]
    fn patched(self, n: u32) -> Self;
}

/// A unique field.
pub struct Unique<R: Resource> {
    /// A new record that has the same value as sample `n` in this field, and a different value in another field.
    pub conflicting: fn(u32) -> R::New,
    /// A patch that sets every field to the value of `conflicting`; `None` if patches cannot set the unique field.
    pub conflicting_patch: Option<fn(u32) -> R::Patch>,
    /// Returns `true` if the conflict concerns the unique field.
    pub is_taken: fn(&R::Conflict) -> bool,
}
