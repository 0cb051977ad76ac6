//! Session lookup, and the invalidation feed over `PRAGMA data_version`.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use domain::record::Record;
use domain::session::{InvalidationFeed, InvalidationListener, SessionLookup};
use domain::user::User;
use domain::{SessionId, StoreError};
use rusqlite::Connection;

use crate::SqliteStore;
use crate::errors::Failure;
use crate::rows;
use crate::users::user_columns;

const FIND: &str = concat!(
    "SELECT id, ",
    user_columns!(),
    ", version, created_at, updated_at FROM users WHERE id = (SELECT user_id FROM sessions WHERE id = ?1) AND status = 'active'"
);
const DATA_VERSION: &str = "PRAGMA data_version";
const GENERATION: &str = "SELECT generation FROM invalidation_generation";

/// Invalidation feed that detects changes of users and sessions by any process.
#[derive(Default)]
pub struct DataVersionFeed {
    listener: OnceLock<Arc<dyn InvalidationListener>>,
    /// The newest generation for which the listener was notified.
    notified: AtomicI64,
    /// Held while the listener is notified, so that concurrent calls return only after the notification.
    notifying: Mutex<()>,
}

impl DataVersionFeed {
    /// Notifies the listener if the generation has changed. Reads the generation only if `data_version`, which `SQLite` keeps
    /// in shared memory, has changed since this connection last read it.
    fn check(&self, connection: &Connection, last_read: &AtomicI64) -> Result<(), Failure> {
        let data_version: i64 = connection.prepare_cached(DATA_VERSION)?.query_row([], |row| row.get(0))?;
        if last_read.load(Ordering::Relaxed) == data_version {
            return Ok(());
        }
        let generation: i64 = connection.prepare_cached(GENERATION)?.query_row([], |row| row.get(0))?;
        if self.notified.load(Ordering::Acquire) < generation {
            let _notifying = self.notifying.lock().unwrap_or_else(PoisonError::into_inner);
            if self.notified.load(Ordering::Acquire) < generation {
                if let Some(listener) = self.listener.get() {
                    listener.anything_changed();
                }
                self.notified.store(generation, Ordering::Release);
            }
        }
        // The generation may be newer than `data_version`; then the next call reads it once more.
        last_read.store(data_version, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl SessionLookup for SqliteStore {
    async fn active_user(&self, session: SessionId) -> Result<Option<Arc<Record<User>>>, StoreError> {
        let found = self.points.with(|connection| rows::first(connection, FIND, [session.get()], rows::record))?;
        Ok(found.map(Arc::new))
    }
}

impl InvalidationFeed for SqliteStore {
    /// Later calls have no effect.
    fn subscribe(&self, listener: Arc<dyn InvalidationListener>) {
        let _ = self.invalidations.listener.set(listener);
    }

    fn is_current(&self) -> Result<bool, StoreError> {
        self.points.with_data_version(|connection, last_read| self.invalidations.check(connection, last_read))?;
        Ok(true)
    }
}
