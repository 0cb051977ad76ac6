//! Opening and closing the store: migrations, rejected files, and dropping with queued writes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Barrier;
use std::thread;

use adapter_sqlite::SqliteStore;
use domain::access::Role;
use domain::audit::{Action, AuditLog, EventFilter};
use domain::record::{RecordError, RecordStore, Sample};
use domain::student::{NameIndex, NamePart, Student, StudentFilter, StudentId, StudentName};
use domain::user::{Attempts, CredentialStore, PasswordHash, User, UserUpdate};
use domain::{Actor, ActorId, PageRequest, Probe, StoreError, Text};
use futures_util::FutureExt;
use rusqlite::Connection;
use tempfile::TempDir;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

static BY: Actor = Actor::here(ActorId::Operator, OffsetDateTime::UNIX_EPOCH);

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollbook.db");
    (folder, path)
}

/// Creates the database, and then runs `sql` on it.
fn create_and_run(path: &Path, sql: &str) {
    drop(SqliteStore::open(path).unwrap());
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

fn asha() -> Student {
    Student { name: StudentName::parse("Asha").unwrap(), ..Student::sample(7) }
}

/// The error message of a database that does not open.
fn open_error(path: &Path) -> String {
    let message = SqliteStore::open(path).err().unwrap().to_string();
    assert!(!message.contains('\n'), "{message}");
    assert!(message.contains(path.to_str().unwrap()), "{message}");
    message
}

#[test]
fn concurrent_opens_migrate_once() {
    let migrations = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap().count();
    let (_folder, path) = folder();
    let start = Barrier::new(8);
    thread::scope(|scope| {
        let opened: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    SqliteStore::open(&path).map(|store| store.schema_version())
                })
            })
            .collect();
        for version in opened {
            assert_eq!(version.join().unwrap().unwrap() as usize, migrations);
        }
    });
}

#[test]
fn second_open_does_not_change_the_schema() {
    let (_folder, path) = folder();
    let schema = || {
        drop(SqliteStore::open(&path).unwrap());
        let version = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        Connection::open(&path).unwrap().query_row("PRAGMA schema_version", [], version).unwrap()
    };
    assert_eq!(schema(), schema());
}

#[tokio::test]
async fn compatible_newer_schema_is_accepted() {
    let (_folder, path) = folder();
    create_and_run(&path, "PRAGMA user_version = 99; ALTER TABLE students ADD COLUMN house TEXT");
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.schema_version(), 99);
    RecordStore::<Student>::insert(&store, asha(), &BY).await.unwrap();
}

#[test]
fn incompatible_newer_schema_is_rejected_in_one_line() {
    let (_folder, path) = folder();
    create_and_run(&path, "PRAGMA user_version = 99; UPDATE compatibility SET least_version = 98");
    let message = open_error(&path);
    assert!(message.contains("this program is too old") && message.contains("98"), "{message}");
}

#[test]
fn foreign_database_is_rejected_and_unchanged() {
    let (_folder, path) = folder();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (n INTEGER)").unwrap();
    let before = fs::read(&path).unwrap();
    assert!(open_error(&path).contains("another program's tables"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn file_that_is_not_a_database_is_rejected_in_one_line() {
    let (folder, path) = folder();
    fs::write(&path, "not a database".repeat(100)).unwrap();
    assert!(open_error(&path).contains("use another file"));
    assert!(open_error(&folder.path().join("missing/rollbook.db")).contains("use another file"));
}

#[cfg(unix)]
#[tokio::test]
async fn new_database_is_readable_only_by_its_owner() {
    use std::os::unix::fs::PermissionsExt;

    let (folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    RecordStore::<Student>::insert(&store, asha(), &BY).await.unwrap();
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 3, "the database, its log and the log's index: {files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
}

#[test]
fn dropped_store_completes_queued_writes() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    // One poll queues the write; its result is not awaited.
    drop(RecordStore::<Student>::insert(&store, asha(), &BY).now_or_never());
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    let found = RecordStore::<Student>::find(&store, StudentId::try_from(1).unwrap()).now_or_never();
    assert_eq!(found.unwrap().unwrap().unwrap().fields, asha());
}

#[tokio::test]
async fn damaged_data_returns_an_error() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let id = RecordStore::<Student>::insert(&store, asha(), &BY).await.unwrap().id;
    let damages =
        ["age = 999", "email = 'x'", "name = CAST(x'ff' AS TEXT)", "version = 0", "created_at = 9223372036854775807"];
    for damage in damages {
        let db = Connection::open(&path).unwrap();
        db.execute_batch(&format!(
            "PRAGMA ignore_check_constraints = on; BEGIN; DELETE FROM students;
            INSERT INTO students (id, name, name_folded, email, roll_no, version, created_at, updated_at)
            VALUES (1, 'Asha', 'asha', 'asha@example.org', 7, 1, 0, 0);
            UPDATE students SET {damage}; COMMIT"
        ))
        .unwrap();
        let found = RecordStore::<Student>::find(&store, id).await;
        assert!(matches!(found, Err(StoreError::Failed(_))), "{damage}: {found:?}");
        let found = RecordStore::<Student>::page(&store, &StudentFilter::default(), PageRequest::ONE).await;
        assert!(matches!(found, Err(StoreError::Failed(_))), "{damage}: {found:?}");
    }
}

#[tokio::test]
async fn readiness_requires_all_tables() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    store.ready().await.unwrap();
    Connection::open(&path).unwrap().execute_batch("DROP TABLE students").unwrap();
    assert!(store.ready().await.is_err());
}

#[tokio::test]
async fn store_locked_by_another_connection_is_ready() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.ready().await.unwrap();
    // One poll queues the write, which waits for the lock.
    let write = RecordStore::<Student>::insert(&store, asha(), &BY);
    let mut write = std::pin::pin!(write);
    assert!(write.as_mut().now_or_never().is_none());
    store.ready().await.unwrap();
    other.execute_batch("COMMIT").unwrap();
    write.await.unwrap();
}

