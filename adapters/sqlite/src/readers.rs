//! Read-only connections: some for point look-ups on the calling thread, some for scans on blocking threads.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use domain::StoreError;
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task;

use crate::errors::Failure;

/// A fixed set of connections, each used by one thread at a time.
pub struct Readers(Box<[Mutex<Reader>]>);

/// A connection, and the `data_version` that it last read.
struct Reader {
    connection: Connection,
    data_version: AtomicI64,
}

impl Readers {
    /// Requires at least one connection.
    pub fn new(connections: Vec<Connection>) -> Self {
        let reader = |connection| Mutex::new(Reader { connection, data_version: AtomicI64::new(0) });
        Self(connections.into_iter().map(reader).collect())
    }

    /// Reads on the calling thread. Blocks while every connection is in use.
    pub fn with<T>(&self, read: impl FnOnce(&Connection) -> T) -> T {
        self.with_data_version(|connection, _| read(connection))
    }

    /// Like [`Readers::with`], and passes the `data_version` that the connection last read, which the caller updates.
    pub fn with_data_version<T>(&self, read: impl FnOnce(&Connection, &AtomicI64) -> T) -> T {
        let preferred = preferred_index() % self.0.len();
        let (before, from_preferred) = self.0.split_at(preferred);
        for slot in from_preferred.iter().chain(before) {
            match slot.try_lock() {
                Ok(reader) => return reader.read(read),
                // Unwinding resets the statement, so the connection is usable after a panic.
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner().read(read),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.0[preferred].lock().unwrap_or_else(PoisonError::into_inner).read(read)
    }
}

impl Reader {
    fn read<T>(&self, read: impl FnOnce(&Connection, &AtomicI64) -> T) -> T {
        read(&self.connection, &self.data_version)
    }
}

/// Index of the connection that this thread tries first. It is fixed per thread, to reuse the page cache.
fn preferred_index() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static INDEX: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    INDEX.with(|index| *index)
}

/// Number of steps of a scan between two checks whether it was cancelled.
const STEPS_BETWEEN_CHECKS: i32 = 10_000;

/// Interrupts the statements of a connection once it is dropped.
#[derive(Default)]
pub struct CancelOnDrop(Arc<AtomicBool>);

impl CancelOnDrop {
    /// Returns the installation of its flag in a connection.
    pub fn handler(&self) -> impl FnOnce(&Connection) -> Result<(), Failure> + Send + 'static {
        let is_cancelled = Arc::clone(&self.0);
        move |connection| {
            let handler = move || is_cancelled.load(Ordering::Relaxed);
            Ok(connection.progress_handler(STEPS_BETWEEN_CHECKS, Some(handler))?)
        }
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reads that take milliseconds: on blocking threads, with limited concurrency. If the caller is cancelled, the read ends soon.
pub struct Scans {
    readers: Arc<Readers>,
    /// One permit for each scan that runs or waits.
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Scans {
    /// Maximum number of running scans.
    pub const RUNNING: usize = 2;
    /// Maximum number of waiting scans.
    const WAITING: usize = 64;

    /// Requires [`Scans::RUNNING`] connections.
    pub fn new(connections: Vec<Connection>) -> Self {
        Self {
            readers: Arc::new(Readers::new(connections)),
            admitted: Arc::new(Semaphore::new(Self::RUNNING + Self::WAITING)),
            running: Arc::new(Semaphore::new(Self::RUNNING)),
        }
    }

    /// Reads on a blocking thread. Fails immediately if the queue is full.
    pub async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let admitted = Arc::clone(&self.admitted)
            .try_acquire_owned()
            .map_err(|_| StoreError::unavailable("too many reads are waiting"))?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(StoreError::unavailable)?;
        let readers = Arc::clone(&self.readers);
        let cancel = CancelOnDrop::default();
        let install = cancel.handler();
        let scan = task::spawn_blocking(move || {
            // Held until the scan has ended, even if the caller is cancelled.
            let _permits = (admitted, running);
            readers.with(|connection| {
                install(connection)?;
                read(connection)
            })
        });
        let scanned = scan.await;
        drop(cancel);
        scanned.map_err(
            |error| {
                if error.is_panic() { StoreError::failed(error) } else { StoreError::unavailable(error) }
            },
        )?
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc;

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use tokio::sync::oneshot;

    use super::*;

    fn connections(count: usize) -> Vec<Connection> {
        (0..count).map(|_| Connection::open_in_memory().unwrap()).collect()
    }

    #[tokio::test]
    async fn full_scan_queue_rejects_and_admitted_scans_run() {
        let scans = Scans::new(connections(Scans::RUNNING));
        let (start, started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let scan = || {
            let (start, released) = (start.clone(), Arc::clone(&released));
            scans.run(move |_| {
                start.send(()).unwrap();
                let _ = released.lock().unwrap().recv();
                Ok(())
            })
        };
        let mut admitted = pin!(join_all((0..Scans::RUNNING + Scans::WAITING).map(|_| scan())));
        assert!(admitted.as_mut().now_or_never().is_none());
        for _ in 0..Scans::RUNNING {
            started.recv().unwrap();
        }
        assert!(matches!(scan().now_or_never(), Some(Err(StoreError::Unavailable(_)))));
        drop(release);
        assert!(admitted.await.iter().all(Result::is_ok));
        assert!(scan().await.is_ok());
    }

    #[tokio::test]
    async fn panicking_scan_releases_its_connection() {
        let scans = Scans::new(connections(Scans::RUNNING));
        for _ in 0..=Scans::RUNNING {
            let failed = scans.run::<()>(|_| panic!("expected by the test")).await;
            assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
        }
        assert!(scans.run(|_| Ok(())).await.is_ok());
    }

    #[tokio::test]
    async fn cancelled_scan_ends() {
        const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
        let scans = Scans::new(connections(Scans::RUNNING));
        for _ in 0..2 * Scans::RUNNING {
            let (start, started) = oneshot::channel();
            let endless = scans.run(move |connection| {
                let _ = start.send(());
                Ok(connection.query_row(ENDLESS, [], |_| Ok(())).map_err(Failure::from)?)
            });
            tokio::select! {
                _ = endless => panic!("the scan is endless"),
                () = started.map(drop) => {}
            }
        }
        let one = scans.run(|connection| {
            Ok(connection.query_row("SELECT 1", [], |row| row.get::<_, i64>(0)).map_err(Failure::from)?)
        });
        assert_eq!(one.await.unwrap(), 1);
    }

    #[test]
    fn reader_prefers_free_connection() {
        let readers = Readers::new(connections(2));
        readers.with(|first| readers.with(|second| assert!(!std::ptr::eq(first, second))));
    }
}
