//! A connection of the pool while it is in use.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Executor, raw_sql};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::availability::Availability;
use crate::failure::Failure;
use crate::pool::{Lease, Occupied};
use crate::table::PgQuery;

/// Maximum duration of a rollback, after which the connection is closed.
const ROLLBACK_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection of the pool. Dropping it returns it to the pool, or closes it if its last statement was abandoned, took too
/// long, or failed with an error of the connection.
pub(crate) struct Connection<'p> {
    /// `None` only while it is dropped.
    lease: Option<Lease>,
    _occupied: Occupied,
    guard: Guard<'p>,
    is_in_transaction: bool,
}

/// A transaction. Dropping it without [`Transaction::commit`] rolls it back in the background.
pub(crate) struct Transaction<'p>(Connection<'p>);

/// Runs the statements of one connection until a deadline or an outage.
struct Guard<'p> {
    availability: &'p Availability,
    deadline: Instant,
    /// `false` while a statement runs, so that it stays `false` if the statement is abandoned.
    is_usable: bool,
}

impl Guard<'_> {
    async fn run<T>(&mut self, statement: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Failure> {
        let outage = self.availability.outage();
        self.availability.check()?;
        self.is_usable = false;
        let outcome = tokio::select! {
            biased;
            outcome = timeout_at(self.deadline, statement) => outcome.map_err(|_| Failure::timed_out())?,
            () = outage => return Err(Failure::outage()),
        };
        let outcome = outcome.map_err(Failure::from);
        if outcome.as_ref().is_err_and(Failure::is_rejected_write) {
            self.availability.report_rejected_write();
        }
        self.is_usable = outcome.as_ref().err().is_none_or(Failure::leaves_connection_usable);
        outcome
    }
}

impl<'p> Connection<'p> {
    pub fn new(lease: Lease, occupied: Occupied, availability: &'p Availability, deadline: Instant) -> Self {
        let guard = Guard { availability, deadline, is_usable: true };
        Self { lease: Some(lease), _occupied: occupied, guard, is_in_transaction: false }
    }

    /// Runs a statement, and returns the number of affected rows.
    pub async fn execute(&mut self, statement: PgQuery) -> Result<u64, Failure> {
        let (connection, guard) = self.parts()?;
        Ok(guard.run(connection.execute(statement)).await?.rows_affected())
    }

    /// Runs a statement, and returns its only row, if any.
    pub async fn fetch_optional(&mut self, statement: PgQuery) -> Result<Option<PgRow>, Failure> {
        let (connection, guard) = self.parts()?;
        guard.run(connection.fetch_optional(statement)).await
    }

    /// Runs a statement, and returns its only row.
    pub async fn fetch_one(&mut self, statement: PgQuery) -> Result<PgRow, Failure> {
        let (connection, guard) = self.parts()?;
        guard.run(connection.fetch_one(statement)).await
    }

    /// Runs a statement, and returns its rows.
    pub async fn fetch_all(&mut self, statement: PgQuery) -> Result<Vec<PgRow>, Failure> {
        let (connection, guard) = self.parts()?;
        guard.run(connection.fetch_all(statement)).await
    }

    async fn control(&mut self, statement: &'static str) -> Result<(), Failure> {
        let (connection, guard) = self.parts()?;
        guard.run(connection.execute(raw_sql(statement))).await?;
        Ok(())
    }

    fn parts(&mut self) -> Result<(&mut PgConnection, &mut Guard<'p>), Failure> {
        let lease = self.lease.as_mut().ok_or_else(Failure::outage)?;
        Ok((&mut lease.connection, &mut self.guard))
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        match Handle::try_current() {
            _ if self.guard.is_usable && !self.is_in_transaction => drop(lease),
            Ok(runtime) if self.guard.is_usable => drop(runtime.spawn(roll_back(lease))),
            _ => drop(Lease::take(lease)),
        }
    }
}

async fn roll_back(mut lease: Lease) {
    let rolled_back = timeout(ROLLBACK_TIMEOUT, lease.connection.execute(raw_sql("ROLLBACK"))).await;
    if !matches!(rolled_back, Ok(Ok(_))) {
        drop(Lease::take(lease));
    }
}

impl<'p> Transaction<'p> {
    pub async fn begin(connection: Connection<'p>) -> Result<Self, Failure> {
        Self::begin_with(connection, "BEGIN").await
    }

    /// A transaction that reads the state of its first statement, and that waits longer for the next one.
    pub async fn begin_snapshot(connection: Connection<'p>) -> Result<Self, Failure> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
             SET LOCAL idle_in_transaction_session_timeout = '5min'";
        Self::begin_with(connection, BEGIN).await
    }

    async fn begin_with(mut connection: Connection<'p>, begin: &'static str) -> Result<Self, Failure> {
        connection.is_in_transaction = true;
        connection.control(begin).await?;
        Ok(Self(connection))
    }

    /// Starts the time limit anew.
    pub fn continue_for(&mut self, limit: Duration) {
        self.guard.deadline = Instant::now() + limit;
    }

    pub async fn commit(mut self) -> Result<(), Failure> {
        self.control("COMMIT").await?;
        self.is_in_transaction = false;
        Ok(())
    }
}

impl<'p> Deref for Transaction<'p> {
    type Target = Connection<'p>;

    fn deref(&self) -> &Connection<'p> {
        &self.0
    }
}

impl<'p> DerefMut for Transaction<'p> {
    fn deref_mut(&mut self) -> &mut Connection<'p> {
        &mut self.0
    }
}
