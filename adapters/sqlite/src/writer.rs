//! The writer thread and its group commit: one transaction commits all queued writes.
//!
//! Each write has its own savepoint, so that a rejected one does not roll back the others. Every result, including a
//! rejection, waits for the COMMIT, because it may depend on other writes of the group.

use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use domain::StoreError;
use rusqlite::{Connection, ErrorCode};
use thiserror::Error;
use tokio::sync::oneshot;

use crate::errors::Failure;
use crate::file::{DatabaseFile, FileLost};

/// Maximum number of queued writes.
const QUEUE: usize = 1_024;
/// Maximum number of writes per COMMIT.
const GROUP: usize = 256;

/// Work in the transaction of each group, after its writes. If it fails, the writes are kept and its own changes are not, unless the
/// failure ends the transaction, as that of a full disk does.
pub type Finish = fn(&Connection) -> Result<u64, Failure>;

/// Queue of the writer thread. Dropping it blocks until queued writes have completed.
pub struct Writer {
    queue: Option<SyncSender<Box<dyn QueuedWrite>>>,
    thread: Option<JoinHandle<()>>,
    has_failed: Arc<AtomicBool>,
}

/// Reason for the rollback of a write.
#[derive(Debug)]
pub enum TxError<E> {
    /// A rule of the domain rejects the write.
    Rejected(E),
    Failed(Failure),
}

impl<E, F: Into<Failure>> From<F> for TxError<E> {
    fn from(failure: F) -> Self {
        Self::Failed(failure.into())
    }
}

impl Writer {
    /// Starts the writer thread.
    ///
    /// # Errors
    /// [`io::Error`] if the system cannot start a thread.
    pub fn start(connection: Connection, file: DatabaseFile, finish: Finish) -> io::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE);
        let has_failed = Arc::<AtomicBool>::default();
        let failed = Arc::clone(&has_failed);
        let thread = thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || {
            serve(&connection, &file, finish, &waiting, &failed);
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread), has_failed })
    }

    /// If a group of writes was not committed since the last call that succeeded, writes a page with its present content. A lock of
    /// another process is no failure, and does not end one.
    ///
    /// # Errors
    /// [`StoreError`] until a write succeeds.
    pub async fn retry_after_failure(&self) -> Result<(), StoreError> {
        if !self.has_failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.write(|connection| {
            let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok::<_, TxError<StoreError>>(connection.pragma_update(None, "user_version", version)?)
        })
        .await?;
        self.has_failed.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Queues a write immediately. The future returns its result; dropping the future does not cancel the write. `work` runs
    /// in an immediate transaction, so no other write occurs between its reads and its writes.
    pub fn write<T, E, W>(&self, work: W) -> impl Future<Output = Result<T, E>> + Send + use<T, E, W>
    where
        W: FnOnce(&Connection) -> Result<T, TxError<E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, result) = oneshot::channel();
        let write = Box::new(Write { state: State::Waiting(work), result: sender });
        let queued = match self.queue.as_ref().map(|queue| queue.try_send(write)) {
            Some(Ok(())) => Ok(result),
            Some(Err(TrySendError::Full(_))) => Err("too many writes are waiting"),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(STOPPED),
        };
        async move {
            let result = queued.map_err(StoreError::unavailable)?;
            result.await.unwrap_or_else(|_| Err(StoreError::unavailable(STOPPED).into()))
        }
    }
}

const STOPPED: &str = "the writer thread has stopped";

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.take();
        if let Some(thread) = self.thread.take() {
            // An error means that the thread panicked, which the panic hook has reported.
            let _ = thread.join();
        }
    }
}

fn serve(
    connection: &Connection,
    file: &DatabaseFile,
    finish: Finish,
    waiting: &Receiver<Box<dyn QueuedWrite>>,
    has_failed: &AtomicBool,
) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP - 1));
        let outcome = commit(connection, file, finish, &mut group);
        // A lock of another process is no failure. A success ends none, because the group may have written no page.
        if outcome.as_ref().is_err_and(|error| !error.is_busy()) {
            has_failed.store(true, Ordering::Relaxed);
        }
        if outcome.is_err() && !connection.is_autocommit() {
            // If this fails, so does the next BEGIN, and this is retried.
            let _ = connection.execute_batch("ROLLBACK");
        }
        for member in group {
            member.complete(outcome.as_ref().copied());
        }
    }
}

