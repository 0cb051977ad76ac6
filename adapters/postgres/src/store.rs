//! The store: a pool of connections to one schema.

use std::sync::Arc;

use domain::StoreError;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;

use crate::failure::store_error;
use crate::invalidation_feed::NotifyFeed;
use crate::searches::Searches;

/// Stores students, users, sessions and the audit log in PostgreSQL. Cheap to clone; clones share the connections.
///
/// A statement may take 30 s, and the wait for a free connection 3 s; otherwise the call returns
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
    /// The schema version: the number of the newest applied migration, which may be from a newer release.
    ///
    /// # Errors
    /// [`StoreError`] if the query fails.
    pub async fn schema_version(&self) -> Result<i64, StoreError> {
        let newest = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success");
        newest.fetch_one(&self.pool).await.map_err(store_error)
    }

    /// Drops the schema named in [`Options::schema`](crate::Options::schema) with its content. Does nothing without one.
    ///
    /// # Errors
    /// [`StoreError`] if the statement fails.
    pub async fn drop_schema(&self) -> Result<(), StoreError> {
        let Some(schema) = &self.schema else { return Ok(()) };
        // The name was checked and quoted when the store was opened.
        let drop = sqlx::query(AssertSqlSafe(format!("DROP SCHEMA IF EXISTS {schema} CASCADE")));
        drop.execute(&self.pool).await.map_err(store_error)?;
        Ok(())
    }

    /// Waits until every connection is released, and closes it. Later calls return [`StoreError::Unavailable`].
    pub async fn close(&self) {
        self.invalidations.stop();
        self.pool.close().await;
    }
}
