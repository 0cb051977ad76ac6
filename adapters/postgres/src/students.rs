//! The students' store.

use async_trait::async_trait;
use domain::audit::{Action, NewEvent};
use domain::student::{
    Age, Email, InsertError, RemoveError, ReplaceError, RollNumber, Student, StudentFields, StudentFilter, StudentId,
    StudentName, StudentPatch, StudentStore,
};
use domain::{Actor, Cursor, Page, PageSize, StoreError, Version};
use sqlx::FromRow;

use crate::PostgresStore;
use crate::audit::{audited, audited_as, with_event};
use crate::failure::{Damaged, is_deadlock, store_error, violates};
use crate::instant::Instant;

macro_rules! columns {
    () => {
        "id, name, email, roll_no, age, version, created_at, updated_at"
    };
}

const INSERT: &str = with_event!(
    concat!(
        "INSERT INTO students (name, name_folded, email, roll_no, age, version, created_at, updated_at) ",
        "VALUES ($7, $8, $9, $10, $11, 1, $1, $1) RETURNING ",
        columns!()
    ),
    "student",
    columns!()
);
const FIND: &str = concat!("SELECT ", columns!(), " FROM students WHERE id = $1");
const EXISTS: &str = "SELECT EXISTS (SELECT FROM students WHERE id = $1)";

// One statement a filter, so that a cached plan for any parameters uses the index that the filter allows.
const PAGE: &str = concat!("SELECT ", columns!(), " FROM students WHERE id > $1 ORDER BY id LIMIT $2");
const PAGE_BY_NAME: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM students WHERE id > $1 AND position($3 IN name_folded) > 0 ORDER BY id LIMIT $2"
);
const PAGE_BY_ROLL_NO: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM students WHERE roll_no = $3 AND id > $1 AND ($4::text IS NULL OR position($4 IN name_folded) > 0) ",
    "ORDER BY id LIMIT $2"
);

const AMEND: &str = with_event!(
    concat!(
        "UPDATE students SET name = COALESCE($9, name), name_folded = COALESCE($10, name_folded), ",
        "email = COALESCE($11, email), roll_no = COALESCE($12, roll_no), age = CASE WHEN $13 THEN $14 ELSE age END, ",
        "version = version + 1, updated_at = $1 ",
        "WHERE id = $7 AND ($8::bigint IS NULL OR version = $8) RETURNING ",
        columns!()
    ),
    "student",
    columns!()
);
const REMOVE: &str = with_event!(
    "DELETE FROM students WHERE id = $7 AND ($8::bigint IS NULL OR version = $8) RETURNING id",
    "student",
    "id"
);

const ROLL_NO_KEY: &str = "students_roll_no_key";

/// How often an amendment is tried that the server ended to break a deadlock. Two amendments that each want
/// the other's old roll number lock each other out; the one that is tried again meets a settled roll.
const AMEND_TRIES: usize = 3;

#[derive(FromRow)]
struct StudentRow {
    id: i64,
    name: String,
    email: String,
    roll_no: i64,
    age: Option<i16>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl TryFrom<StudentRow> for Student {
    type Error = StoreError;

    fn try_from(row: StudentRow) -> Result<Self, StoreError> {
        let damaged = |column| StoreError::failed(Damaged { table: "students", id: row.id, column });
        let age = row.age.map(|years| Age::parse(years.into())).transpose();
        Ok(Self {
            id: StudentId::try_from(row.id).map_err(|_| damaged("id"))?,
            fields: StudentFields {
                name: StudentName::parse(row.name).map_err(|_| damaged("name"))?,
                email: Email::parse(row.email).map_err(|_| damaged("email"))?,
                roll_no: RollNumber::parse(row.roll_no).map_err(|_| damaged("roll_no"))?,
                age: age.map_err(|_| damaged("age"))?,
            },
            version: Version::new(row.version).ok_or_else(|| damaged("version"))?,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        })
    }
}

impl PostgresStore {
    async fn student_exists(&self, id: StudentId) -> Result<bool, StoreError> {
        sqlx::query_scalar(EXISTS).bind(id.get()).fetch_one(&self.pool).await.map_err(store_error)
    }

