//! Who bears a session, and whether what was read of it still stands.

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
const GENERATION: &str = "SELECT generation FROM bearers_generation";

/// Finds out whether anything has changed that tokens are judged by, whichever process wrote it.
#[derive(Default)]
pub struct DataVersionFeed {
    listener: OnceLock<Arc<dyn InvalidationListener>>,
    /// The newest generation that the listener was told of.
    told: AtomicI64,
    /// Whoever tells the listener holds it, so that nobody else goes on before the listener has heard.
    telling: Mutex<()>,
}

impl DataVersionFeed {
    /// Looks at the number of the data's version, which SQLite keeps in shared memory, and only where that has
    /// changed since this connection last looked at the generation.
    fn look(&self, connection: &Connection, seen: &AtomicI64) -> Result<(), Failure> {
        let data_version: i64 = connection.prepare_cached(DATA_VERSION)?.query_row([], |row| row.get(0))?;
        if seen.load(Ordering::Relaxed) == data_version {
            return Ok(());
        }
        let generation: i64 = connection.prepare_cached(GENERATION)?.query_row([], |row| row.get(0))?;
        if self.told.load(Ordering::Acquire) < generation {
            let _telling = self.telling.lock().unwrap_or_else(PoisonError::into_inner);
            if self.told.load(Ordering::Acquire) < generation {
                if let Some(listener) = self.listener.get() {
                    listener.anything_changed();
                }
                self.told.store(generation, Ordering::Release);
            }
        }
        // What is read above may be newer than this number: then the generation is looked at once more.
        seen.store(data_version, Ordering::Relaxed);
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
    /// The first listener is the only one.
    fn subscribe(&self, listener: Arc<dyn InvalidationListener>) {
        let _ = self.invalidations.listener.set(listener);
    }

    fn is_current(&self) -> Result<bool, StoreError> {
        self.points.with_seen(|connection, seen| self.invalidations.look(connection, seen))?;
        Ok(true)
    }
}
