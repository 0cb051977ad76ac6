//! The table of students.

use async_trait::async_trait;
use domain::record::Resource;
use domain::student::{Age, NameIndex, RollNumber, Student, StudentConflict, StudentFilter, StudentName, StudentPatch};
use domain::{Email, Kind, StoreError, search_form, search_grams};
use sqlx::{FromRow, Row as _};

use crate::PostgresStore;
use crate::failure::Failure;
use crate::rows::Columns;
use crate::search::Search;
use crate::table::{Assignments, Conditions, Sql, Table, sql};

/// Rows that another transaction writes are left to it, or to the next call.
const LOCK_WITHOUT_SEARCH_FORM: &str =
    "SELECT id, name FROM students WHERE name_search IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED";
const SET_SEARCH_FORMS: &str = "UPDATE students s SET name_search = f.form \
     FROM unnest($1::bigint[], $2::text[]) AS f (id, form) WHERE s.id = f.id";

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
            .set("age", patch.age.map(|age| age.map(|years| i16::from(years.get()))))
            .set("external_id", patch.external_id.as_ref().map(|id| id.as_ref().map(ToString::to_string)))
    }

    fn read(columns: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            name: columns.text("name")?,
            email: columns.text("email")?,
            roll_no: columns.next("roll_no", RollNumber::parse)?,
            age: columns.next("age", |age: Option<i16>| age.map(|years| Age::parse(years.into())).transpose())?,
            external_id: columns.text_if_any("external_id")?,
        })
    }

    fn conflict(constraint: &str) -> Option<StudentConflict> {
        match constraint {
            "students_roll_no_key" => Some(StudentConflict::RollNumberTaken),
            "students_external_id_key" => Some(StudentConflict::ExternalIdTaken),
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
            "name" => "left(coalesce(name_search, name_folded), 100)",
            other => other,
        }
    }

    fn search(filter: &StudentFilter) -> Option<Search> {
        let part = filter.only_name()?.search_form().to_owned();
        let grams: Vec<_> = search_grams(&part).into_iter().map(str::to_owned).collect();
        Some(Search { part, grams }).filter(|search| !search.grams.is_empty())
    }

    fn matches(&self, filter: &StudentFilter) -> bool {
        filter.name.as_ref().is_none_or(|part| part.matches(&self.name))
    }
}

#[async_trait]
impl NameIndex for PostgresStore {
    async fn index_missing(&self) -> Result<Option<u64>, StoreError> {
        let mut transaction = self.pool.begin_bulk(<Student as Resource>::Kind::NAME).await?;
        let missing = sqlx::query(LOCK_WITHOUT_SEARCH_FORM).bind(i64::from(<dyn NameIndex>::BATCH));
        let missing: Vec<(i64, String)> = transaction
            .fetch_all(missing)
            .await?
            .iter()
            .map(FromRow::from_row)
            .collect::<Result<_, _>>()
            .map_err(Failure::from)?;
        let (ids, forms): (Vec<_>, Vec<_>) = missing.into_iter().map(|(id, name)| (id, search_form(&name))).unzip();
        let mut filled = None;
        if !ids.is_empty() {
            filled = Some(transaction.execute(sqlx::query(SET_SEARCH_FORMS).bind(ids).bind(forms)).await?);
        }
        transaction.commit().await?;
        Ok(filled)
    }

    async fn missing(&self) -> Result<u64, StoreError> {
        let count = sqlx::query("SELECT count(*) FROM students WHERE name_search IS NULL");
        let mut transaction = self.pool.begin_bulk(<Student as Resource>::Kind::NAME).await?;
        let missing: i64 = transaction.fetch_one(count).await?.try_get(0).map_err(Failure::from)?;
        transaction.commit().await?;
        Ok(missing.unsigned_abs())
    }
}
