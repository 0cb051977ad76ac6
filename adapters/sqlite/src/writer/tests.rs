//! Tests of the group commit.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use futures_util::future::join_all;
use tempfile::TempDir;

use super::*;

#[derive(Debug, Error)]
enum PutError {
    #[error("rejected")]
    Rejected,
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Fixture {
    writer: Writer,
    commits: Arc<AtomicUsize>,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let connection = connect(&folder);
        connection
            .execute_batch(
                "PRAGMA journal_mode = wal;
                CREATE TABLE parent (n INTEGER PRIMARY KEY) STRICT;
                CREATE TABLE number (n INTEGER PRIMARY KEY, parent INTEGER
                    REFERENCES parent DEFERRABLE INITIALLY DEFERRED) STRICT;",
            )
            .unwrap();
        let commits = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&commits);
        let hook = move || {
            count.fetch_add(1, Ordering::SeqCst);
            false
        };
        connection.commit_hook(Some(hook)).unwrap();
        Self { writer: Writer::start(connection, file(&folder), |_| Ok(0)).unwrap(), commits, folder }
    }

    /// Blocks the writer until the returned sender is used or dropped.
    fn hold(&self) -> mpsc::Sender<()> {
        let (started, running) = mpsc::channel();
        let (release, released) = mpsc::channel();
        drop(self.writer.write::<_, StoreError, _>(move |_| {
            started.send(()).unwrap();
            let _ = released.recv();
            Ok(())
        }));
        running.recv().unwrap();
        release
    }

    fn put(&self, n: i64) -> impl Future<Output = Result<(), PutError>> + Send + use<> {
        self.writer.write(move |connection| put(connection, n))
    }

    fn run(&self, sql: &'static str) -> impl Future<Output = Result<(), PutError>> + Send + use<> {
        self.writer.write(move |connection| Ok(connection.execute_batch(sql)?))
    }

    fn stored(&self) -> Vec<i64> {
        let connection = connect(&self.folder);
        let mut numbers = connection.prepare("SELECT n FROM number ORDER BY n").unwrap();
        numbers.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }
}

fn connect(folder: &TempDir) -> Connection {
    let connection = Connection::open(folder.path().join("numbers.db")).unwrap();
    connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    // The first read creates the log.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).unwrap();
    connection
}

fn file(folder: &TempDir) -> DatabaseFile {
    DatabaseFile::at(&folder.path().join("numbers.db")).unwrap()
}

fn put(connection: &Connection, n: i64) -> Result<(), TxError<PutError>> {
    connection.execute("INSERT INTO number (n) VALUES (?1)", [n])?;
    Ok(())
}

fn is_unavailable<T>(result: &Result<T, PutError>) -> bool {
    matches!(result, Err(PutError::Store(StoreError::Unavailable(_))))
}

