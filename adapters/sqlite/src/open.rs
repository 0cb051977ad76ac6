//! Opening the file: connections, their settings, and error messages.

use std::fs::OpenOptions;
use std::io;
use std::path::{self, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error as SqliteError, ErrorCode, OpenFlags};
use thiserror::Error;

use crate::schema;

/// Maximum wait for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Error of opening a database: file, reason and hint, in one line.
#[derive(Debug, Error)]
#[error("the database {} cannot be opened: {}", .path.display(), .kind.to_string().replace('\n', " "))]
pub struct OpenError {
    path: PathBuf,
    kind: OpenErrorKind,
}

/// The reason and the hint.
#[derive(Debug, Error)]
pub(crate) enum OpenErrorKind {
    #[error("{0}; grant this user write access to the folder, or use another file")]
    File(#[from] io::Error),
    #[error("{0}; {hint}", hint = hint(.0))]
    Sqlite(#[from] SqliteError),
    #[error("it is read-only for this user; grant write access to the file and its folder")]
    ReadOnly,
    #[error("its file system does not support write-ahead logging; move it to a local disk")]
    NoLog,
    #[error("it is damaged: {0}; restore a backup")]
    Damaged(String),
    #[error("it is empty; select another file")]
    Empty,
    #[error("it contains another program's tables; use another file")]
    Foreign,
    #[error(
        "this program is too old for it: the database requires schema version {needed}, and this program supports \
         {known}; run a newer release"
    )]
    ProgramTooOld { needed: u32, known: u32 },
    #[error("the writer thread could not be started: {0}; raise the limit on processes")]
    Thread(io::Error),
}

fn hint(error: &SqliteError) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "use another file",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "stop the program that locks it, or try again",
        Some(ErrorCode::DiskFull) => "free some space on its disk",
        Some(ErrorCode::DatabaseCorrupt) => "restore a backup",
        _ => "grant this user read and write access to the file and its folder, or restore a backup",
    }
}

impl OpenError {
    pub(crate) fn new(path: &Path, kind: impl Into<OpenErrorKind>) -> Self {
        Self { path: path.to_owned(), kind: kind.into() }
    }

    pub(crate) fn file(path: &Path, error: io::Error) -> Self {
        Self::new(path, error)
    }

    pub(crate) fn thread(path: &Path, error: io::Error) -> Self {
        Self::new(path, OpenErrorKind::Thread(error))
    }
}

/// Opens the writing connection and migrates the schema. Returns the schema version.
pub fn writer(path: &Path) -> Result<(Connection, u32), OpenError> {
    open_writer(path).map_err(|kind| OpenError::new(path, kind))
}

/// Opens read-only connections.
pub fn readers(path: &Path, count: usize) -> Result<Vec<Connection>, OpenError> {
    (0..count).map(|_| open_reader(path)).collect::<Result<_, _>>().map_err(|kind| OpenError::new(path, kind))
}

/// Opens a read-only connection in a transaction, which reads the present state until the connection is closed.
pub fn snapshot(path: &Path) -> Result<Connection, OpenError> {
    let open = || {
        let connection = open_reader(path)?;
        connection.execute_batch("BEGIN")?;
        // The state is that of the first read.
        schema::version(&connection)?;
        Ok(connection)
    };
    open().map_err(|kind: OpenErrorKind| OpenError::new(path, kind))
}

fn open_writer(path: &Path) -> Result<(Connection, u32), OpenErrorKind> {
    create_file(path)?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if connection.is_readonly("main")? {
        return Err(OpenErrorKind::ReadOnly);
    }
    schema::reject_foreign(&connection)?;
    enable_wal(&connection)?;
    // Size in bytes to which the log is truncated after a checkpoint.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let version = schema::migrate(&mut connection)?;
    Ok((connection, version))
}

fn open_reader(path: &Path) -> Result<Connection, OpenErrorKind> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "query_only", true)?;
    // The first read opens the log. Without it, a reader would create another log if this one was moved away meanwhile.
    schema::version(&connection)?;
    Ok(connection)
}

pub fn connect(path: &Path, access: OpenFlags) -> Result<Connection, OpenErrorKind> {
    // An absolute path, because SQLite does not open a name that starts with `file:` or `:memory:` as a plain file.
    let path = path::absolute(path)?;
    // Only one thread at a time uses a connection, so SQLite's mutex is unnecessary.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Creates an empty file with mode 0600 if it does not exist. `SQLite` gives the log the same mode.
fn create_file(path: &Path) -> io::Result<()> {
    // Closing a file releases every lock that this process has on it (POSIX), so no other thread may open the database
    // between creation and closing.
    static CREATING: Mutex<()> = Mutex::new(());
    let _guard = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

/// Enables write-ahead logging. `SQLite`'s busy timeout does not apply to concurrent switches, so this retries.
fn enable_wal(connection: &Connection) -> Result<(), OpenErrorKind> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => return Err(OpenErrorKind::NoLog),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
