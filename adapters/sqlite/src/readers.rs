//! The connections that read: some for point look-ups on the calling thread, some for scans beside it.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use domain::StoreError;
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task;

/// A fixed set of connections, each used by one thread at a time.
pub struct Readers(Box<[Mutex<Reader>]>);

/// A connection, and the version of the data that it saw last.
struct Reader {
    connection: Connection,
    seen: AtomicI64,
}

impl Readers {
    /// At least one connection.
    pub fn new(connections: Vec<Connection>) -> Self {
        let reader = |connection| Mutex::new(Reader { connection, seen: AtomicI64::new(0) });
        Self(connections.into_iter().map(reader).collect())
    }

    /// Reads on the calling thread; waits where every connection is in use.
    pub fn with<T>(&self, read: impl FnOnce(&Connection) -> T) -> T {
        self.with_seen(|connection, _| read(connection))
    }

    /// As [`Readers::with`], with the version of the data that the connection saw last, for the caller to keep.
    pub fn with_seen<T>(&self, read: impl FnOnce(&Connection, &AtomicI64) -> T) -> T {
        let home = home() % self.0.len();
        let (before, from_home) = self.0.split_at(home);
        for slot in from_home.iter().chain(before) {
            match slot.try_lock() {
                Ok(reader) => return reader.read(read),
                // A statement is reset when a panic unwinds it: the connection is as good as before.
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner().read(read),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.0[home].lock().unwrap_or_else(PoisonError::into_inner).read(read)
    }
}

impl Reader {
    fn read<T>(&self, read: impl FnOnce(&Connection, &AtomicI64) -> T) -> T {
        read(&self.connection, &self.seen)
    }
}

/// Where this thread looks first: each keeps to a connection of its own, whose pages stay in the cache.
fn home() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static HOME: usize = NEXT.fetch_add(1, Ordering::Relaxed));
    HOME.with(|home| *home)
}

/// Reads that take milliseconds: off the async threads, few at a time.
pub struct Scans {
    readers: Arc<Readers>,
    /// One permit for each scan that runs or waits.
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Scans {
    /// How many run at once.
    pub const RUNNING: usize = 2;
    /// How many wait for these at most.
    const WAITING: usize = 64;

    /// [`Scans::RUNNING`] connections.
    pub fn new(connections: Vec<Connection>) -> Self {
        Self {
            readers: Arc::new(Readers::new(connections)),
            admitted: Arc::new(Semaphore::new(Self::RUNNING + Self::WAITING)),
            running: Arc::new(Semaphore::new(Self::RUNNING)),
        }
    }

    /// Reads on a thread that may block. Fails at once when too many wait already.
    pub async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let admitted = Arc::clone(&self.admitted)
            .try_acquire_owned()
            .map_err(|_| StoreError::unavailable("too many searches wait already"))?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(StoreError::unavailable)?;
        let readers = Arc::clone(&self.readers);
        let scan = task::spawn_blocking(move || {
            // A caller that gives up frees no place before its scan has ended.
            let _places = (admitted, running);
            readers.with(read)
        });
        scan.await.map_err(
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

    use super::*;

    fn connections(count: usize) -> Vec<Connection> {
        (0..count).map(|_| Connection::open_in_memory().unwrap()).collect()
    }

    #[tokio::test]
    async fn too_many_scans_are_refused_at_once_and_the_others_all_run() {
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
    async fn a_scan_that_panics_leaves_the_others_their_connections() {
        let scans = Scans::new(connections(Scans::RUNNING));
        for _ in 0..=Scans::RUNNING {
            let failed = scans.run::<()>(|_| panic!("as the test wants it")).await;
            assert!(matches!(failed, Err(StoreError::Failed(_))), "{failed:?}");
        }
        assert!(scans.run(|_| Ok(())).await.is_ok());
    }

    #[test]
    fn a_reader_takes_a_free_connection_before_it_waits() {
        let readers = Readers::new(connections(2));
        readers.with(|first| readers.with(|second| assert!(!std::ptr::eq(first, second))));
    }
}
