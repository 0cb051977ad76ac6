//! The index of students' names for substring search: an FTS5 table of grams, without the names.
//!
//! Triggers mark new, changed and deleted students in `students_to_index`, whatever program writes them. The writer indexes them once for
//! each group of writes, because each savepoint that writes the table creates a segment of it. A search finds marked students
//! without the index.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use domain::student::NameIndex;
use domain::{StoreError, grams, search_form, search_grams};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::SqliteStore;
use crate::errors::Failure;
use crate::rows;
use crate::writer::TxError;

/// Marked students, with names and search forms unless they were deleted.
const MARKED: &str = "SELECT first, name, name_search FROM students_to_index LEFT JOIN students ON id = first \
     WHERE last = first ORDER BY first LIMIT 256";
const UNMARK: &str = "DELETE FROM students_to_index WHERE last = first AND first <= ?1";
/// Returns a row if students are marked, or if there are several segments.
const TO_INDEX_OR_MERGE: &str = "SELECT 1 FROM students_to_index \
     UNION ALL SELECT 1 WHERE (SELECT min(segid) FROM student_grams_idx) < (SELECT max(segid) FROM student_grams_idx)";
const LARGEST_RANGE: &str =
    "SELECT first, last FROM students_to_index WHERE last > first ORDER BY last - first DESC LIMIT 1";
const IN_RANGE: &str = "SELECT id, name, name_search FROM students WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3";
const DELETE_RANGE: &str = "DELETE FROM students_to_index WHERE first = ?1";
const SHORTEN_RANGE: &str = "UPDATE students_to_index SET first = ?2 WHERE first = ?1";
const MISSING: &str = "SELECT coalesce(sum(last - first + 1), 0) FROM students_to_index";
const INDEX: &str = "INSERT OR REPLACE INTO student_grams (rowid, grams) VALUES (?1, ?2)";
const REMOVE: &str = "DELETE FROM student_grams WHERE rowid = ?1";
const SET_SEARCH_FORM: &str = "UPDATE students SET name_search = ?2 WHERE id = ?1";

/// Merges about 200 pages (FTS5, section 6.8), which takes less time than a batch of names.
const MERGE: &str = "INSERT INTO student_grams (student_grams, rank) VALUES ('merge', 200)";

/// A student to index: id, and name and search form unless it was deleted. A node of release 1.0 writes no search form.
struct Marked {
    id: i64,
    name: Option<String>,
    search_form: Option<String>,
}

impl Marked {
    fn read(row: &Row<'_>) -> Result<Self, Failure> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, search_form: row.get(2)? })
    }

    fn index(&self, connection: &Connection) -> Result<(), Failure> {
        let Some(name) = &self.name else {
            connection.prepare_cached(REMOVE)?.execute([self.id])?;
            return Ok(());
        };
        let form = search_form(name);
        if self.search_form.is_none() {
            connection.prepare_cached(SET_SEARCH_FORM)?.execute((self.id, &form))?;
        }
        connection.prepare_cached(INDEX)?.execute((self.id, words(grams(&form))))?;
        Ok(())
    }
}

/// Words of the index for these grams.
fn words<'g>(grams: impl IntoIterator<Item = &'g str>) -> String {
    let mut words = String::new();
    for gram in grams {
        for byte in gram.bytes() {
            let _ = write!(words, "{byte:02x}");
        }
        words.push(' ');
    }
    words
}

/// Indexes marked students: at most as many as a group has writes. Returns their number.
pub fn index_marked(connection: &Connection) -> Result<u64, Failure> {
    let marked = rows::all(connection, MARKED, [], Marked::read)?;
    if let Some(last) = marked.last() {
        for student in &marked {
            student.index(connection)?;
        }
        connection.prepare_cached(UNMARK)?.execute([last.id])?;
    }
    Ok(marked.len() as u64)
}

/// Indexes the first students of the largest range. Returns their number, at least 1, or 0 if there is no range.
fn index_range(connection: &Connection) -> Result<u64, Failure> {
    let range = connection.prepare_cached(LARGEST_RANGE)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)));
    let Some((first, last)): Option<(i64, i64)> = range.optional()? else { return Ok(0) };
    let limit = <dyn NameIndex>::BATCH;
    let students = rows::all(connection, IN_RANGE, (first, last, limit), Marked::read)?;
    for student in &students {
        student.index(connection)?;
    }
    match students.last() {
        Some(indexed) if indexed.id < last && students.len() >= limit as usize => {
            connection.prepare_cached(SHORTEN_RANGE)?.execute((first, indexed.id + 1))?;
        }
        _ => {
            connection.prepare_cached(DELETE_RANGE)?.execute([first])?;
        }
    }
    Ok(students.len().max(1) as u64)
}

/// Takes a step of merging segments of the index. Returns `false` if each level has one segment at most (FTS5, section 6.8).
fn merge_segments(connection: &Connection) -> Result<bool, Failure> {
    let changes = connection.total_changes();
    connection.prepare_cached(MERGE)?.execute([])?;
    // The statement itself counts as one change.
    Ok(connection.total_changes() - changes > 1)
}

/// Statements that find every student whose name may contain the part, each in order of id after a position. `None` if every name
/// contains it.
pub fn search(columns: &str, part: &str, position: i64) -> Option<[(String, Vec<Value>); 2]> {
    let words = words(search_grams(part));
    if words.is_empty() {
        return None;
    }
    let indexed = format!(
        "SELECT {columns} FROM student_grams CROSS JOIN students ON students.id = student_grams.rowid \
         WHERE student_grams MATCH ? AND student_grams.rowid > ? ORDER BY student_grams.rowid"
    );
    let marked = format!(
        "SELECT {columns} FROM students_to_index CROSS JOIN students ON students.id BETWEEN max(first, ? + 1) AND last \
         WHERE last > ? ORDER BY first, students.id"
    );
    let position = Value::Integer(position);
    Some([(indexed, vec![Value::Text(words), position.clone()]), (marked, vec![position.clone(), position])])
}

#[async_trait]
impl NameIndex for SqliteStore {
    async fn index_missing(&self) -> Result<Option<u64>, StoreError> {
        if !self.points.with(|connection| rows::exists(connection, TO_INDEX_OR_MERGE, []))? {
            return Ok(None);
        }
        let merged_at = Arc::clone(&self.merged_at);
        let step = move |connection: &Connection| {
            Ok::<_, TxError<StoreError>>(match index_range(connection)? + index_marked(connection)? {
                0 if connection.total_changes() == merged_at.load(Ordering::Relaxed) => None,
                0 if merge_segments(connection)? => Some(0),
                0 => {
                    merged_at.store(connection.total_changes(), Ordering::Relaxed);
                    None
                }
                indexed => Some(indexed),
            })
        };
        self.writer.write(step).await
    }

    async fn missing(&self) -> Result<u64, StoreError> {
        let count = |connection: &Connection| connection.prepare_cached(MISSING)?.query_row([], |row| row.get(0));
        let missing: i64 = self.points.with(count).map_err(Failure::from)?;
        Ok(missing.unsigned_abs())
    }
}
