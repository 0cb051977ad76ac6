//! Opening: connects, checks the server, migrates the schema and creates the pool.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tokio::time::{Instant, sleep};

use crate::availability::Availability;
use crate::connector::Limits;
use crate::invalidation_feed::NotifyFeed;
use crate::migration::migrate;
use crate::options::Target;
use crate::pool::Pool;
use crate::{OpenError, Options, PostgresStore};

/// Error code of `PgBouncer` for a transaction in statement mode.
const PROTOCOL_VIOLATION: &str = "08P01";
/// Delay between attempts to connect.
const RETRY_DELAY: Duration = Duration::from_millis(250);
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
        let mut connection = open_connection(&target, options.wait).await?;
        reject_transaction_pooler(&mut connection, &target).await?;
        check_server(&mut connection, &target.place).await?;
        if !options.create {
            require_schema(&mut connection, &target.place).await?;
        }
        migrate(&mut connection, &target).await?;
        // If closing fails, the server detects the lost connection.
        let _ = connection.close().await;
        let availability = Arc::<Availability>::default();
        let Target { connector, .. } = target;
        Ok(Self {
            schema: connector.schema.clone(),
            gram_statistics: Arc::default(),
            invalidations: NotifyFeed::new(connector.clone(), availability.clone(), options.revocation_bound).into(),
            pool: Pool::new(&connector, availability.clone(), options.pool_size).into(),
            availability,
        })
    }
}

/// Opens a connection outside the pool. Migrations may take long, and closing it releases their lock even after a failure.
/// Waits for a server that does not respond yet.
async fn open_connection(target: &Target, wait: Duration) -> Result<PgConnection, OpenError> {
    let deadline = Instant::now() + wait;
    let mut has_warned = false;
    loop {
        match target.connector.connect(Limits::None).await {
            Ok((connection, _)) => return Ok(connection),
            Err(error) if error.may_pass() && Instant::now() + RETRY_DELAY < deadline => {
                if !has_warned {
                    has_warned = true;
                    tracing::warn!(cause = %error, "waiting up to {} s for PostgreSQL at {}", wait.as_secs(), target.place);
                }
                sleep(RETRY_DELAY).await;
            }
            Err(error) => return Err(OpenError::connect(&target.place, &error)),
        }
    }
}

/// Two sessions share a server process only behind a pooler that assigns one to each transaction. A pooler that assigns one to
/// each statement rejects transactions. Prepared statements, settings and notifications do not work there.
async fn reject_transaction_pooler(connection: &mut PgConnection, target: &Target) -> Result<(), OpenError> {
    let failed = |error: sqlx::Error| OpenError::connect(&target.place, &error.into());
    let process = || sqlx::query_scalar::<_, i32>("SELECT pg_backend_pid()").persistent(false);
    let first = process().fetch_one(connection).await.map_err(failed)?;
    let other = target.connector.connect(Limits::None).await;
    let (mut other, _) = other.map_err(|error| OpenError::connect(&target.place, &error))?;
    let pooler = || OpenError::TransactionPooler { place: target.place.clone() };
    let mut transaction = match other.begin().await {
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(PROTOCOL_VIOLATION) => {
            return Err(pooler());
        }
        begun => begun.map_err(failed)?,
    };
    let second = process().fetch_one(&mut *transaction).await.map_err(failed)?;
    transaction.rollback().await.map_err(failed)?;
    // If closing fails, the server detects the lost connection.
    let _ = other.close().await;
    if first == second { Err(pooler()) } else { Ok(()) }
}

async fn check_server(connection: &mut PgConnection, place: &str) -> Result<(), OpenError> {
    let settings = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int4, current_setting('server_version'), \
         current_setting('server_encoding')",
    );
    let (number, version, encoding): (i32, String, String) =
        settings.fetch_one(connection).await.map_err(|error| OpenError::connect(place, &error.into()))?;
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
    let exists: bool = exists.map_err(|error| OpenError::connect(place, &error.into()))?;
    if exists { Ok(()) } else { Err(OpenError::Missing { place: place.to_owned() }) }
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
