//! Readiness probe.

use async_trait::async_trait;
use domain::{Probe, StoreError};

use crate::PostgresStore;
use crate::failure::store_error;

#[async_trait]
impl Probe for PostgresStore {
    async fn ready(&self) -> Result<(), StoreError> {
        // Reads both tables: the server may be up without them.
        let look_up = sqlx::query("SELECT EXISTS (SELECT FROM students), EXISTS (SELECT FROM users)");
        look_up.execute(&self.pool).await.map_err(store_error)?;
        Ok(())
    }
}
