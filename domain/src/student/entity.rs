//! Students, their filter and their conflicts.

use thiserror::Error;

use super::{Age, ExternalId, NamePart, RollNumber, StudentName};
use crate::access::{StudentsRead, StudentsWrite};
use crate::record::{Resource, fields};
use crate::{Email, Filter, Id, Kind, Reach, SortKey, SortKeyKind};

fields! {
    /// A student.
    pub struct Student, StudentPatch {
        pub name: StudentName,
        pub email: Email,
        /// Unique among students.
        pub roll_no: RollNumber,
        pub age: Option<Age>,
        /// Unique among students.
        pub external_id: Option<ExternalId>,
    }
}

/// Identifies a student.
pub type StudentId = Id<Student>;

/// Matches the students that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StudentFilter {
    /// The name contains this part, ignoring case and diacritics.
    pub name: Option<NamePart>,
    /// The roll number equals this one.
    pub roll_no: Option<RollNumber>,
    /// The email address equals this one, ignoring case.
    pub email: Option<Email>,
    /// The external id equals this one.
    pub external_id: Option<ExternalId>,
}

impl StudentFilter {
    /// The part of the name, if the filter has no other condition. Another one finds fewer students by its own index.
    #[must_use]
    pub fn only_name(&self) -> Option<&NamePart> {
        match self {
            Self { name, roll_no: None, email: None, external_id: None } => name.as_ref(),
            _ => None,
        }
    }
}

impl Filter for StudentFilter {
    const SORT_KEYS: &'static [SortKey] =
        &[SortKey { name: "name", kind: SortKeyKind::Text }, SortKey { name: "roll_no", kind: SortKeyKind::Number }];

    fn reach(&self) -> Reach {
        match self {
            Self { roll_no: Some(_), .. } | Self { external_id: Some(_), .. } => Reach::Row,
            Self { name: Some(_), .. } => Reach::Search,
            Self { name: None, .. } => Reach::Page,
        }
    }
}

/// Constraint violated by a write of a student.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StudentConflict {
    #[error("another student has this roll number")]
    RollNumberTaken,
    #[error("another student has this external id")]
    ExternalIdTaken,
}

impl Kind for Student {
    const NAME: &'static str = "student";
}

impl Resource for Student {
    type Kind = Self;
    type New = Self;
    type Patch = StudentPatch;
    type Filter = StudentFilter;
    type Conflict = StudentConflict;
    type Read = StudentsRead;
    type Write = StudentsWrite;
}
