//! Migration of the schema, while nodes of the release before read and write.
//!
//! A migration that needs a lock on a table waits for it briefly, because writes wait behind it, and is repeated. One that reads
//! whole tables takes no lock. One without a transaction creates an index concurrently, and is named after it.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Error, raw_sql};
use tokio::time::sleep;

use crate::OpenError;
use crate::options::Target;

/// Delay between attempts to take a lock.
const RETRY_DELAY: Duration = Duration::from_millis(250);
/// Lock of the node that migrates. Nodes do not wait for it in a statement, because the creation of an index waits for those.
const LOCK: &str = "SELECT pg_try_advisory_lock(1383033964, 3)";
/// An index whose creation was interrupted.
const IS_INVALID: &str = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid)";
/// Error code of `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Migrates the schema. Closing the connection releases the lock of the migration.
pub(crate) async fn migrate(connection: &mut PgConnection, target: &Target) -> Result<(), OpenError> {
    let mut migrator: Migrator = sqlx::migrate!();
    migrator.set_ignore_missing(true).set_locking(false);
    if let Some(schema) = &target.connector.schema {
        migrator.create_schema(schema.clone());
    }
    let failed = |error| OpenError::migrate(&target.place, &error);
    lock(connection).await.map_err(|error| failed(error.into()))?;
    drop_interrupted_indexes(&migrator, connection).await.map_err(|error| failed(error.into()))?;
    run(&migrator, connection).await.map_err(failed)?;

    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    let required = sqlx::query_scalar("SELECT least_version FROM compatibility").fetch_one(connection).await;
    let required: i64 = required.map_err(|error| failed(error.into()))?;
    if required > known {
        return Err(OpenError::ProgramTooOld { place: target.place.clone(), required, known });
    }
    Ok(())
}

async fn lock(connection: &mut PgConnection) -> sqlx::Result<()> {
    let mut has_logged = false;
    while !sqlx::query_scalar::<_, bool>(LOCK).fetch_one(&mut *connection).await? {
        if !has_logged {
            has_logged = true;
            tracing::info!("waiting for the migration by another node");
        }
        sleep(RETRY_DELAY).await;
    }
    Ok(())
}

async fn drop_interrupted_indexes(migrator: &Migrator, connection: &mut PgConnection) -> sqlx::Result<()> {
    for migration in migrator.iter().filter(|migration| migration.no_tx) {
        let index = migration.description.replace(' ', "_");
        if sqlx::query_scalar(IS_INVALID).bind(&index).fetch_one(&mut *connection).await? {
            let drop = AssertSqlSafe(format!("DROP INDEX CONCURRENTLY {index}"));
            raw_sql(drop).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

async fn run(migrator: &Migrator, connection: &mut PgConnection) -> Result<(), MigrateError> {
    let mut has_warned = false;
    loop {
        match migrator.run_direct(None, connection, false).await {
            Err(MigrateError::ExecuteMigration(Error::Database(error), version))
                if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE) =>
            {
                if !has_warned {
                    has_warned = true;
                    tracing::warn!(version, "migration waits for a transaction that writes the table");
                }
                sleep(RETRY_DELAY).await;
            }
            outcome => return outcome,
        }
    }
}
