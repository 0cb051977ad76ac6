//! The one thread that writes, and its group commit: what waits together is committed together.
//!
//! Each write has a savepoint of its own, so that a refused one takes nothing of its neighbours back. Every
//! answer, a refusal too, waits for the COMMIT: it may rest on what a neighbour wrote.

use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use domain::StoreError;
use rusqlite::Connection;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::errors::Failure;

/// How many writes wait at most.
const QUEUE: usize = 1_024;
/// How many writes share one COMMIT at most.
const GROUP: usize = 256;

/// Takes writes; ends its thread, when dropped, after the last that waits.
pub struct Writer {
    queue: Option<SyncSender<Box<dyn QueuedWrite>>>,
    thread: Option<JoinHandle<()>>,
}

/// Why a write is taken back.
#[derive(Debug)]
pub enum TxError<E> {
    /// A rule of the domain.
    Refused(E),
    Failed(Failure),
}

impl<E, F: Into<Failure>> From<F> for TxError<E> {
    fn from(failure: F) -> Self {
        Self::Failed(failure.into())
    }
}

impl Writer {
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(connection: Connection) -> io::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE);
        let thread = thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || {
            serve(&connection, &waiting);
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Queues a write at once; the future gives its answer, and may be dropped. `work` runs in a
    /// transaction that writes, so nothing changes between what it reads and what it writes.
    pub fn write<T, E, W>(&self, work: W) -> impl Future<Output = Result<T, E>> + Send + use<T, E, W>
    where
        W: FnOnce(&Connection) -> Result<T, TxError<E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let write = Box::new(Write { state: State::Waiting(work), answer: sender });
        let queued = match self.queue.as_ref().map(|queue| queue.try_send(write)) {
            Some(Ok(())) => Ok(answer),
            Some(Err(TrySendError::Full(_))) => Err("too many writes wait already"),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(GONE),
        };
        async move {
            let answer = queued.map_err(StoreError::unavailable)?;
            answer.await.unwrap_or_else(|_| Err(StoreError::unavailable(GONE).into()))
        }
    }
}

const GONE: &str = "the thread that writes has ended";

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.take();
        if let Some(thread) = self.thread.take() {
            // It ends with an error only after a panic, which was reported already.
            let _ = thread.join();
        }
    }
}

fn serve(connection: &Connection, waiting: &Receiver<Box<dyn QueuedWrite>>) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP - 1));
        let outcome = commit(connection, &mut group);
        if outcome.is_err() && !connection.is_autocommit() {
            // Where this fails too, so does the next BEGIN, and this is tried again.
            let _ = connection.execute_batch("ROLLBACK");
        }
        for member in group {
            member.answer(outcome.as_ref().copied());
        }
    }
}

/// Runs a group in one transaction.
fn commit(connection: &Connection, group: &mut [Box<dyn QueuedWrite>]) -> Result<(), NotCommitted> {
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
    execute("COMMIT")?;
    Ok(())
}

/// Why a whole group was taken back.
#[derive(Debug, Clone, Error)]
enum NotCommitted {
    #[error("the writes that waited together were not committed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    /// As it does when the disk is full; the write that met it has the reason.
    #[error("the writes that waited together were not committed: SQLite took them back on a failure of one")]
    RolledBack,
}

impl From<rusqlite::Error> for NotCommitted {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

/// One write of a group.
trait QueuedWrite: Send {
    /// Does the work; tells whether to keep it.
    fn run(&mut self, connection: &Connection) -> bool;
    /// Tells the caller, if there still is one.
    fn answer(self: Box<Self>, group: Result<(), &NotCommitted>);
}

struct Write<W, T, E> {
    state: State<W, T, E>,
    answer: oneshot::Sender<Result<T, E>>,
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

    fn answer(self: Box<Self>, group: Result<(), &NotCommitted>) {
        let answer = match (group, self.state) {
            (Ok(()), State::Done(Ok(value))) => Ok(value),
            (Ok(()), State::Done(Err(TxError::Refused(refusal)))) => Err(refusal),
            (Ok(()), State::Done(Err(TxError::Failed(failure)))) => Err(StoreError::from(failure).into()),
            (Ok(()), State::Waiting(_) | State::Running) => Err(StoreError::failed("the write never ran").into()),
            (Err(_), State::Done(Err(TxError::Failed(failure)))) => Err(StoreError::unavailable(failure).into()),
            (Err(why), _) => Err(StoreError::unavailable(why.clone()).into()),
        };
        // A caller that gave up needs no answer.
        let _ = self.answer.send(answer);
    }
}

#[cfg(test)]
mod tests;
