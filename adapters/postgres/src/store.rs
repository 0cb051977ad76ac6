//! The store: a pool of connections to one schema.

use std::sync::Arc;

use domain::StoreError;
use sqlx::{AssertSqlSafe, Row};

use crate::availability::Availability;
use crate::failure::Failure;
use crate::gram_statistics::GramStatistics;
use crate::invalidation_feed::NotifyFeed;
use crate::pool::Pool;

/// Stores students, users, sessions and the audit log in PostgreSQL. Cheap to clone; clones share the connections.
///
/// Calls return [`StoreError::Unavailable`] after waiting 3 s for a free connection or 0.5 s for a lock, after 3 s of a
/// look-up, 10 s of a write or 30 s of a search, and at once while the server is known not to respond.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) pool: Arc<Pool>,
    pub(crate) availability: Arc<Availability>,
    pub(crate) invalidations: Arc<NotifyFeed>,
    pub(crate) gram_statistics: Arc<GramStatistics>,
    /// Quoted for SQL.
    pub(crate) schema: Option<String>,
}

impl PostgresStore {
    /// The schema version: the number of the newest applied migration, which may be from a newer release.
    ///
    /// # Errors
    /// [`StoreError`] if the query fails.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        let newest = sqlx::query("SELECT max(version) FROM _sqlx_migrations WHERE success");
        Ok(self.pool.read().await?.fetch_one(newest).await?.try_get(0).map_err(Failure::from)?)
    }

    /// Drops the schema named in [`Options::schema`](crate::Options::schema) with its content. Does nothing without one.
    ///
    /// # Errors
    /// [`StoreError`] if the statement fails.
    pub async fn drop_schema(&self) -> Result<(), StoreError> {
        let Some(schema) = &self.schema else { return Ok(()) };
        // The name was checked and quoted when the store was opened.
        let drop = sqlx::query(AssertSqlSafe(format!("DROP SCHEMA IF EXISTS {schema} CASCADE")));
        self.pool.write(("schema", None)).await?.execute(drop).await?;
        Ok(())
    }

    /// Closes the connections that are not in use; the others are closed after their call. Later calls return
    /// [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.invalidations.stop();
        self.pool.close().await;
    }
}
