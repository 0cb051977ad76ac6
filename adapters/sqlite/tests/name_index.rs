//! The index for the search of names: which writes mark students, and when these are indexed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use adapter_sqlite::SqliteStore;
use domain::record::{RecordStore, Sample};
use domain::student::{NameIndex, NamePart, Student, StudentFilter, StudentName};
use domain::{Actor, ActorId, PageRequest, Text};
use futures_util::future::{join, join_all};
use rusqlite::Connection;
use tempfile::TempDir;
use time::OffsetDateTime;

static BY: Actor = Actor::here(ActorId::Operator, OffsetDateTime::UNIX_EPOCH);

const COUNT_SEGMENTS: &str = "SELECT count(DISTINCT segid) FROM student_grams_idx";
const COUNT_MARKS: &str = "SELECT count(*) FROM students_to_index";
const INSERT: &str = "INSERT INTO students (name, name_folded, email, roll_no, version, created_at, updated_at) \
     WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 2000) \
     SELECT 'Asha ' || number, 'asha ' || number, 'a@example.org', number, 1, 0, 0 FROM numbers";

struct Fixture {
    path: PathBuf,
    /// As another program.
    other: Connection,
    _folder: TempDir,
}

impl Fixture {
    fn new() -> (Self, SqliteStore) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rollbook.db");
        let store = SqliteStore::open(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        (Self { path, other, _folder: folder }, store)
    }

    fn number(&self, sql: &str) -> i64 {
        self.other.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    fn marks(&self) -> Vec<(i64, i64)> {
        let mut select = self.other.prepare("SELECT first, last FROM students_to_index ORDER BY first").unwrap();
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }
}

fn named(name: &str, roll_no: u32) -> Student {
    Student { name: StudentName::parse(name).unwrap(), ..Student::sample(roll_no) }
}

async fn insert(store: &SqliteStore, name: &str, roll_no: u32) {
    RecordStore::<Student>::insert(store, named(name, roll_no), &BY).await.unwrap();
}

async fn found(store: &SqliteStore, part: &str) -> usize {
    let filter = StudentFilter { name: NamePart::parse(part).ok(), ..StudentFilter::default() };
    RecordStore::<Student>::page(store, &filter, PageRequest::LARGEST).await.unwrap().entries.len()
}

async fn index_all(store: &dyn NameIndex) {
    store.index_all(|_| {}).await.unwrap();
}

/// Each segment takes time in every later search.
#[tokio::test]
async fn group_of_writes_adds_one_segment() {
    let (fixture, store) = Fixture::new();
    let lock = fixture.other.unchecked_transaction().unwrap();
    lock.execute("DELETE FROM students", []).unwrap();
    // The first write waits for the lock, so that the others form one group.
    join(join_all((1..=50).map(|n| insert(&store, "Asha", n))), async { drop(lock) }).await;
    assert!(fixture.number(COUNT_SEGMENTS) <= 2);
    assert_eq!((fixture.number(COUNT_MARKS), found(&store, "asha").await), (0, 50));
}

#[tokio::test]
async fn segments_are_merged_into_one() {
    let (fixture, store) = Fixture::new();
    for n in 1..=5 {
        insert(&store, "Asha", n).await;
    }
    assert!(fixture.number(COUNT_SEGMENTS) > 1);
    index_all(&store).await;
    assert_eq!((fixture.number(COUNT_SEGMENTS), found(&store, "asha").await), (1, 5));
    assert_eq!(store.index_missing().await.unwrap(), None);
}

#[tokio::test]
async fn failed_indexing_keeps_the_write_and_its_mark() {
    let (fixture, store) = Fixture::new();
    insert(&store, "Asha", 1).await;
    fixture.other.execute_batch("ALTER TABLE student_grams_data RENAME TO lost").unwrap();
    insert(&store, "Ravi", 2).await;
    assert_eq!(fixture.number(COUNT_MARKS), 1);
    fixture.other.execute_batch("ALTER TABLE lost RENAME TO student_grams_data").unwrap();
    drop(store);
    let store = SqliteStore::open(&fixture.path).unwrap();
    assert_eq!((found(&store, "ravi").await, found(&store, "asha").await), (1, 1));
    index_all(&store).await;
    assert_eq!((fixture.number(COUNT_MARKS), found(&store, "ravi").await), (0, 1));
}

#[tokio::test]
async fn rejected_write_leaves_no_mark() {
    let (fixture, store) = Fixture::new();
    insert(&store, "Asha", 1).await;
    RecordStore::<Student>::insert(&store, named("Ravi", 1), &BY).await.unwrap_err();
    assert_eq!((fixture.number(COUNT_MARKS), found(&store, "ravi").await), (0, 0));
}

/// Kills do not matter: each step is one transaction.
#[tokio::test]
async fn interrupted_indexing_continues() {
    let (fixture, store) = Fixture::new();
    fixture.other.execute_batch(INSERT).unwrap();
    fixture
        .other
        .execute_batch("DELETE FROM students_to_index; INSERT INTO students_to_index VALUES (1, 2000)")
        .unwrap();
    assert_eq!(store.index_missing().await.unwrap(), Some(500));
    assert_eq!(fixture.marks(), [(501, 2_000)]);
    fixture.other.execute_batch("UPDATE students SET name = 'Ravi' WHERE id IN (7, 1000)").unwrap();
    assert_eq!(fixture.marks(), [(7, 7), (501, 2_000)]);
    insert(&store, "Meera", 2_001).await;
    assert_eq!(fixture.marks(), [(501, 2_000)]);
    drop(store);
    let store = SqliteStore::open(&fixture.path).unwrap();
    for _ in 0..2 {
        assert_eq!((found(&store, "ravi").await, found(&store, "asha 200").await), (2, 2));
        index_all(&store).await;
        assert_eq!(fixture.marks(), []);
    }
}

/// Migration 0008 marks the students that exist as one range.
#[tokio::test]
async fn marks_are_disjoint_whatever_is_written() {
    let (fixture, store) = Fixture::new();
    drop(store);
    fixture.other.execute_batch(INSERT).unwrap();
    fixture
        .other
        .execute_batch("DELETE FROM students_to_index; INSERT INTO students_to_index VALUES (10, 20)")
        .unwrap();
    for sql in [
        "UPDATE students SET name = name || 'x' WHERE id IN (9, 10, 15, 20, 21)",
        "UPDATE students SET name = name || 'y' WHERE id = 9",
        "UPDATE students SET age = 20 WHERE id = 30",
        "DELETE FROM students WHERE id IN (9, 12, 40)",
    ] {
        fixture.other.execute_batch(sql).unwrap();
    }
    assert_eq!(fixture.marks(), [(9, 9), (10, 20), (21, 21), (40, 40)]);
}
