//! Every store port on embedded `SQLite`: the default store, for production on one machine.
//!
//! Point look-ups take microseconds and run on the calling thread. Pages and searches run on blocking threads. One thread runs all writes
//! and commits queued writes as a group, with one `fsync`.

mod attempts;
mod audit;
pub mod backup;
mod changes;
mod errors;
mod file;
mod name_index;
mod open;
mod readers;
mod records;
mod rows;
mod schema;
mod session_lookup;
mod sessions;
mod students; // resource
mod table;
mod users; // resource
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;

use async_trait::async_trait;
use domain::{Probe, Reach, StoreError};
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tokio::task;

pub use open::OpenError;

use errors::Failure;
use file::DatabaseFile;
use readers::{Readers, Scans};
use session_lookup::DataVersionFeed;
use writer::Writer;

/// Stores users, sessions, students and the audit log in one `SQLite` file.
///
/// A call returns [`StoreError::Unavailable`] immediately if its queue is full: 1,024 writes, or 64 pages or
/// searches behind 2 running ones. Requires a tokio runtime. Dropping the store blocks until queued writes have completed.
pub struct SqliteStore {
    points: Readers,
    pages: Scans,
    searches: Scans,
    writer: Writer,
    invalidations: DataVersionFeed,
    exports: Semaphore,
    /// Changes of the writer after which no segments of the index of names could be merged.
    merged_at: Arc<AtomicU64>,
    file: DatabaseFile,
    schema_version: u32,
}

/// Maximum number of exports at the same time. Each keeps the log from being truncated.
const EXPORTS: usize = 2;

impl SqliteStore {
    /// Returns `true` if there is a store at this path. An emptied file is a missing store.
    #[must_use]
    pub fn exists(path: &Path) -> bool {
        path.metadata().is_ok_and(|found| found.len() > 0)
    }

    /// Opens the file, or creates it with mode 0600, and migrates its schema. Blocks.
    ///
    /// Safe from several processes concurrently: one of them migrates, and the others wait for it, at most 5 s.
    ///
    /// # Errors
    /// [`OpenError`] in one line if the file cannot be opened or its schema is incompatible.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (writer, schema_version) = open::writer(path)?;
        let file = DatabaseFile::at(path).map_err(|error| OpenError::file(path, error))?;
        let cores = thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            points: Readers::new(open::readers(path, cores.clamp(2, 8))?),
            pages: Scans::new(open::readers(path, Scans::RUNNING)?),
            searches: Scans::new(open::readers(path, Scans::RUNNING)?),
            writer: Writer::start(writer, file.clone(), name_index::index_marked)
                .map_err(|error| OpenError::thread(path, error))?,
            invalidations: DataVersionFeed::default(),
            exports: Semaphore::new(EXPORTS),
            merged_at: Arc::default(),
            file,
            schema_version,
        })
    }

    /// The schema version at opening: at least the newest that this program supports.
    #[must_use]
    pub const fn schema_version(&self) -> u32 {
        self.schema_version
    }

    /// Reads one row on the calling thread, and more on a blocking one. Searches do not delay pages.
    async fn read<T: Send + 'static>(
        &self,
        reach: Reach,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match reach {
            Reach::Row => self.points.with(read),
            Reach::Page => self.pages.run(read).await,
            Reach::Search => self.searches.run(read).await,
        }
    }
}

#[async_trait]
impl Probe for SqliteStore {
    /// Checks the file and its disk, and reads. Writes only after a write has failed, so that an idle store causes none.
    async fn ready(&self) -> Result<(), StoreError> {
        self.points.with(|connection| {
            let mut tables =
                connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM users), EXISTS (SELECT 1 FROM students)")?;
            Ok::<_, Failure>(tables.query_row([], |_| Ok(()))?)
        })?;
        let file = self.file.clone();
        let check = task::spawn_blocking(move || {
            file.check().map_err(StoreError::unavailable)?;
            file.check_disk().map_err(StoreError::unavailable)
        });
        check.await.map_err(StoreError::unavailable)??;
        self.writer.retry_after_failure().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, mpsc};

    use domain::PageRequest;
    use domain::record::RecordStore;
    use domain::student::{Student, StudentFilter};
    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn searches_do_not_delay_pages() {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(&folder.path().join("rollbook.db")).unwrap();
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let blocked = (0..=Scans::RUNNING).map(|_| {
            let released = Arc::clone(&released);
            store.read(Reach::Search, move |_| {
                let _ = released.lock().unwrap().recv();
                Ok(())
            })
        });
        let mut searches = Box::pin(join_all(blocked));
        assert!(searches.as_mut().now_or_never().is_none());
        let page = RecordStore::<Student>::page(&store, &StudentFilter::default(), PageRequest::ONE).await;
        assert!(page.unwrap().entries.is_empty());
        assert!(searches.as_mut().now_or_never().is_none());
        drop(release);
        assert!(searches.await.iter().all(Result::is_ok));
    }
}
