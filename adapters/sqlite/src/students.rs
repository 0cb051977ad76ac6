//! The table of students.

use async_trait::async_trait;
use domain::student::{
    Age, RollNumber, SearchForms, Student, StudentConflict, StudentFilter, StudentName, StudentPatch,
};
use domain::{Email, StoreError, search_form};
use rusqlite::{Connection, Row};

use crate::SqliteStore;
use crate::errors::Failure;
use crate::rows::{self, Columns};
use crate::table::{Assignments, Conditions, Sql, Table, sql};
use crate::writer::TxError;

const WITHOUT_SEARCH_FORM: &str = "SELECT id, name FROM students WHERE name_search IS NULL ORDER BY id LIMIT ?1";
const SET_SEARCH_FORM: &str = "UPDATE students SET name_search = ?2 WHERE id = ?1";

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
            .contains_or_null("name_search", filter.name.as_ref().map(|part| part.search_form().to_owned()))
    }

    /// Names that release 1.0 wrote have no search form at first. Shortened, because index entries are limited.
    fn sort_expression(key: &'static str) -> &'static str {
        match key {
            "name" => "substr(coalesce(name_search, name_folded), 1, 100)",
            other => other,
        }
    }

    fn matches(&self, filter: &StudentFilter) -> bool {
        filter.name.as_ref().is_none_or(|part| part.matches(&self.name))
    }
}

#[async_trait]
impl SearchForms for SqliteStore {
    async fn fill_missing(&self) -> Result<u64, StoreError> {
        let fill = |connection: &Connection| -> Result<u64, TxError<StoreError>> {
            let id_and_name = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
            let missing = rows::all(connection, WITHOUT_SEARCH_FORM, [<dyn SearchForms>::BATCH], id_and_name)?;
            let mut set = connection.prepare_cached(SET_SEARCH_FORM)?;
            for (id, name) in &missing {
                set.execute((id, search_form(name)))?;
            }
            Ok(missing.len() as u64)
        };
        // Most calls find nothing, so only a reader is used.
        if self.points.with(|connection| rows::exists(connection, WITHOUT_SEARCH_FORM, [1]))? {
            self.writer.write(fill).await
        } else {
            Ok(0)
        }
    }
}
