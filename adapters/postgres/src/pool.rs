//! The connections that requests share.
//!
//! sqlx's own pool costs a second round trip per statement, and keeps a connection that died silently until TCP gives up.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool::managed::{self, Metrics, PoolConfig, QueueMode, RecycleError, RecycleResult};
use domain::{Filter, InUse, Reach, StoreError, Used};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout};

use crate::availability::Availability;
use crate::connection::{Connection, Transaction};
use crate::connector::{ConnectError, Connector, Limits};
use crate::failure::Failure;
use crate::places::{Place, Places};

/// Maximum wait for a place and a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum wait for another write of this node to the same record. Shorter, so that its error is returned.
const RECORD_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum duration of a look-up, once it has a connection.
const READ_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum duration of a write, once it has a connection.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum duration of work that reads or writes many rows, once it has a connection. The server ends each statement before.
pub(crate) const BULK_TIMEOUT: Duration = Duration::from_mins(1);
/// A connection that was taken from the pool longer ago is checked before use. A check before each use would double the round
/// trips.
const MAX_UNCHECKED_REST: Duration = Duration::from_secs(1);
/// Maximum duration of the check.
const CHECK_TIMEOUT: Duration = Duration::from_millis(500);
/// Maximum age of a connection, because a server process keeps the memory that it once needed.
const MAX_AGE: Duration = Duration::from_mins(30);
/// Maximum number of exports.
const EXPORTS: usize = 2;
/// Maximum number of waiting searches.
const WAITING_SEARCHES: usize = 64;
/// Maximum number of waiting writes.
const WAITING_WRITES: usize = 1_024;

