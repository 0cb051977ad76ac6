//! The port of the students.

use async_trait::async_trait;
use domain::audit::{Action, NewEvent, Target};
use domain::student::{
    Age, Email, InsertError, RemoveError, ReplaceError, RollNumber, Student, StudentFields, StudentFilter, StudentId,
    StudentName, StudentPatch, StudentStore,
};
use domain::{Actor, Cursor, Page, PageSize, StoreError, Version};
use rusqlite::{Connection, params};

use crate::SqliteStore;
use crate::audit::append;
use crate::errors::Failure;
use crate::rows::{self, micros, student_columns};
use crate::writer::Undone;

const INSERT: &str = concat!(
    "INSERT INTO students (name, name_folded, email, roll_no, age, version, created_at, updated_at) ",
    "VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?6) RETURNING ",
    student_columns!()
);
const FIND: &str = concat!("SELECT ", student_columns!(), " FROM students WHERE id = ?1");
const PAGE: &str = concat!("SELECT ", student_columns!(), " FROM students WHERE id > ?1 ORDER BY id LIMIT ?2");
const PAGE_BY_NAME: &str = concat!(
    "SELECT ",
    student_columns!(),
    " FROM students WHERE id > ?1 AND instr(name_folded, ?3) > 0 ORDER BY id LIMIT ?2"
);
const FIND_BY_ROLL_NO: &str = concat!(
    "SELECT ",
    student_columns!(),
    " FROM students WHERE roll_no = ?1 AND id > ?2 AND (?3 IS NULL OR instr(name_folded, ?3) > 0)"
);
const AMEND: &str = concat!(
    "UPDATE students SET name = coalesce(?3, name), name_folded = coalesce(?4, name_folded), ",
    "email = coalesce(?5, email), roll_no = coalesce(?6, roll_no), age = iif(?7, ?8, age), ",
    "version = version + 1, updated_at = ?9 WHERE id = ?1 AND (?2 IS NULL OR version = ?2) RETURNING ",
    student_columns!()
);
const REMOVE: &str = "DELETE FROM students WHERE id = ?1 AND (?2 IS NULL OR version = ?2)";
const EXISTS: &str = "SELECT 1 FROM students WHERE id = ?1";

#[async_trait]
impl StudentStore for SqliteStore {
    async fn insert(&self, new: StudentFields, by: &Actor) -> Result<Student, InsertError> {
        let by = by.clone();
        self.writer.write(move |connection| insert(connection, &new, &by)).await
    }

    async fn find(&self, id: StudentId) -> Result<Option<Student>, StoreError> {
        Ok(self.points.with(|connection| rows::first(connection, FIND, [id.get()], rows::student))?)
    }

    async fn page(
        &self,
        filter: &StudentFilter,
        after: Option<Cursor>,
        size: PageSize,
    ) -> Result<Page<Student>, StoreError> {
        let after = after.map_or(0, Cursor::position);
        let part = filter.name.as_ref().map(|name| name.folded().to_owned());
        if let Some(roll_no) = filter.roll_no {
            let params = params![roll_no.get(), after, part];
            let found =
                self.points.with(|connection| rows::first(connection, FIND_BY_ROLL_NO, params, rows::student))?;
            return Ok(Page { entries: Vec::from_iter(found), next: None });
        }
        let one_more = i64::from(size.get()) + 1;
        let found = self.scans.run(move |connection| {
            Ok(match part {
                Some(part) => rows::all(connection, PAGE_BY_NAME, params![after, one_more, part], rows::student),
                None => rows::all(connection, PAGE, params![after, one_more], rows::student),
            }?)
        });
        Ok(Page::from_one_more(found.await?, size))
    }

    async fn amend(
        &self,
        id: StudentId,
        seen: Option<Version>,
        patch: StudentPatch,
        by: &Actor,
    ) -> Result<Student, ReplaceError> {
        let by = by.clone();
        self.writer.write(move |connection| amend(connection, id, seen, &patch, &by)).await
    }

    async fn remove(&self, id: StudentId, seen: Option<Version>, by: &Actor) -> Result<(), RemoveError> {
        let by = by.clone();
        self.writer.write(move |connection| remove(connection, id, seen, &by)).await
    }
}

fn insert(connection: &Connection, new: &StudentFields, by: &Actor) -> Result<Student, Undone<InsertError>> {
    let StudentFields { name, email, roll_no, age } = new;
    let age = age.map(Age::get);
    let params = params![name.as_str(), name.folded(), email.as_str(), roll_no.get(), age, micros(by.at)];
    let made = rows::first(connection, INSERT, params, rows::student)
        .map_err(|failure| refuse_taken(failure, InsertError::RollNumberTaken))?;
    let student = made.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    append(connection, &NewEvent::once(by, Action::StudentEnrolled, Target::Student(student.id)))?;
    Ok(student)
}

/// An UPDATE that fits no row breaks no constraint: so Unknown and Stale come before the roll number.
fn amend(
    connection: &Connection,
    id: StudentId,
    seen: Option<Version>,
    patch: &StudentPatch,
    by: &Actor,
) -> Result<Student, Undone<ReplaceError>> {
    let StudentPatch { name, email, roll_no, age } = patch;
    let params = params![
        id.get(),
        seen.map(Version::get),
        name.as_ref().map(StudentName::as_str),
        name.as_ref().map(StudentName::folded),
        email.as_ref().map(Email::as_str),
        roll_no.map(RollNumber::get),
        age.is_some(),
        age.flatten().map(Age::get),
        micros(by.at),
    ];
    let changed = rows::first(connection, AMEND, params, rows::student)
        .map_err(|failure| refuse_taken(failure, ReplaceError::RollNumberTaken))?;
    match changed {
        Some(student) => {
            append(connection, &patch.event(id, by))?;
            Ok(student)
        }
        None if rows::exists(connection, EXISTS, [id.get()])? => Err(Undone::Refused(ReplaceError::Stale)),
        None => Err(Undone::Refused(ReplaceError::Unknown)),
    }
}

fn remove(
    connection: &Connection,
    id: StudentId,
    seen: Option<Version>,
    by: &Actor,
) -> Result<(), Undone<RemoveError>> {
    let removed = connection.prepare_cached(REMOVE)?.execute(params![id.get(), seen.map(Version::get)])?;
    if removed > 0 {
        append(connection, &NewEvent::once(by, Action::StudentRemoved, Target::Student(id)))?;
        Ok(())
    } else if rows::exists(connection, EXISTS, [id.get()])? {
        Err(Undone::Refused(RemoveError::Stale))
    } else {
        Err(Undone::Refused(RemoveError::Unknown))
    }
}

fn refuse_taken<E>(failure: Failure, taken: E) -> Undone<E> {
    if failure.is_unique_violation() { Undone::Refused(taken) } else { Undone::Failed(failure) }
}