    async fn try_amend(
        &self,
        id: StudentId,
        seen: Option<Version>,
        patch: &StudentPatch,
        by: &Actor,
    ) -> Result<Option<StudentRow>, sqlx::Error> {
        let NewEvent { action, detail, .. } = patch.event(id, by);
        audited_as(AMEND, by, action, detail)
            .bind(id.get())
            .bind(seen.map(Version::get))
            .bind(patch.name.as_ref().map(StudentName::as_str))
            .bind(patch.name.as_ref().map(StudentName::folded))
            .bind(patch.email.as_ref().map(Email::as_str))
            .bind(patch.roll_no.map(RollNumber::get))
            .bind(patch.age.is_some())
            .bind(patch.age.flatten().map(|age| i16::from(age.get())))
            .fetch_optional(&self.pool)
            .await
    }
}

#[async_trait]
impl StudentStore for PostgresStore {
    async fn insert(&self, new: StudentFields, by: &Actor) -> Result<Student, InsertError> {
        let inserted: Result<StudentRow, _> = audited_as(INSERT, by, Action::StudentEnrolled, None)
            .bind(new.name.as_str())
            .bind(new.name.folded())
            .bind(new.email.as_str())
            .bind(new.roll_no.get())
            .bind(new.age.map(|age| i16::from(age.get())))
            .fetch_one(&self.pool)
            .await;
        match inserted {
            Ok(row) => Ok(row.try_into()?),
            Err(error) if violates(&error, ROLL_NO_KEY) => Err(InsertError::RollNumberTaken),
            Err(error) => Err(store_error(error).into()),
        }
    }

    async fn find(&self, id: StudentId) -> Result<Option<Student>, StoreError> {
        let row: Option<StudentRow> =
            sqlx::query_as(FIND).bind(id.get()).fetch_optional(&self.pool).await.map_err(store_error)?;
        row.map(Student::try_from).transpose()
    }

    async fn page(
        &self,
        filter: &StudentFilter,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<Student>, StoreError> {
        let name = filter.name.as_ref().map(|part| part.folded().to_owned());
        let page = match (filter.roll_no, &name) {
            (Some(_), _) => PAGE_BY_ROLL_NO,
            (None, Some(_)) => PAGE_BY_NAME,
            (None, None) => PAGE,
        };
        let mut page = sqlx::query_as(page).bind(after.map_or(0, Cursor::position)).bind(i64::from(size.get()) + 1);
        if let Some(roll_no) = filter.roll_no {
            page = page.bind(roll_no.get()).bind(name);
        } else if let Some(name) = name {
            page = page.bind(name);
        }
        let read = async { page.fetch_all(&self.pool).await.map_err(store_error) };
        // A roll number is in an index; everything else may read the whole table.
        let rows: Vec<StudentRow> =
            if filter.roll_no.is_some() { read.await? } else { self.searches.run(read).await? };
        let found = rows.into_iter().map(Student::try_from).collect::<Result<_, _>>()?;
        Ok(Page::from_one_more(found, size))
    }

    async fn amend(
        &self,
        id: StudentId,
        seen: Option<Version>,
        patch: StudentPatch,
        by: &Actor,
    ) -> Result<Student, ReplaceError> {
        let mut tries = 1;
        let amended = loop {
            match self.try_amend(id, seen, &patch, by).await {
                Err(error) if is_deadlock(&error) && tries < AMEND_TRIES => tries += 1,
                amended => break amended,
            }
        };
        match amended {
            Ok(Some(row)) => Ok(row.try_into()?),
            // Neither answer can turn wrong meanwhile: ids and versions never come back.
            Ok(None) if seen.is_some() && self.student_exists(id).await? => Err(ReplaceError::Stale),
            Ok(None) => Err(ReplaceError::Unknown),
            Err(error) if violates(&error, ROLL_NO_KEY) => Err(ReplaceError::RollNumberTaken),
            Err(error) => Err(store_error(error).into()),
        }
    }

    async fn remove(&self, id: StudentId, seen: Option<Version>, by: &Actor) -> Result<(), RemoveError> {
        let remove = audited(REMOVE, by, Action::StudentRemoved, None).bind(id.get()).bind(seen.map(Version::get));
        let removed = remove.execute(&self.pool).await.map_err(store_error)?.rows_affected();
        if removed > 0 {
            Ok(())
        } else if seen.is_some() && self.student_exists(id).await? {
            Err(RemoveError::Stale)
        } else {
            Err(RemoveError::Unknown)
        }
    }
}
