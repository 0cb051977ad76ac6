//! Readiness probe.

use async_trait::async_trait;
use domain::{Probe, StoreError};
use sqlx::AssertSqlSafe;

use crate::PostgresStore;
use crate::availability::Observation;
use crate::failure::Failure;

#[async_trait]
impl Probe for PostgresStore {
    /// Returns what the invalidation feed last observed, so that a busy pool does not matter; without a feed, runs a query.
    /// A full disk of the server is not observed.
    async fn ready(&self) -> Result<(), StoreError> {
        if let Some(latest) = self.availability.latest() {
            return latest.into_result();
        }
        let observe = sqlx::query(AssertSqlSafe(format!("SELECT {}", Observation::COLUMNS)));
        let row = self.pool.read().await?.fetch_one(observe).await?;
        Observation::read(&row).map_err(Failure::from)?.into_result()
    }
}
