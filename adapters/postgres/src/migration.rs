//! Migration of the schema, while nodes of the release before read and write.
//!
//! A migration that needs a lock on a table waits for it briefly, because writes wait behind it, and is repeated. One that reads
//! whole tables takes no lock. One without a transaction creates an index concurrently, and is named after it.

use std::convert::Infallible;
use std::time::Duration;

use sqlx::migrate::{Migrate as _, MigrateError, Migration, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Error, raw_sql};
use tokio::time::sleep;

use crate::OpenError;
use crate::connector::Limits;
use crate::options::Target;

/// Delay between attempts to take a lock.
const RETRY_DELAY: Duration = Duration::from_millis(250);
/// Lock of the node that migrates. Nodes do not wait for it in a statement, because the creation of an index waits for those.
const LOCK: &str = "SELECT pg_try_advisory_lock(1383033964, 3)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(1383033964, 3)";
/// An index whose creation was interrupted.
const IS_INVALID: &str = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid)";
/// Interval of the log lines of an index that takes long.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);
const PROGRESS: &str = "SELECT format('%s, %s %%', phase, coalesce(100 * blocks_done / nullif(blocks_total, 0), 0)) \
     FROM pg_stat_progress_create_index WHERE datname = current_database()";
/// Maximum time that a migration with a transaction waits for a lock. Requests of other nodes wait behind it for up to 500 ms.
const LOCK_TIMEOUT: &str = "200ms";
/// The same for one of several attempts: a vacuum by the server gives way only to a transaction that has waited for 1 s.
const LONG_LOCK_TIMEOUT: &str = "1200ms";
const ATTEMPTS_PER_LONG_ONE: u32 = 40;
/// The driver's table of applied migrations.
const APPLIED: &str = "_sqlx_migrations";
/// Error code of `lock_timeout`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Migrates the schema.
pub(crate) async fn migrate(connection: &mut PgConnection, target: &Target) -> Result<(), OpenError> {
    let mut migrator: Migrator = sqlx::migrate!();
    migrator.set_ignore_missing(true).set_locking(false);
    if let Some(schema) = &target.connector.schema {
        migrator.create_schema(schema.clone());
    }
    let failed = |error| OpenError::migrate(&target.place, &error);
    lock(connection).await.map_err(|error| failed(error.into()))?;
    run(&migrator, connection, target).await.map_err(failed)?;
    // After a failure, closing the connection releases the lock. A proxy may keep the connection.
    sqlx::query(UNLOCK).execute(&mut *connection).await.map_err(|error| failed(error.into()))?;

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

/// Applies the pending migrations.
async fn run(migrator: &Migrator, connection: &mut PgConnection, target: &Target) -> Result<(), MigrateError> {
    // Applies none, and creates the table of applied ones.
    migrator.run_direct(Some(0), connection, false).await?;
    let applied = connection.list_applied_migrations(APPLIED).await?;
    for migration in migrator.iter() {
        if !applied.iter().any(|applied| applied.version == migration.version) {
            if !applied.is_empty() {
                tracing::info!(version = migration.version, "migrating the schema: {}", migration.description);
            }
            tokio::select! {
                applied = apply(migration, migrator, connection) => applied?,
                never = log_progress(target) => match never {},
            }
        }
    }
    // Applies none, and compares those that were applied with the program's.
    migrator.run_direct(None, connection, false).await
}

async fn apply(migration: &Migration, migrator: &Migrator, connection: &mut PgConnection) -> Result<(), MigrateError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let lock_timeout = if migration.no_tx {
            drop_interrupted_index(migration, connection).await?;
            "0"
        } else if attempts % ATTEMPTS_PER_LONG_ONE == 0 {
            LONG_LOCK_TIMEOUT
        } else {
            LOCK_TIMEOUT
        };
        sqlx::query("SELECT set_config('lock_timeout', $1, false)")
            .bind(lock_timeout)
            .execute(&mut *connection)
            .await?;
        match migrator.run_direct(Some(migration.version), connection, false).await {
            Err(MigrateError::ExecuteMigration(Error::Database(error), version))
                if error.code().as_deref() == Some(LOCK_NOT_AVAILABLE) =>
            {
                if attempts == 1 {
                    tracing::warn!(version, "the migration waits for a transaction or vacuum that uses its table");
                }
                sleep(RETRY_DELAY).await;
            }
            outcome => return outcome,
        }
    }
}

/// Logs at intervals what PostgreSQL reports of an index that is being created, until the future is dropped.
async fn log_progress(target: &Target) -> Infallible {
    loop {
        sleep(PROGRESS_INTERVAL).await;
        // Without a second connection, there is no progress to log.
        if let Ok((mut connection, _)) = target.connector.connect(Limits::None).await
            && let Ok(Some(progress)) = sqlx::query_scalar::<_, String>(PROGRESS).fetch_optional(&mut connection).await
        {
            tracing::info!("creating an index: {progress}");
        }
    }
}

/// Drops the index of a migration whose last attempt was interrupted.
async fn drop_interrupted_index(migration: &Migration, connection: &mut PgConnection) -> sqlx::Result<()> {
    let index = migration.description.replace(' ', "_");
    if sqlx::query_scalar(IS_INVALID).bind(&index).fetch_one(&mut *connection).await? {
        raw_sql(AssertSqlSafe(format!("DROP INDEX CONCURRENTLY {index}"))).execute(connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise writes would wait until the index is complete.
    #[test]
    fn indexes_of_existing_tables_are_created_concurrently() {
        let migrator: Migrator = sqlx::migrate!();
        for migration in migrator.iter().filter(|migration| migration.version > 1) {
            let sql: String = migration.sql.as_str().lines().filter(|line| !line.starts_with("--")).collect();
            let name = migration.description.replace(' ', "_");
            let is_named = sql.contains(&format!("INDEX CONCURRENTLY IF NOT EXISTS {name} ON "));
            // Changing a setting of an index does not build it.
            let is_built = sql.replace("ALTER INDEX", "").contains("INDEX");
            assert_eq!((is_built, sql.contains("REINDEX")), (migration.no_tx, false), "{name}");
            assert_eq!(is_named, migration.no_tx, "{name}");
        }
    }
}
