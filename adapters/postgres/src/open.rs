//! Opening: connects, checks the server, migrates the schema and creates the pool.

use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};
use tokio::time::timeout;

use crate::invalidation_feed::NotifyFeed;
use crate::options::Target;
use crate::searches::Searches;
use crate::{OpenError, Options, PostgresStore};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum wait for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that was idle for longer is pinged before use. A ping before each use would double the round trips.
const MAX_UNCHECKED_IDLE: Duration = Duration::from_secs(1);
/// The oldest supported server, in the format of `server_version_num`.
const OLDEST_SERVER: i32 = 150_000;

impl PostgresStore {
    /// Connects and migrates the schema. Safe from several nodes concurrently.
    ///
    /// A schema newer than this program is accepted unchanged, unless its `compatibility` table requires a newer program.
    ///
    /// # Errors
    /// [`OpenError`] in one line if the server is unreachable, rejects the connection, is older than 15, or has an
    /// incompatible schema.
    pub async fn connect(options: Options) -> Result<Self, OpenError> {
        let target = Target::parse(&options)?;
        let mut connection = open_connection(&target).await?;
        check_server(&mut connection, &target.place).await?;
        if !options.create {
            require_schema(&mut connection, &target.place).await?;
        }
        migrate(&mut connection, &target).await?;
        // If closing fails, the server detects the lost connection.
        let _ = connection.close().await;
        Ok(Self {
            invalidations: Arc::new(NotifyFeed::new(target.connect.clone(), options.revocation_bound)),
            pool: pool(target.connect, options.max_connections),
            searches: Arc::new(Searches::new(options.max_connections)),
            schema: target.schema,
        })
    }
}

/// Opens a connection outside the pool. Migrations may take long, and closing it releases their lock even after a failure.
async fn open_connection(target: &Target) -> Result<PgConnection, OpenError> {
    match timeout(CONNECT_TIMEOUT, target.connect.connect()).await {
        Ok(opened) => opened.map_err(|error| OpenError::connect(&target.place, &error)),
        Err(_) => Err(OpenError::timed_out(&target.place)),
    }
}

async fn check_server(connection: &mut PgConnection, place: &str) -> Result<(), OpenError> {
    let settings = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int4, current_setting('server_version'), \
         current_setting('server_encoding')",
    );
    let (number, version, encoding): (i32, String, String) =
        settings.fetch_one(connection).await.map_err(|error| OpenError::connect(place, &error))?;
    validate_server(place, number, version, encoding)
}

fn validate_server(place: &str, number: i32, version: String, encoding: String) -> Result<(), OpenError> {
    let place = place.to_owned();
    if number < OLDEST_SERVER {
        return Err(OpenError::ServerTooOld { place, found: version });
    }
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { place, found: encoding });
    }
    Ok(())
}

async fn require_schema(connection: &mut PgConnection, place: &str) -> Result<(), OpenError> {
    let exists = sqlx::query_scalar("SELECT to_regclass('compatibility') IS NOT NULL").fetch_one(connection).await;
    let exists: bool = exists.map_err(|error| OpenError::connect(place, &error))?;
    if exists { Ok(()) } else { Err(OpenError::Missing { place: place.to_owned() }) }
}

async fn migrate(connection: &mut PgConnection, target: &Target) -> Result<(), OpenError> {
    let mut migrator: Migrator = sqlx::migrate!();
    migrator.set_ignore_missing(true);
    if let Some(schema) = &target.schema {
        migrator.create_schema(schema.clone());
    }
    let failed = |error| OpenError::migrate(&target.place, &error);
    migrator.run_direct(None, connection, false).await.map_err(failed)?;

    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    let required = sqlx::query_scalar("SELECT least_version FROM compatibility").fetch_one(connection).await;
    let required: i64 = required.map_err(|error| failed(error.into()))?;
    if required > known {
        return Err(OpenError::ProgramTooOld { place: target.place.clone(), required, known });
    }
    Ok(())
}

fn pool(connect: PgConnectOptions, max_connections: u32) -> PgPool {
    // The timeouts bound how long a node that hangs or disappears holds its locks. A statement after a lock must see what was
    // committed before the lock was granted, so the isolation level does not depend on the database's default.
    let bounded = connect.options([
        ("statement_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("default_transaction_isolation", "read committed"),
    ]);
    PgPoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, usage| {
            Box::pin(async move {
                if usage.idle_for > MAX_UNCHECKED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(bounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validate(number: i32, version: &str, encoding: &str) -> Result<(), String> {
        validate_server("db:5432/roll", number, version.to_owned(), encoding.to_owned())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn server_older_than_15_is_rejected_in_one_line() {
        assert_eq!(validate(150_000, "15.0", "UTF8"), Ok(()));
        assert_eq!(validate(180_001, "18.1", "UTF8"), Ok(()));
        let line = "PostgreSQL at db:5432/roll is version 14.19, too old; upgrade the server to 15 or later";
        assert_eq!(validate(140_019, "14.19", "UTF8"), Err(line.to_owned()));
    }

    #[test]
    fn database_not_encoded_in_utf8_is_rejected() {
        assert!(validate(150_000, "15.0", "LATIN1").unwrap_err().contains("encoded in LATIN1"));
    }
}