/// What a write changes: a kind of records, and the id of the only one that it changes, if there is one.
pub(crate) type Written = (&'static str, Option<i64>);

/// A pool of connections, with limits that leave connections for look-ups.
pub(crate) struct Pool {
    connections: managed::Pool<Opener>,
    /// Connections of exports, which take long.
    exports: managed::Pool<Opener>,
    availability: Arc<Availability>,
    searches: Places,
    writes: Places,
    writes_by_kind: Mutex<HashMap<&'static str, Places>>,
    records: InUse<(&'static str, i64), Arc<AsyncMutex<()>>>,
}

/// What a write or search occupies besides its connection.
#[derive(Default)]
pub(crate) struct Occupied {
    _record: Option<LockedRecord>,
    _place: Option<Place>,
    _place_of_kind: Option<Place>,
}

/// A record that this node writes, until it is dropped.
struct LockedRecord {
    _locked: OwnedMutexGuard<()>,
    _record: UsedRecord,
}

type UsedRecord = Used<(&'static str, i64), Arc<AsyncMutex<()>>>;

/// A connection in the pool, with the generation at its opening.
pub(crate) struct Pooled {
    pub connection: PgConnection,
    generation: u64,
}

pub(crate) type Lease = managed::Object<Opener>;

/// Opens and checks the connections of the pool.
pub(crate) struct Opener {
    connector: Connector,
    availability: Arc<Availability>,
}

impl Pool {
    /// A pool of at most `size` connections: half of them for writes, fewer for searches, and at least one for look-ups from 3 on.
    pub fn new(connector: &Connector, availability: Arc<Availability>, size: NonZeroUsize) -> Self {
        let size = size.get();
        let connections = |size| {
            let opener = Opener { connector: connector.clone(), availability: Arc::clone(&availability) };
            // Connections that were used last are used first, because the server runs faster on few connections.
            let config = PoolConfig { queue_mode: QueueMode::Lifo, ..PoolConfig::new(size) };
            #[expect(
                clippy::expect_used,
                reason = "only a timeout, which the configuration does not contain, needs a runtime"
            )]
            managed::Pool::builder(opener).config(config).build().expect("no timeout is configured")
        };
        Self {
            connections: connections(size),
            exports: connections(EXPORTS),
            availability,
            searches: Places::new(size.saturating_sub(1) / 2, WAITING_SEARCHES, "too many searches are waiting"),
            writes: writes(size / 2),
            writes_by_kind: Mutex::default(),
            records: InUse::default(),
        }
    }

    /// A connection for look-ups.
    pub async fn read(&self) -> Result<Connection<'_>, Failure> {
        self.acquire(async { Ok(Occupied::default()) }, READ_TIMEOUT).await
    }

    /// A transaction that reads one state, on a connection of its own.
    pub async fn begin_export(&self) -> Result<Transaction<'_>, Failure> {
        let connection = self.acquire_of(&self.exports, async { Ok(Occupied::default()) }, BULK_TIMEOUT).await?;
        Transaction::begin_snapshot(connection).await
    }

    /// A connection for a list: one for look-ups, unless it is a search.
    pub async fn read_by(&self, filter: &impl Filter) -> Result<Connection<'_>, Failure> {
        if filter.reach() != Reach::Search {
            return self.read().await;
        }
        let occupy = async { Ok(Occupied { _place: Some(self.searches.enter().await?), ..Occupied::default() }) };
        self.acquire(occupy, BULK_TIMEOUT).await
    }

    /// A connection for one write. Writes to the same record of this node wait for each other before they take a connection,
    /// so that a locked row occupies only one.
    pub async fn write(&self, written: Written) -> Result<Connection<'_>, Failure> {
        self.acquire(self.occupy(written), WRITE_TIMEOUT).await
    }

    /// As [`Pool::write`], with a transaction.
    pub async fn begin(&self, written: Written) -> Result<Transaction<'_>, Failure> {
        Transaction::begin(self.write(written).await?).await
    }

    /// A transaction for work that writes many rows of this kind.
    pub async fn begin_bulk(&self, kind: &'static str) -> Result<Transaction<'_>, Failure> {
        Transaction::begin(self.acquire(self.occupy((kind, None)), BULK_TIMEOUT).await?).await
    }

    /// Waits for a write of this node to the record, and returns whether there was one.
    pub async fn wait_for_write(&self, (kind, id): (&'static str, i64)) -> Result<bool, StoreError> {
        let record = self.records.get((kind, id));
        let is_written = record.try_lock().is_err();
        if is_written {
            lock(record).await?;
        }
        Ok(is_written)
    }

    async fn occupy(&self, (kind, id): Written) -> Result<Occupied, StoreError> {
        let record = match id {
            Some(id) => Some(lock(self.records.get((kind, id))).await?),
            None => None,
        };
        let place_of_kind = self.writes_of(kind).enter().await?;
        Ok(Occupied { _record: record, _place_of_kind: Some(place_of_kind), _place: Some(self.writes.enter().await?) })
    }

    /// Places for writes of one kind: fewer than those for all, so that a locked table leaves one to the others.
    fn writes_of(&self, kind: &'static str) -> Places {
        let mut kinds = self.writes_by_kind.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.entry(kind).or_insert_with(|| writes(self.writes.count() - 1)).clone()
    }

    async fn acquire(
        &self,
        occupy: impl Future<Output = Result<Occupied, StoreError>>,
        limit: Duration,
    ) -> Result<Connection<'_>, Failure> {
        self.acquire_of(&self.connections, occupy, limit).await
    }

    async fn acquire_of(
        &self,
        connections: &managed::Pool<Opener>,
        occupy: impl Future<Output = Result<Occupied, StoreError>>,
        limit: Duration,
    ) -> Result<Connection<'_>, Failure> {
        let outage = self.availability.outage();
        self.availability.check()?;
        let acquiring = async {
            let occupied = occupy.await?;
            let lease = connections.get().await.map_err(StoreError::unavailable)?;
            Ok::<_, Failure>((lease, occupied))
        };
        let (lease, occupied) = tokio::select! {
            biased;
            acquired = timeout(ACQUIRE_TIMEOUT, acquiring) => {
                acquired.map_err(|_| StoreError::unavailable("no database connection is free"))??
            }
            () = outage => return Err(Failure::outage()),
        };
        Ok(Connection::new(lease, occupied, &self.availability, Instant::now() + limit))
    }

    /// Closes the connections that are not in use, and rejects later calls.
    pub async fn close(&self) {
        for connections in [&self.connections, &self.exports] {
            let resting = connections.retain(|_, _| false).removed;
            connections.close();
            for pooled in resting {
                // If closing fails, the server detects the lost connection.
                let _ = timeout(CHECK_TIMEOUT, pooled.connection.close()).await;
            }
        }
    }
}

async fn lock(record: UsedRecord) -> Result<LockedRecord, StoreError> {
    let locked = timeout(RECORD_TIMEOUT, Arc::clone(&record).lock_owned()).await;
    let locked = locked.map_err(|_| StoreError::unavailable("another write to the record takes too long"))?;
    Ok(LockedRecord { _locked: locked, _record: record })
}

fn writes(count: usize) -> Places {
    Places::new(count, WAITING_WRITES, "too many writes are waiting")
}

impl managed::Manager for Opener {
    type Type = Pooled;
    type Error = ConnectError;

    async fn create(&self) -> Result<Pooled, ConnectError> {
        let generation = self.availability.generation();
        let (connection, _) = self.connector.connect(Limits::Requests).await?;
        Ok(Pooled { connection, generation })
    }

    async fn recycle(&self, pooled: &mut Pooled, metrics: &Metrics) -> RecycleResult<ConnectError> {
        if pooled.generation != self.availability.generation() || metrics.age() > MAX_AGE {
            return Err(RecycleError::message("outdated"));
        }
        if metrics.last_used() > MAX_UNCHECKED_REST {
            let Ok(checked) = timeout(CHECK_TIMEOUT, pooled.connection.ping()).await else {
                // The others that rest have probably died silently, too.
                self.availability.invalidate_connections();
                return Err(RecycleError::message("no response in time"));
            };
            checked.map_err(ConnectError::from)?;
        }
        Ok(())
    }
}
