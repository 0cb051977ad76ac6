//! Sample records, with which the generic contract cases run on a resource.

use super::Resource;

/// Records of a resource for the generic cases. Samples have numbers from 1.
pub trait Sample: Resource<Patch: Default> {
    /// The field that no two records share, if there is one.
    const UNIQUE: Option<Unique<Self>>;

    /// A new record. Samples with different numbers differ, and do not conflict.
    fn sample(n: u32) -> Self::New;

    /// The fields of the record that is made from `new`.
    fn fields_of(new: &Self::New) -> Self;

    /// A patch that is valid for every sample. It changes sample `n`, and the result of the patch before it.
    fn patch(n: u32) -> Self::Patch;

    /// The fields after patch `n`.
    #[must_use]
    fn patched(self, n: u32) -> Self;
}

/// A field that no two records share.
pub struct Unique<R: Resource> {
    /// A new record that has the value of sample `n` in the field, and differs from it in another.
    pub rival: fn(u32) -> R::New,
    /// A patch that sets every field to that of the rival; `None` if patches do not set the field.
    pub take_over: Option<fn(u32) -> R::Patch>,
    /// Whether the conflict reports the field.
    pub is_taken: fn(&R::Conflict) -> bool,
}
