//! Availability of the server, as the invalidation feed last observed it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::StoreError;
use sqlx::postgres::PgRow;
use sqlx::{Error, Row};
use thiserror::Error;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Availability of the server, shared by everything that connects to it.
#[derive(Default)]
pub(crate) struct Availability {
    /// `None` until the first observation. Only a store with an invalidation feed is observed.
    latest: Mutex<Option<Observation>>,
    is_away: AtomicBool,
    outage_began: Notify,
    /// Notified when a session rejected a write because it is read-only.
    write_rejected: Notify,
    generation: AtomicU64,
}

/// State of the server.
#[derive(Debug, Clone)]
pub(crate) enum Observation {
    /// It can serve every request.
    Ready,
    /// It rejects writes: a standby, or a database that was set to read-only.
    ReadOnly,
    /// It has no tables of Rollbook.
    NoTables,
    /// It does not respond. Contains the reason.
    Away(Arc<str>),
}

/// The server does not respond.
#[derive(Debug, Error)]
#[error("the database server does not respond: {0}")]
pub(crate) struct Away(Arc<str>);

impl Observation {
    /// Columns that [`Observation::read`] reads. They need no lock on a table.
    pub const COLUMNS: &'static str = "current_setting('transaction_read_only')::bool AS read_only, \
         to_regclass('students') IS NOT NULL AND to_regclass('users') IS NOT NULL AS has_tables";

    pub fn read(row: &PgRow) -> Result<Self, Error> {
        Ok(match (row.try_get("read_only")?, row.try_get("has_tables")?) {
            (_, false) => Self::NoTables,
            (true, true) => Self::ReadOnly,
            (false, true) => Self::Ready,
        })
    }

    /// # Errors
    /// [`StoreError`], unless the server can serve every request.
    pub fn into_result(self) -> Result<(), StoreError> {
        match self {
            Self::Ready => Ok(()),
            Self::ReadOnly => Err(StoreError::unavailable("the database is read-only")),
            Self::NoTables => Err(StoreError::failed("the tables do not exist")),
            Self::Away(cause) => Err(StoreError::unavailable(Away(cause))),
        }
    }
}

impl Availability {
    /// Stores an observation. When an outage begins, it aborts running statements and invalidates every connection.
    pub fn report(&self, observation: Observation) {
        let is_away = matches!(observation, Observation::Away(_));
        *self.lock() = Some(observation);
        if is_away != self.is_away.swap(is_away, Ordering::AcqRel) && is_away {
            self.invalidate_connections();
            self.outage_began.notify_waiters();
        }
    }

    /// The latest observation, if the server is observed.
    pub fn latest(&self) -> Option<Observation> {
        self.lock().clone()
    }

    /// Completes when an outage begins after this call.
    pub fn outage(&self) -> Notified<'_> {
        self.outage_began.notified()
    }

    /// A session rejected a write because it is read-only.
    pub fn report_rejected_write(&self) {
        self.write_rejected.notify_one();
    }

    /// Completes when a session has rejected a write since the last completion.
    pub fn write_rejected(&self) -> Notified<'_> {
        self.write_rejected.notified()
    }

    /// # Errors
    /// [`Away`] during an outage.
    pub fn check(&self) -> Result<(), Away> {
        if !self.is_away.load(Ordering::Acquire) {
            return Ok(());
        }
        match self.latest() {
            Some(Observation::Away(cause)) => Err(Away(cause)),
            _ => Ok(()),
        }
    }

    /// Number that a connection keeps from its opening. The connection is discarded once the number has changed.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Invalidates every connection that exists.
    pub fn invalidate_connections(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Observation>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
