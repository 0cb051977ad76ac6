//! The table of students.

use domain::Email;
use domain::student::{Age, RollNumber, Student, StudentConflict, StudentFilter, StudentName, StudentPatch};
use rusqlite::types::Value;

use crate::errors::Failure;
use crate::name_index;
use crate::rows::Columns;
use crate::table::{Assignments, Conditions, Sql, Table, sql};

impl Table for Student {
    const SQL: Sql = sql!("students", "name, email, roll_no, age, external_id");

    fn insert(new: Self) -> Assignments {
        Self::update(&new.into())
    }

    fn update(patch: &StudentPatch) -> Assignments {
        Assignments::default()
            .set("name", patch.name.as_ref().map(ToString::to_string))
            .set("name_folded", patch.name.as_ref().map(StudentName::folded))
            .set("name_search", patch.name.as_ref().map(StudentName::search_form))
            .set("email", patch.email.as_ref().map(ToString::to_string))
            .set("roll_no", patch.roll_no.map(RollNumber::get))
            .set("age", patch.age.map(|age| age.map(Age::get)))
            .set("external_id", patch.external_id.as_ref().map(|id| id.as_ref().map(ToString::to_string)))
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, Failure> {
        Ok(Self {
            name: columns.text("name")?,
            email: columns.text("email")?,
            roll_no: columns.next("roll_no", RollNumber::parse)?,
            age: columns.next("age", |age: Option<i64>| age.map(Age::parse).transpose())?,
            external_id: columns.text_if_any("external_id")?,
        })
    }

    fn conflict(column: &str) -> Option<StudentConflict> {
        match column {
            "roll_no" => Some(StudentConflict::RollNumberTaken),
            "external_id" => Some(StudentConflict::ExternalIdTaken),
            _ => None,
        }
    }

    fn conditions(filter: &StudentFilter) -> Conditions {
        Conditions::default()
            .equals("roll_no", filter.roll_no.map(RollNumber::get))
            .equals("external_id", filter.external_id.as_ref().map(ToString::to_string))
            .equals("lower(email)", filter.email.as_ref().map(Email::folded))
    }

    /// Names that release 1.0 wrote have no search form at first. Shortened, because index entries are limited.
    fn sort_expression(key: &'static str) -> &'static str {
        match key {
            "name" => "substr(coalesce(name_search, name_folded), 1, 100)",
            other => other,
        }
    }

    fn search(filter: &StudentFilter, position: i64) -> Option<[(String, Vec<Value>); 2]> {
        name_index::search(Self::SQL.columns, filter.only_name()?.search_form(), position)
    }

    fn matches(&self, filter: &StudentFilter) -> bool {
        filter.name.as_ref().is_none_or(|part| part.matches(&self.name))
    }
}
