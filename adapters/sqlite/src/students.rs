//! The table of students.

use domain::student::{Age, NamePart, RollNumber, Student, StudentConflict, StudentFilter, StudentName, StudentPatch};

use crate::errors::Failure;
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
            .set("age", patch.age.map(|age| age.map(Age::get)))
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Failure> {
        Ok(Self {
            name: columns.text("name")?,
            email: columns.text("email")?,
            roll_no: columns.next("roll_no", RollNumber::parse)?,
            age: columns.next("age", |age: Option<i64>| age.map(Age::parse).transpose())?,
        })
    }

    fn conflict(column: &str) -> Option<StudentConflict> {
        (column == "roll_no").then_some(StudentConflict::RollNumberTaken)
    }

    fn conditions(filter: &StudentFilter) -> Conditions {
        Conditions::default()
            .equals_unique("roll_no", filter.roll_no.map(RollNumber::get))
            .contains("name_folded", filter.name.as_ref().map(|part: &NamePart| part.folded().to_owned()))
    }
}
