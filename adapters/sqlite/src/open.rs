//! Opening the file: connections, their settings, and what to tell the person whose file does not open.

use std::fs::OpenOptions;
use std::io;
use std::path::{self, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error as SqliteError, ErrorCode, OpenFlags};
use thiserror::Error;

use crate::schema;

/// How long a connection waits for another process that holds a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a database was not opened: what, which file, why and the way out, in one line.
#[derive(Debug, Error)]
#[error("the database {} cannot be opened: {}", .path.display(), .why.to_string().replace('\n', " "))]
pub struct OpenError {
    path: PathBuf,
    why: OpenErrorKind,
}

/// The reason, and the way out.
#[derive(Debug, Error)]
pub(crate) enum OpenErrorKind {
    #[error("{0}; let this user write the folder, or name another file")]
    File(#[from] io::Error),
    #[error("{0}; {hint}", hint = hint(.0))]
    Sqlite(#[from] SqliteError),
    #[error("this user may only read it; let this user write the file and its folder")]
    ReadOnly,
    #[error("its file system has no write-ahead log; move it to a local disk")]
    NoLog,
    #[error("it holds another program's tables; name another file")]
    Foreign,
    #[error(
        "this program is too old for it: the database needs schema version {needed}, and this program knows \
         {known}; run a newer release"
    )]
    ProgramTooOld { needed: u32, known: u32 },
    #[error("no thread could be started for its writes: {0}; raise the limit on processes")]
    Thread(io::Error),
}

fn hint(error: &SqliteError) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => "name another file",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "end the program that holds it, or try again",
        Some(ErrorCode::DiskFull) => "free some space on its disk",
        Some(ErrorCode::DatabaseCorrupt) => "restore a backup",
        _ => "let this user read and write the file and its folder, or restore a backup",
    }
}

impl OpenError {
    fn new(path: &Path, why: impl Into<OpenErrorKind>) -> Self {
        Self { path: path.to_owned(), why: why.into() }
    }

    pub(crate) fn thread(path: &Path, why: io::Error) -> Self {
        Self::new(path, OpenErrorKind::Thread(why))
    }
}

/// The connection that writes, and the version of the schema, which is up to date then.
pub fn writer(path: &Path) -> Result<(Connection, u32), OpenError> {
    open_writer(path).map_err(|why| OpenError::new(path, why))
}

/// Connections that cannot write.
pub fn readers(path: &Path, count: usize) -> Result<Vec<Connection>, OpenError> {
    (0..count).map(|_| open_reader(path)).collect::<Result<_, _>>().map_err(|why| OpenError::new(path, why))
}

fn open_writer(path: &Path) -> Result<(Connection, u32), OpenErrorKind> {
    make(path)?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if connection.is_readonly("main")? {
        return Err(OpenErrorKind::ReadOnly);
    }
    schema::refuse_foreign(&connection)?;
    log_ahead(&connection)?;
    // The log shrinks to this many bytes after a burst of writes.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let version = schema::migrate(&mut connection)?;
    Ok((connection, version))
}

fn open_reader(path: &Path) -> Result<Connection, OpenErrorKind> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, OpenErrorKind> {
    // SQLite reads `file:` and `:memory:` at the beginning of a name as something else than a file.
    let path = path::absolute(path)?;
    // One thread at a time uses a connection: SQLite's own locking of connections is not needed.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Makes an empty file where there is none; its owner alone may read it, and so the log beside it, to which
/// `SQLite` gives the same mode.
fn make(path: &Path) -> io::Result<()> {
    // Closing a file drops every lock that this process has on it (POSIX): no other thread may have begun
    // to use the file between its making and its closing.
    static MAKING: Mutex<()> = Mutex::new(());
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

/// Switches to the write-ahead log. `SQLite` does not wait for others that switch at the same time, so this
/// does.
fn log_ahead(connection: &Connection) -> Result<(), OpenErrorKind> {
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
