//! Sample students for the contract cases.

#![expect(clippy::unwrap_used, reason = "the samples are valid")]

use super::{Age, ExternalId, RollNumber, Student, StudentConflict, StudentName, StudentPatch};
use crate::record::{Sample, Unique};
use crate::{Email, Text};

impl Sample for Student {
    const UNIQUE: Option<Unique<Self>> = Some(Unique {
        conflicting: conflicting_student,
        conflicting_patch: Some(|n| conflicting_student(n).into()),
        is_taken: |conflict| match conflict {
            // Samples with the same number have both fields in common.
            StudentConflict::RollNumberTaken | StudentConflict::ExternalIdTaken => true,
        },
    });

    fn sample(n: u32) -> Self {
        Self {
            name: StudentName::parse(format!("Student {n}")).unwrap(),
            email: Email::parse(format!("student{n}@example.org")).unwrap(),
            roll_no: RollNumber::parse(n.into()).unwrap(),
            age: Some(Age::parse(20).unwrap()),
            external_id: Some(ExternalId::parse(format!("S{n}")).unwrap()),
        }
    }

    fn fields_of(new: &Self) -> Self {
        new.clone()
    }

    fn patch(n: u32) -> StudentPatch {
        StudentPatch { age: Some(Some(age(n))), ..StudentPatch::default() }
    }

    fn patched(self, n: u32) -> Self {
        Self { age: Some(age(n)), ..self }
    }
}

fn conflicting_student(n: u32) -> Student {
    Student {
        name: StudentName::parse("Conflicting").unwrap(),
        email: Email::parse("conflicting@example.org").unwrap(),
        age: None,
        external_id: None,
        ..Student::sample(n)
    }
}

fn age(n: u32) -> Age {
    Age::parse(i64::from(n % 100) + 30).unwrap()
}
