//! Which part of the roll is wanted.

use super::{NamePart, RollNumber};

/// Which students are wanted: those that fit every filter that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StudentFilter {
    /// The name contains this, without regard to case.
    pub name: Option<NamePart>,
    /// The roll number is this one.
    pub roll_no: Option<RollNumber>,
}
