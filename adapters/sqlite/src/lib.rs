//! Every store port on embedded `SQLite`: the default store, good in production on one machine.
//!
//! Point look-ups run on the calling thread and take microseconds; scans leave the async threads; writes
//! go to one thread that commits together what waits together, one `fsync` for all.

mod audit;
mod errors;
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
use std::thread;

use async_trait::async_trait;
use domain::{Probe, StoreError};

pub use open::OpenError;

use errors::Failure;
use readers::{Readers, Scans};
use session_lookup::DataVersionFeed;
use writer::Writer;

/// Keeps users, sessions, students and the audit in one `SQLite` file.
///
/// Every call answers [`StoreError::Unavailable`] at once when too many of its kind wait already: 1,024
/// writes, or 64 scans behind the 2 that run. Needs a tokio runtime. Dropping the store blocks until the
/// writes that were queued are done.
pub struct SqliteStore {
    points: Readers,
    scans: Scans,
    writer: Writer,
    invalidations: DataVersionFeed,
    schema_version: u32,
}

impl SqliteStore {
    /// Opens the file, or makes one that its owner alone may read, and brings its schema up to date. Blocks.
    ///
    /// Safe from several processes at once: one of them migrates, and the others wait for it, at most 5 s.
    ///
    /// # Errors
    /// [`OpenError`], in one line fit for the person at the command line.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let (writer, schema_version) = open::writer(path)?;
        let cores = thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            points: Readers::new(open::readers(path, cores.clamp(2, 8))?),
            scans: Scans::new(open::readers(path, Scans::RUNNING)?),
            writer: Writer::start(writer).map_err(|why| OpenError::thread(path, why))?,
            invalidations: DataVersionFeed::default(),
            schema_version,
        })
    }

    /// The version of the database's schema when it was opened: at least the one that this program knows.
    #[must_use]
    pub const fn schema_version(&self) -> u32 {
        self.schema_version
    }
}

#[async_trait]
impl Probe for SqliteStore {
    async fn ready(&self) -> Result<(), StoreError> {
        self.points.with(|connection| {
            let mut tables =
                connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM users), EXISTS (SELECT 1 FROM students)")?;
            Ok::<_, Failure>(tables.query_row([], |_| Ok(()))?)
        })?;
        Ok(())
    }
}
