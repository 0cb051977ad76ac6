//! The store itself: a pool of connections to one schema.

use std::sync::Arc;

use domain::StoreError;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;

use crate::failure::store_error;
use crate::invalidation_feed::NotifyFeed;
use crate::searches::Searches;

/// Keeps students, users, sessions and the audit in Postgres. Cheap to clone; clones share the connections.
///
/// A statement may take 30 seconds, and a free connection is waited for 3 seconds; what takes longer is
/// [`StoreError::Unavailable`].
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) pool: PgPool,
    pub(crate) searches: Arc<Searches>,
    pub(crate) invalidations: Arc<NotifyFeed>,
    /// Quoted for SQL.
    pub(crate) schema: Option<String>,
}

impl PostgresStore {
    /// The version of the schema: that of the newest migration that was applied, by whichever release.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be asked.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        let newest = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success");
        newest.fetch_one(&self.pool).await.map_err(store_error)
    }

    /// Drops the schema named in [`Options::schema`](crate::Options::schema) with all that it holds; without one
    /// it does nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be asked or refuses.
    pub async fn drop_schema(&self) -> Result<(), StoreError> {
        let Some(schema) = &self.schema else { return Ok(()) };
        // The name was checked and quoted when the store was opened.
        let drop = sqlx::query(AssertSqlSafe(format!("DROP SCHEMA IF EXISTS {schema} CASCADE")));
        drop.execute(&self.pool).await.map_err(store_error)?;
        Ok(())
    }

    /// Waits until every connection is given back, and closes it. What is asked of the store afterwards is
    /// [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.invalidations.end();
        self.pool.close().await;
    }
}