/// Runs a group in one transaction. The file is checked again after the commit: writes to a lost file are not acknowledged.
fn commit(
    connection: &Connection,
    file: &DatabaseFile,
    finish: Finish,
    group: &mut [Box<dyn QueuedWrite>],
) -> Result<(), NotCommitted> {
    file.check()?;
    let execute = |sql| connection.prepare_cached(sql)?.execute([]).map(drop);
    execute("BEGIN IMMEDIATE")?;
    for member in group {
        execute("SAVEPOINT member")?;
        let keep = member.run(connection);
        if connection.is_autocommit() {
            return Err(NotCommitted::RolledBack);
        }
        if !keep {
            execute("ROLLBACK TO member")?;
        }
        execute("RELEASE member")?;
    }
    execute("SAVEPOINT finish")?;
    let finished = catch_unwind(AssertUnwindSafe(|| finish(connection)));
    if let Err(error) = finished.unwrap_or(Err(Failure::Panicked)) {
        tracing::warn!(%error, "cannot index the written names");
        if connection.is_autocommit() {
            return Err(NotCommitted::RolledBack);
        }
        execute("ROLLBACK TO finish")?;
    }
    execute("RELEASE finish")?;
    execute("COMMIT")?;
    Ok(file.check()?)
}

/// Reason for the rollback of a whole group.
#[derive(Debug, Clone, Error)]
enum NotCommitted {
    #[error("the group of writes was not committed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    /// For example because the disk is full. The result of the failed write contains the reason.
    #[error("the group of writes was not committed: SQLite rolled it back because one write failed")]
    RolledBack,
    #[error(transparent)]
    FileLost(#[from] FileLost),
}

impl NotCommitted {
    /// Returns `true` if another process holds the lock.
    fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
    }
}

impl From<rusqlite::Error> for NotCommitted {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

/// One write of a group.
trait QueuedWrite: Send {
    /// Runs the work. Returns `true` if its changes are kept.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Sends the result to the caller, if it still waits.
    fn complete(self: Box<Self>, group: Result<(), &NotCommitted>);
}

struct Write<W, T, E> {
    state: State<W, T, E>,
    result: oneshot::Sender<Result<T, E>>,
}

enum State<W, T, E> {
    Waiting(W),
    Running,
    Done(Result<T, TxError<E>>),
}

impl<W, T, E> QueuedWrite for Write<W, T, E>
where
    W: FnOnce(&Connection) -> Result<T, TxError<E>> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, connection: &Connection) -> bool {
        let State::Waiting(work) = mem::replace(&mut self.state, State::Running) else { return false };
        let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
        let result = result.unwrap_or(Err(TxError::Failed(Failure::Panicked)));
        let keep = result.is_ok();
        self.state = State::Done(result);
        keep
    }

    fn complete(self: Box<Self>, group: Result<(), &NotCommitted>) {
        let result = match (group, self.state) {
            (Ok(()), State::Done(Ok(value))) => Ok(value),
            (Ok(()), State::Done(Err(TxError::Rejected(rejection)))) => Err(rejection),
            (Ok(()), State::Done(Err(TxError::Failed(failure)))) => Err(StoreError::from(failure).into()),
            (Ok(()), State::Waiting(_) | State::Running) => Err(StoreError::failed("the write never ran").into()),
            (Err(_), State::Done(Err(TxError::Failed(failure)))) => Err(StoreError::unavailable(failure).into()),
            (Err(error), _) => Err(StoreError::unavailable(error.clone()).into()),
        };
        // Fails if the caller has dropped the future.
        let _ = self.result.send(result);
    }
}

#[cfg(test)]
mod tests;
