//! Opening: connect, check the server, bring the schema up to date, then make the pool.

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
/// How long a request waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that rested longer is asked whether it lives; asking each time would double the round trips.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// The oldest server, as `server_version_num` spells it.
const OLDEST_SERVER: i32 = 150_000;

impl PostgresStore {
    /// Connects, and brings the schema up to date. Any number of nodes may do so at once.
    ///
    /// A schema that is newer than this program is left as it is, and served, unless it says that it no
    /// longer serves programs as old as this one.
    ///
    /// # Errors
    /// [`OpenError`] in one line: the server is away, refuses us, is older than 15, or the schema does not fit.
    pub async fn connect(options: Options) -> Result<Self, OpenError> {
        let target = Target::parse(&options)?;
        let mut connection = dial(&target).await?;
        check_server(&mut connection, &target.place).await?;
        migrate(&mut connection, &target).await?;
        // Failing to say goodbye harms nobody: the server notices.
        let _ = connection.close().await;
        Ok(Self {
            invalidations: Arc::new(NotifyFeed::new(target.connect.clone(), options.revocation_bound)),
            pool: pool(target.connect, options.max_connections),
            searches: Arc::new(Searches::on(options.max_connections)),
            schema: target.schema,
        })
    }
}

/// A connection outside the pool: migrations may take long, and closing it frees their lock even after a failure.
async fn dial(target: &Target) -> Result<PgConnection, OpenError> {
    match timeout(CONNECT_TIMEOUT, target.connect.connect()).await {
        Ok(dialled) => dialled.map_err(|error| OpenError::connect(&target.place, &error)),
        Err(_) => Err(OpenError::silent(&target.place)),
    }
}

async fn check_server(connection: &mut PgConnection, place: &str) -> Result<(), OpenError> {
    let facts = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int4, current_setting('server_version'), \
         current_setting('server_encoding')",
    );
    let (number, version, encoding): (i32, String, String) =
        facts.fetch_one(connection).await.map_err(|error| OpenError::connect(place, &error))?;
    judge_server(place, number, version, encoding)
}

fn judge_server(place: &str, number: i32, version: String, encoding: String) -> Result<(), OpenError> {
    let place = place.to_owned();
    if number < OLDEST_SERVER {
        return Err(OpenError::ServerTooOld { place, found: version });
    }
    if encoding != "UTF8" {
        return Err(OpenError::Encoding { place, found: encoding });
    }
    Ok(())
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
    let least = sqlx::query_scalar("SELECT least_version FROM compatibility").fetch_one(connection).await;
    let least: i64 = least.map_err(|error| failed(error.into()))?;
    if least > known {
        return Err(OpenError::ProgramTooOld { place: target.place.clone(), least, known });
    }
    Ok(())
}

fn pool(connect: PgConnectOptions, max_connections: u32) -> PgPool {
    // A node that hangs or vanishes must not hold its locks for long. Each statement sees what was committed before it,
    // whatever the database's own default is: what is decided after waiting for a lock is decided on what there is then.
    let bounded = connect.options([
        ("statement_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("default_transaction_isolation", "read committed"),
    ]);
    PgPoolOptions::new()
        .max_connections(max_connections.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, rested| {
            Box::pin(async move {
                if rested.idle_for > TRUSTED_IDLE {
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

    fn judge(number: i32, version: &str, encoding: &str) -> Result<(), String> {
        judge_server("db:5432/roll", number, version.to_owned(), encoding.to_owned())
            .map_err(|refused| refused.to_string())
    }

    #[test]
    fn a_server_older_than_15_is_refused_in_one_line() {
        assert_eq!(judge(150_000, "15.0", "UTF8"), Ok(()));
        assert_eq!(judge(180_001, "18.1", "UTF8"), Ok(()));
        let line = "PostgreSQL at db:5432/roll is version 14.19, too old; upgrade the server to 15 or later";
        assert_eq!(judge(140_019, "14.19", "UTF8"), Err(line.to_owned()));
    }

    #[test]
    fn a_database_that_cannot_hold_every_name_is_refused() {
        assert!(judge(150_000, "15.0", "LATIN1").unwrap_err().contains("encoded in LATIN1"));
    }
}
