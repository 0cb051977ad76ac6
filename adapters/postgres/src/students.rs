//! The table of students.

use domain::StoreError;
use domain::student::{Age, NamePart, RollNumber, Student, StudentConflict, StudentFilter, StudentName, StudentPatch};

use crate::rows::Columns;
use crate::table::{Assignments, Conditions, Sql, Table, sql};

impl Table for Student {
    const SQL: Sql = sql!("students", "name, email, roll_no, age");

    fn insert(new: Self) -> Assignments {
        Self::update(&new.into())
    }

    fn update(patch: &StudentPatch) -> Assignments {
        Assignments::default()
            .set("name", patch.name.as_ref().map(ToString::to_string))
            .set("name_folded", patch.name.as_ref().map(StudentName::folded))
            .set("email", patch.email.as_ref().map(ToString::to_string))
            .set("roll_no", patch.roll_no.map(RollNumber::get))
            .set("age", patch.age.map(|age| age.map(|years| i16::from(years.get()))))
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            name: columns.text("name")?,
            email: columns.text("email")?,
            roll_no: columns.next("roll_no", RollNumber::parse)?,
            age: columns.next("age", |age: Option<i16>| age.map(|years| Age::parse(years.into())).transpose())?,
        })
    }

    fn conflict(constraint: &str) -> Option<StudentConflict> {
        (constraint == "students_roll_no_key").then_some(StudentConflict::RollNumberTaken)
    }

    fn conditions(filter: &StudentFilter) -> Conditions {
        Conditions::default()
            .equals_unique("roll_no", filter.roll_no.map(RollNumber::get))
            .contains("name_folded", filter.name.as_ref().map(|part: &NamePart| part.folded().to_owned()))
    }
}
