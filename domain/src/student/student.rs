//! A student on the roll.

use time::OffsetDateTime;

use super::{Age, Email, RollNumber, StudentName};
use crate::audit::{Action, NewEvent, Target};
use crate::{Actor, Record, Version};

crate::id::id! {
    /// Names one student, for ever: a number is never given to another one.
    StudentId
}

/// What is known about a student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StudentFields {
    pub name: StudentName,
    pub email: Email,
    pub roll_no: RollNumber,
    pub age: Option<Age>,
}

/// A change to some of a student's fields: `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StudentPatch {
    pub name: Option<StudentName>,
    pub email: Option<Email>,
    pub roll_no: Option<RollNumber>,
    /// `Some(None)` forgets the age.
    pub age: Option<Option<Age>>,
}

impl StudentPatch {
    /// What the audit tells of it: which fields are set, and never to what.
    #[must_use]
    pub fn event(&self, id: StudentId, by: &Actor) -> NewEvent {
        let set = [
            ("name", self.name.is_some()),
            ("email", self.email.is_some()),
            ("roll_no", self.roll_no.is_some()),
            ("age", self.age.is_some()),
        ];
        let names: Vec<_> = set.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
        NewEvent::once(by, Action::StudentChanged, Target::Student(id)).with_detail(names.join(", "))
    }
}

impl From<StudentFields> for StudentPatch {
    fn from(fields: StudentFields) -> Self {
        Self {
            name: Some(fields.name),
            email: Some(fields.email),
            roll_no: Some(fields.roll_no),
            age: Some(fields.age),
        }
    }
}

/// A student as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Student {
    pub id: StudentId,
    pub fields: StudentFields,
    pub version: Version,
    /// UTC, whole microseconds.
    pub created_at: OffsetDateTime,
    /// The time of the last change; equal to `created_at` before the first.
    pub updated_at: OffsetDateTime,
}

impl Record for Student {
    type Id = StudentId;

    fn id(&self) -> StudentId {
        self.id
    }

    fn version(&self) -> Version {
        self.version
    }
}