#[tokio::test]
async fn write_to_lost_file_is_unavailable() {
    for suffix in ["", "-wal"] {
        let (folder, path) = folder();
        drop(SqliteStore::open(&path).unwrap());
        let link = folder.path().join("link.db");
        symlink(&path, &link).unwrap();
        let store = SqliteStore::open(&link).unwrap();
        let mut roll_no = 0;
        let mut insert = || {
            roll_no += 1;
            RecordStore::<Student>::insert(&store, Student::sample(roll_no), &BY)
        };
        insert().await.unwrap();
        let [file, log] = [suffix, "-wal"].map(|suffix| folder.path().join(format!("rollbook.db{suffix}")));
        let last_write = OffsetDateTime::from(log.metadata().unwrap().modified().unwrap());
        let last_write = last_write.format(&Rfc3339).unwrap();
        let moved = folder.path().join("moved");
        fs::rename(&file, &moved).unwrap();
        for replaced in [false, true] {
            if replaced {
                fs::copy(&moved, &file).unwrap();
            }
            let RecordError::Store(rejected) = insert().await.unwrap_err() else {
                panic!("the store rejects the write")
            };
            for lost in [rejected, store.ready().await.unwrap_err()] {
                let StoreError::Unavailable(cause) = lost else { panic!("{lost:?}") };
                let cause = cause.to_string();
                assert!(cause.contains(&format!(".db{suffix} ")) && cause.contains(&last_write), "{cause}");
                assert!(!cause.contains('\n'), "{cause}");
            }
        }
        fs::rename(&moved, &file).unwrap();
        store.ready().await.unwrap();
        insert().await.unwrap();
        let page = RecordStore::<Student>::page(&store, &StudentFilter::default(), PageRequest::LARGEST).await.unwrap();
        assert_eq!(page.entries.len(), 2, "rejected writes are not stored");
    }
}

#[tokio::test]
async fn truncated_log_is_not_lost() {
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path).unwrap();
    RecordStore::<Student>::insert(&store, Student::sample(1), &BY).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    assert_eq!(path.with_extension("db-wal").metadata().unwrap().len(), 0);
    drop(other);
    RecordStore::<Student>::insert(&store, Student::sample(2), &BY).await.unwrap();
    store.ready().await.unwrap();
}

#[tokio::test]
async fn first_schema_version_is_migrated_without_data_loss() {
    let (_folder, path) = folder();
    let first = concat!(
        include_str!("../migrations/0001_initial.sql"),
        "INSERT INTO users (id, username, username_folded, role, status, password_hash, password_change_due, version,
         created_at, updated_at) VALUES (7, 'Asha', 'asha', 'admin', 'active', 'one', 0, 3, 0, 1);
         INSERT INTO students (id, name, name_folded, email, roll_no, age, version, created_at, updated_at)
         VALUES (9, 'Ravi', 'ravi', 'ravi@example.org', 1, NULL, 2, 0, 1);
         INSERT INTO audit_events (at, actor, action, count) VALUES (-7, 'operator', 'key.rotated', 1);
         PRAGMA application_id = 0x526f6c6c; PRAGMA user_version = 1;",
    );
    Connection::open(&path).unwrap().execute_batch(first).unwrap();

    let store = SqliteStore::open(&path).unwrap();
    store.ready().await.unwrap();
    let known = store.find_credentials(&"asha".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((known.user.id.get(), known.user.role, known.user.version.get()), (7, Role::Admin, 3));
    assert!(!known.user.password_change_due && known.password_expires_at.is_none());
    assert_eq!(known.attempts, Attempts::default());
    let ravi = RecordStore::<Student>::find(&store, StudentId::try_from(9).unwrap()).await.unwrap().unwrap();
    assert_eq!((ravi.name.as_str(), ravi.version.get()), ("Ravi", 2));
    let filter = StudentFilter { name: NamePart::parse("RÁVI").ok(), ..StudentFilter::default() };
    for missing in [Some(1), None] {
        let found = RecordStore::<Student>::page(&store, &filter, PageRequest::ONE).await.unwrap().entries;
        assert_eq!(found.as_slice(), slice::from_ref(&ravi));
        assert_eq!(store.index_missing().await.unwrap(), missing);
    }
    let change = UserUpdate::password(PasswordHash::new("two".into()));
    RecordStore::<User>::update(&store, known.user.id, None, change, &BY).await.unwrap();
    RecordStore::<Student>::delete(&store, ravi.id, None, &BY).await.unwrap();
    let before = Some(OffsetDateTime::UNIX_EPOCH);
    for (before, expected) in [
        (before, vec![Action::KEY_ROTATED]),
        (None, vec![Action::KEY_ROTATED, Action::PASSWORD_CHANGED, Action::deleted::<Student>()]),
    ] {
        let filter = EventFilter { before, ..EventFilter::default() };
        let events = AuditLog::page(&store, &filter, PageRequest::LARGEST).await.unwrap().entries;
        assert_eq!(events.into_iter().map(|event| event.what.action).collect::<Vec<_>>(), expected);
    }
}