#[tokio::test]
async fn queued_writes_share_one_commit() {
    let fixture = Fixture::new();
    let held = fixture.hold();
    let writes: Vec<_> = (1..=10).map(|n| fixture.put(n)).collect();
    drop(held);
    assert!(join_all(writes).await.iter().all(Result::is_ok));
    // One for the write that blocked the writer, one for the group.
    assert_eq!(fixture.commits.load(Ordering::SeqCst), 2);
    assert_eq!(fixture.stored(), (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn group_size_is_bounded() {
    let fixture = Fixture::new();
    let held = fixture.hold();
    let writes: Vec<_> = (1..=1 + i64::try_from(GROUP).unwrap()).map(|n| fixture.put(n)).collect();
    drop(held);
    assert!(join_all(writes).await.iter().all(Result::is_ok));
    assert_eq!(fixture.commits.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn rejected_write_rolls_back_only_itself() {
    let fixture = Fixture::new();
    let held = fixture.hold();
    let before = fixture.put(1);
    let rejected = fixture.writer.write(|connection| {
        put(connection, 2)?;
        Err::<(), _>(TxError::Rejected(PutError::Rejected))
    });
    let failed = fixture.run("INSERT INTO number (n) VALUES (3); INSERT INTO nowhere VALUES (1)");
    let after = fixture.put(4);
    drop(held);
    assert!(matches!(rejected.await, Err(PutError::Rejected)));
    assert!(matches!(failed.await, Err(PutError::Store(StoreError::Failed(_)))));
    assert!(before.await.is_ok() && after.await.is_ok());
    assert_eq!(fixture.stored(), [1, 4]);
}

#[tokio::test]
async fn failed_commit_fails_the_group_and_writer_continues() {
    let fixture = Fixture::new();
    let held = fixture.hold();
    let valid = fixture.put(1);
    let rejected = fixture.writer.write(|_| Err::<(), _>(TxError::Rejected(PutError::Rejected)));
    // The deferred foreign key is checked at COMMIT.
    let orphan = fixture.run("INSERT INTO number (n, parent) VALUES (2, 7)");
    drop(held);
    for result in [valid.await, rejected.await, orphan.await] {
        assert!(is_unavailable(&result), "{result:?}");
    }
    fixture.put(3).await.unwrap();
    assert_eq!(fixture.stored(), [3]);
}

#[tokio::test]
async fn full_disk_fails_the_group_until_space_is_free() {
    let fixture = Fixture::new();
    fixture.run("PRAGMA max_page_count = 4; CREATE TABLE large (bytes BLOB)").await.unwrap();
    let held = fixture.hold();
    let before = fixture.put(1);
    let large = fixture.run("INSERT INTO large VALUES (randomblob(100000))");
    let after = fixture.put(2);
    drop(held);
    let (before, large, after) = (before.await, large.await, after.await);
    for result in [&before, &large, &after] {
        assert!(is_unavailable(result), "{result:?}");
    }
    assert!(format!("{before:?} {after:?}").matches("RolledBack").count() == 2, "{before:?} {after:?}");
    assert!(format!("{large:?}").contains("DiskFull"), "the error contains the reason: {large:?}");
    fixture.run("PRAGMA max_page_count = 1000").await.unwrap();
    fixture.run("INSERT INTO large VALUES (randomblob(100000))").await.unwrap();
    fixture.put(3).await.unwrap();
    assert_eq!(fixture.stored(), [3]);
}

#[tokio::test]
async fn locked_database_is_unavailable_until_unlocked() {
    let fixture = Fixture::new();
    let other = connect(&fixture.folder);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(is_unavailable(&fixture.put(1).await));
    fixture.writer.retry_after_failure().await.unwrap();
    other.execute_batch("COMMIT").unwrap();
    fixture.put(1).await.unwrap();
}

#[tokio::test]
async fn failure_ends_with_a_write_and_not_with_a_lock() {
    let fixture = Fixture::new();
    let retry = || fixture.writer.retry_after_failure();
    let create = "CREATE TABLE large (bytes BLOB); CREATE VIRTUAL TABLE words USING fts5(text)";
    fixture.run(create).await.unwrap();
    fixture.run("PRAGMA max_page_count = 1").await.unwrap();
    assert!(is_unavailable(&fixture.run("INSERT INTO large VALUES (randomblob(100000))").await));
    // Counts as a change, and writes nothing.
    fixture.run("INSERT INTO words (words, rank) VALUES ('merge', 200)").await.unwrap();
    let other = connect(&fixture.folder);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..2 {
        assert!(matches!(retry().await, Err(StoreError::Unavailable(_))));
    }
    other.execute_batch("COMMIT").unwrap();
    retry().await.unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    retry().await.unwrap();
}

#[tokio::test]
async fn write_that_races_the_loss_of_a_file_is_unavailable() {
    for name in ["numbers.db", "numbers.db-wal"] {
        let fixture = Fixture::new();
        let file = fixture.folder.path().join(name);
        let raced = fixture.writer.write(move |connection| {
            std::fs::rename(&file, file.with_extension("moved")).unwrap();
            put(connection, 1)
        });
        assert!(is_unavailable(&raced.await), "{name}");
    }
}

#[tokio::test]
async fn cancelled_caller_does_not_stop_other_writes() {
    let fixture = Fixture::new();
    let held = fixture.hold();
    drop(fixture.put(1));
    let after = fixture.put(2);
    drop(held);
    after.await.unwrap();
    assert_eq!(fixture.stored(), [1, 2]);
}

#[tokio::test]
async fn panicking_write_fails_only_itself() {
    let fixture = Fixture::new();
    let held = fixture.hold();
    let before = fixture.put(1);
    let panics = fixture.writer.write(|connection| -> Result<(), TxError<PutError>> {
        put(connection, 2)?;
        panic!("expected by the test");
    });
    let after = fixture.put(3);
    drop(held);
    assert!(matches!(panics.await, Err(PutError::Store(StoreError::Failed(_)))));
    assert!(before.await.is_ok() && after.await.is_ok());
    assert_eq!(fixture.stored(), [1, 3]);
}

#[tokio::test]
async fn full_write_queue_rejects_at_once() {
    let fixture = Fixture::new();
    let held = fixture.hold();
    let waiting: Vec<_> = (1..=i64::try_from(QUEUE).unwrap()).map(|n| fixture.put(n)).collect();
    assert!(is_unavailable(&fixture.put(0).await));
    drop(held);
    assert!(join_all(waiting).await.iter().all(Result::is_ok));
}

#[test]
fn dropped_writer_completes_queued_writes() {
    let fixture = Fixture::new();
    let held = fixture.hold();
    let queued = [fixture.put(1), fixture.put(2)];
    drop(held);
    let Fixture { writer, folder, commits } = fixture;
    drop(writer);
    let after = Fixture { writer: Writer::start(connect(&folder), file(&folder), |_| Ok(0)).unwrap(), folder, commits };
    assert_eq!(after.stored(), [1, 2]);
    drop(queued);
}
